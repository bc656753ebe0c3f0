"""Builds the exporter's real parts for the commands that need them."""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import click

from exporter.delivery_job import DeliveryJob
from exporter.delivery_reporter import DeliveryReporter, WritePoints
from exporter.destinations.destination import Destination
from exporter.destinations.folder import FolderDestination
from exporter.destinations.sftp import SftpDestination
from exporter.exporter_settings import DestinationSettings, ExporterConfig, FolderSettings, load_exporter_config
from footfall.console import open_config
from footfall.errors import StoreUnavailable
from footfall.store.influx_settings import InfluxConfig
from footfall.store.ledger import Ledger
from footfall.store.ledger_schema import FILE_NAME as LEDGER
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
    """Return a reporter of the deliveries in *ledger* to the InfluxDB that *influx* returns."""
    return DeliveryReporter(ledger, _ConfiguredInflux(influx), lambda: datetime.now(UTC))


@contextmanager
def reporting(config: ExporterConfig, ledger: Ledger, job: DeliveryJob) -> Iterator[None]:
    """When the block ends, record every day's standing, then report to InfluxDB if it is configured."""
    try:
        yield
    finally:
        with suppress(StoreUnavailable):  # the delivery is recorded already; the next look does the rest
            job.look()
        if config.influx is not None:
            open_reporter(ledger, lambda: config.influx).report(job.look, job.profiles)


class _ConfiguredInflux:
    """Writes points to the currently configured InfluxDB. Without one, they count as written."""

    def __init__(self, influx: Callable[[], InfluxConfig | None]) -> None:
        self._influx = influx
        self._writer: tuple[InfluxConfig, WritePoints] | None = None

    def __call__(self, points: Sequence[Point]) -> None:
        config = self._influx()
        if config is None:
            return
        if self._writer is None or self._writer[0] != config:
            from footfall.store.influx_writer import InfluxWriter  # 17 MB, which only this exporter needs

            self._writer = config, InfluxWriter(config).write
        self._writer[1](points)
