"""The vocabulary of Footfall as values, used by every other module.

Stored and transmitted instants are integers, milliseconds since 1970 UTC (``_epoch_ms``). Calendars and people use
aware datetimes (``_utc``, ``_local``). No datetime is naive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

QUARTER_MS = 15 * 60 * 1000
"""A quarter hour. Every zone's offset since 1972 is a multiple of it, so quarters of UTC tile local half hours."""

BUCKET = timedelta(minutes=30)
"""Length of a bucket. A multiple of a quarter."""


def epoch_ms(moment_utc: datetime) -> int:
    """Return *moment_utc* in milliseconds since 1970 UTC, rounded down. Exact: no float on the way."""
    since = moment_utc - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(milliseconds=1)


def from_epoch_ms(instant_epoch_ms: int) -> datetime:
    """Return the aware UTC datetime of *instant_epoch_ms*. Exact: no float on the way."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=instant_epoch_ms)


def minute_of_day(moment_local: datetime) -> int:
    """Return the local time of *moment_local* as minutes since midnight."""
    return moment_local.hour * 60 + moment_local.minute


@dataclass(frozen=True, slots=True)
class Hours:
    """A range of local time, [opens, closes) in minutes since midnight, both on a half hour; closes <= 1440."""

    opens: int
    closes: int

    def __contains__(self, minutes: int) -> bool:
        """Return whether *minutes* since midnight are within the hours."""
        return self.opens <= minutes < self.closes

    def __str__(self) -> str:
        """Return the hours as footfall.toml writes them, ``08:00-19:00``."""
        return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (self.opens, self.closes))


@dataclass(frozen=True, slots=True)
class Site:
    """The client's premises. Occupancy restarts from zero at ``reset``, in minutes since local midnight."""

    id: str
    name: str
    code: str
    tz: ZoneInfo
    hours: Hours
    capacity: int | None
    reset: int


@dataclass(frozen=True, slots=True)
class Counter:
    """The one device at a door. It counts from ``since`` to ``until``, both inclusive; None means no limit."""

    id: str
    site: str
    name: str
    location: str
    since: date | None = None
    until: date | None = None

    def counts_on(self, day: date) -> bool:
        """Return whether the counter is in service on *day*, a local date of its site."""
        return (self.since or day) <= day <= (self.until or day)


class Span(NamedTuple):
    """[from, to): the counter was counting."""

    from_epoch_ms: int
    to_epoch_ms: int


class Count(NamedTuple):
    """What one seq of a stream counts: a single crossing, or an imported half hour.

    ``time_epoch_ms`` is None if the counter never knew the time. For a half hour it is the start.
    """

    seq: int
    time_epoch_ms: int | None
    entries: int
    exits: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A checked batch, ready to store. (counter, stream, seq) identifies each count for ever.

    ``status`` is the counter's own report as JSON; None keeps the previous report.
    """

    counter: str
    stream: str
    counts: tuple[Count, ...]
    span: Span | None
    received_epoch_ms: int
    status: bytes | None = None


class Receipt(NamedTuple):
    """The result of storing an Arrival. The counter may drop every seq up to ``through``; -1 means none."""

    stored: int
    duplicates: int
    through: int
    conflicts: int = 0


class Quarter(NamedTuple):
    """Sums of one counter over one quarter hour of UTC. Readers omit quarters without data."""

    counter: str
    start_epoch_ms: int
    entries: int
    exits: int
    covered_ms: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """A half hour of a local day, [start, end) in UTC; shorter only where a zone jumps by less than half an hour.

    ``start_local`` and ``end_local`` are the same instants in local time.
    """

    start_utc: datetime
    end_utc: datetime
    start_local: datetime
    end_local: datetime

    @property
    def length_ms(self) -> int:
        """The bucket's length in milliseconds."""
        return (self.end_utc - self.start_utc) // timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums of one or several counters over a bucket. Spans cover ``covered_ms`` of its ``length_ms``."""

    entries: int = 0
    exits: int = 0
    covered_ms: int = 0
    length_ms: int = 0

    @property
    def is_gap(self) -> bool:
        """True if nothing is known: no instant is covered and no crossing was counted. A gap is not a zero."""
        return self.covered_ms == 0 and self.entries == 0 and self.exits == 0

    @property
    def is_whole(self) -> bool:
        """True if every instant is covered, so the sums are complete."""
        return self.covered_ms >= self.length_ms

    def __add__(self, other: "Tally") -> "Tally":
        """Return the sum of both."""
        return Tally(
            self.entries + other.entries,
            self.exits + other.exits,
            self.covered_ms + other.covered_ms,
            self.length_ms + other.length_ms,
        )


@dataclass(frozen=True, slots=True)
class CounterState:
    """The latest state of a counter. ``lost`` counts the seqs that never arrived."""

    counter: str
    received_epoch_ms: int | None = None
    crossing_epoch_ms: int | None = None
    covered_to_epoch_ms: int | None = None
    lost: int = 0
    conflicts: int = 0
    undated: int = 0
    status: Mapping[str, object] = field(default_factory=dict)

    def is_silent(self, now_epoch_ms: int, silent_after_s: int) -> bool:
        """Return whether the last batch came more than *silent_after_s* ago. False if none ever came."""
        return self.received_epoch_ms is not None and now_epoch_ms - self.received_epoch_ms > silent_after_s * 1000
