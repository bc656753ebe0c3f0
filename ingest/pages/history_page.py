"""The numbers of ``/sites/SITE/history``: a period and the one before it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from footfall.model import Counter, Site, Tally
from footfall.store.reader import Reader
from ingest.context import Context
from ingest.pages.heat_map import HeatCell, compute_heat_map
from ingest.pages.periods import Length, Period, period_around
from ingest.pages.site_days import Coverage, SiteDay, SiteHalfHour, coverage_of, read_days

LEAST_COVERED = 0.9
"""Periods with less coverage are not compared: the difference would come from the gaps."""


@dataclass(frozen=True)
class CounterShare:
    """The entries and exits of one counter over a period."""

    counter: Counter
    entries: int
    exits: int


@dataclass(frozen=True)
class History:
    """A period of a site, the days of the period before it, and each counter's share."""

    site: Site
    period: Period
    days: tuple[SiteDay, ...]
    before: tuple[SiteDay, ...]
    shares: tuple[CounterShare, ...]
    is_current: bool

    @cached_property
    def total(self) -> Tally:
        """The totals of the period."""
        return sum((day.total for day in self.days), Tally())

    @cached_property
    def comparable(self) -> tuple[SiteHalfHour, ...]:
        """The half hours of the previous period to compare with; for a current period, only up to the same point."""
        if not self.is_current:
            return tuple(one for day in self.before for one in day.half_hours)
        found = []
        for day, other in zip(self.days, self.before, strict=False):
            ended = {one.label for one in day.half_hours if one.inside is not None}
            found += [one for one in other.half_hours if one.label in ended]
        return tuple(found)

    @cached_property
    def difference(self) -> int | None:
        """Entries minus those of ``comparable``, None if either side has too little coverage."""
        ended = [one for day in self.days for one in day.half_hours if one.inside is not None]
        if min(covered_part(ended), covered_part(self.comparable)) < LEAST_COVERED:
            return None
        return sum(one.total.entries for one in ended) - sum(one.total.entries for one in self.comparable)

    @cached_property
    def coverage(self) -> Coverage:
        """The coverage of the opening hours."""
        return coverage_of(one for day in self.days for one in day.half_hours if one.is_open)

    @cached_property
    def covered(self) -> float:
        """The part of the opening hours so far that was fully counted, 0 to 1."""
        return covered_part(one for day in self.days for one in day.half_hours)

    @cached_property
    def busiest(self) -> tuple[SiteDay, SiteHalfHour] | None:
        """The half hour with the most entries, and its day."""
        found = [(day, day.busiest) for day in self.days if day.busiest is not None]
        return max(found, key=lambda pair: pair[1].total.entries, default=None)

    @cached_property
    def heat_map(self) -> Mapping[int, tuple[HeatCell, ...]]:
        """The heat map of the period, by weekday."""
        return compute_heat_map(self.days)


def covered_part(half_hours: Iterable[SiteHalfHour]) -> float:
    """Return the part of the opening hours so far in *half_hours* that was fully counted, 0 to 1."""
    begun = [one for one in half_hours if one.is_open and one.coverage is not Coverage.FUTURE]
    return sum(one.coverage is Coverage.FULL for one in begun) / len(begun) if begun else 0.0


def read_history(ctx: Context, site: Site, length: Length, day: date) -> History:
    """Return the period of *length* that contains *day*. Raises StoreUnavailable."""
    now_utc = ctx.now_utc()
    counters = ctx.registry().counters_of(site.id)
    period = period_around(length, day)
    days, before = (
        tuple(read_days(ctx.reader, site, counters, dates, now_utc, slack_s=ctx.config.silent_after_s))
        for dates in (period.days, period.before().days)
    )
    today = now_utc.astimezone(site.tz).date()
    is_current = period.first <= today <= period.last
    return History(site, period, days, before, _read_shares(ctx.reader, counters, days), is_current)


def _read_shares(reader: Reader, counters: Sequence[Counter], days: Sequence[SiteDay]) -> tuple[CounterShare, ...]:
    half_hours = [one for day in days for one in day.half_hours]
    if not half_hours:
        return ()
    ids = [counter.id for counter in counters]
    sums = reader.sums(ids, half_hours[0].bucket.start_utc, half_hours[-1].bucket.end_utc)
    return tuple(CounterShare(counter, *sums[counter.id]) for counter in counters)
