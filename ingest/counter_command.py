"""``footfall counter``: registers counters. Edits footfall.toml, whose comments it keeps, and the key file."""

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


@counter_command.command("add", short_help="Register a counter and print its key once.")
@click.argument("counter", metavar="ID")
@click.option("--site", help="Its site; may be omitted if there is only one.")
@click.option("--name", required=True, help="Its name in the client's file and on the pages.")
@click.option("--location", required=True, help="Its location in the client's file and on the pages.")
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="D",
    help="Its first day; files of earlier days leave it out.",
)
@click.pass_context
def add_command(
    ctx: click.Context, counter: str, site: str | None, name: str, location: str, since: datetime | None
) -> None:
    """Register the counter ID and print its key once. Enter the key on the device.

    At a site that has already counted, a new counter starts today unless --since gives another day, so that files
    already delivered do not change.
    """
    config, data, registry = _open_registry(ctx)
    if not NAME_PATTERN.fullmatch(counter):
        raise FootfallError(f"invalid counter id {counter!r}", hint="use 1 to 64 letters, digits, `_`, `.` and `-`")
    if counter in registry.counters:
        raise FootfallError(f"counter {counter} is already registered", hint="new key: footfall counter rotate-key ID")
    site = site or _only_site(registry)
    if site not in registry.sites:
        raise FootfallError(f"no site {site!r}", hint=f"sites: {', '.join(registry.sites) or 'none'}")
    table = tomlkit.table()
    table.update({"site": site, "name": name, "location": location})
    first_day = since.date() if since else _first_day(data, registry, site)
    if first_day is not None:
        table["since"] = first_day
    key = new_key()
    _edit_keys(data, counter, (key,))
    _edit_counter(config, data, counter, table)
    click.echo(f"registered counter {counter} of site {site}; its key, shown only once:", err=True)
    click.echo(key)


@counter_command.command("list", short_help="List all counters.")
@click.pass_context
def list_command(ctx: click.Context) -> None:
    """List all counters and how many valid keys each has."""
    from rich.table import Table

    _, _, registry = _open_registry(ctx)
    table = Table("id", "site", "name", "location", "since", "until", "keys", box=None)
    for _, one in sorted(registry.counters.items()):
        days = [str(day) if day else "" for day in (one.since, one.until)]
        key_text = {0: "none: refused", 1: "1", 2: "2: rotating"}[len(registry.keys.get(one.id, ()))]
        table.add_row(one.id, one.site, one.name, one.location, *days, key_text)
    open_console().print(table)


@counter_command.command("rotate-key", short_help="Print a new key; the old one stays valid until --finish.")
@click.argument("counter", metavar="ID")
@click.option("--finish", is_flag=True, help="Invalidate the old key, once the device has the new one.")
@click.option("--again", is_flag=True, help="Replace a new key that was lost.")
@click.pass_context
def rotate_key_command(ctx: click.Context, counter: str, finish: bool, again: bool) -> None:
    """Print a new key for the counter ID; the old one stays valid until --finish."""
    _, data, registry = _open_registry(ctx)
    if counter not in registry.counters:
        raise FootfallError(f"no counter {counter!r}", hint="footfall counter list shows all counters")
    have = keys.read_keys(data / keys.FILE_NAME).get(counter, ())
    if finish:
        _edit_keys(data, counter, have[:1])
        click.echo(f"counter {counter}: the old key is now invalid", err=True)
        return
    if len(have) > 1 and not again:  # the device may have either key
        raise FootfallError(
            f"a key rotation of counter {counter} is already in progress",
            hint="use --finish once the device has its new key, or --again if that key was lost",
        )
    key = new_key()
    _edit_keys(data, counter, (key, *have[-1:]))
    click.echo(f"new key of counter {counter}, shown only once; enter it on the device, then run --finish", err=True)
    click.echo(key)


@counter_command.command("remove", short_help="Refuse a counter from now on; its counts stay.")
@click.argument("counter", metavar="ID")
@click.pass_context
def remove_command(ctx: click.Context, counter: str) -> None:
    """Refuse the counter ID from now on. Its counts stay, in the store and in the files of its days."""
    config, data, registry = _open_registry(ctx)
    if counter not in registry.counters:
        raise FootfallError(f"no counter {counter!r}", hint="footfall counter list shows all counters")
    today = datetime.now(UTC).astimezone(registry.site_of(counter).tz).date()
    _edit_keys(data, counter, None)
    _edit_counter(config, data, counter, today)
    click.echo(f"removed counter {counter}; its last day is {today}", err=True)


def _open_registry(ctx: click.Context) -> tuple[ConfigFile, Path, Registry]:
    config, environment = open_config(ctx)
    data = data_folder(config, environment)
    registry = load_registry(config, data)
    config.finish()
    return config, data, registry


def _first_day(data: Path, registry: Registry, site: str) -> date | None:
    """Return today if *site* has already counted, else None: a new site may still import its history."""
    journal = data / JOURNAL
    ids = [counter.id for counter in registry.counters_of(site)]
    if not ids or not journal.exists():
        return None
    heard = any(one.received_epoch_ms for one in JournalReader(journal).counter_states(ids).values())
    return datetime.now(UTC).astimezone(registry.sites[site].tz).date() if heard else None


def _only_site(registry: Registry) -> str:
    if len(registry.sites) != 1:
        raise FootfallError("a site is required", hint=f"choose: --site {' | --site '.join(registry.sites)}")
    return next(iter(registry.sites))


def _edit_keys(data: Path, counter: str, new: tuple[str, ...] | None) -> None:
    path = data / keys.FILE_NAME
    try:
        data.mkdir(parents=True, exist_ok=True)
        found = keys.read_keys(path)
        found.pop(counter, None)
        keys.write_keys(path, found if new is None else {**found, counter: new})
    except OSError as exc:
        raise FootfallError(f"cannot write {path}: {exc.strerror}", hint="run this as Footfall's user") from exc


def _edit_counter(config: ConfigFile, data: Path, counter: str, change: TomlTable | date) -> None:
    """Add the table of *counter* to footfall.toml, or set its last day, once the result has been checked."""
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
        raise ConfigError(str(config.path), [problem], hint="check the permissions of the file") from exc


def _with_table(text: str, counter: str, table: Any) -> str:
    """Return *text* with the *table* of *counter* at its end."""
    counters = tomlkit.table(is_super_table=True)
    counters.add(counter, table)
    added = tomlkit.document()
    added.add("counters", counters)
    return f"{text.rstrip()}\n\n{tomlkit.dumps(added)}"


def _with_last_day(text: str, counter: str, day: Any) -> str:
    """Return *text* with *day* as the last day of *counter*, above comments that belong to the next table."""
    document = tomlkit.parse(text)
    table: Any = document["counters"][counter]
    body = table.value.body if isinstance(table, TomlTable) else []
    after = []
    while body and body[-1][0] is None:
        after.append(body.pop())
    table["until"] = day
    body.extend(reversed(after))
    return tomlkit.dumps(document)
