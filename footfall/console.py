"""What every command shares: where the configuration is, how logs and progress look."""

import contextlib
import logging
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from footfall.environment import LOG_LEVEL, Environment
from footfall.errors import ConfigError
from footfall.settings import ConfigFile, find_config, read_config

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

LEVELS = ("debug", "info", "warning", "error")
_WIDEST = 10_000  # columns


def open_config(ctx: click.Context) -> tuple[ConfigFile, Environment]:
    """Return footfall.toml, as --config or the environment name it, and the environment.

    What is logged is for services, which start_logging(): a command tells people itself, and once.
    """
    if not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())
    environment = Environment()
    return read_config(find_config(ctx.find_root().obj, environment)), environment


def start_logging(environment: Environment) -> None:
    """Log to stdout, one line a fact, UTC, nothing in it that cannot be printed."""
    level = environment.value(LOG_LEVEL) or "info"
    if level not in LEVELS:
        raise ConfigError(LOG_LEVEL, [f"is {level!r}, not one of {', '.join(LEVELS)}"])
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(PrintableFormatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # what it says is in the errors that we raise
    logging.getLogger("schedule").setLevel(logging.WARNING)


class PrintableFormatter(logging.Formatter):
    """Escapes what a terminal or a log reader could trip over; a traceback keeps its lines."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03d"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line, escaped."""
        return "".join(map(_printable, super().formatMessage(record)))


def _printable(char: str) -> str:
    return char if " " <= char <= "~" else char.encode("unicode_escape").decode()


def open_console(*, stderr: bool = False) -> "Console":
    """Return where tables and progress are shown, names and messages as they are. In a pipe no line is ever folded."""
    from rich.console import Console

    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(
        stderr=stderr, width=None if is_terminal else _WIDEST, markup=False, emoji=False, highlight=is_terminal
    )


def show_table(console: "Console", table: "Table") -> None:
    """Print *table*, every cell whole: on a terminal folded where it is too long, in a pipe one line a row."""
    for column in table.columns:
        column.overflow = "fold"
    if console.is_terminal:
        console.print(table)
        return
    columns = [
        [str(column.header), *(" ".join(map(str.strip, str(cell).splitlines())) for cell in column.cells)]
        for column in table.columns
    ]
    widths = [max(map(len, cells)) for cells in columns]
    for row in zip(*columns, strict=True):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@contextlib.contextmanager
def progress_bar() -> Iterator["Progress"]:
    """Yield a progress display on stderr; where that is no terminal, it stays silent."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = open_console(stderr=True)
    description, note = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[note]}"))
    with Progress(
        description, BarColumn(), note, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        yield progress
