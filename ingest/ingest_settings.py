"""What ingest is told by footfall.toml and the environment."""

import ipaddress
import logging
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from footfall.environment import LISTEN, READS, Environment
from footfall.model import epoch_ms
from footfall.registry import STORES, Registry, data_folder, environment_choice, load_registry
from footfall.settings import ConfigFile, Setting, Table
from footfall.store.influx_settings import InfluxConfig, load_influx_config
from ingest.page_settings import PagesConfig, load_pages_config

log = logging.getLogger(__name__)

INGEST_SETTINGS = (
    Setting(
        "listen", "the address and port to serve on; `0.0.0.0:8080` for counters on the network", '"127.0.0.1:8080"'
    ),
    Setting("clock_tolerance_s", "how far a counter's clock may be off, seconds", "300"),
    Setting("earliest", "the first day a crossing may carry, UTC; earlier is a broken clock", "2015-01-01"),
    Setting("silent_after_s", "a counter not heard of for so long is silent, seconds", "180"),
    Setting("threads", "batches worked on at once; those that wait for the disk share one fsync", "32"),
    Setting(
        "reads",
        "what the API and the page read: `journal`, or `influxdb` where several ingests share the counters",
        '"journal"',
    ),
    Setting(
        "keep_days",
        "how long the journal keeps single crossings that are in InfluxDB, days; sums stay for ever",
        "none",
    ),
)
LEGACY_SETTINGS = (
    Setting("enabled", "take the old devices' unsigned `POST /`", "false"),
    Setting("networks", "the networks old devices may send from; whoever sends from there can invent counts", "none"),
)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True)
class IngestConfig:
    """Everything ingest needs to know. ``legacy_networks`` is None where the legacy row is off.

    ``influx`` is None where no InfluxDB is set, ``read_influx`` where the page and the API read the journal;
    ``keep_days`` None: crossings are kept for ever.
    """

    path: Path
    data: Path
    registry: Registry
    host: str
    port: int
    clock_tolerance_s: int
    earliest_epoch_ms: int
    silent_after_s: int
    threads: int
    legacy_networks: tuple[Network, ...] | None
    influx: InfluxConfig | None
    read_influx: InfluxConfig | None
    keep_days: int | None
    pages: PagesConfig


def load_ingest_config(config: ConfigFile, environment: Environment) -> IngestConfig:
    """Return ingest's configuration; problems are noted in *config*, for the caller to finish()."""
    table = config.table("ingest", (*INGEST_SETTINGS, Setting("legacy", ""), Setting("pages", "")))
    data = data_folder(config, environment)
    host, port = _listen(config, table, environment)
    earliest = table.day("earliest") or date(2015, 1, 1)
    influx = load_influx_config(config, environment)
    reads = environment_choice(READS, table.choice("reads", "journal", STORES), config, environment)
    keep_days = table.whole("keep_days", 400, 1, 100_000) if "keep_days" in table else None
    if influx is None and reads == "influxdb":
        table.problem("reads", "is influxdb, but influxdb.url is not set")
    if influx is None and keep_days is not None:
        table.problem("keep_days", "needs an InfluxDB that keeps what the journal forgets: influxdb.url is not set")
    return IngestConfig(
        path=config.path,
        data=data,
        registry=load_registry(config, data),
        host=host,
        port=port,
        clock_tolerance_s=table.whole("clock_tolerance_s", 300, 1, 86_400),
        earliest_epoch_ms=epoch_ms(datetime(earliest.year, earliest.month, earliest.day, tzinfo=UTC)),
        silent_after_s=table.whole("silent_after_s", 180, 60, 86_400),
        threads=table.whole("threads", 32, 1, 256),
        legacy_networks=_legacy_networks(config.table("ingest.legacy", LEGACY_SETTINGS)),
        influx=influx,
        read_influx=influx if reads == "influxdb" else None,
        keep_days=keep_days,
        pages=load_pages_config(config, environment),
    )


def parse_listen(value: object) -> tuple[str, int]:
    """Return (host, port) of ``127.0.0.1:8080`` or ``[::1]:8080``. Raises ValueError."""
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not (host and colon and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError('must be an address and a port, "127.0.0.1:8080"')
    return host.removeprefix("[").removesuffix("]"), int(port)


def _listen(config: ConfigFile, table: Table, environment: Environment) -> tuple[str, int]:
    written = table.parsed("listen", ("127.0.0.1", 8080), parse_listen)
    given = environment.value(LISTEN)
    try:
        return written if given is None else parse_listen(given)
    except ValueError as exc:
        config.problems.append(f"{LISTEN} {exc}")
        return written


def _legacy_networks(table: Table) -> tuple[Network, ...] | None:
    enabled = table.flag("enabled", False)
    none: tuple[Network, ...] = ()
    networks = table.parsed("networks", none, _parse_networks)
    if enabled and not networks:
        table.problem("networks", 'must list the networks the old devices are in, ["192.168.1.0/24"]')
    return networks if enabled else None


def _parse_networks(value: object) -> tuple[Network, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError('must be a list of networks, ["192.168.1.0/24"]')
    try:
        return tuple(ipaddress.ip_network(one) for one in value)
    except ValueError as exc:
        raise ValueError(f"must be a list of networks: {exc}") from None
