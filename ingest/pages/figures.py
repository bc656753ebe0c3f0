"""What the pages show, as figures: half hours of days, each with how much of it is known.

    Reader --Quarter--> fold (footfall.calendar) --> HalfHour --> Day --> Period

A gap is not zero. So every sum goes with its Knowledge, and whoever draws it must look.
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


class Knowledge(Enum):
    """How much is known of a stretch of time."""

    COUNTED = "counted"
    """Every counter was counting, but for the last moments, which are still on their way."""

    PARTLY = "partly"
    """Some counter was not counting for some of it: the sums are the least there was."""

    GAP = "gap"
    """Nobody was counting. Not the same as zero."""

    AHEAD = "ahead"
    """It has not begun."""


@dataclass(frozen=True, slots=True)
class HalfHour:
    """A bucket of all counters of a site. ``inside`` is the people inside at its end; None where it has not ended."""

    bucket: Bucket
    total: Tally
    knowledge: Knowledge
    inside: int | None
    is_open: bool

    @property
    def label(self) -> str:
        """What a clock on the wall shows at its start, ``08:30``."""
        return f"{self.bucket.start_local:%H:%M}"


@dataclass(frozen=True)
class Day:
    """A local day of a site."""

    site: Site
    day: date
    half_hours: tuple[HalfHour, ...]

    @cached_property
    def total(self) -> Tally:
        """The sums over the day."""
        return sum((one.total for one in self.half_hours), Tally())

    @cached_property
    def knowledge(self) -> Knowledge:
        """How much is known of the opening hours; of the whole day, where it has no opening hours."""
        return knowledge_of([one for one in self.half_hours if one.is_open] or self.half_hours)

    @cached_property
    def busiest(self) -> HalfHour | None:
        """The half hour with the most entries, the first of several; None on a day without any."""
        return max((one for one in self.half_hours if one.total.entries), key=_entries, default=None)

    @cached_property
    def by_label(self) -> Mapping[str, HalfHour]:
        """The half hours by what the clock shows; of two of the same label, where clocks go back, the first."""
        return {one.label: one for one in reversed(self.half_hours)}

    @property
    def most_inside(self) -> int:
        """The most people inside at the end of a half hour."""
        return max((one.inside or 0 for one in self.half_hours), default=0)

    def shown(self) -> tuple[HalfHour, ...]:
        """Return the half hours worth drawing: the opening hours, an hour around them, and wherever people were."""
        worth = [
            number for number, one in enumerate(self.half_hours) if one.is_open or one.total.entries or one.total.exits
        ]
        if not worth:
            return self.half_hours
        return self.half_hours[max(0, worth[0] - 2) : worth[-1] + 3]


def _entries(one: HalfHour) -> int:
    return one.total.entries


def knowledge_of(half_hours: Iterable[HalfHour]) -> Knowledge:
    """Return how much is known of *half_hours* together."""
    kinds = {one.knowledge for one in half_hours}
    begun = kinds - {Knowledge.AHEAD}
    if not begun:
        return Knowledge.AHEAD
    if begun == {Knowledge.COUNTED}:
        return Knowledge.COUNTED
    return Knowledge.GAP if begun == {Knowledge.GAP} else Knowledge.PARTLY


def read_days(
    reader: Reader,
    site: Site,
    counters: Sequence[Counter],
    days: Sequence[date],
    now_utc: datetime,
    *,
    slack_s: int,
) -> list[Day]:
    """Return *days*, which follow each other, of *site*. Raises StoreUnavailable.

    *slack_s* is how long a counter may be silent: what it counted since is still on its way, and no gap.
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
        found.append(Day(site, day, half_hours))
        start = end
    return found


