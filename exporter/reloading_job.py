"""The daemon's job, rebuilt when footfall.toml, the key file or a file of secrets changes."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from exporter.assembly import open_job, open_ledger, open_reporter
from exporter.delivery_job import DeliveryJob
from exporter.delivery_reporter import DeliveryReporter
from exporter.exporter_settings import ExporterConfig, load_exporter_config
from footfall import keys
from footfall.environment import Environment
from footfall.reloading import Reloading
from footfall.settings import ConfigFile, read_config
from footfall.store.ledger import Ledger


@contextmanager
def reloading_job(
    config: ConfigFile, environment: Environment
) -> Iterator[tuple[Callable[[], DeliveryJob], int, DeliveryReporter]]:
    """Yield a function that returns the job as configured now, the seconds between looks, and the reporter.

    It follows footfall.toml, the key file, and the keys, passphrases and passwords that footfall.toml names. Blocked
    days are retried at the start and each time one of these files changes: someone has acted.
    """
    first = load_exporter_config(config, environment)
    config.finish()
    with closing(open_ledger(first)) as ledger:
        ledger.release()
        job = _ReloadingJob(config.path, environment, first, ledger)
        yield job, first.look_every_s, open_reporter(ledger, lambda: job.influx)


class _ReloadingJob:
    """Call it for the job as configured now. The files it watches may change with footfall.toml itself."""

    def __init__(self, path: Path, environment: Environment, first: ExporterConfig, ledger: Ledger) -> None:
        self._path = path
        self._environment = environment
        self._ledger = ledger
        self._keys = first.data / keys.FILE_NAME
        self._secret_files = first.secret_files
        self.influx = first.influx
        self._watch(open_job(first, ledger))

    def __call__(self) -> DeliveryJob:
        job = self._job()
        if self._secret_files != self._watched:
            self._watch(job)
            return self._job()
        return job

    def _watch(self, job: DeliveryJob) -> None:
        secret_files = self._secret_files
        self._job = Reloading((self._path, self._keys, *secret_files), self._load, job, time.monotonic)
        self._watched = secret_files

    def _load(self) -> DeliveryJob:
        config = read_config(self._path)
        changed = load_exporter_config(config, self._environment)
        self._secret_files = changed.secret_files  # even if *config* is refused: a file it names may still come
        config.finish()
        self._ledger.release()
        self.influx = changed.influx
        return open_job(changed, self._ledger)
