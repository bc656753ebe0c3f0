"""``/sites/SITE/history``: a day, a week or a month, beside the one before it."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from footfall.calendar import buckets_of, day_bounds, fold, unknown
from footfall.model import Site, Tally
from footfall.store.reader import Reader
from ingest.context import Context
from ingest.pages.figures import (
    Day,
    HalfHour,
    HeatCell,
    Knowledge,
    Length,
    Period,
    Share,
    heat_map,
    knowledge_of,
    period_around,
    read_days,
    read_shares,
)

EARLIEST, LATEST = date(1971, 1, 8), date(9997, 12, 31)
LEAST_COVERED = 0.9
"""Periods that were counted less than this are not compared: the difference would be that of the gaps."""

PLAIN_HEADER = ("date", "start", "end", "start_utc", "counter", "entries", "exits", "covered")


@dataclass(frozen=True)
class History:
    """A period of a site and the one before it. Days to come have half hours that are ahead."""

    site: Site
    period: Period
    days: tuple[Day, ...]
    before: tuple[Day, ...]
    shares: tuple[Share, ...]
    is_current: bool

    @cached_property
    def total(self) -> Tally:
        """The sums over the period."""
        return sum((day.total for day in self.days), Tally())

    @cached_property
    def comparable(self) -> tuple[HalfHour, ...]:
        """The half hours of the period before that are as far into it: of a current week, those up to this moment."""
        if not self.is_current:
            return tuple(one for day in self.before for one in day.half_hours)
        found = []
        for day, other in zip(self.days, self.before, strict=False):
            ended = {one.label for one in day.half_hours if one.inside is not None}
            found += [one for one in other.half_hours if one.label in ended]
        return tuple(found)

    @cached_property
    def difference(self) -> int | None:
        """How many more entries than in as much of the period before; None where either is known too badly."""
        ended = [one for day in self.days for one in day.half_hours if one.inside is not None]
        if min(covered(ended), covered(self.comparable)) < LEAST_COVERED:
            return None
        return sum(one.total.entries for one in ended) - sum(one.total.entries for one in self.comparable)

    @cached_property
    def knowledge(self) -> Knowledge:
        """How much is known of the opening hours of the period."""
        return knowledge_of(one for day in self.days for one in day.half_hours if one.is_open)

    @cached_property
    def covered(self) -> float:
        """The part of the opening hours so far in which every counter was counting; 0 to 1."""
        return covered(one for day in self.days for one in day.half_hours)

    @cached_property
    def busiest(self) -> tuple[Day, HalfHour] | None:
        """The half hour with the most entries, and its day."""
        found = [(day, day.busiest) for day in self.days if day.busiest is not None]
        return max(found, key=lambda pair: pair[1].total.entries, default=None)

    @cached_property
    def heat(self) -> Mapping[int, tuple[HeatCell, ...]]:
        """The heat map of the period: see heat_map."""
        return heat_map(self.days)


def covered(half_hours: Iterable[HalfHour]) -> float:
    """Return the part of the opening hours of *half_hours* so far in which every counter was counting; 0 to 1."""
    begun = [one for one in half_hours if one.is_open and one.knowledge is not Knowledge.AHEAD]
    return sum(one.knowledge is Knowledge.COUNTED for one in begun) / len(begun) if begun else 0.0


def read_history(here: Context, site: Site, length: Length, day: date) -> History:
    """Return the period of *length* around *day*. Raises StoreUnavailable."""
    now_utc = here.now_utc()
    counters = here.registry().counters_of(site.id)
    period = period_around(length, day)
    before = period.before()
    slack_s = here.config.silent_after_s
    days, days_before = (
        tuple(read_days(here.reader, site, counters, several, now_utc, slack_s=slack_s))
        for several in (period.days, before.days)
    )
    today = now_utc.astimezone(site.tz).date()
    return History(
        site, period, days, days_before, read_shares(here.reader, counters, days), period.first <= today <= period.last
    )


def write_plain_csv(
    reader: Reader, site: Site, counters: Iterable[str], days: Sequence[date], now_utc: datetime
) -> str:
    """Return every half hour that has begun of *days* and every counter of *counters*, a row each, with a header.

    ``entries`` and ``exits`` are empty where nothing is known; ``covered`` is the part of the half hour that was
    counted, 0 to 1. Raises StoreUnavailable.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(PLAIN_HEADER)
    names = list(counters)
    for day in days:
        buckets = [bucket for bucket in buckets_of(day, site.tz) if bucket.start_utc < now_utc]
        tallies = fold(reader.quarters(names, *day_bounds(day, site.tz)), buckets)
        for number, bucket in enumerate(buckets):
            for counter in names:
                tally = (tallies.get(counter) or unknown(buckets))[number]
                counts = ("", "") if tally.is_gap else (tally.entries, tally.exits)
                covered = min(1.0, tally.covered_ms / tally.length_ms)
                writer.writerow(
                    (day, f"{bucket.start_local:%H:%M}", f"{bucket.end_local:%H:%M}",
                     f"{bucket.start_utc:%Y-%m-%dT%H:%M:%SZ}", counter, *counts, f"{covered:.4f}")
                )  # fmt: skip
    return written.getvalue()


def clamp_day(day: date, today: date) -> date:
    """Return *day*, no later than a year after *today* and no earlier than calendars here reach."""
    return max(EARLIEST, min(day, today + timedelta(days=366), LATEST))
