"""The simulated people of a site on one local day: when they come, through which door, and how long they stay.

    staff    ──┤                                                    ├──
    visitors      ....::::::||||||||||::::::::||||::::::....::      ├   arrivals follow the ARRIVALS curve
                  opening          lunch       afternoon  closing       and everyone leaves soon after closing

Everything here is a pure function of its arguments: the same seed gives the same day on every machine.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from typing import Literal, NamedTuple

from footfall.calendar import buckets_of, day_bounds
from footfall.model import Bucket, Site, epoch_ms, minute_of_day

MINUTE_MS = 60_000
LUNCH = range(12 * 60, 13 * 60 + 30)
LUNCH_FACTOR = 1.8
"""Multiplies arrivals at lunch time, in local time."""

ARRIVALS = ((0.0, 1.0), (0.1, 4.0), (0.3, 5.0), (0.5, 4.5), (0.7, 6.0), (0.85, 3.0), (1.0, 0.3))
"""(elapsed share of the opening hours, relative arrival rate), interpolated linearly."""

WEEKDAY_FACTORS = (0.75, 1.0, 1.2, 0.95, 1.05, 1.25, 0.8)
"""Multiplies the visitors of a day, Monday first."""

STAY_MEDIAN_MIN, STAY_SPREAD = 35.0, 0.9  # log-normal: most people stay minutes, some stay hours
SHORTEST_STAY_MS = MINUTE_MS
SAME_DOOR_SHARE = 0.6  # of people leave by the door they entered; the others choose by weight


class Crossing(NamedTuple):
    """One person through both beams of a counter. *direction*: +1 entry, -1 exit."""

    counter: str
    time_epoch_ms: int
    direction: Literal[1, -1]


class Visit(NamedTuple):
    """One person's entry and, always later, exit."""

    entry: Crossing
    exit: Crossing


def seeded_random(*names: object) -> random.Random:
    """Return a random generator seeded by *names*, so that no part of a simulation disturbs another."""
    return random.Random(":".join(map(str, names)))  # noqa: S311 - simulated people and failures, not secrets


def walk_day(
    site: Site, day: date, counters: Sequence[str], *, people: int, seed: int, staff: int = 3
) -> tuple[Crossing, ...]:
    """Return the crossings of visits_of_day, in order. Occupancy is never negative and ends at zero."""
    visits = visits_of_day(site, day, counters, people=people, seed=seed, staff=staff)
    return in_order(crossing for visit in visits for crossing in visit)


def in_order(crossings: Iterable[Crossing]) -> tuple[Crossing, ...]:
    """Return *crossings* sorted by time, then counter."""
    return tuple(sorted(crossings, key=lambda crossing: (crossing.time_epoch_ms, crossing.counter, crossing.direction)))


def visitors_on(day: date, people: int, seed: int) -> int:
    """Return the number of visitors on *day*: *people* on an average day, more or fewer by weekday."""
    return round(people * WEEKDAY_FACTORS[day.weekday()] * seeded_random(seed, "crowd", day).uniform(0.9, 1.1))


def visits_of_day(
    site: Site, day: date, counters: Sequence[str], *, people: int, seed: int, staff: int = 3
) -> tuple[Visit, ...]:
    """Return the visits of *people* visitors and *staff* employees to *site* on *day*, in no particular order.

    *counters* are the doors, the busiest first. Visitors enter in opening hours and leave at most 10 minutes after
    closing; staff arrive first and leave last. All crossings lie in the local day. A day without opening hours
    (Apia, 2011-12-30) has no visits.
    """
    open_buckets = buckets_of(day, site.tz, site.hours)
    if not open_buckets or not counters:
        return ()
    rng = seeded_random(seed, site.id, day)
    doors = _Doors(counters)
    frame = _DayFrame.around(open_buckets, *(epoch_ms(bound_utc) for bound_utc in day_bounds(day, site.tz)))
    stays = [*_visitor_stays(frame, open_buckets, people, rng), *_staff_stays(frame, staff, rng)]
    return tuple(doors.visit(entry_epoch_ms, exit_epoch_ms, rng) for entry_epoch_ms, exit_epoch_ms in stays)


