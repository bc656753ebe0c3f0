"""The ``footfall`` command. COMMANDS names every command; its module is imported when the command runs."""

from importlib import import_module
from typing import NamedTuple

import click

from footfall import __version__
from footfall.errors import FootfallError


class Command(NamedTuple):
    """``target`` is where the command is defined, as ``module:function``; ``summary`` is for ``footfall --help``."""

    name: str
    target: str
    summary: str


COMMANDS = (
    Command("init", "cli.init:init_command", "Write a commented footfall.toml, the key file and data/."),
    Command("up", "cli.up:up_command", "Run ingest and the exporter together: all of Footfall on one machine."),
    Command("ingest", "ingest.ingest_command:ingest_command", "Run ingest: store batches, serve the pages."),
    Command("exporter", "exporter.exporter_command:exporter_command", "Run the exporter: deliver each day's file."),
    Command("forwarder", "ingest.forwarder_command:forwarder_command", "Copy the journal to InfluxDB."),
    Command("counter", "ingest.counter_command:counter_command", "Add, list and remove counters; rotate their keys."),
    Command("export", "exporter.export_command:export_command", "Write a day's file, or deliver it; back-fill days."),
    Command("deliveries", "exporter.deliveries_command:deliveries_command", "Show delivery attempts and owed days."),
    Command("import", "exporter.import_command:import_command", "Import history from files in a profile's format."),
    Command("quarantine", "ingest.quarantine_command:quarantine_command", "List or resend refused points."),
    Command("simulate", "simulator.simulate_command:simulate_command", "Walk simulated people through the doors."),
    Command("doctor", "cli.doctor:doctor_command", "Find problems, and say what to do."),
)  # fmt: skip
"""In the order in which ``footfall --help`` shows them."""

_TARGETS = {command.name: command.target for command in COMMANDS}


class CommandFailed(click.ClickException):
    """Prints a FootfallError and its hint on one line, and ends with status 2."""

    exit_code = 2

    def __init__(self, error: FootfallError) -> None:
        hint = f" ({error.hint})" if error.hint else ""
        super().__init__(f"{error.message}{hint}")

    def show(self, file: object = None) -> None:  # noqa: ARG002 - click's signature
        """Print the error."""
        click.echo(f"footfall: {self.message}", err=True)


class FootfallGroup(click.Group):
    """Imports a command when it runs, and ends it with one line on a FootfallError."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order of COMMANDS."""
        return list(_TARGETS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, or None if there is none of that name."""
        if cmd_name not in _TARGETS:
            return None
        module, _, function = _TARGETS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), function)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands from the table, so that --help imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(command.name, command.summary) for command in COMMANDS])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except FootfallError as exc:
            raise CommandFailed(exc) from exc


@click.group(cls=FootfallGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="footfall")
@click.option("--config", "config_path", metavar="PATH", help="Path of footfall.toml.  [default: ./footfall.toml]")
@click.pass_context
def main(ctx: click.Context, config_path: str | None) -> None:
    """Count people through doors, keep every crossing, deliver each day's file.

    To start: `footfall init`, `footfall counter add DOOR1`, `footfall up`, then `footfall doctor`.
    """
    ctx.obj = config_path


__all__ = ["COMMANDS", "main"]