def _half_hour(
    site: Site, bucket: Bucket, total: Tally, inside: int, active: int, now_utc: datetime, slack_s: int
) -> HalfHour:
    return HalfHour(
        bucket=bucket,
        total=total,
        knowledge=_knowledge(bucket, total, active, now_utc, slack_s),
        inside=inside if bucket.end_utc <= now_utc else None,
        is_open=minute_of_day(bucket.start_local) in site.hours,
    )


def _knowledge(bucket: Bucket, total: Tally, active: int, now_utc: datetime, slack_s: int) -> Knowledge:
    if bucket.start_utc >= now_utc:
        return Knowledge.AHEAD
    known_to_utc = min(bucket.end_utc, now_utc - timedelta(seconds=slack_s))
    expected_ms = active * max(0, (known_to_utc - bucket.start_utc) // timedelta(milliseconds=1))
    if active and total.covered_ms >= expected_ms:
        return Knowledge.COUNTED
    return Knowledge.GAP if total.is_gap else Knowledge.PARTLY


def _before(quarters: Iterable[Quarter], start_utc: datetime) -> Iterator[Quarter]:
    start_epoch_ms = epoch_ms(start_utc)
    return (one for one in quarters if one.start_epoch_ms < start_epoch_ms)


class Length(Enum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Period:
    """A day, a week from Monday on (ISO 8601), or a calendar month."""

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
        """Return the period that ends where this one starts."""
        return period_around(self.length, self.first - timedelta(days=1))

    def after(self) -> "Period":
        """Return the period that starts where this one ends."""
        return period_around(self.length, self.last + timedelta(days=1))


def period_around(length: Length, day: date) -> Period:
    """Return the period of *length* that *day* is in."""
    if length is Length.WEEK:
        first = day - timedelta(days=day.weekday())
        return Period(length, tuple(first + timedelta(days=number) for number in range(7)))
    if length is Length.MONTH:
        first = day.replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return Period(length, tuple(first + timedelta(days=number) for number in range(last.day)))
    return Period(length, (day,))


@dataclass(frozen=True)
class HeatCell:
    """The entries of one weekday and half hour: the mean of the days that were counted; None where none was.

    ``is_gap`` tells whether such a half hour has been, and was not counted.
    """

    label: str
    mean_entries: float | None
    is_gap: bool
    is_open: bool


def heat_map(days: Sequence[Day]) -> Mapping[int, tuple[HeatCell, ...]]:
    """Return for each weekday (0 Monday) in *days* its 48 half hours of the wall clock; partly known ones count not."""
    sums: dict[tuple[int, int], list[int]] = {}
    for day in days:
        for one in day.half_hours:
            if one.inside is not None:
                slot = minute_of_day(one.bucket.start_local) // 30
                counted = sums.setdefault((day.day.weekday(), slot), [])
                if one.knowledge is Knowledge.COUNTED:
                    counted.append(one.total.entries)
    hours = days[0].site.hours if days else None
    found = {}
    for weekday in sorted({day.day.weekday() for day in days}):
        cells = []
        for slot in range(48):
            entries = sums.get((weekday, slot))
            is_open = hours is not None and slot * 30 in hours
            mean = sum(entries) / len(entries) if entries else None
            cells.append(HeatCell(f"{slot // 2:02}:{slot % 2 * 30:02}", mean, entries == [], is_open))
        found[weekday] = tuple(cells)
    return found


@dataclass(frozen=True)
class Share:
    """What one counter had of the entries of several days."""

    counter: Counter
    entries: int
    exits: int


def read_shares(reader: Reader, counters: Sequence[Counter], days: Sequence[Day]) -> tuple[Share, ...]:
    """Return the share each of *counters* had in *days*, which follow each other. Raises StoreUnavailable."""
    half_hours = [one for day in days for one in day.half_hours]
    if not half_hours:
        return ()
    ids = [counter.id for counter in counters]
    sums = reader.sums(ids, half_hours[0].bucket.start_utc, half_hours[-1].bucket.end_utc)
    return tuple(Share(counter, *sums[counter.id]) for counter in counters)
