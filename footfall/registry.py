"""The sites and counters of footfall.toml, and the keys of the key file.

footfall.toml    [sites.alliance], [counters.ALLI1]    edited by people and by `footfall counter`
data/keys.toml   ALLI1 = ["whsec_..."]                 written by `footfall counter` only
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from footfall import keys
from footfall.environment import DATA, LISTEN, STORE, Environment
from footfall.errors import ConfigError, UnknownCounter
from footfall.model import Counter, Hours, Site
from footfall.reloading import Reloading
from footfall.setting_kinds import ADDRESS, FILE, HALF_HOUR, HOURS, TEXT, TIMEZONE, Address, choice, day, whole
from footfall.settings import ConfigFile, Table, optional, read_config, setting
from footfall.signing import parse_key

STORE_CHOICE = choice("journal", "influxdb")
_DAY = date(2026, 5, 4)


@dataclass(frozen=True, kw_only=True)
class TopTable(Table):
    """Settings that all parts share."""

    PATH = ""
    TABLES = ("ingest", "influxdb", "exporter", "sites", "counters", "profiles", "destinations")
    data: str = setting(FILE, "Folder of the journal, the ledger and the key file.", "data", variable=DATA)
    store: str = setting(
        STORE_CHOICE,
        "What the exporter reads: `journal`, or `influxdb` if the journal is elsewhere.",
        "journal",
        variable=STORE,
    )


@dataclass(frozen=True, kw_only=True)
class ListenTable(Table):
    """Where ingest listens: all that other parts know of ingest's settings."""

    PATH = "ingest"
    listen: Address = setting(
        ADDRESS,
        "Address and port to serve on. `0.0.0.0:8080` accepts counters from the network, `[::]:8080` over IPv6 too.",
        "127.0.0.1:8080",
        variable=LISTEN,
    )


@dataclass(frozen=True, kw_only=True)
class SiteTable(Table):
    """The client's premises."""

    PATH = "sites.ID"
    name: str = setting(TEXT, "Name of the site, as clients read it.")
    code: str | None = optional(TEXT, "Code of the site, the last column of the client's file.", absent="the ID")
    timezone: ZoneInfo = setting(TIMEZONE, "Time zone of the site.")
    hours: Hours = setting(HOURS, "Opening hours.", "08:00-19:00")
    capacity: int | None = optional(whole(1, 10_000_000), "How many people may be inside at once.", example=120)
    reset: int = setting(HALF_HOUR, "When occupancy restarts from zero; nobody should be inside.", "04:00")


@dataclass(frozen=True, kw_only=True)
class CounterTable(Table):
    """The device at one door. `footfall counter` writes these tables; names and locations may be edited."""

    PATH = "counters.ID"
    site: str = setting(TEXT, "ID of the site that the counter counts for.")
    name: str = setting(TEXT, "Name of the counter, as clients read it.", example="Main door")
    location: str = setting(TEXT, "Where the counter hangs, as clients read it.", example="Hall")
    since: date | None = optional(
        day(), "First day it counts. Earlier files show it only if it has counts.", example=_DAY
    )
    until: date | None = optional(day(), "Last day it counts. Later files show it only if it has counts.", example=_DAY)


@dataclass(frozen=True)
class Registry:
    """The sites and counters when the files were read. ``keys`` are raw bytes, newest first."""

    sites: Mapping[str, Site]
    counters: Mapping[str, Counter]
    keys: Mapping[str, tuple[bytes, ...]]

    def counters_of(self, site: str) -> tuple[Counter, ...]:
        """Return the counters of *site*, ordered by id."""
        return tuple(counter for _, counter in sorted(self.counters.items()) if counter.site == site)

    def keys_of(self, counter: str) -> tuple[bytes, ...]:
        """Return the keys *counter* may sign with, newest first. Raises UnknownCounter if it has none."""
        found = self.keys.get(counter, ())
        if counter not in self.counters or not found:
            raise UnknownCounter(
                f"no counter {counter!r} is registered here", hint="register it: footfall counter add ID ..."
            )
        return found

    def site_of(self, counter: str) -> Site:
        """Return the site of a registered *counter*."""
        return self.sites[self.counters[counter].site]


def data_folder(config: ConfigFile, environment: Environment) -> Path:
    """Return the folder of the journal, the ledger and the key file."""
    return config.folder / config.read(TopTable, environment).data


def ingest_url(config: ConfigFile, environment: Environment) -> str:
    """Return the URL by which this machine reaches its own ingest."""
    return config.read(ListenTable, environment, is_whole=False).listen.url


def load_registry(config: ConfigFile, data: Path) -> Registry:
    """Return the registry that *config* and the key file in *data* hold, noting problems in *config*."""
    sites = {name: _site(name, table) for name, table in config.named(SiteTable).items()}
    counters = {}
    for name, table in config.named(CounterTable).items():
        where = f"counters.{name}"
        if table.site and table.site not in sites:
            config.problem(f"{where}.site", f"names an unknown site: {table.site!r}" + _have(sites))
        if table.since and table.until and table.until < table.since:
            config.problem(f"{where}.until", "is before `since`")
        counters[name] = Counter(name, table.site, table.name, table.location, table.since, table.until)
    try:
        written = keys.read_keys(data / keys.FILE_NAME)
    except ConfigError as exc:
        config.problems.extend(f"{exc.source}: {problem}" for problem in exc.problems)
        written = {}
    raw = {counter: tuple(parse_key(key) for key in several) for counter, several in written.items()}
    return Registry(sites, counters, raw)


def live_registry(config_path: Path, data: Path, first: Registry, clock: Callable[[], float]) -> Callable[[], Registry]:
    """Return a function that returns the registry as of now; *first* while the files cannot be used.

    *clock* returns monotonic seconds.
    """

    def load() -> Registry:
        config = read_config(config_path)
        registry = load_registry(config, data)
        config.finish()
        return registry

    return Reloading((config_path, data / keys.FILE_NAME), load, first, clock)


def _site(name: str, table: SiteTable) -> Site:
    return Site(name, table.name, table.code or name, table.timezone, table.hours, table.capacity, table.reset)


def _have(sites: Mapping[str, Site]) -> str:
    return f"; known: {', '.join(sorted(sites))}" if sites else "; write a [sites.ID] table first"
