"""Dates and times as a profile writes them: digits only, so that a machine's language never changes a client's file.

%Y 2026  %y 26  %m 05  %d 04  %H 08  %M 30  %S 00  %j 124  %% %        %-m, %-d, %-H ... without the leading zero
"""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from functools import lru_cache

_WIDTHS: Mapping[str, int] = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "j": 3}
_PLACES: Mapping[str, int] = {"Y": 0, "m": 1, "d": 2, "H": 3, "M": 4, "S": 5, "j": 7}  # index in a timetuple()
_CODE = re.compile(r"%(-?)(.?)", re.DOTALL)
SAMPLE_DAYS = tuple(date(2027, 1, 1) + timedelta(days=number) for number in range(366))
SAMPLE_TIMES = tuple(datetime.combine(SAMPLE_DAYS[0], time(number // 2, number % 2 * 30)) for number in range(48))
"""A year plus the next 1 January, and the half hours of a day. A format that tells these apart tells all apart."""


def check_format(pattern: str, allowed: str) -> str:
    """Return *pattern* if every code in it is one of the letters *allowed*. Raises ValueError."""
    for dash, letter in _CODE.findall(pattern):
        if not letter or letter not in allowed + "%" or (letter == "%" and dash):
            codes = ", ".join(f"%{one}" for one in allowed)
            raise ValueError(
                f"has the code %{dash}{letter}; allowed are {codes}, and each without leading zeros, such as %-d"
            )
    return pattern


def render_moment(moment: date, pattern: str) -> str:
    """Return *moment*, a date or datetime, in the format *pattern*."""
    parts = moment.timetuple()

    def render(match: re.Match[str]) -> str:
        dash, letter = match[1], match[2]
        if letter == "%":
            return "%"
        number = parts[0] % 100 if letter == "y" else parts[_PLACES[letter]]
        return str(number) if dash else str(number).zfill(_WIDTHS[letter])

    return _CODE.sub(render, pattern)


@lru_cache(maxsize=16)
def is_unambiguous(pattern: str, moments: tuple[date, ...]) -> bool:
    """Return whether *pattern* renders no two of *moments* alike."""
    return len({render_moment(moment, pattern) for moment in moments}) == len(moments)


def parse_moment(text: str, pattern: str) -> datetime:
    """Parse *text*, in the format *pattern*, as a naive datetime. Leading zeros may be missing.

    Raises ValueError.
    """
    padded = _CODE.sub(lambda match: f"%{match[2]}", pattern)
    try:
        return datetime.strptime(text, padded)  # noqa: DTZ007 - a wall clock's digits, not an instant
    except re.error as exc:
        raise ValueError(f"the format {pattern!r} cannot be read back: {exc}") from exc
