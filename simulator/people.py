"""The people of one site on one local day: who comes, through which door, for how long.

    staff    ──┤                                                    ├──
    visitors      ....::::::||||||||||::::::::||||::::::....::      ├   they come with the curve below
                  opening          lunch       afternoon  closing       and nobody is inside for long after closing

A pure function of its arguments: the same seed gives the same day, on every machine.
"""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Literal, NamedTuple

from footfall.calendar import buckets_of, day_bounds
from footfall.model import Bucket, Site, epoch_ms, minute_of_day

MINUTE_MS = 60_000
LUNCH = range(12 * 60, 13 * 60 + 30)
LUNCH_PULL = 1.8
"""How many times more people come at lunch time, by the clock on the wall, than the curve alone would bring."""

ARRIVALS = ((0.0, 1.0), (0.1, 4.0), (0.3, 5.0), (0.5, 4.5), (0.7, 6.0), (0.85, 3.0), (1.0, 0.3))
"""How strongly people come, by the part of the opening hours that is over; straight lines between the points."""

WEEKDAYS = (0.75, 1.0, 1.2, 0.95, 1.05, 1.25, 0.8)
"""How many times more people come on a weekday, from Monday on, than on a usual day."""

STAY_MEDIAN_MIN, STAY_SPREAD = 35.0, 0.9  # of a log-normal: most stay minutes, some stay hours
SHORTEST_STAY_MS = MINUTE_MS
SAME_DOOR = 0.6  # of the people leave by the door they came through, whatever the doors' weights


class Crossing(NamedTuple):
    """One person through both beams of a counter: +1 an entry, -1 an exit."""

    counter: str
    time_epoch_ms: int
    direction: Literal[1, -1]


class Visit(NamedTuple):
    """One person's way in and, always later, out."""

    entry: Crossing
    exit: Crossing


def dice(*names: object) -> random.Random:
    """Return a random generator that *names* alone decide, so that no part's throws depend on another part's."""
    return random.Random(":".join(map(str, names)))  # noqa: S311 - people and mishaps, not secrets


def walk_day(
    site: Site,
    day: date,
    counters: Sequence[str],
    *,
    people: int,
    seed: int,
    staff: int = 3,
    weights: Mapping[str, float] | None = None,
) -> tuple[Crossing, ...]:
    """Return what *people* visitors and *staff* of *site* did on *day*, in the order it happened.

    See visits_of_day. Occupancy is never negative and ends at zero; each person is one entry and one exit.
    """
    visits = visits_of_day(site, day, counters, people=people, seed=seed, staff=staff, weights=weights)
    return in_order(crossing for visit in visits for crossing in visit)


def in_order(crossings: Iterable[Crossing]) -> tuple[Crossing, ...]:
    """Return *crossings* in the order they happened; of one instant, by counter."""
    return tuple(sorted(crossings, key=lambda crossing: (crossing.time_epoch_ms, crossing.counter, crossing.direction)))


def visitors_on(day: date, people: int, seed: int) -> int:
    """Return how many visitors come on *day*, where *people* come on a usual one: weekdays differ."""
    return round(people * WEEKDAYS[day.weekday()] * dice(seed, "crowd", day).uniform(0.9, 1.1))


def visits_of_day(
    site: Site,
    day: date,
    counters: Sequence[str],
    *,
    people: int,
    seed: int,
    staff: int = 3,
    weights: Mapping[str, float] | None = None,
) -> tuple[Visit, ...]:
    """Return the visits of *people* visitors and *staff* to *site* on *day*, in no particular order.

    *counters* are the doors; *weights* says how much each is used, by default the first the most. Visitors come
    within the opening hours and are out some minutes after closing; staff come before and leave last. Everything
    lies within the local day. Nobody comes on a day that has no opening hours (Apia, 2011-12-30).
    """
    open_buckets = buckets_of(day, site.tz, site.hours)
    if not open_buckets or not counters:
        return ()
    throws = dice(seed, site.id, day)
    doors = _Doors(counters, weights or {})
    frame = _Frame.around(open_buckets, *(epoch_ms(bound_utc) for bound_utc in day_bounds(day, site.tz)))
    stays = [*_visitor_stays(frame, open_buckets, people, throws), *_staff_stays(frame, staff, throws)]
    return tuple(doors.visit(entry_epoch_ms, exit_epoch_ms, throws) for entry_epoch_ms, exit_epoch_ms in stays)


class _Frame(NamedTuple):
    """The instants, epoch ms, that a day of people hangs on, in this order."""

    staff_from: int
    staff_in: int
    opening: int
    last_entry: int
    rush_from: int
    closing: int
    last_out: int
    staff_out: int

    @classmethod
    def around(cls, open_buckets: Sequence[Bucket], day_start: int, day_end: int) -> "_Frame":
        """Return the frame of a day; where opening hours touch the day's ends, all is pressed inside it."""
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
    """The doors of a site and how people choose one."""

    def __init__(self, counters: Sequence[str], weights: Mapping[str, float]) -> None:
        self._counters = counters
        self._weights = [weights.get(counter, 1 / (place + 1)) for place, counter in enumerate(counters)]

    def visit(self, entry_epoch_ms: int, exit_epoch_ms: int, throws: random.Random) -> Visit:
        """Return a person's visit through doors of their choice."""
        way_in, other = throws.choices(self._counters, self._weights, k=2)
        way_out = way_in if throws.random() < SAME_DOOR else other
        return Visit(Crossing(way_in, entry_epoch_ms, 1), Crossing(way_out, exit_epoch_ms, -1))


def _visitor_stays(
    frame: _Frame, open_buckets: Sequence[Bucket], people: int, throws: random.Random
) -> Iterator[tuple[int, int]]:
    """Yield (entry, exit) of each visitor."""
    pulls = [_pull(bucket, frame) for bucket in open_buckets]
    for bucket in throws.choices(open_buckets, pulls, k=people):
        start = epoch_ms(bucket.start_utc)
        entry = throws.randrange(start, max(start + 1, min(epoch_ms(bucket.end_utc), frame.last_entry)))
        stay = max(SHORTEST_STAY_MS, int(MINUTE_MS * STAY_MEDIAN_MIN * throws.lognormvariate(0.0, STAY_SPREAD)))
        sent_out = throws.randint(frame.rush_from, frame.last_out)
        yield entry, min(entry + stay, sent_out)


def _staff_stays(frame: _Frame, staff: int, throws: random.Random) -> Iterator[tuple[int, int]]:
    """Yield (entry, exit) of each member of staff. They see the last visitor out."""
    for _ in range(staff):
        yield throws.randint(frame.staff_from, frame.staff_in), throws.randint(frame.last_out, frame.staff_out)


def _pull(bucket: Bucket, frame: _Frame) -> float:
    """Return how strongly people come in *bucket*."""
    middle = (epoch_ms(bucket.start_utc) + epoch_ms(bucket.end_utc)) // 2
    part = (middle - frame.opening) / (frame.closing - frame.opening)
    minutes = minute_of_day(bucket.start_local)
    return _curve(part) * (LUNCH_PULL if minutes in LUNCH else 1.0)


def _curve(part: float) -> float:
    """Return the height of ARRIVALS at *part*, 0 to 1."""
    for (left, low), (right, high) in pairwise(ARRIVALS):
        if part <= right:
            return low + (high - low) * (part - left) / (right - left)
    return ARRIVALS[-1][1]
