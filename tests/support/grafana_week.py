"""A simulated week as InfluxDB has it, and what really happened: for whatever is asked of the points.

    18 Oct ........... 21 Oct ... 23 Oct ...... 25 Oct ... 26 Oct ....... 27 Oct ............ 28 Oct, 15:40
    starts             last week  all doors     clocks     DOOR4 dies     DOOR2: a gap        NOW; DOOR3: a gap,
                                  down 13-15 h  change     at 10 h        11:00-12:37         then its beam blocked

People come from the product's simulator, points from the product's own makers. Crossings inside a gap happened, but
nobody told of them: they are in ``missed``, and in no point.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from footfall.model import Counter, Hours, Site, Span, epoch_ms, from_epoch_ms
from footfall.simulator.people import Crossing, walk_day
from footfall.store.line_protocol import render_lines
from footfall.store.points import (
    NS_PER_MS,
    Point,
    Value,
    crossing_point,
    forwarder_point,
    site_point,
    span_points,
    status_point,
    stream_point,
    tags_of,
)
from tests.support.influx_server import InfluxDatabase

PARIS = ZoneInfo("Europe/Paris")
LIBRARY = Site("library", "Library", "LIBR", PARIS, Hours(8 * 60, 19 * 60), 20, 4 * 60)
ANNEX = Site("annex.2", "Annex", "ANNE", ZoneInfo("Asia/Kathmandu"), Hours(9 * 60, 17 * 60), None, 0)
BEAT_MS = 240_000
STREAM = "9f3c2a1b"


def paris(day: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant of October 2026 as a clock in Paris shows it."""
    return datetime(2026, 10, day, hour, minute, tzinfo=PARIS)


START, NOW = paris(18, 0), paris(28, 15, 40)
BLOCKED_SINCE = NOW - timedelta(minutes=20)
SKIPPED = 3
"""How many seqs of DOOR1 never came."""


@dataclass(frozen=True)
class Attempt:
    """A delivery as the exporter tells it."""

    profile: str
    day: date
    start_utc: datetime
    rows: int
    error: str = ""


@dataclass
class Week:
    """What happened. ``crossings`` were told of; ``spans`` are when each counter was counting, in order."""

    counters: Sequence[Counter]
    beat_ms: int
    crossings: list[Crossing] = field(default_factory=list)
    missed: list[Crossing] = field(default_factory=list)
    spans: dict[str, list[Span]] = field(default_factory=dict)
    aborted: dict[str, list[int]] = field(default_factory=dict)
    attempts: list[Attempt] = field(default_factory=list)

    def doors(self, site: Site) -> list[str]:
        """Return the counters of *site*."""
        return [counter.id for counter in self.counters if counter.site == site.id]

    def beats(self, span: Span) -> Iterator[Span]:
        """Yield the pieces of *span* that its counter sent: each at its end."""
        for start in range(span.from_epoch_ms, span.to_epoch_ms, self.beat_ms):
            yield Span(start, min(start + self.beat_ms, span.to_epoch_ms))

    def sent(self, counter: str, start_epoch_ms: int, end_epoch_ms: int) -> list[int]:
        """Return the instants in [start, end] at which *counter* sent a batch."""
        ends = (beat.to_epoch_ms for span in self.spans[counter] for beat in self.beats(span))
        return [at for at in ends if start_epoch_ms <= at <= end_epoch_ms]

    def counting(self, counter: str, start_utc: datetime, end_utc: datetime) -> int:
        """Return for how many ms of [start, end) *counter* was counting."""
        start, end = epoch_ms(start_utc), epoch_ms(end_utc)
        return sum(max(0, min(end, span.to_epoch_ms) - max(start, span.from_epoch_ms)) for span in self.spans[counter])

    def people(self, site: Site, direction: int, start_utc: datetime, end_utc: datetime) -> int:
        """Return how many went that way through the doors of *site* in [start, end], of whom somebody told."""
        doors, start, end = self.doors(site), epoch_ms(start_utc), epoch_ms(end_utc)
        return sum(
            one.counter in doors and one.direction == direction and start <= one.time_epoch_ms <= end
            for one in self.crossings
        )


def simulated_week(doors: int = 4, *, people: int = 120, beat_ms: int = BEAT_MS) -> Week:
    """Return the week of a library with so many doors, and of an annex far away with one. All send each *beat_ms*."""
    counters = [Counter(f"DOOR{number}", LIBRARY.id, f"Door {number}", "Hall") for number in range(1, doors + 1)]
    week = Week([*counters, Counter("ANNEX1", ANNEX.id, "Annex", "Hall")], beat_ms)
    for counter in week.counters:
        week.spans[counter.id] = list(_spans(counter.id))
        throws = random.Random(counter.id)
        week.aborted[counter.id] = sorted(throws.randrange(epoch_ms(START), epoch_ms(NOW)) for _ in range(25))
    for site in (LIBRARY, ANNEX):
        for offset in range(12):
            day = date(2026, 10, 17) + timedelta(days=offset)
            for crossing in walk_day(site, day, week.doors(site), people=people, seed=7):
                told = any(a <= crossing.time_epoch_ms < b for a, b in week.spans[crossing.counter])
                (week.crossings if told else week.missed).append(crossing)
    week.attempts = list(_attempts())
    return week


