"""A simulated week as points in InfluxDB, with the truth to compare queries with.

    18 Oct ........... 21 Oct ... 23 Oct ...... 25 Oct ... 26 Oct ....... 27 Oct ............ 28 Oct, 15:40 ..... 19:00
    starts             last week  all doors     clocks     DOOR4 dies     DOOR2: a gap        NOW; DOOR3: a gap,  END
                                  down 13-15 h  change     at 10 h        11:00-12:37         then a beam blocked

The product's simulator makes the people, and the product's own code makes the points. Crossings inside a gap have no
points. A cleaner enters at 03:10 and leaves at 04:40, on either side of the reset. On some days people leave uncounted,
and one person came in September. There are also points after NOW.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from footfall.model import Counter, Hours, Site, Span, epoch_ms, from_epoch_ms
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
from harness.influx_server import InfluxDatabase
from simulator.people import Crossing, walk_day

PARIS = ZoneInfo("Europe/Paris")
LIBRARY = Site("library", "Library", "LIBR", PARIS, Hours(8 * 60, 19 * 60), 16, 4 * 60)
ANNEX = Site("annex.2", "Annex", "ANNE", ZoneInfo("Asia/Kathmandu"), Hours(9 * 60, 17 * 60), None, 0)
ELSEWHERE = Site("mall", "Mall", "MALL", PARIS, Hours(0, 24 * 60), 999, 0)
BEAT_MS = 240_000
STREAM = "9f3c2a1b"


def paris(day: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant of October 2026 in Paris time."""
    return datetime(2026, 10, day, hour, minute, tzinfo=PARIS)


START, NOW, END = paris(18, 0), paris(28, 15, 40), paris(28, 19)
BLOCKED_SINCE = NOW - timedelta(minutes=20)
REBUILT = paris(26, 6)
"""From here on the capacity is LIBRARY's; before, it was a quarter higher."""
SKIPPED = 3
"""The number of seqs of DOOR1 that never arrived."""


def capacity_at(now_utc: datetime) -> int:
    """Return the library's capacity at an instant."""
    assert LIBRARY.capacity is not None
    return LIBRARY.capacity if now_utc >= REBUILT else LIBRARY.capacity * 5 // 4


@dataclass(frozen=True)
class DeliveryAttempt:
    """A delivery attempt as the exporter reports it."""

    profile: str
    site: str
    day: date
    start_utc: datetime
    rows: int
    error: str = ""


@dataclass
class Week:
    """What happened. ``crossings`` are the reported ones; ``spans`` are when each counter was counting, in order."""

    counters: Sequence[Counter]
    beat_ms: int
    crossings: list[Crossing] = field(default_factory=list)
    spans: dict[str, list[Span]] = field(default_factory=dict)
    aborted: dict[str, list[int]] = field(default_factory=dict)
    attempts: list[DeliveryAttempt] = field(default_factory=list)

    def doors(self, site: Site) -> list[str]:
        """Return the counters of *site*."""
        return [counter.id for counter in self.counters if counter.site == site.id]

    def beats(self, span: Span) -> Iterator[Span]:
        """Yield the pieces of *span* that the counter sent, each at its end."""
        for start in range(span.from_epoch_ms, span.to_epoch_ms, self.beat_ms):
            yield Span(start, min(start + self.beat_ms, span.to_epoch_ms))

    def sent(self, counter: str, start_epoch_ms: int, end_epoch_ms: int) -> list[int]:
        """Return the instants in [start, end] at which *counter* sent a batch."""
        ends = (beat.to_epoch_ms for span in self.spans[counter] for beat in self.beats(span))
        return [at for at in ends if start_epoch_ms <= at <= end_epoch_ms]

    def last_sent(self, counter: str) -> int:
        """Return when *counter* sent its latest batch, as of NOW."""
        return self.sent(counter, epoch_ms(START), epoch_ms(NOW))[-1]

    def counting(self, counter: str, start_utc: datetime, end_utc: datetime) -> int:
        """Return how many ms of [start, end) *counter* was counting."""
        start, end = epoch_ms(start_utc), epoch_ms(end_utc)
        return sum(max(0, min(end, span.to_epoch_ms) - max(start, span.from_epoch_ms)) for span in self.spans[counter])

    def people(self, site: Site, direction: int, start_utc: datetime, end_utc: datetime) -> int:
        """Return the reported crossings of *site* in that direction in [start, end]."""
        doors, start, end = self.doors(site), epoch_ms(start_utc), epoch_ms(end_utc)
        return sum(
            one.counter in doors and one.direction == direction and start <= one.time_epoch_ms <= end
            for one in self.crossings
        )


