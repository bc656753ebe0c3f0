"""Days of a site as the pages show them: half hours over all counters, each with how well it was covered.

    Reader --Quarter--> fold (footfall.calendar) --> SiteHalfHour --> SiteDay --> History (history_page)

A gap is not zero: every total comes with its Coverage, and code that shows a total must check it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import cached_property

from footfall.calendar import buckets_of, day_bounds, fold, unknown
from footfall.model import Bucket, Counter, Quarter, Site, Tally, epoch_ms, minute_of_day
from footfall.occupancy import last_reset, occupancy_through
from footfall.store.reader import Reader


class Coverage(Enum):
    """How much of a stretch of time the counters counted."""

    FULL = "full"
    """Every counter was counting, except for the last moments, which are still in transit."""

    PARTIAL = "partial"
    """Some counter missed part of it, so totals are minimums."""

    GAP = "gap"
    """No counter was counting. Unknown, not zero."""

    FUTURE = "future"
    """It has not begun."""


@dataclass(frozen=True, slots=True)
class SiteHalfHour:
    """A bucket summed over a site's counters. ``inside`` counts the people inside at its end, None until it ends."""

    bucket: Bucket
    total: Tally
    coverage: Coverage
    inside: int | None
    is_open: bool

    @property
    def label(self) -> str:
        """Its start on the wall clock, ``08:30``."""
        return f"{self.bucket.start_local:%H:%M}"


@dataclass(frozen=True)
class SiteDay:
    """A local day of a site."""

    site: Site
    day: date
    half_hours: tuple[SiteHalfHour, ...]

    @cached_property
    def total(self) -> Tally:
        """The totals of the day."""
        return sum((one.total for one in self.half_hours), Tally())

    @cached_property
    def coverage(self) -> Coverage:
        """The coverage of the opening hours, or of the whole day if the site does not open."""
        return coverage_of([one for one in self.half_hours if one.is_open] or self.half_hours)

    @cached_property
    def busiest(self) -> SiteHalfHour | None:
        """The half hour with the most entries (the first of equals), None on a day without entries."""
        return max((one for one in self.half_hours if one.total.entries), key=_entries, default=None)

    @cached_property
    def by_label(self) -> Mapping[str, SiteHalfHour]:
        """The half hours by label. Where clocks go back and a label occurs twice, the first one."""
        return {one.label: one for one in reversed(self.half_hours)}

    @property
    def peak_inside(self) -> int:
        """The most people inside at the end of a half hour."""
        return max((one.inside or 0 for one in self.half_hours), default=0)

    def shown(self) -> tuple[SiteHalfHour, ...]:
        """Return the half hours worth showing: opening hours and any with crossings, plus an hour on either side."""
        worth = [
            number for number, one in enumerate(self.half_hours) if one.is_open or one.total.entries or one.total.exits
        ]
        if not worth:
            return self.half_hours
        return self.half_hours[max(0, worth[0] - 2) : worth[-1] + 3]


def _entries(one: SiteHalfHour) -> int:
    return one.total.entries


def coverage_of(half_hours: Iterable[SiteHalfHour]) -> Coverage:
    """Return the combined coverage of *half_hours*, ignoring future ones unless all are."""
    begun = {one.coverage for one in half_hours} - {Coverage.FUTURE}
    if not begun:
        return Coverage.FUTURE
    if begun == {Coverage.FULL}:
        return Coverage.FULL
    return Coverage.GAP if begun == {Coverage.GAP} else Coverage.PARTIAL


def read_days(
    reader: Reader,
    site: Site,
    counters: Sequence[Counter],
    days: Sequence[date],
    now_utc: datetime,
    *,
    slack_s: int,
) -> list[SiteDay]:
    """Return consecutive *days* of *site*. Raises StoreUnavailable.

    A counter may be silent for up to *slack_s* before the missing time counts as a gap: its crossings are in transit.
    """
    if not days:
        return []
    ids = [counter.id for counter in counters]
    buckets = {day: buckets_of(day, site.tz) for day in days}
    first_utc, end_utc = day_bounds(days[0], site.tz)[0], day_bounds(days[-1], site.tz)[1]
    reset_utc = last_reset(site, first_utc)
    quarters = reader.totals(ids, reset_utc, min(end_utc, max(now_utc, first_utc)))
    every = [bucket for day in days for bucket in buckets[day]]
    totals = fold(quarters, every).get("") or unknown(every)
    inside = occupancy_through(site, totals, every, _before(quarters, first_utc))
    found = []
    start = 0
    for day in days:
        end = start + len(buckets[day])
        active = sum(counter.counts_on(day) for counter in counters)
        half_hours = tuple(
            _half_hour(site, bucket, total, within, active, now_utc, slack_s)
            for bucket, total, within in zip(buckets[day], totals[start:end], inside[start:end], strict=True)
        )
        found.append(SiteDay(site, day, half_hours))
        start = end
    return found


def _half_hour(
    site: Site, bucket: Bucket, total: Tally, inside: int, active: int, now_utc: datetime, slack_s: int
) -> SiteHalfHour:
    return SiteHalfHour(
        bucket=bucket,
        total=total,
        coverage=_coverage(bucket, total, active, now_utc, slack_s),
        inside=inside if bucket.end_utc <= now_utc else None,
        is_open=minute_of_day(bucket.start_local) in site.hours,
    )


def _coverage(bucket: Bucket, total: Tally, active: int, now_utc: datetime, slack_s: int) -> Coverage:
    if bucket.start_utc >= now_utc:
        return Coverage.FUTURE
    known_to_utc = min(bucket.end_utc, now_utc - timedelta(seconds=slack_s))
    expected_ms = active * max(0, (known_to_utc - bucket.start_utc) // timedelta(milliseconds=1))
    if active and total.covered_ms >= expected_ms:
        return Coverage.FULL
    return Coverage.GAP if total.is_gap else Coverage.PARTIAL


def _before(quarters: Iterable[Quarter], start_utc: datetime) -> Iterator[Quarter]:
    start_epoch_ms = epoch_ms(start_utc)
    return (one for one in quarters if one.start_epoch_ms < start_epoch_ms)
