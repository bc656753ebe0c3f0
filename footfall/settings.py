"""footfall.toml: how its settings are declared, and the parser, which reports every problem at once.

A part declares each table it reads as a frozen dataclass of settings:

    @dataclass(frozen=True, kw_only=True)
    class ExporterTable(Table):
        '''The daemon that delivers each day's file.'''

        PATH = "exporter"
        look_every_s: int = setting(whole(1, 3600, "seconds"), "How often ...", 30)

The parser, footfall.example.toml and docs/reference.md all come from these declarations.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from footfall.environment import CONFIG, Environment, read_secret
from footfall.errors import ConfigError
from footfall.setting_kinds import Kind

FILE_NAME = "footfall.toml"
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
NAME_RULE = "1 to 64 letters, digits, `_`, `.` and `-`"
_DECLARATION, _TABLE = "declaration", "table"


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table of footfall.toml. Its docstring stands above its settings in the reference.

    PATH is its name in the file: ``ingest.pages``, or ``sites.ID`` for a table of any name below ``sites``. TABLES are
    the names of inner tables that other classes declare.
    """

    PATH: ClassVar[str]
    TABLES: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Setting:
    """The declaration of one setting.

    ``default`` and ``example`` are written as in TOML. ``absent`` says what a setting without a default means when it
    is left out; empty: the setting is required. ``variable`` is the environment variable that overrides it.
    """

    kind: Kind[object]
    meaning: str
    default: object = None
    absent: str = ""
    example: object = None
    variable: str = ""

    @property
    def is_required(self) -> bool:
        """Whether footfall.toml must have it."""
        return self.default is None and not self.absent

    @property
    def fallback(self) -> object:
        """The value used in place of an invalid one."""
        return self.kind.stand_in if self.default is None else self.kind.parse(self.default)


T = TypeVar("T")
SomeTable = TypeVar("SomeTable", bound=Table)


def setting(kind: Kind[T], meaning: str, default: object = None, *, variable: str = "", example: object = None) -> T:
    """Declare a field of a Table as a setting with a *default*, written as in TOML; without one, it is required."""
    declared = Setting(kind, meaning, default=default, variable=variable, example=example)
    metadata = {_DECLARATION: declared}
    if declared.is_required:
        return cast(T, field(metadata=metadata))
    return field(default=kind.parse(default), metadata=metadata)


def optional(
    kind: Kind[T], meaning: str, *, absent: str = "none", variable: str = "", example: object = None
) -> T | None:
    """Declare a field of a Table as a setting that may be left out, and is None then, which means *absent*."""
    declared = Setting(kind, meaning, absent=absent, variable=variable, example=example)
    return field(default=None, metadata={_DECLARATION: declared})


def inner(table: type[SomeTable]) -> SomeTable:
    """Declare a field of a Table as a table inside it."""
    return field(default_factory=table, metadata={_TABLE: table})


def settings_of(table: type[Table]) -> dict[str, Setting]:
    """Return the settings that *table* declares, by name: the required ones first."""
    declared = ((one.name, one.metadata[_DECLARATION]) for one in fields(table) if _DECLARATION in one.metadata)
    return dict(sorted(declared, key=lambda named: not named[1].is_required))


