"""One calendar for every store: local days, the buckets that tile them, and quarter hours folded into buckets.

    UTC      |--15--|--15--|--15--|--15--|--15--|--15--|        quarter hours, as stores keep them
    day      |---- 00:00 ----|---- 00:30 ----|--- 01:00 ---     buckets: 30 minutes of UTC from the day's first instant

Steps through a day are taken in UTC, so a day on which clocks change has more or fewer buckets. A bucket's label is
the local time at its start.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from footfall.model import BUCKET, QUARTER_MS, Bucket, Hours, Quarter, Tally, epoch_ms, minute_of_day

WHOLE_DAY = Hours(0, 24 * 60)


def day_bounds(day: date, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Return the first instants of *day* and of the next day at the site, in UTC.

    The pair is half-open. It spans 23 to 25 hours where clocks change, starts at 01:00 local where midnight is
    skipped (Cairo, Havana), and is empty for a day the zone never had (Apia, 2011-12-30).
    """
    return _day_start(day, tz), _day_start(day + timedelta(days=1), tz)


def local_instant(day: date, minutes: int, tz: ZoneInfo) -> datetime:
    """Return the first UTC instant at which it is *minutes* (0 to 1440) past midnight on *day*, local time.

    If the clock skips that time, the offset before the jump applies.
    """
    after, minute = divmod(minutes, 24 * 60)
    local = datetime.combine(day + timedelta(days=after), time(minute // 60, minute % 60), tzinfo=tz)
    return local.astimezone(UTC)


def buckets_of(day: date, tz: ZoneInfo, hours: Hours = WHOLE_DAY) -> tuple[Bucket, ...]:
    """Return the buckets of *day* that start inside *hours*, in order of time.

    Over the whole day they tile it exactly: each starts where the previous one ends.
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
    """Return one Tally per bucket for each counter in *quarters*, in the order of *buckets*.

    Quarters outside the buckets are ignored. A bucket without quarters is a gap: all zero except its length.
    """
    place = {
        start_epoch_ms: number
        for number, bucket in enumerate(buckets)
        for start_epoch_ms in range(epoch_ms(bucket.start_utc), epoch_ms(bucket.end_utc), QUARTER_MS)
    }
    sums: dict[str, list[list[int]]] = {}
    for quarter in quarters:
        number = place.get(quarter.start_epoch_ms)
        if number is None:
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
    """Return the tallies of a counter without data: a gap for each bucket."""
    return [Tally(length_ms=bucket.length_ms) for bucket in buckets]


def _day_start(day: date, tz: ZoneInfo) -> datetime:
    """Return the first instant whose local date is *day* or later, in UTC.

    local_instant reads a repeated midnight as its first pass and a skipped one with the offset before the jump. If the
    jump begins before midnight, that lies after the day's start, so step back to the start.
    """
    start_utc = local_instant(day, 0, tz)
    minute = timedelta(minutes=1)
    while (start_utc - minute).astimezone(tz).date() >= day:
        start_utc -= minute
    return start_utc
