"""footfall.toml as tables that are read field by field, with every problem collected and told at once.

Each service reads the tables it owns through Table and builds one frozen dataclass from them. A setting that nobody
read is a typing mistake, and is a problem too. The settings each table takes are declared beside the code that reads
them, and a test holds docs/reference.md to those declarations.
"""

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from footfall.environment import CONFIG, Environment
from footfall.errors import ConfigError
from footfall.model import Hours

T = TypeVar("T")

FILE_NAME = "footfall.toml"
NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_CLOCK = re.compile(r"([0-2]\d):([0-5]\d)")


@dataclass(frozen=True)
class Setting:
    """One setting of a table: its name, what it means, and its default as it would be written (None: required)."""

    name: str
    meaning: str
    default: str | None = None


class Table:
    """One table of footfall.toml. Its getters return the value, or the default after noting a problem."""

    def __init__(self, path: str, values: object, settings: tuple[Setting, ...], problems: list[str]) -> None:
        """Read *values*, found at *path* (as ``sites.alliance``), noting what is wrong in *problems*."""
        self.path = path
        self._problems = problems
        self._values: Mapping[str, object] = values if isinstance(values, dict) else {}
        if not isinstance(values, dict):
            self.problem("", "must be a table, [" + path + "]")
        known = {setting.name for setting in settings}
        for name in self._values:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                self.problem(name, "is not a setting" + (f"; did you mean `{near[0]}`?" if near else ""))

    def problem(self, name: str, what: str) -> None:
        """Note that *name* of this table has the problem *what*."""
        where = f"{self.path}.{name}" if name and self.path else name or self.path
        self._problems.append(f"{where} {what}")

    def __contains__(self, name: str) -> bool:
        """Return whether *name* was written at all."""
        return name in self._values

    def text(self, name: str, default: str | None = None) -> str:
        """Return a string that is not empty."""
        return self._get(name, default, "", _text)

    def optional_text(self, name: str) -> str | None:
        """Return a string, or None where it is not written."""
        return self.text(name) if name in self else None

    def flag(self, name: str, default: bool) -> bool:
        """Return true or false."""
        return self._get(name, default, default, _flag)

    def whole(self, name: str, default: int | None, low: int, high: int) -> int:
        """Return a whole number from *low* to *high*."""
        return self._get(name, default, low, lambda value: _whole(value, low, high))

    def choice(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        """Return one of *allowed*."""
        return self._get(name, default, default, lambda value: _choice(value, allowed))

    def texts(self, name: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of strings; a single string counts as a list of one."""
        return self._get(name, default, (), _texts)

    def day(self, name: str) -> date | None:
        """Return a local date, or None where it is not written."""
        return self._get(name, None, None, _day) if name in self else None

    def required_day(self, name: str) -> date:
        """Return a local date that must be written."""
        return self._get(name, None, date(2000, 1, 1), _day)

    def clock(self, name: str, default: int | None) -> int:
        """Return a clock time, ``"20:00"``, in minutes since midnight."""
        return self._get(name, default, 0, _clock)

    def hours(self, name: str, default: Hours | None) -> Hours:
        """Return a stretch of the day, ``"08:00-19:00"``."""
        return self._get(name, default, Hours(0, 1440), parse_hours)

    def timezone(self, name: str) -> ZoneInfo:
        """Return an IANA time zone, ``"Europe/Paris"``."""
        return self._get(name, None, ZoneInfo("UTC"), _timezone)

    def parsed(self, name: str, default: T, parse: Callable[[object], T]) -> T:
        """Return what *parse* makes of the value; *parse* raises ValueError with the words that follow the name."""
        return self._get(name, default, default, parse)

    def _get(self, name: str, default: T | None, fallback: T, parse: Callable[[object], T]) -> T:
        if name not in self._values:
            if default is None:
                self.problem(name, "is missing")
            return fallback if default is None else default
        try:
            return parse(self._values[name])
        except ValueError as exc:
            self.problem(name, str(exc))
            return fallback


class ConfigFile:
    """A footfall.toml that was read. Tables are asked for by their readers; ``finish`` tells all problems at once."""

    def __init__(self, path: Path, tables: Mapping[str, Any]) -> None:
        """Keep *tables* as tomllib gave them. *path* is the file, whose folder relative paths start from."""
        self.path = path
        self.folder = path.resolve().parent
        self._tables = tables
        self.problems: list[str] = []

    def top(self, settings: tuple[Setting, ...], tables: tuple[str, ...]) -> Table:
        """Return the settings outside any table. *tables* are the names of tables that may be there."""
        known = (*settings, *(Setting(name, "") for name in tables))
        return Table("", dict(self._tables), known, self.problems)

    def table(self, path: str, settings: tuple[Setting, ...]) -> Table:
        """Return the table at *path* (``ingest.legacy``), empty where it is not written."""
        values: Any = self._tables
        for name in path.split("."):
            values = values.get(name, {}) if isinstance(values, dict) else {}
        return Table(path, values, settings, self.problems)

    def named(self, path: str, settings: tuple[Setting, ...]) -> Iterator[tuple[str, Table]]:
        """Yield (name, table) for each table below *path*, ``[sites.alliance]``; names are checked."""
        tables = self._tables.get(path, {})
        if not isinstance(tables, dict):
            self.problems.append(f"{path} must hold tables, [{path}.NAME]")
            return
        for name, values in tables.items():
            if not NAME_PATTERN.fullmatch(name):
                self.problems.append(f"{path}.{name!r}: a name is 1 to 64 letters, digits, `_`, `.` and `-`")
            yield name, Table(f"{path}.{name}", values, settings, self.problems)

    def finish(self) -> None:
        """Raise ConfigError with every problem noted so far, if there is any."""
        problems = tuple(dict.fromkeys(self.problems))
        if problems:
            raise ConfigError(
                str(self.path), problems, hint="docs/reference.md explains every setting; then: footfall doctor"
            )


def find_config(given: str | None, environment: Environment) -> Path:
    """Return the path of footfall.toml: *given*, or FOOTFALL_CONFIG, or ./footfall.toml."""
    return Path(given or environment.value(CONFIG) or FILE_NAME)


def read_config(path: Path) -> ConfigFile:
    """Return the footfall.toml at *path*. Raises ConfigError when it is not there or is not TOML."""
    try:
        with path.open("rb") as file:
            return ConfigFile(path, tomllib.load(file))
    except FileNotFoundError:
        raise ConfigError(
            str(path),
            ["there is no such file"],
            hint="run `footfall init`, or name the file: --config PATH or FOOTFALL_CONFIG",
        ) from None
    except OSError as exc:
        raise ConfigError(str(path), [f"cannot be read: {exc.strerror}"], hint="check who may read it") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise ConfigError(str(path), [f"is not TOML: {exc}"], hint="mend that line") from exc


def parse_hours(value: object) -> Hours:
    """Return ``"08:00-19:00"`` as Hours. Raises ValueError."""
    opens, dash, closes = value.partition("-") if isinstance(value, str) else ("", "", "")
    if not dash:
        raise ValueError('must be hours like "08:00-19:00"')
    hours = Hours(_clock(opens.strip()), _clock(closes.strip()))
    if hours.opens % 30 or hours.closes % 30:
        raise ValueError("must start and end on a half hour")
    if hours.opens >= hours.closes:
        raise ValueError("must end after they start, at 24:00 at the latest")
    return hours


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a text that is not empty")
    if not value.isprintable():
        raise ValueError("must be one line of characters that can be printed")
    return value


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def _whole(value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"must be a whole number from {low} to {high}")
    return value


def _choice(value: object, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise ValueError("must be one of " + ", ".join(allowed))
    return str(value)


def _texts(value: object) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(one, str) and one for one in values):
        raise ValueError("must be a text or a list of texts")
    return tuple(values)


def _day(value: object) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError("must be a date without quotes, 2026-05-04")
    return value


def _clock(value: object) -> int:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else -1
    if not 0 <= minutes <= 24 * 60:
        raise ValueError('must be a time like "20:00"')
    return minutes


def _timezone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(_text(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'is no IANA time zone: {value!r}; write one like "Europe/Paris"') from None
