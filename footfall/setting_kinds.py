"""The kinds of value that a setting of footfall.toml can have."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, NamedTuple, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from footfall.model import Hours

T_co = TypeVar("T_co", covariant=True)

_CLOCK = re.compile(r"([0-2]\d):([0-5]\d)")


@dataclass(frozen=True)
class Kind(Generic[T_co]):
    """One kind of value.

    ``expects`` names it: "a whole number from 1 to 10". ``parse`` takes a value as tomllib returns it, or the string of
    an environment variable; it raises ValueError, whose message follows the setting's name. ``stand_in`` replaces a
    required value that is missing or wrong, so that the parser can look for further problems.
    """

    expects: str
    parse: Callable[[object], T_co]
    stand_in: T_co | None = None


class Address(NamedTuple):
    """An address and port to listen on."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The URL by which this machine reaches it: the loopback's if it listens everywhere."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


def valid_if(is_valid: Callable[[Any], bool], expects: str) -> Kind[Any]:
    """Return the kind of values that satisfy *is_valid*. They are used unchanged."""

    def parse(value: object) -> Any:
        if not is_valid(value):
            raise ValueError(f"must be {expects}")
        return value

    return Kind(expects, parse)


def whole(low: int, high: int, unit: str = "") -> Kind[int]:
    """Return the kind of whole numbers from *low* to *high*."""
    expects = f"a whole number from {low} to {high}" + (f", in {unit}" if unit else "")
    return valid_if(lambda value: type(value) is int and low <= value <= high, expects)


def choice(*allowed: str) -> Kind[str]:
    """Return the kind of strings that are one of *allowed*."""
    return valid_if(allowed.__contains__, f"one of {', '.join(allowed)}")


def day(first: date = date.min, last: date = date.max) -> Kind[date]:
    """Return the kind of dates from *first* to *last*."""

    def parse(value: object) -> date:
        if not isinstance(value, date) or isinstance(value, datetime):
            raise ValueError("must be a date without quotes, like 2026-05-04")
        if not first <= value <= last:
            raise ValueError(f"must be a day from {first} to {last}")
        return value

    return Kind("a date", parse)


def parse_hours(value: object) -> Hours:
    """Return ``"08:00-19:00"`` as Hours. Raises ValueError."""
    opens, dash, closes = value.partition("-") if isinstance(value, str) else ("", "", "")
    if not dash:
        raise ValueError('must be hours like "08:00-19:00"')
    hours = Hours(_parse_clock(opens.strip()), _parse_clock(closes.strip()))
    if hours.opens % 30 or hours.closes % 30:
        raise ValueError("must start and end on a half hour")
    if hours.opens >= hours.closes:
        raise ValueError("must end after they start, at 24:00 at the latest")
    return hours


def _parse_text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("must be a non-empty string")
    if not value.isprintable():
        raise ValueError("must be one line of printable characters")
    return value


def _parse_texts(value: object) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, list) or not all(isinstance(one, str) and one for one in values):
        raise ValueError("must be a string or a list of strings")
    return tuple(values)


def _parse_clock(value: object) -> int:
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match else -1
    if not 0 <= minutes <= 24 * 60:
        raise ValueError('must be a time like "20:00"')
    return minutes


def _parse_half_hour(value: object) -> int:
    minutes = _parse_clock(value)
    if minutes % 30 or minutes == 24 * 60:
        raise ValueError("must be on a half hour, before 24:00")
    return minutes


def _parse_timezone(value: object) -> ZoneInfo:
    try:
        return ZoneInfo(_parse_text(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'is not an IANA time zone: {value!r}; write one like "Europe/Paris"') from None


def _parse_address(value: object) -> Address:
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not (host and colon and port.isascii() and port.isdigit() and int(port) < 65536):
        raise ValueError('must be an address and a port, like "127.0.0.1:8080"')
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


TEXT = Kind("a string", _parse_text, stand_in="")
FILE = Kind("a path", _parse_text)
TEXTS = Kind("a string or a list of strings", _parse_texts)
FLAG: Kind[bool] = valid_if(lambda value: isinstance(value, bool), "true or false")
CLOCK = Kind("a local time", _parse_clock)
"""Minutes since midnight, at most 1440."""
HALF_HOUR = Kind("a local time on a half hour", _parse_half_hour)
"""Minutes since midnight, less than 1440."""
HOURS = Kind("hours, on half hours", parse_hours)
TIMEZONE = Kind("an IANA time zone", _parse_timezone, stand_in=ZoneInfo("UTC"))
ADDRESS = Kind("an address and port", _parse_address)
