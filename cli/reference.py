"""Writes docs/reference.md from the code: ``python -m cli.reference``. With ``--check``, only compares.

It writes footfall.example.toml too, which comes from the same declarations.
"""

import inspect
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import tomlkit

from cli import COMMANDS, main
from cli.example import TABLES, render_example
from footfall.environment import VARIABLES
from footfall.model import Arrival, Counter, Site, Span
from footfall.registry import Registry
from footfall.setting_kinds import HOURS, TIMEZONE
from footfall.settings import NAME_RULE, Setting, Table, settings_of
from footfall.store.journal import FILE_NAME, Journal
from footfall.store.journal_reader import JournalReader
from footfall.store.ledger import Ledger
from footfall.store.ledger_reader import LedgerReader
from footfall.store.ledger_schema import FILE_NAME as LEDGER
from footfall.store.ledger_schema import RecordedProfile, Standing, State
from ingest.error_codes import ERROR_CODES
from ingest.metrics import Metrics

_ROOT = Path(__file__).parents[1]
_HEAD = """\
# Reference

<!-- Made by `make docs` from the code. Do not edit. -->

[Settings](#settings), [environment variables](#environment-variables), [commands](#commands), [metrics](#metrics),
[error codes](#error-codes).
"""
_SETTINGS = f"""\
## Settings

footfall.toml is TOML: times are written `"20:00"`, hours `"08:00-19:00"`, dates without quotes. An ID or NAME is
{NAME_RULE}. Paths are relative to the folder of footfall.toml. A setting that is
not listed here is an error; all errors are reported at once.
"""
_VARIABLES = """\
## Environment variables

`NAME_FILE` is the path of a file whose first line is the value of the variable NAME. It beats NAME itself. A file that
cannot be read is an error.
"""
_COMMANDS = """\
## Commands

The exit status is 0 on success, 1 if `doctor` found a problem, and 2 on failure; the last line then says why.
"""
_METRICS = """\
## Metrics

`GET /metrics` returns them in Prometheus's text format. A metric that cannot be read is missing, and
`footfall_readable` is 0. Counters and histograms start at zero with the process, and each has a `_created` companion
with that instant. The forwarder's counters outlive the process and have none.
"""
_ERRORS = """\
## Error codes

Every error of the HTTP API has the body `{"error": {"code": "...", "message": "...", "field": "..."}}`. A code never
changes its meaning; messages may. [The wire format](wire-format.md#the-answer) says what a counter does about each.
"""


def render_reference() -> str:
    """Return docs/reference.md."""
    parts = [_HEAD, _SETTINGS, *map(_table_of_settings, TABLES), _VARIABLES, _variables(), _COMMANDS]
    parts += [*(_command(usage, one) for usage, one in commands()), _METRICS, _metrics(), _ERRORS, _error_codes()]
    return "\n".join(parts)


