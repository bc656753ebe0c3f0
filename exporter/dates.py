"""Dates and times as a profile writes them: digits only, so that no machine's language changes a client's file.

%Y 2026  %y 26  %m 05  %d 04  %H 08  %M 30  %S 00  %j 124  %% %        %-m, %-d, %-H ... without the leading zero
"""

import re
from collections.abc import Mapping
from datetime import date, datetime

_WIDTHS: Mapping[str, int] = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "j": 3}
_CODE = re.compile(r"%(-?)(.?)", re.DOTALL)


def check_format(pattern: str, allowed: str) -> str:
    """Return *pattern* when every code in it is one of the letters *allowed*. Raises ValueError."""
    for dash, letter in _CODE.findall(pattern):
        if letter not in allowed + "%" or (letter == "%" and dash):
            codes = ", ".join(f"%{one}" for one in allowed)
            raise ValueError(f"has the code %{dash}{letter}; there are {codes}, and each without zeros, as %-d")
    return pattern


def render_moment(moment: date, pattern: str) -> str:
    """Return *moment*, a date or datetime, written as *pattern* says."""

    def render(match: re.Match[str]) -> str:
        dash, letter = match[1], match[2]
        if letter == "%":
            return "%"
        number = moment.timetuple().tm_yday if letter == "j" else int(moment.strftime(f"%{letter}"))
        return str(number) if dash else str(number).zfill(_WIDTHS[letter])

    return _CODE.sub(render, pattern)


def parse_moment(text: str, pattern: str) -> datetime:
    """Return what *text* says when read as *pattern*, as naive digits to combine. Zeros may be missing.

    Raises ValueError.
    """
    return datetime.strptime(text, pattern.replace("%-", "%"))  # noqa: DTZ007 - a wall clock's digits, not an instant
