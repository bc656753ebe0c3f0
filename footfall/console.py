"""Shared by all commands: opening the configuration, logging, tables and progress bars."""

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
    """Return the footfall.toml that --config or the environment names, and the environment.

    Mutes logging until start_logging(): services log, other commands print their own messages.
    """
    if not logging.getLogger().handlers:
        logging.getLogger().addHandler(logging.NullHandler())
    environment = Environment()
    return read_config(find_config(ctx.find_root().obj, environment)), environment


def start_logging(environment: Environment) -> None:
    """Log to stdout, one line per event, in UTC, with unprintable characters escaped. Raises ConfigError."""
    level = environment.value(LOG_LEVEL) or "info"
    if level not in LEVELS:
        raise ConfigError(LOG_LEVEL, [f"must be one of {', '.join(LEVELS)}, not {level!r}"])
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(PrintableFormatter("%(asctime)sZ %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # our errors carry what it says
    logging.getLogger("schedule").setLevel(logging.WARNING)


class PrintableFormatter(logging.Formatter):
    """Escapes unprintable characters in the message; a traceback keeps its lines."""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03d"

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line, escaped."""
        return "".join(map(_printable, super().formatMessage(record)))


def _printable(char: str) -> str:
    return char if " " <= char <= "~" else char.encode("unicode_escape").decode()


def open_console(*, stderr: bool = False) -> "Console":
    """Return a console that prints text as it is, without markup. In a pipe it never wraps a line."""
    from rich.console import Console

    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(
        stderr=stderr, width=None if is_terminal else _WIDEST, markup=False, emoji=False, highlight=is_terminal
    )


def show_table(console: "Console", table: "Table") -> None:
    """Print *table* with every cell whole: wrapped on a terminal, one line per row in a pipe."""
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
    """Yield a progress bar on stderr; it is silent if that is not a terminal."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = open_console(stderr=True)
    description, note = (TextColumn(text, markup=False) for text in ("{task.description}", "{task.fields[note]}"))
    with Progress(
        description, BarColumn(), note, TimeRemainingColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        yield progress