def _rows(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |\n" for line in lines)


def _table_of_settings(table: type[Table]) -> str:
    heading = f"`[{table.PATH}]`" if table.PATH else "Outside the tables"
    rows = ((f"`{name}`", one.kind.expects, _default(one), one.meaning) for name, one in settings_of(table).items())
    intro = inspect.getdoc(table) or ""
    return f"### {heading}\n\n{intro}\n\n" + _rows(("setting", "value", "default", "meaning"), rows)


def _default(one: Setting) -> str:
    if one.default is not None:
        return f"`{tomlkit.item(one.default).as_string()}`"
    return "required" if one.is_required else one.absent


def _variables() -> str:
    overridden = {
        one.variable: f"Overrides `{'.'.join(filter(None, (table.PATH, name)))}`."
        for table in TABLES
        for name, one in settings_of(table).items()
    }
    return _rows(("variable", "meaning"), ((f"`{name}`", text or overridden[name]) for name, text in VARIABLES.items()))


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield (usage, command) for `footfall` itself and each command, of a group for each command in it."""
    context = click.Context(main)
    yield "footfall", main
    for name in (command.name for command in COMMANDS):
        command = main.get_command(context, name)
        inner = command.commands if isinstance(command, click.Group) else {"": command}
        for short, one in inner.items():
            if one is not None:
                arguments = [param.make_metavar(context) for param in one.params if isinstance(param, click.Argument)]
                yield " ".join(filter(None, ["footfall", name, short, *arguments])), one


def _command(usage: str, command: click.Command) -> str:
    text = f"### `{usage}`\n\n{inspect.cleandoc(command.help or '')}\n"
    options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
    return text + ("\n" + _rows(("option", "default", "meaning"), map(_option, options)) if options else "")


def _option(one: click.Option) -> tuple[str, str, str]:
    metavar = "" if one.is_flag else " " + one.make_metavar(click.Context(main)).removesuffix(" RANGE")
    default = "required" if one.required else f"`{one.default}`" if one.show_default else ""
    return f"`{one.opts[0]}{metavar}`", default, one.help or ""


def _metrics() -> str:
    """Return the metrics of a scrape in which each one has a value."""
    site = Site("site", "", "", TIMEZONE.parse("UTC"), HOURS.parse("08:00-19:00"), None, 0)
    registry = Registry({site.id: site}, {"DOOR1": Counter("DOOR1", site.id, "", "")}, {})
    now_epoch_ms = time.time_ns() // 1_000_000
    metrics = Metrics()
    metrics.count_answer(200)
    with TemporaryDirectory() as folder:
        path = Path(folder) / FILE_NAME
        with closing(Journal(path)) as journal, closing(JournalReader(path)) as reader:
            journal.append([Arrival("DOOR1", "stream", (), Span(now_epoch_ms - 1, now_epoch_ms), now_epoch_ms)])
            _record_late_day(path.with_name(LEDGER), site.id, now_epoch_ms)
            ledger = LedgerReader(path.with_name(LEDGER))
            metrics.watch(lambda: registry, reader, path, ledger, lambda: datetime.now(UTC), is_forwarding=True)
            found = list(metrics.registry.collect())
    rows = []
    for one in found:
        labels = [name for name in one.samples[0].labels if name != "le"]
        kind = one.type + (f", by {', '.join(f'`{label}`' for label in labels)}" if labels else "")
        name = f"{one.name}_total" if one.type == "counter" else one.name
        rows.append((f"`{name}`", kind, f"{one.documentation.removesuffix('.')}."))
    return _rows(("metric", "type", "meaning"), rows)


def _record_late_day(ledger: Path, site: str, now_epoch_ms: int) -> None:
    with closing(Ledger(ledger)) as opened:
        late = Standing("profile", date(2026, 5, 4), State.LATE)
        opened.record_look(now_epoch_ms, [RecordedProfile("profile", site, "host")], [late])


def _error_codes() -> str:
    rows = ((str(one.status or "other"), f"`{one.code}`", one.meaning) for one in ERROR_CODES)
    return _rows(("status", "code", "meaning"), rows)


def generated() -> dict[Path, str]:
    """Return every file that is made from the code, with what it must hold."""
    example = render_example("alliance", "Alliance", "Europe/Paris", date(2026, 5, 4))
    return {_ROOT / "docs" / "reference.md": render_reference(), _ROOT / "footfall.example.toml": example}


def run(arguments: list[str]) -> int:
    """Write the files that are not current; with ``--check``, name them and return 1."""
    is_check = "--check" in arguments
    stale = {path: text for path, text in generated().items() if not path.exists() or path.read_text("utf-8") != text}
    for path, text in stale.items():
        if is_check:
            click.echo(f"{path.relative_to(_ROOT)} is out of date: run make docs", err=True)
        else:
            path.write_text(text, encoding="utf-8")
            click.echo(f"wrote {path.relative_to(_ROOT)}")
    return int(is_check and bool(stale))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