class _DayFrame(NamedTuple):
    """The instants, in epoch ms and in order, that bound arrivals and departures."""

    staff_from: int
    staff_in: int
    opening: int
    last_entry: int
    rush_from: int
    closing: int
    last_out: int
    staff_out: int

    @classmethod
    def around(cls, open_buckets: Sequence[Bucket], day_start: int, day_end: int) -> "_DayFrame":
        """Return the frame of a day. Near midnight the instants are clamped to the day."""
        opening, closing = epoch_ms(open_buckets[0].start_utc), epoch_ms(open_buckets[-1].end_utc)
        slack = min(10 * MINUTE_MS, (closing - opening) // 4)
        last_instant = day_end - 1
        return cls(
            staff_from=max(day_start, opening - 30 * MINUTE_MS),
            staff_in=max(day_start, opening - 5 * MINUTE_MS),
            opening=opening,
            last_entry=closing - slack,
            rush_from=closing - slack * 4 // 5,
            closing=closing,
            last_out=min(closing + 10 * MINUTE_MS, last_instant),
            staff_out=min(closing + 30 * MINUTE_MS, last_instant),
        )


class _Doors:
    """The doors of a site: the second is used half as often as the first, the third a third as often."""

    def __init__(self, counters: Sequence[str]) -> None:
        self._counters = counters
        self._weights = [1 / number for number in range(1, len(counters) + 1)]

    def visit(self, entry_epoch_ms: int, exit_epoch_ms: int, rng: random.Random) -> Visit:
        """Return a visit through randomly chosen doors."""
        way_in, other = rng.choices(self._counters, self._weights, k=2)
        way_out = way_in if rng.random() < SAME_DOOR_SHARE else other
        return Visit(Crossing(way_in, entry_epoch_ms, 1), Crossing(way_out, exit_epoch_ms, -1))


def _visitor_stays(
    frame: _DayFrame, open_buckets: Sequence[Bucket], people: int, rng: random.Random
) -> Iterator[tuple[int, int]]:
    """Yield (entry, exit) of each visitor, in epoch ms."""
    weights = [_arrival_weight(bucket, frame) for bucket in open_buckets]
    for bucket in rng.choices(open_buckets, weights, k=people):
        start = epoch_ms(bucket.start_utc)
        entry = rng.randrange(start, max(start + 1, min(epoch_ms(bucket.end_utc), frame.last_entry)))
        stay = max(SHORTEST_STAY_MS, int(MINUTE_MS * STAY_MEDIAN_MIN * rng.lognormvariate(0.0, STAY_SPREAD)))
        leaves_by = rng.randint(frame.rush_from, frame.last_out)
        yield entry, min(entry + stay, leaves_by)


def _staff_stays(frame: _DayFrame, staff: int, rng: random.Random) -> Iterator[tuple[int, int]]:
    """Yield (entry, exit) of each employee, in epoch ms. They leave after the last visitor."""
    for _ in range(staff):
        yield rng.randint(frame.staff_from, frame.staff_in), rng.randint(frame.last_out, frame.staff_out)


def _arrival_weight(bucket: Bucket, frame: _DayFrame) -> float:
    """Return the relative arrival rate in *bucket*."""
    middle = (epoch_ms(bucket.start_utc) + epoch_ms(bucket.end_utc)) // 2
    share = (middle - frame.opening) / (frame.closing - frame.opening)
    minutes = minute_of_day(bucket.start_local)
    return _arrival_rate(share) * (LUNCH_FACTOR if minutes in LUNCH else 1.0)


def _arrival_rate(share: float) -> float:
    """Return ARRIVALS interpolated at *share*, 0 to 1."""
    for (left, low), (right, high) in pairwise(ARRIVALS):
        if share <= right:
            return low + (high - low) * (share - left) / (right - left)
    return ARRIVALS[-1][1]
