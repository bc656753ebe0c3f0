"""The words of Footfall as values. Every other module speaks in these.

Instants are integers in milliseconds since 1970 UTC (``_epoch_ms``) where they are stored or sent, and aware
datetimes (``_utc``, ``_local``) where people or calendars are involved. Nothing here is naive.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

QUARTER_MS = 15 * 60 * 1000
"""A quarter hour. Every zone's offset since 1972 is a multiple of it: quarters of UTC tile local half hours."""

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
    """Return the minutes since midnight that a clock on the wall shows at *moment_local*."""
    return moment_local.hour * 60 + moment_local.minute


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of local clock time, [opens, closes) in minutes since midnight, both on a half hour; closes <= 1440."""

    opens: int
    closes: int

    def __contains__(self, minutes: int) -> bool:
        """Return whether *minutes* since midnight lie within."""
        return self.opens <= minutes < self.closes

    def __str__(self) -> str:
        """Return it as it is written in footfall.toml, ``08:00-19:00``."""
        return "-".join(f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (self.opens, self.closes))


@dataclass(frozen=True, slots=True)
class Site:
    """The client's premises. ``reset`` is the clock time, in minutes, at which occupancy starts again from zero."""

    id: str
    name: str
    code: str
    tz: ZoneInfo
    hours: Hours
    capacity: int | None
    reset: int


@dataclass(frozen=True, slots=True)
class Counter:
    """One device at one door. It counted from ``since`` to ``until``, both inclusive; None: no limit on that side."""

    id: str
    site: str
    name: str
    location: str
    since: date | None = None
    until: date | None = None

    def counts_on(self, day: date) -> bool:
        """Return whether it counted on *day*, a local date of its site."""
        return (self.since or day) <= day <= (self.until or day)


class Span(NamedTuple):
    """[from, to) in which a counter was counting."""

    from_epoch_ms: int
    to_epoch_ms: int


class Count(NamedTuple):
    """What one seq of a stream stands for: a single crossing, or a half hour's tally from history.

    ``time_epoch_ms`` is None when the counter never knew the time. For a tally it is the start of its half hour.
    """

    seq: int
    time_epoch_ms: int | None
    entries: int
    exits: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """A batch that was checked and is to be stored: (counter, stream, seq) names each count for ever.

    ``status`` is the counter's own report as JSON, or None to leave the last one standing.
    """

    counter: str
    stream: str
    counts: tuple[Count, ...]
    span: Span | None
    received_epoch_ms: int
    status: bytes | None = None


class Receipt(NamedTuple):
    """What became of an Arrival. ``through`` is the highest seq the counter may forget; -1: none yet."""

    stored: int
    duplicates: int
    through: int
    conflicts: int = 0


class Quarter(NamedTuple):
    """Sums of one counter over one quarter hour of UTC. Quarters with nothing to tell are left out by readers."""

    counter: str
    start_epoch_ms: int
    entries: int
    exits: int
    covered_ms: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """A half hour of a local day, [start, end) in UTC; shorter only where a zone jumps by less than a half hour.

    ``start_local`` and ``end_local`` are what a clock on the wall shows at the two ends.
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
    """Sums of one counter, or of several, over a bucket. ``covered_ms`` of ``length_ms`` were inside spans."""

    entries: int = 0
    exits: int = 0
    covered_ms: int = 0
    length_ms: int = 0

    @property
    def is_gap(self) -> bool:
        """True when nothing is known: no instant was covered and no crossing was told of. Not the same as zero."""
        return self.covered_ms == 0 and self.entries == 0 and self.exits == 0

    @property
    def is_whole(self) -> bool:
        """True when every instant was covered: the sums are the whole truth."""
        return self.covered_ms >= self.length_ms

    def __add__(self, other: "Tally") -> "Tally":
        """Return the sums over both."""
        return Tally(
            self.entries + other.entries,
            self.exits + other.exits,
            self.covered_ms + other.covered_ms,
            self.length_ms + other.length_ms,
        )


@dataclass(frozen=True, slots=True)
class CounterState:
    """The last that was heard of a counter. ``lost`` counts seqs that were jumped over and never came."""

    counter: str
    received_epoch_ms: int | None = None
    crossing_epoch_ms: int | None = None
    covered_to_epoch_ms: int | None = None
    lost: int = 0
    conflicts: int = 0
    undated: int = 0
    status: Mapping[str, object] = field(default_factory=dict)

    def is_silent(self, now_epoch_ms: int, silent_after_s: int) -> bool:
        """Return whether it was heard of, but not for more than *silent_after_s*."""
        return self.received_epoch_ms is not None and now_epoch_ms - self.received_epoch_ms > silent_after_s * 1000
