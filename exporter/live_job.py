"""Puts the exporter's real parts together, for every command that needs them."""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from exporter.delivery_job import DeliveryJob
from exporter.delivery_reporter import DeliveryReporter, Tell
from exporter.destinations.destination import Destination
from exporter.destinations.folder import FolderDestination
from exporter.destinations.sftp import SftpDestination
from exporter.exporter_settings import DestinationSettings, ExporterConfig, FolderSettings, load_exporter_config
from footfall import keys
from footfall.console import open_config
from footfall.environment import Environment
from footfall.reloading import Reloading
from footfall.settings import ConfigFile, read_config
from footfall.store.influx_settings import InfluxConfig
from footfall.store.ledger import FILE_NAME as LEDGER
from footfall.store.ledger import Ledger
from footfall.store.points import Point
from footfall.store.reader import open_reader


def open_exporter(ctx: click.Context) -> ExporterConfig:
    """Return the exporter's configuration for the command of *ctx*. Raises ConfigError with every problem."""
    config, environment = open_config(ctx)
    found = load_exporter_config(config, environment)
    config.finish()
    return found


def open_destination(settings: DestinationSettings) -> Destination:
    """Return the destination that *settings* describe."""
    if isinstance(settings, FolderSettings):
        return FolderDestination(settings.name, settings.folder, settings.mounted)
    return SftpDestination(settings)


def open_ledger(config: ExporterConfig) -> Ledger:
    """Return the ledger of the data folder."""
    return Ledger(config.data / LEDGER)


def open_job(config: ExporterConfig, ledger: Ledger) -> DeliveryJob:
    """Return the job that *config* describes, on the real store, ledger, destinations and clock."""
    return DeliveryJob(
        profiles=config.profiles,
        destinations={name: open_destination(settings) for name, settings in config.destinations.items()},
        reader=open_reader(config.data, config.read_influx),
        ledger=ledger,
        clock=lambda: datetime.now(UTC),
        chance=random.Random(),  # noqa: S311 - spreads retries, keeps no secret
    )


def open_reporter(ledger: Ledger, influx: Callable[[], InfluxConfig | None]) -> DeliveryReporter:
    """Return who tells the InfluxDB that *influx* returns of deliveries."""
    return DeliveryReporter(ledger, _Tell(influx), lambda: datetime.now(UTC))


@contextmanager
def telling(config: ExporterConfig, ledger: Ledger, job: DeliveryJob) -> Iterator[None]:
    """Tell InfluxDB, where there is one, of what was delivered inside, however that ended."""
    try:
        yield
    finally:
        if config.influx is not None:
            open_reporter(ledger, lambda: config.influx).look(job.report, job.profiles)


class _Tell:
    """Call it with points to write them to the InfluxDB that is set up now; where there is none, they count as told."""

    def __init__(self, influx: Callable[[], InfluxConfig | None]) -> None:
        self._influx = influx
        self._writer: tuple[InfluxConfig, Tell] | None = None

    def __call__(self, points: Sequence[Point]) -> None:
        config = self._influx()
        if config is None:
            return
        if self._writer is None or self._writer[0] != config:
            from footfall.store.influx_writer import InfluxWriter  # 17 MB that no other exporter needs

            self._writer = config, InfluxWriter(config).write
        self._writer[1](points)


@contextmanager
def live_job(
    config: ConfigFile, environment: Environment
) -> Iterator[tuple[Callable[[], DeliveryJob], int, DeliveryReporter]]:
    """Give a function that returns the job as its files are now, how often to look (s), and who tells of it.

    The files are footfall.toml, the key file, and the keys, passphrases and passwords that footfall.toml names. At the
    start, and each time one of them has changed, days that wait for a person are tried again: someone acted.
    """
    first = load_exporter_config(config, environment)
    config.finish()
    with closing(open_ledger(first)) as ledger:
        ledger.release()
        job = _LiveJob(config.path, environment, first, ledger)
        yield job, first.look_every_s, open_reporter(ledger, lambda: job.influx)


class _LiveJob:
    """Call it for the job as of now. Which files are watched may change with footfall.toml itself."""

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
        self._secret_files = changed.secret_files  # also of one that cannot be used: a file it names may come later
        config.finish()
        self._ledger.release()
        self.influx = changed.influx
        return open_job(changed, self._ledger)
