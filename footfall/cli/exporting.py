"""Puts the exporter's real parts together, for every command that needs them."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime

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
    """Return a function that returns the job as footfall.toml and the key file are now, and how often to look (s).

    At the start, and each time the files have changed, days that wait for a person are tried again: someone acted.
    """
    first = load_exporter_config(config, environment)
    config.finish()
    ledger = open_ledger(first)

    def load() -> DeliveryJob:
        again = read_config(config.path)
        changed = load_exporter_config(again, environment)
        again.finish()
        ledger.release()
        return open_job(changed, ledger)

    ledger.release()
    paths = (config.path, first.data / keys.FILE_NAME)
    return Reloading(paths, load, open_job(first, ledger), time.monotonic), first.look_every_s
