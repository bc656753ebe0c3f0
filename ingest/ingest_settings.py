"""Settings of ingest, from footfall.toml and the environment."""

import ipaddress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from footfall.environment import PAGES_PASSWORD, READS, Environment
from footfall.model import epoch_ms
from footfall.registry import STORE_CHOICE, ListenTable, Registry, data_folder, load_registry
from footfall.setting_kinds import FLAG, Kind, day, whole
from footfall.settings import ConfigFile, Table, inner, optional, setting
from footfall.store.influx_settings import InfluxConfig, load_influx_config

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _parse_networks(value: object) -> tuple[Network, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError('must be a list of networks, like ["192.168.1.0/24"]')
    try:
        return tuple(ipaddress.ip_network(one) for one in value)
    except ValueError as exc:
        raise ValueError(f"must be a list of networks: {exc}") from None


@dataclass(frozen=True, kw_only=True)
class LegacyTable(Table):
    """Unsigned rows of old devices, `POST /`."""

    PATH = "ingest.legacy"
    enabled: bool = setting(FLAG, "Accept these rows.", False)
    networks: tuple[Network, ...] | None = optional(
        Kind("a list of networks", _parse_networks),
        "Networks the old devices send from. Anyone in them can invent counts.",
        example=["192.168.1.0/24"],
    )


@dataclass(frozen=True, kw_only=True)
class PagesTable(Table):
    """The pages that ingest serves."""

    PATH = "ingest.pages"
    nearly_full: int = setting(whole(1, 100, "percent"), "Share of its capacity from which a site is nearly full.", 85)
    display_open: bool = setting(FLAG, "Show `/display` without the password of the pages.", True)


@dataclass(frozen=True, kw_only=True)
class IngestTable(ListenTable):
    """The service that stores batches and serves the pages."""

    clock_tolerance_s: int = setting(
        whole(1, 86_400, "seconds"), "How far a counter's clock may differ from the server's.", 300
    )
    earliest: date = setting(
        day(), "First day a crossing may carry, in UTC. An earlier one means a broken clock.", date(2015, 1, 1)
    )
    silent_after_s: int = setting(
        whole(60, 86_400, "seconds"), "A counter that sends nothing for this long is silent.", 180
    )
    threads: int = setting(
        whole(1, 256), "Batches processed at once. Those that wait for the disk share one fsync.", 32
    )
    reads: str = setting(
        STORE_CHOICE,
        "What the API and the pages read: `journal`, or `influxdb` if several ingests share the counters.",
        "journal",
        variable=READS,
    )
    keep_days: int | None = optional(
        whole(1, 100_000, "days"),
        "How long the journal keeps single crossings once they are in InfluxDB. Their sums stay.",
        absent="forever",
        example=400,
    )
    legacy: LegacyTable = inner(LegacyTable)
    pages: PagesTable = inner(PagesTable)


@dataclass(frozen=True, kw_only=True)
class IngestConfig(IngestTable):
    """Ingest's whole configuration: the table [ingest], and values that depend on other tables.

    ``influx`` is None if InfluxDB is not configured, ``read_influx`` if the pages and the API read the journal, and
    ``pages_password`` if the pages are open.
    """

    path: Path
    data: Path
    registry: Registry
    influx: InfluxConfig | None
    read_influx: InfluxConfig | None
    pages_password: str | None = field(repr=False)

    @property
    def earliest_epoch_ms(self) -> int:
        """The start of the first day a crossing may carry."""
        return epoch_ms(datetime(self.earliest.year, self.earliest.month, self.earliest.day, tzinfo=UTC))

    @property
    def legacy_networks(self) -> tuple[Network, ...] | None:
        """The networks that may send rows of old devices; None if nobody may."""
        return self.legacy.networks if self.legacy.enabled else None


def load_ingest_config(config: ConfigFile, environment: Environment) -> IngestConfig:
    """Return ingest's configuration. Problems are noted in *config*; call its finish()."""
    table = config.read(IngestTable, environment)
    data = data_folder(config, environment)
    influx = load_influx_config(config, environment)
    if table.legacy.enabled and not table.legacy.networks:
        config.problem("ingest.legacy.networks", 'must list the networks of the old devices, like ["192.168.1.0/24"]')
    if influx is None and table.reads == "influxdb":
        config.problem("ingest.reads", "is influxdb, but influxdb.url is not set")
    if influx is None and table.keep_days is not None:
        config.problem("ingest.keep_days", "needs InfluxDB to keep the pruned crossings: influxdb.url is not set")
    return IngestConfig(
        **vars(table),
        path=config.path,
        data=data,
        registry=load_registry(config, data),
        influx=influx,
        read_influx=influx if table.reads == "influxdb" else None,
        pages_password=config.secret(environment, PAGES_PASSWORD),
    )
