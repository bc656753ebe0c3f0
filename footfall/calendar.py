"""One calendar for every store: local days, the half hours that tile them, and quarters folded into those.

    UTC      |--15--|--15--|--15--|--15--|--15--|--15--|        quarters, as stores keep them
    day      |---- 00:00 ----|---- 00:30 ----|--- 01:00 ---     buckets, 30 minutes of UTC each from the day's start

Steps are taken in UTC from the day's first instant, so a day where clocks change simply has more or fewer buckets,
and a bucket's label is whatever a clock on the wall shows when it starts.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from footfall.model import BUCKET, QUARTER_MS, Bucket, Hours, Quarter, Tally, epoch_ms, minute_of_day

WHOLE_DAY = Hours(0, 24 * 60)


def day_bounds(day: date, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first instant of *day* at the site and of the day after, both UTC.

    The pair is half-open. It spans 23 to 25 hours where clocks change, starts at 01:00 local where midnight is
    skipped (Cairo, Havana), and is empty for a day the zone never had (Apia, 2011-12-30).
    """
    return _day_start(day, tz), _day_start(day + timedelta(days=1), tz)


def local_instant(day: date, minutes: int, tz: ZoneInfo) -> datetime:
    """Return the UTC instant at which a wall clock on *day* first shows *minutes* past midnight (0 to 1440).

    Where the clock jumps over that reading, it is the instant it would have been without the jump.
    """
    after, minute = divmod(minutes, 24 * 60)
    local = datetime.combine(day + timedelta(days=after), time(minute // 60, minute % 60), tzinfo=tz)
    return local.astimezone(UTC)


def buckets_of(day: date, tz: ZoneInfo, hours: Hours = WHOLE_DAY) -> tuple[Bucket, ...]:
    """Return the buckets of *day* that start inside *hours*, in the order they happen.

    Over the whole day they tile it exactly: each starts where the one before ended.
    """
    start_utc, day_end_utc = day_bounds(day, tz)
    found = []
    while start_utc < day_end_utc:
        end_utc = min(start_utc + BUCKET, day_end_utc)
        start_local = start_utc.astimezone(tz)
        if minute_of_day(start_local) in hours:
            found.append(Bucket(start_utc, end_utc, start_local, end_utc.astimezone(tz)))
        start_utc = end_utc
    return tuple(found)


def fold(quarters: Iterable[Quarter], buckets: Sequence[Bucket]) -> dict[str, list[Tally]]:
    """Return, for each counter that *quarters* name, one Tally per bucket, in the order of *buckets*.

    Quarters outside all buckets are left out. Buckets no quarter speaks of are gaps (all zero but their length).
    """
    place = {
        start_epoch_ms: number
        for number, bucket in enumerate(buckets)
        for start_epoch_ms in range(epoch_ms(bucket.start_utc), epoch_ms(bucket.end_utc), QUARTER_MS)
    }
    sums: dict[str, list[list[int]]] = {}
    for quarter in quarters:
        number = place.get(quarter.start_epoch_ms, -1)
        if number < 0:
            continue
        rows = sums.get(quarter.counter)
        if rows is None:
            rows = sums[quarter.counter] = [[0, 0, 0] for _ in buckets]
        row = rows[number]
        row[0] += quarter.entries
        row[1] += quarter.exits
        row[2] += quarter.covered_ms
    return {
        counter: [
            Tally(entries, exits, covered_ms, bucket.length_ms)
            for (entries, exits, covered_ms), bucket in zip(rows, buckets, strict=True)
        ]
        for counter, rows in sums.items()
    }


def unknown(buckets: Sequence[Bucket]) -> list[Tally]:
    """Return the tallies of a counter nothing is known of: a gap for each bucket."""
    return [Tally(length_ms=bucket.length_ms) for bucket in buckets]


def _day_start(day: date, tz: ZoneInfo) -> datetime:
    """Return the first instant whose local date is *day* or later, in UTC.

    A repeated midnight is read as its first pass, a skipped one with the offset before the jump: that is the jump
    itself where the clock jumps at midnight, and lies behind it where the jump began before midnight.
    """
    start_utc = local_instant(day, 0, tz)
    minute = timedelta(minutes=1)
    while (start_utc - minute).astimezone(tz).date() >= day:
        start_utc -= minute
    return start_utc
