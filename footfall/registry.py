"""Who counts where: the sites and counters of footfall.toml, and the keys of the key file.

footfall.toml  [sites.alliance]  [counters.ALLI1]     edited by people and by `footfall counter`
data/keys.toml ALLI1 = ["whsec_..."]                  written by `footfall counter` only
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from footfall import keys
from footfall.environment import DATA, STORE, Environment
from footfall.errors import ConfigError, UnknownCounter
from footfall.model import Counter, Hours, Site
from footfall.reloading import Reloading
from footfall.settings import ConfigFile, Setting, Table, read_config
from footfall.signing import parse_key

TOP_SETTINGS = (
    Setting("data", "the folder of the journal, the ledger and the key file, beside footfall.toml", '"data"'),
    Setting("store", "what the exporter reads: `journal`, or `influxdb` where no journal is beside it", '"journal"'),
)
STORES = ("journal", "influxdb")
TABLES = ("ingest", "influxdb", "exporter", "sites", "counters", "profiles", "destinations")
SITE_SETTINGS = (
    Setting("name", "the site's name, as clients read it"),
    Setting("code", "the site's code, the last column of the client's file", "the site's id"),
    Setting("timezone", 'an IANA time zone, `"Europe/Paris"`'),
    Setting("hours", "opening hours, on half hours", '"08:00-19:00"'),
    Setting("capacity", "how many people may be inside at once", "none"),
    Setting("reset", "the local time at which occupancy starts again from zero, on a half hour", '"04:00"'),
)
COUNTER_SETTINGS = (
    Setting("site", "the site the counter's door belongs to"),
    Setting("name", "the counter's name, as clients read it"),
    Setting("location", "where the counter hangs, as clients read it"),
    Setting("since", "the first day it counted: earlier days show it only where it has counts", "none"),
    Setting("until", "the last day it counted: later days show it only where it has counts", "none"),
)
DEFAULT_HOURS = Hours(8 * 60, 19 * 60)


@dataclass(frozen=True)
class Registry:
    """The sites and counters as they were when the files were read. ``keys`` are raw bytes, newest first."""

    sites: Mapping[str, Site]
    counters: Mapping[str, Counter]
    keys: Mapping[str, tuple[bytes, ...]]

    def counters_of(self, site: str) -> tuple[Counter, ...]:
        """Return the counters of *site*, ordered by id."""
        return tuple(counter for _, counter in sorted(self.counters.items()) if counter.site == site)

    def keys_of(self, counter: str) -> tuple[bytes, ...]:
        """Return the keys *counter* may sign with, newest first. Raises UnknownCounter when it has none."""
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
    top = config.top(TOP_SETTINGS, TABLES)
    return config.folder / (environment.value(DATA) or top.text("data", "data"))


def chosen_store(config: ConfigFile, environment: Environment) -> str:
    """Return which of STORES the exporter reads."""
    chosen = config.top(TOP_SETTINGS, TABLES).choice("store", "journal", STORES)
    return environment_choice(STORE, chosen, config, environment)


def environment_choice(name: str, written: str, config: ConfigFile, environment: Environment) -> str:
    """Return the one of STORES that the environment's *name* chooses, or *written* where it is not set."""
    given = environment.value(name)
    if given is not None and given not in STORES:
        config.problems.append(f"{name} must be one of {', '.join(STORES)}")
        return written
    return given or written


def load_registry(config: ConfigFile, data: Path) -> Registry:
    """Return the registry that *config* and the key file in *data* hold, noting problems in *config*."""
    sites = {name: _site(name, table) for name, table in config.named("sites", SITE_SETTINGS)}
    counters = {name: _counter(name, table, sites) for name, table in config.named("counters", COUNTER_SETTINGS)}
    try:
        written = keys.read_keys(data / keys.FILE_NAME)
    except ConfigError as exc:
        config.problems.extend(f"{exc.source}: {problem}" for problem in exc.problems)
        written = {}
    raw = {counter: tuple(parse_key(key) for key in several) for counter, several in written.items()}
    return Registry(sites, counters, raw)


def live_registry(config_path: Path, data: Path, first: Registry, clock: Callable[[], float]) -> Callable[[], Registry]:
    """Return a function that returns the registry as of now; *first* while the files cannot be used.

    *clock* tells monotonic seconds.
    """

    def load() -> Registry:
        config = read_config(config_path)
        registry = load_registry(config, data)
        config.finish()
        return registry

    return Reloading((config_path, data / keys.FILE_NAME), load, first, clock)


def _site(name: str, table: Table) -> Site:
    reset = table.clock("reset", 4 * 60)
    if reset % 30 or reset >= 24 * 60:
        table.problem("reset", "must be on a half hour, before 24:00")
    return Site(
        id=name,
        name=table.text("name"),
        code=table.text("code", name),
        tz=table.timezone("timezone"),
        hours=table.hours("hours", DEFAULT_HOURS),
        capacity=table.whole("capacity", 0, 1, 10_000_000) if "capacity" in table else None,
        reset=reset,
    )


def _counter(name: str, table: Table, sites: Mapping[str, Site]) -> Counter:
    site = table.text("site")
    if site and site not in sites:
        table.problem("site", f"names a site that is not there: {site!r}" + _have(sites))
    since: date | None = table.day("since")
    until: date | None = table.day("until")
    if since and until and until < since:
        table.problem("until", "is before `since`")
    return Counter(name, site, table.text("name"), table.text("location"), since, until)


def _have(sites: Mapping[str, Site]) -> str:
    return f"; there are {', '.join(sorted(sites))}" if sites else "; write a [sites.NAME] table first"
