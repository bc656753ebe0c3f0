"""``footfall counter``: who may count. Edits footfall.toml, keeping its comments, and the key file."""

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import click
import tomlkit
from tomlkit.items import Table as TomlTable

from footfall import keys
from footfall.console import open_config, open_console
from footfall.environment import Environment
from footfall.errors import ConfigError, FootfallError
from footfall.files import replace_file
from footfall.registry import Registry, data_folder, load_registry
from footfall.settings import NAME_PATTERN, ConfigFile
from footfall.signing import new_key
from footfall.store.journal import FILE_NAME as JOURNAL
from footfall.store.journal_reader import JournalReader


@click.group("counter")
def counter_command() -> None:
    """Add, list and remove counters, and rotate their keys."""


@counter_command.command("add", short_help="Register a counter and print its key, once.")
@click.argument("counter", metavar="ID")
@click.option("--site", help="The site it counts for; may be left out while there is one site.")
@click.option("--name", required=True, help="Its name, as clients read it.")
@click.option("--location", required=True, help="Where it hangs, as clients read it.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="D",
    help="The first day it counts; earlier files leave it out.",
)
@click.pass_context
def add_command(
    ctx: click.Context, counter: str, site: str | None, name: str, location: str, since: datetime | None
) -> None:
    """Register the counter ID and print its key, once: type it into the device.

    A counter that joins others that have counted already starts today, unless --since says otherwise: the files of
    earlier days, delivered long ago, do not change.
    """
    config, data, registry = _open_registry(ctx)
    if not NAME_PATTERN.fullmatch(counter):
        raise FootfallError(f"{counter!r} is no counter id", hint="1 to 64 letters, digits, `_`, `.` and `-`")
    if counter in registry.counters:
        raise FootfallError(f"counter {counter} is already there", hint="a new key: footfall counter rotate-key ID")
    site = site or _only_site(registry)
    if site not in registry.sites:
        raise FootfallError(f"there is no site {site!r}", hint=f"there are {', '.join(registry.sites) or 'none'}")
    table = tomlkit.table()
    table.update({"site": site, "name": name, "location": location})
    first_day = since.date() if since else _first_day(data, registry, site)
    if first_day is not None:
        table["since"] = first_day
    key = new_key()
    _edit_keys(data, counter, (key,))
    _edit_counter(config, data, counter, table)
    click.echo(f"counter {counter} of site {site}; its key, shown this once:", err=True)
    click.echo(key)


@counter_command.command("list", short_help="Show every counter.")
@click.pass_context
def list_command(ctx: click.Context) -> None:
    """Show every counter and how many keys it may sign with."""
    from rich.table import Table

    _, _, registry = _open_registry(ctx)
    table = Table("id", "site", "name", "location", "since", "until", "keys", box=None)
    for _, one in sorted(registry.counters.items()):
        found = len(registry.keys.get(one.id, ()))
        days = [str(day) if day else "" for day in (one.since, one.until)]
        told = {0: "none: refused", 1: "1", 2: "2, being rotated"}[found]
        table.add_row(one.id, one.site, one.name, one.location, *days, told)
    open_console().print(table)


@counter_command.command("rotate-key", short_help="Print a new key; the old one stays valid until --finish.")
@click.argument("counter", metavar="ID")
@click.option("--finish", is_flag=True, help="Make the old key invalid: the device has its new one.")
@click.option("--again", is_flag=True, help="Print another new key, in place of one that was lost.")
@click.pass_context
def rotate_key_command(ctx: click.Context, counter: str, finish: bool, again: bool) -> None:
    """Print a new key for the counter ID; the old one stays valid until --finish."""
    _, data, registry = _open_registry(ctx)
    if counter not in registry.counters:
        raise FootfallError(f"there is no counter {counter!r}", hint="footfall counter list")
    have = keys.read_keys(data / keys.FILE_NAME).get(counter, ())
    if finish:
        _edit_keys(data, counter, have[:1])
        click.echo(f"counter {counter} signs with its newest key only", err=True)
        return
    if len(have) > 1 and not again:  # which of the two the device has, nobody here knows
        raise FootfallError(
            f"counter {counter} is being rotated already",
            hint="--finish once the device has its new key, or --again if that key was lost",
        )
    key = new_key()
    _edit_keys(data, counter, (key, *have[-1:]))
    click.echo(f"new key of counter {counter}, shown this once; then: --finish", err=True)
    click.echo(key)