def simulated_week(doors: int = 4, *, people: int = 120, beat_ms: int = BEAT_MS) -> Week:
    """Return the week of a library with *doors* doors and a distant annex with one. Counters send every *beat_ms*."""
    counters = [Counter(f"DOOR{number}", LIBRARY.id, f"Door {number}", "Hall") for number in range(1, doors + 1)]
    week = Week([*counters, Counter("ANNEX1", ANNEX.id, "Annex", "Hall")], beat_ms)
    for counter in week.counters:
        week.spans[counter.id] = list(_spans(counter.id))
        throws = random.Random(counter.id)
        week.aborted[counter.id] = sorted(throws.randrange(epoch_ms(START), epoch_ms(NOW)) for _ in range(25))
    for site in (LIBRARY, ANNEX):
        for offset in range(12):
            day = date(2026, 10, 17) + timedelta(days=offset)
            for crossing in (*walk_day(site, day, week.doors(site), people=people, seed=7), *_others(site, day)):
                if any(a <= crossing.time_epoch_ms < b for a, b in week.spans[crossing.counter]):
                    week.crossings.append(crossing)
    week.crossings.append(Crossing("DOOR1", epoch_ms(datetime(2026, 9, 20, 10, tzinfo=PARIS)), 1))
    week.attempts = list(_attempts())
    return week


def _others(site: Site, day: date) -> Iterator[Crossing]:
    """Yield crossings that do not add up: a cleaner around the reset, and people who left uncounted."""
    if site is not LIBRARY:
        return
    midnight = datetime.combine(day, time(), PARIS)
    yield Crossing("DOOR1", epoch_ms(midnight + timedelta(hours=3, minutes=10)), 1)
    yield Crossing("DOOR1", epoch_ms(midnight + timedelta(hours=4, minutes=40)), -1)
    for number in range((day.day + 1) % 3):
        yield Crossing("DOOR1", epoch_ms(midnight + timedelta(hours=12, seconds=number)), 1)


def _spans(counter: str) -> Iterator[Span]:
    gaps = {
        "DOOR1": [(paris(23, 13), paris(23, 15))],
        "DOOR2": [(paris(23, 13), paris(23, 15)), (paris(27, 11), paris(27, 12, 37))],
        "DOOR3": [(paris(23, 13), paris(23, 15)), (paris(28, 9, 15), paris(28, 10))],
        "DOOR4": [(paris(23, 13), paris(23, 15)), (paris(26, 10), END)],
    }.get(counter, [])
    reached = epoch_ms(START)
    for start, end in gaps:
        yield Span(reached, epoch_ms(start))
        reached = epoch_ms(end)
    if reached < epoch_ms(END):
        yield Span(reached, epoch_ms(END))


def _attempts() -> Iterator[DeliveryAttempt]:
    for number in range(18, 28):
        day, evening = date(2026, 10, number), paris(number, 20, 5)
        yield DeliveryAttempt("council", LIBRARY.id, day, evening, 88)
        yield DeliveryAttempt("annex", ANNEX.id, day, evening, 16, "deliver annex: no space" if number == 20 else "")
        if number == 24:
            yield DeliveryAttempt("client", LIBRARY.id, day, evening, 0, "deliver client: connection refused")
            yield DeliveryAttempt("client", LIBRARY.id, day, evening + timedelta(minutes=30), 88)
        elif number == 27:
            yield DeliveryAttempt("client", LIBRARY.id, day, evening, 0, "deliver client: host key changed")
        else:
            yield DeliveryAttempt("client", LIBRARY.id, day, evening, 88)


def load(database: InfluxDatabase, week: Week) -> None:
    """Write all points of *week* to *database*."""
    points = list(points_of(week))
    for first in range(0, len(points), 5000):
        database.write(render_lines(points[first : first + 5000]).decode())


def points_of(week: Week) -> Iterator[Point]:
    """Yield every point of *week*, as the services would have written them."""
    sites = {counter.id: counter.site for counter in week.counters}
    seqs = dict.fromkeys(sites, 0)
    for crossing in sorted(week.crossings, key=lambda one: one.time_epoch_ms):
        seqs[crossing.counter] += 1
        entries, exits = (1, 0) if crossing.direction == 1 else (0, 1)
        tags = tags_of(counter=crossing.counter, site=sites[crossing.counter])
        yield crossing_point(tags, "", seqs[crossing.counter], crossing.time_epoch_ms, entries, exits)
    for counter, site in sites.items():
        for span in week.spans[counter]:
            for beat in week.beats(span):
                yield from span_points(counter, site, beat)
                yield status_point(counter, site, report(week, counter, beat.to_epoch_ms), beat.to_epoch_ms, 0)
        yield from _stream_points(counter, site, seqs[counter], week.last_sent(counter))
    yield from _service_points(week)


