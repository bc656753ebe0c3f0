"""footfall.example.toml, and the footfall.toml that `footfall init` writes: every setting, from its declaration."""

from collections.abc import Iterator, Mapping
from datetime import date

import tomlkit

from exporter.exporter_settings import DestinationTable, ExporterTable
from exporter.profile import ProfileTable
from footfall.registry import CounterTable, SiteTable, TopTable
from footfall.settings import Table, settings_of
from footfall.store.influx_settings import InfluxTable
from ingest.ingest_settings import IngestTable, LegacyTable, PagesTable

TABLES: tuple[type[Table], ...] = (
    TopTable, SiteTable, CounterTable, ProfileTable, DestinationTable, ExporterTable, IngestTable, PagesTable,
    LegacyTable, InfluxTable,
)  # fmt: skip
"""Every table of footfall.toml, in the order of the example and the reference."""

_HEAD = """\
# Footfall's configuration. docs/reference.md explains every setting. After a change: footfall doctor
# Lines like "# name = value" show the default, or an example if there is no default."""
_COLUMN, _WIDTH = 40, 120

Values = Mapping[str, object]


def render_example(site: str, name: str, timezone: str, today: date) -> str:
    """Return a footfall.toml for one *site*: what it needs is set, everything else is a comment."""
    names = {"sites.ID": site, "counters.ID": "DOOR1", "profiles.NAME": site, "destinations.NAME": "client"}
    values: dict[type[Table], Values] = {
        SiteTable: {"name": name, "code": site[:4].upper(), "timezone": timezone, "hours": "08:00-19:00"},
        ProfileTable: {"site": site, "deliver_from": today},
        IngestTable: {},
    }
    parts = [_HEAD]
    for table in TABLES:
        heading = f"{table.PATH.partition('.')[0]}.{names[table.PATH]}" if table.PATH in names else table.PATH
        parts.append("\n".join(_lines(table, heading, values.get(table), {"site": site})))
    return "\n\n".join(parts) + "\n"


def _lines(table: type[Table], heading: str, values: Values | None, examples: Values) -> Iterator[str]:
    """Yield the lines of *table*: those in *values* are set, and none, not even the heading, if that is None."""
    if heading:
        yield f"[{heading}]" if values is not None else f"# [{heading}]"
    for name, one in settings_of(table).items():
        is_set = values is not None and name in values
        value = values[name] if values is not None and is_set else examples.get(name, one.example or one.default)
        line = f"{'' if is_set else '# '}{name} = {tomlkit.item(value).as_string()}"
        meaning = one.meaning.replace("`", '"')
        if max(len(line), _COLUMN) + len(meaning) + 4 <= _WIDTH:
            yield f"{line:{_COLUMN}}  # {meaning}"
        else:
            yield f"# {meaning}"
            yield line