@counter_command.command("remove", short_help="Refuse a counter from now on; its counts stay.")
@click.argument("counter", metavar="ID")
@click.pass_context
def remove_command(ctx: click.Context, counter: str) -> None:
    """Refuse the counter ID from now on. What it counted stays, and stays in the files of its days."""
    config, data, registry = _open_registry(ctx)
    if counter not in registry.counters:
        raise FootfallError(f"there is no counter {counter!r}", hint="footfall counter list")
    today = datetime.now(UTC).astimezone(registry.site_of(counter).tz).date()
    _edit_keys(data, counter, None)
    _edit_counter(config, data, counter, today)
    click.echo(f"counter {counter} is refused from now on; its last day is {today}", err=True)


def _open_registry(ctx: click.Context) -> tuple[ConfigFile, Path, Registry]:
    config, environment = open_config(ctx)
    data = data_folder(config, environment)
    registry = load_registry(config, data)
    config.finish()
    return config, data, registry


def _first_day(data: Path, registry: Registry, site: str) -> date | None:
    """Return today where counters of *site* have been heard of before, else None: a new site's history is open."""
    journal = data / JOURNAL
    ids = [counter.id for counter in registry.counters_of(site)]
    if not ids or not journal.exists():
        return None
    heard = any(one.received_epoch_ms for one in JournalReader(journal).counter_states(ids).values())
    return datetime.now(UTC).astimezone(registry.sites[site].tz).date() if heard else None


def _only_site(registry: Registry) -> str:
    if len(registry.sites) != 1:
        raise FootfallError("there is not just one site", hint=f"choose: --site {' | --site '.join(registry.sites)}")
    return next(iter(registry.sites))


def _edit_keys(data: Path, counter: str, new: tuple[str, ...] | None) -> None:
    path = data / keys.FILE_NAME
    try:
        data.mkdir(parents=True, exist_ok=True)
        found = keys.read_keys(path)
        found.pop(counter, None)
        keys.write_keys(path, found if new is None else {**found, counter: new})
    except OSError as exc:
        raise FootfallError(f"cannot write {path}: {exc.strerror}", hint="run as the user Footfall runs as") from exc


def _edit_counter(config: ConfigFile, data: Path, counter: str, change: TomlTable | date) -> None:
    """Add the table of *counter* to footfall.toml, or set its last day. Replaces the file whole, once it is right."""
    edit = _with_table if isinstance(change, TomlTable) else _with_last_day
    text = edit(config.path.read_text(encoding="utf-8"), counter, change)
    check = ConfigFile(config.path, tomllib.loads(text))
    data_folder(check, Environment())
    load_registry(check, data)
    check.finish()
    try:
        replace_file(config.path, text)
    except OSError as exc:
        problem = f"cannot be written: {exc.strerror}"
        raise ConfigError(str(config.path), [problem], hint="check who may write it") from exc


def _with_table(text: str, counter: str, table: Any) -> str:
    """Return *text* with the *table* of *counter* at its end, wherever the other counters stand."""
    counters = tomlkit.table(is_super_table=True)
    counters.add(counter, table)
    added = tomlkit.document()
    added.add("counters", counters)
    return f"{text.rstrip()}\n\n{tomlkit.dumps(added)}"


def _with_last_day(text: str, counter: str, day: Any) -> str:
    """Return *text* with *day* as the last day of *counter*, before comments that belong to what comes next."""
    document = tomlkit.parse(text)
    table: Any = document["counters"][counter]
    body = table.value.body if isinstance(table, TomlTable) else []
    after = []
    while body and body[-1][0] is None:
        after.append(body.pop())
    table["until"] = day
    body.extend(reversed(after))
    return tomlkit.dumps(document)
