"""The periods the history page shows: a day, a week or a month."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

EARLIEST, LATEST = date(1971, 1, 8), date(9997, 12, 31)


class Length(Enum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Period:
    """A day, a week that starts on Monday (ISO 8601), or a calendar month."""

    length: Length
    days: tuple[date, ...]

    @property
    def first(self) -> date:
        """The first day."""
        return self.days[0]

    @property
    def last(self) -> date:
        """The last day."""
        return self.days[-1]

    def before(self) -> "Period":
        """Return the previous period of the same length."""
        return period_around(self.length, self.first - timedelta(days=1))

    def after(self) -> "Period":
        """Return the next period of the same length."""
        return period_around(self.length, self.last + timedelta(days=1))


def period_around(length: Length, day: date) -> Period:
    """Return the period of *length* that contains *day*."""
    if length is Length.WEEK:
        first = day - timedelta(days=day.weekday())
        return Period(length, tuple(first + timedelta(days=number) for number in range(7)))
    if length is Length.MONTH:
        first = day.replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return Period(length, tuple(first + timedelta(days=number) for number in range(last.day)))
    return Period(length, (day,))


def clamp_day(day: date, today: date) -> date:
    """Return *day*, moved to at most a year after *today* and into the range the calendar supports."""
    return max(EARLIEST, min(day, today + timedelta(days=366), LATEST))