class ConfigFile:
    """A footfall.toml that was read. Parts ask for their tables; ``finish`` reports the problems of all of them."""

    def __init__(self, path: Path, tables: Mapping[str, Any]) -> None:
        """Keep *tables* as tomllib returned them. Relative paths in them start at the folder of *path*."""
        self.path = path
        self.folder = path.resolve().parent
        self._tables = tables
        self.problems: list[str] = []

    def problem(self, where: str, what: str) -> None:
        """Note that *where*, a setting, a table or a variable, has the problem *what*."""
        self.problems.append(f"{where} {what}")

    def read(
        self, table: type[SomeTable], environment: Environment | None = None, *, is_whole: bool = True
    ) -> SomeTable:
        """Return *table*, with its defaults if the file does not have it. *environment* overrides the file.

        With *is_whole* false, *table* declares only some of the settings, and others are no problem.
        """
        values: object = self._tables
        for name in filter(None, table.PATH.split(".")):
            values = values.get(name, {}) if isinstance(values, dict) else {}
        return self._parse_table(table, table.PATH, values, environment or Environment({}), is_whole=is_whole)

    def named(self, table: type[SomeTable]) -> dict[str, SomeTable]:
        """Return the tables of any name, ``[sites.alliance]``, by that name; the names are checked."""
        path = table.PATH.partition(".")[0]
        several = self._tables.get(path, {})
        if not isinstance(several, dict):
            self.problem(path, f"must hold tables, [{table.PATH}]")
            return {}
        found = {}
        for name, values in several.items():
            if not NAME_PATTERN.fullmatch(name):
                self.problems.append(f"{path}.{name!r}: a name is {NAME_RULE}")
            found[name] = self._parse_table(table, f"{path}.{name}", values, Environment({}))
        return found

    def secret(self, environment: Environment, variable: str, where: str = "", path: str | None = None) -> str | None:
        """Return the secret in *variable*, else in the file *path* that the setting *where* names; None without both.

        A secret that cannot be read is a problem, and "".
        """
        try:
            found = environment.value(variable) if variable else None
            return read_secret(self.folder / path, source=where) if path and found is None else found
        except ConfigError as exc:
            self.problems.append(str(exc))
            return ""

    def finish(self) -> None:
        """Raise ConfigError with every problem noted so far, if there is any."""
        problems = tuple(dict.fromkeys(self.problems))
        if problems:
            raise ConfigError(str(self.path), problems, hint="docs/reference.md explains every setting")

    def _parse_table(
        self, table: type[SomeTable], where: str, values: object, environment: Environment, *, is_whole: bool = True
    ) -> SomeTable:
        if not isinstance(values, dict):
            self.problem(where, f"must be a table, [{where}]")
            values = {}
        inside = f"{where}." if where else ""
        declared = settings_of(table)
        tables = {one.name: one.metadata[_TABLE] for one in fields(table) if _TABLE in one.metadata}
        known = [*declared, *tables, *table.TABLES]
        for name in (name for name in values if is_whole and name not in known):
            near = difflib.get_close_matches(name, known, n=1)
            self.problem(inside + name, "is not a setting" + (f"; did you mean `{near[0]}`?" if near else ""))
        found = {}
        for name, one in declared.items():
            found[name] = self._parse_setting(inside + name, one, values.get(name), environment)
        for name, one in tables.items():
            found[name] = self._parse_table(one, inside + name, values.get(name, {}), environment)
        return table(**found)

    def _parse_setting(self, where: str, declared: Setting, written: object, environment: Environment) -> object:
        value = None if declared.absent else declared.fallback
        if written is not None:
            value = self._parse_value(where, declared, written)
        elif declared.is_required:
            self.problem(where, "is missing")
        given = self.secret(environment, declared.variable)
        return self._parse_value(declared.variable, declared, given) if given else value

    def _parse_value(self, where: str, declared: Setting, written: object) -> object:
        try:
            return declared.kind.parse(written)
        except ValueError as exc:
            self.problem(where, str(exc))
            return declared.fallback


def find_config(given: str | None, environment: Environment) -> Path:
    """Return the path of footfall.toml: *given*, or FOOTFALL_CONFIG, or ./footfall.toml."""
    return Path(given or environment.value(CONFIG) or FILE_NAME)


def read_config(path: Path) -> ConfigFile:
    """Return the footfall.toml at *path*. Raises ConfigError if it does not exist or is not TOML."""
    try:
        with path.open("rb") as file:
            return ConfigFile(path, tomllib.load(file))
    except FileNotFoundError:
        raise ConfigError(
            str(path), ["no such file"], hint="run `footfall init`, or name the file: --config PATH or FOOTFALL_CONFIG"
        ) from None
    except OSError as exc:
        raise ConfigError(str(path), [f"cannot be read: {exc.strerror}"], hint="check its permissions") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(str(path), [f"is not TOML: {exc}"], hint="correct that line") from exc