def _stream_points(counter: str, site: str, kept: int, heard_epoch_ms: int) -> Iterator[Point]:
    """Yield what two ingests reported about their parts of a counter's stream, first and last."""
    skipped = SKIPPED if counter == "DOOR1" else 0
    half = kept // 2
    parts = {"a1": (1, half, half), "a2": (half + 1, kept + skipped, kept - half)}
    for ingest, (first, last, kept_here) in parts.items():
        early = {"first_seq": first, "last_seq": first + 9, "kept": 2, "undated": 0, "conflicts": 0}
        final = {
            "first_seq": first,
            "last_seq": last,
            "kept": kept_here,
            "undated": int(ingest == "a1"),
            "conflicts": 0,
        }
        for stream in (STREAM, "@import"):
            tags = tags_of(counter=counter, site=site, stream=stream, ingest=ingest)
            yield stream_point(tags, early, epoch_ms(START) + 60_000, 1)
            yield stream_point(tags, final, heard_epoch_ms - 60_000, 2)
            yield stream_point(tags, {**final, "last_seq": last + 99}, epoch_ms(END), 3)  # after NOW


def report(week: Week, counter: str, at_epoch_ms: int) -> Mapping[str, Value]:
    """Return the status of *counter* at an instant, with the fields that ingest adds."""
    batch = (at_epoch_ms - epoch_ms(START)) // week.beat_ms
    blocked_ms = at_epoch_ms - epoch_ms(BLOCKED_SINCE) if counter == "DOOR3" else 0
    return {
        "stored": 0,
        "duplicates": 0,
        "firmware": "1.0.0",
        "uptime_s": (at_epoch_ms - epoch_ms(START)) // 1000,
        "rssi_dbm": -60 - batch % 12,
        "heap_bytes": 31_000 - batch,
        "queued": batch % 7,
        "dropped": 0,
        "aborted": sum(at <= at_epoch_ms for at in week.aborted[counter]),
        "outer_blocked_s": max(0, blocked_ms // 1000),
        "inner_blocked_s": 0,
    }


def _service_points(week: Week) -> Iterator[Point]:
    """Yield what the forwarder and the exporter report every two minutes, and each attempt."""
    for at in range(epoch_ms(START), epoch_ms(END) + 1, 120_000):
        now_utc, now_ns = from_epoch_ms(at), at * NS_PER_MS
        yield site_point(replace(LIBRARY, capacity=capacity_at(now_utc)), now_ns)
        yield site_point(ANNEX, now_ns)
        yield site_point(ELSEWHERE, now_ns)
        if not paris(24, 3) <= now_utc < paris(24, 4):
            lag_s = (420 if paris(23, 13) <= now_utc < paris(23, 15) else 2) - at // 120_000 % 2
            refused = 5 - at // 120_000 % 2 if paris(22, 9) <= now_utc < paris(22, 10) else 0
            yield forwarder_point("a1", lag_s * 3, lag_s, refused, now_ns)
        if not paris(25, 5) <= now_utc < paris(25, 7):
            yield from _looks(at)
    for attempt in week.attempts:
        fields: dict[str, Value] = {
            "day": str(attempt.day), "destination": "sftp.example.org", "sha256": "0" * 64, "error": attempt.error,
            "ok": not attempt.error, "rows": attempt.rows, "bytes": attempt.rows * 60, "attempts": 1, "gaps": 0,
            "took_ms": 900,
        }  # fmt: skip
        at_ns = epoch_ms(attempt.start_utc) * NS_PER_MS
        yield Point("deliveries", tags_of(profile=attempt.profile, site=attempt.site), fields, at_ns)


def _looks(at_epoch_ms: int) -> Iterator[Point]:
    """Yield what the exporter reports for each profile at an instant."""
    for profile, site in (("client", LIBRARY), ("council", LIBRARY), ("annex", ANNEX)):
        owed = int(profile == "client" and at_epoch_ms >= epoch_ms(paris(27, 20)))
        overdue = int(profile == "client" and at_epoch_ms >= epoch_ms(paris(28, 12)))
        after = int(at_epoch_ms > epoch_ms(NOW)) * 9
        if profile == "annex":
            owed = 4
        fields: dict[str, Value] = {"owed": owed + after, "overdue": overdue + after, "waiting": owed}
        yield Point("exporter", tags_of(profile=profile, site=site.id), fields, at_epoch_ms * NS_PER_MS)