def _spans(counter: str) -> Iterator[Span]:
    gaps = {
        "DOOR1": [(paris(23, 13), paris(23, 15))],
        "DOOR2": [(paris(23, 13), paris(23, 15)), (paris(27, 11), paris(27, 12, 37))],
        "DOOR3": [(paris(23, 13), paris(23, 15)), (paris(28, 9, 15), paris(28, 10))],
        "DOOR4": [(paris(23, 13), paris(23, 15)), (paris(26, 10), NOW)],
    }.get(counter, [])
    reached = epoch_ms(START)
    for start, end in gaps:
        yield Span(reached, epoch_ms(start))
        reached = epoch_ms(end)
    if reached < epoch_ms(NOW):
        yield Span(reached, epoch_ms(NOW))


def _attempts() -> Iterator[Attempt]:
    for number in range(18, 28):
        day, evening = date(2026, 10, number), paris(number, 20, 5)
        yield Attempt("council", day, evening, 88)
        if number == 24:
            yield Attempt("client", day, evening, 0, "deliver client: connection refused")
            yield Attempt("client", day, evening + timedelta(minutes=30), 88)
        elif number == 27:
            yield Attempt("client", day, evening, 0, "deliver client: host key changed")
        else:
            yield Attempt("client", day, evening, 88)


def load(database: InfluxDatabase, week: Week) -> None:
    """Write all points of *week* to *database*."""
    points = list(points_of(week))
    for first in range(0, len(points), 5000):
        database.write(render_lines(points[first : first + 5000]).decode())


def points_of(week: Week) -> Iterator[Point]:
    """Yield every point of *week*, as services would have written them by NOW."""
    sites = {counter.id: counter.site for counter in week.counters}
    seqs = dict.fromkeys(sites, 0)
    for crossing in sorted(week.crossings, key=lambda one: one.time_epoch_ms):
        seqs[crossing.counter] += 1
        entries, exits = (1, 0) if crossing.direction == 1 else (0, 1)
        yield crossing_point(crossing.counter, sites[crossing.counter], STREAM, seqs[crossing.counter],
                             crossing.time_epoch_ms, entries, exits, undated=False)  # fmt: skip
    for counter, site in sites.items():
        for span in week.spans[counter]:
            for beat in week.beats(span):
                yield from span_points(counter, site, beat)
                yield status_point(counter, site, report(week, counter, beat.to_epoch_ms), beat.to_epoch_ms, 0)
        skipped = SKIPPED if counter == "DOOR1" else 0
        kept = seqs[counter]
        figures = {"first_seq": 1, "last_seq": kept + skipped, "kept": kept, "undated": 0, "conflicts": 0}
        heard = week.spans[counter][-1].to_epoch_ms - 60_000
        for stream in (STREAM, "@import"):
            yield stream_point(tags_of(counter=counter, site=site, stream=stream, ingest="a1"), figures, heard, 1)
    yield from _service_points(week)


def report(week: Week, counter: str, at_epoch_ms: int) -> Mapping[str, Value]:
    """Return what *counter* says of itself, and what ingest adds, at an instant."""
    hours = (at_epoch_ms - epoch_ms(START)) // 3_600_000
    blocked_ms = at_epoch_ms - epoch_ms(BLOCKED_SINCE) if counter == "DOOR3" else 0
    return {
        "stored": 0,
        "duplicates": 0,
        "firmware": "1.0.0",
        "uptime_s": (at_epoch_ms - epoch_ms(START)) // 1000,
        "rssi_dbm": -60 - hours % 12,
        "heap_bytes": 31_000 - hours,
        "queued": hours % 5,
        "dropped": 0,
        "aborted": sum(at <= at_epoch_ms for at in week.aborted[counter]),
        "outer_blocked_s": max(0, blocked_ms // 1000),
        "inner_blocked_s": 0,
    }


def _service_points(week: Week) -> Iterator[Point]:
    """Yield what the forwarder and the exporter tell every five minutes, and each attempt."""
    for at in range(epoch_ms(START), epoch_ms(NOW) + 1, 300_000):
        for site in (LIBRARY, ANNEX):
            yield site_point(site, at * NS_PER_MS)
        lag_s = 420 if paris(23, 13) <= from_epoch_ms(at) < paris(23, 15) else 2
        yield forwarder_point("a1", lag_s * 3, lag_s, 0, at * NS_PER_MS)
        if paris(25, 5) <= from_epoch_ms(at) < paris(25, 7):
            continue
        for profile in ("client", "council"):
            owed = int(profile == "client" and at >= epoch_ms(paris(27, 20)))
            overdue = int(profile == "client" and at >= epoch_ms(paris(28, 12)))
            fields: dict[str, Value] = {"owed": owed, "overdue": overdue, "waiting": owed}
            yield Point("exporter", tags_of(profile=profile, site=LIBRARY.id), fields, at * NS_PER_MS)
    for attempt in week.attempts:
        told: dict[str, Value] = {
            "day": str(attempt.day), "destination": "sftp.example.org", "sha256": "0" * 64, "error": attempt.error,
            "ok": not attempt.error, "rows": attempt.rows, "bytes": attempt.rows * 60, "attempts": 1, "gaps": 0,
            "took_ms": 900,
        }  # fmt: skip
        at_ns = epoch_ms(attempt.start_utc) * NS_PER_MS
        yield Point("deliveries", tags_of(profile=attempt.profile, site=LIBRARY.id), told, at_ns)
