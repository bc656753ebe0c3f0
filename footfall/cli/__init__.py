"""The ``footfall`` command: the one place that knows both services and puts real things together.

Each command's file is loaded when the command runs, so that ``footfall exporter`` does not carry a web server, nor
``footfall ingest`` an SSH client.
"""

from importlib import import_module

import click

from footfall import __version__
from footfall.errors import FootfallError

COMMANDS = {
    "init": "setup",
    "up": "services",
    "ingest": "services",
    "exporter": "services",
    "forwarder": "services",
    "counter": "counters",
    "export": "exports",
    "deliveries": "exports",
    "import": "imports",
    "quarantine": "quarantine",
    "simulate": "simulation",
    "doctor": "doctor",
}
"""Each command and the module of this package it stands in, as NAME_command, in the order --help shows them."""


class CommandFailed(click.ClickException):
    """A FootfallError on its way to the terminal: one line and a hint, exit status 2."""

    exit_code = 2

    def __init__(self, error: FootfallError) -> None:
        hint = f" ({error.hint})" if error.hint else ""
        super().__init__(f"{error.message}{hint}")

    def show(self, file: object = None) -> None:  # noqa: ARG002 - click's signature
        """Print the error."""
        click.echo(f"footfall: {self.message}", err=True)


class FootfallGroup(click.Group):
    """The commands, loaded when asked for. A FootfallError ends any of them in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names, in the order they are shown."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"footfall.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except FootfallError as exc:
            raise CommandFailed(exc) from exc


@click.group(cls=FootfallGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="footfall")
@click.option("--config", "config_path", metavar="PATH", help="The footfall.toml to use  [default: ./footfall.toml]")
@click.pass_context
def main(ctx: click.Context, config_path: str | None) -> None:
    """Count people through doors, keep every crossing, deliver each day's file.

    A first afternoon: `footfall init`, `footfall counter add DOOR1`, `footfall up`, `footfall doctor`.
    """
    ctx.obj = config_path


__all__ = ["COMMANDS", "main"]
