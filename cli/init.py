"""``footfall init``: a folder that is ready to count."""

import json
from datetime import UTC, date, datetime
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from footfall import keys
from footfall.environment import DATA, Environment
from footfall.errors import ConfigError
from footfall.files import replace_file
from footfall.settings import FILE_NAME, NAME_PATTERN

TEMPLATE = "footfall.template.toml"


@click.command("init")
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--site", default="library", show_default=True, help="The site's id, used in addresses and commands.")
@click.option("--name", default="Library", show_default=True, help="The site's name, as clients read it.")
@click.option("--timezone", default="Europe/Paris", show_default=True, help="The site's IANA time zone.")
def init_command(folder: Path, site: str, name: str, timezone: str) -> None:
    """Write a commented footfall.toml, the key file and data/ into DIR (here, unless given).

    Nothing that exists is overwritten.
    """
    config = folder / FILE_NAME
    if config.exists():
        raise ConfigError(str(config), ["is already there"], hint="edit it, or name another folder")
    problems = [] if NAME_PATTERN.fullmatch(site) else [f"{site!r} is no id: letters, digits, `_`, `.` and `-`"]
    if not name.strip():
        problems.append("the site's name is empty")
    if not name.isprintable():
        problems.append("the site's name must be one line of characters that can be printed")
    try:
        today = datetime.now(UTC).astimezone(ZoneInfo(timezone)).date()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        today = date.min
        problems.append(f"{timezone!r} is no IANA time zone; write one like Europe/Paris")
    if problems:
        raise ConfigError("footfall init", problems)
    data = folder / (Environment().value(DATA) or "data")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        data.mkdir(parents=True, exist_ok=True)
        data.chmod(0o700)
        replace_file(config, render_template(site, name, timezone, today))
        if not (data / keys.FILE_NAME).exists():
            keys.write_keys(data / keys.FILE_NAME, {})
    except OSError as exc:
        problem = f"{exc.filename or folder} cannot be written: {exc.strerror}"
        raise ConfigError("footfall init", [problem], hint="check who may write there") from exc
    click.echo(f"wrote {config}, {data / keys.FILE_NAME}")
    click.echo(f"next: edit {config}, then: footfall counter add DOOR1 --name 'Main door' --location Hall")


def render_template(site: str, name: str, timezone: str, today: date) -> str:
    """Return the footfall.toml that `init` writes."""
    text = files("cli").joinpath(TEMPLATE).read_text(encoding="utf-8")
    quoted = json.dumps(name, ensure_ascii=False)[1:-1]  # TOML's basic strings escape as JSON's do
    values = {"SITE": site, "NAME": quoted, "CODE": site[:4].upper(), "TIMEZONE": timezone, "TODAY": today.isoformat()}
    for word, value in values.items():
        text = text.replace(f"@{word}@", value)
    return text
