"""Puts the exporter's real parts together, for every command that needs them."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from exporter.config import DestinationSettings, ExporterConfig, FolderSettings, load_exporter_config
from exporter.destination import Destination
from exporter.folder import FolderDestination
from exporter.job import DeliveryJob
from exporter.ledger import FILE_NAME as LEDGER
from exporter.ledger import Ledger
from exporter.sftp import SftpDestination
from footfall import keys
from footfall.config import ConfigFile, read_config
from footfall.environment import Environment
from footfall.reloading import Reloading
from footfall.store.journal import FILE_NAME as JOURNAL
from footfall.store.reader import JournalReader


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
        reader=JournalReader(config.data / JOURNAL),
        ledger=ledger,
        clock=lambda: datetime.now(UTC),
        chance=random.Random(),  # noqa: S311 - spreads retries, keeps no secret
    )


def live_job(config: ConfigFile, environment: Environment) -> tuple[Callable[[], DeliveryJob], int]:
    """Return a function that returns the job as its files are now, and how often to look (s).

    The files are footfall.toml, the key file, and the keys, passphrases and passwords that footfall.toml names. At the
    start, and each time one of them has changed, days that wait for a person are tried again: someone acted.
    """
    first = load_exporter_config(config, environment)
    config.finish()
    ledger = open_ledger(first)
    ledger.release()
    return _LiveJob(config.path, environment, first, ledger), first.look_every_s


class _LiveJob:
    """Call it for the job as of now. Which files are watched may change with footfall.toml itself."""

    def __init__(self, path: Path, environment: Environment, first: ExporterConfig, ledger: Ledger) -> None:
        self._path = path
        self._environment = environment
        self._ledger = ledger
        self._keys = first.data / keys.FILE_NAME
        self._secret_files = first.secret_files
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
        return open_job(changed, self._ledger)
