"""``footfall init``: a folder that is ready to count."""

from datetime import UTC, datetime
from pathlib import Path

import click

from cli.example import render_example
from footfall import keys
from footfall.environment import DATA, Environment
from footfall.errors import ConfigError
from footfall.files import replace_file
from footfall.setting_kinds import TEXT, TIMEZONE
from footfall.settings import FILE_NAME, NAME_PATTERN, NAME_RULE


@click.command("init")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--site", default="library", show_default=True, help="ID of the site, used in addresses and commands.")
@click.option("--name", default="Library", show_default=True, help="Name of the site, as clients read it.")
@click.option("--timezone", default="Europe/Paris", show_default=True, help="IANA time zone of the site.")
def init_command(folder: Path, site: str, name: str, timezone: str) -> None:
    """Write a commented footfall.toml, the key file and data/ into DIR, or into this folder.

    Existing files are never overwritten.
    """
    config = folder / FILE_NAME
    if config.exists():
        raise ConfigError(str(config), ["already exists"], hint="edit it, or name another folder")
    problems = [] if NAME_PATTERN.fullmatch(site) else [f"--site must be {NAME_RULE}, not {site!r}"]
    for option, kind, value in (("--name", TEXT, name), ("--timezone", TIMEZONE, timezone)):
        try:
            kind.parse(value)
        except ValueError as exc:
            problems.append(f"{option} {exc}")
    if problems:
        raise ConfigError("footfall init", problems)
    today = datetime.now(UTC).astimezone(TIMEZONE.parse(timezone)).date()
    data = folder / (Environment().value(DATA) or "data")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        data.mkdir(parents=True, exist_ok=True)
        data.chmod(0o700)
        replace_file(config, render_example(site, name, timezone, today))
        if not (data / keys.FILE_NAME).exists():
            keys.write_keys(data / keys.FILE_NAME, {})
    except OSError as exc:
        problem = f"cannot write {exc.filename or folder}: {exc.strerror}"
        raise ConfigError("footfall init", [problem], hint="check its permissions") from exc
    click.echo(f"wrote {config}, {data / keys.FILE_NAME}")
    click.echo(f"next: edit {config}, then: footfall counter add DOOR1 --name 'Main door' --location Hall")
