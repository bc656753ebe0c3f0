"""What a transaction of the journal is about to write, gathered in Python and written a table at a time.

Every call into SQLite gives up the interpreter's lock, and under load a busy thread takes it. A statement for each
crossing would hand over a hundred times in one commit; so there is one for up to 128 rows, and what the journal
already said of a stream or a counter is remembered instead of asked again.
"""

import sqlite3
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from footfall.model import QUARTER_MS, Arrival, Count, Span

MOST_ROWS = 128
"""Rows of one statement. Numbers of rows are split into powers of two, so that eight statements serve all."""


@dataclass(slots=True)
class Stream:
    """A row of the table ``stream``, as it will be after this transaction."""

    id: int
    counter: int
    name: str
    first_seq: int
    last_seq: int
    stored: int
    undated: int
    conflicts: int


@dataclass(slots=True)
class Sighted:
    """A row of the table ``sighting``, or what is to be merged into one."""

    received_epoch_ms: int
    crossing_epoch_ms: int | None
    status: str | None


class Heard(NamedTuple):
    """What a row of the outbox says of a batch, in the order of its columns: receipt, report, and stream then."""

    stored: int | None
    duplicates: int | None
    crossing_epoch_ms: int | None
    status: str | None
    stream: int | None = None
    first_seq: int | None = None
    last_seq: int | None = None
    kept: int | None = None
    undated: int | None = None
    conflicts: int | None = None


NOTHING_HEARD = Heard(None, None, None, None)
OUTBOX_COLUMNS = ("counter", "received_epoch_ms", "from_epoch_ms", "to_epoch_ms", *Heard._fields)


@dataclass
class WriteBuffer:
    """Rows to be written. ``sums`` are by (counter, quarter hour); ``latest`` is a counter's last row of coverage."""

    crossings: list[tuple[int, int, int, int, int, bool, bool]] = field(default_factory=list)
    sums: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    streams: dict[int, Stream] = field(default_factory=dict)
    latest: dict[int, Span] = field(default_factory=dict)
    sighted: dict[int, Sighted] = field(default_factory=dict)
    outbox: list[tuple[object, ...]] = field(default_factory=list)

    def keep(self, stream: Stream, counts: Sequence[Count], received_epoch_ms: int, told: Set[int]) -> None:
        """Add *counts*, all new to *stream*, and their sums. Those without a time get that of receipt.

        Quarter hours in *told* have their sums from history already: what falls into one is kept, but not added.
        """
        name = stream.id
        stream.stored += len(counts)
        for seq, time_epoch_ms, entries, exits in counts:
            if time_epoch_ms is None:
                stream.undated += 1
                at_epoch_ms = received_epoch_ms
            else:
                at_epoch_ms = time_epoch_ms
            quarter_epoch_ms = at_epoch_ms - at_epoch_ms % QUARTER_MS
            is_told = quarter_epoch_ms in told
            self.crossings.append((name, seq, at_epoch_ms, entries, exits, time_epoch_ms is None, is_told))
            if is_told:
                stream.conflicts += 1
                continue
            key = stream.counter, quarter_epoch_ms
            both = self.sums.get(key)
            if both is None:
                self.sums[key] = [entries, exits]
            else:
                both[0] += entries
                both[1] += exits

    def sight(self, counter: int, received_epoch_ms: int, crossing_epoch_ms: int | None, status: str | None) -> None:
        """Remember that *counter* was heard of. None leaves what was known before."""
        known = self.sighted.get(counter)
        if known is None:
            self.sighted[counter] = Sighted(received_epoch_ms, crossing_epoch_ms, status)
            return
        known.received_epoch_ms = max(known.received_epoch_ms, received_epoch_ms)
        known.crossing_epoch_ms = _later(known.crossing_epoch_ms, crossing_epoch_ms)
        known.status = known.status if status is None else status

    def post(self, arrival: Arrival, heard: Heard | None, counter: int, pieces: Sequence[Span]) -> None:
        """Put into the outbox that *pieces* are covered now, and what was *heard* of the counter with them."""
        moment = arrival.received_epoch_ms
        first = pieces[0] if pieces else (None, None)
        if heard is not None or pieces:
            self.outbox.append((counter, moment, *first, *(heard or NOTHING_HEARD)))
        for piece in pieces[1:]:
            self.outbox.append((counter, moment, *piece, *NOTHING_HEARD))

    def flush_crossings(self, connection: sqlite3.Connection) -> None:
        """Write the crossings, so that a SELECT finds them."""
        rows, self.crossings = self.crossings, []
        _write(connection, "INSERT INTO crossing (stream, seq, time_epoch_ms, entries, exits, undated, told)", rows)

    def flush_coverage(self, connection: sqlite3.Connection) -> None:
        """Write the coverage, so that a SELECT finds it."""
        rows = [(counter, *span) for counter, span in self.latest.items()]
        self.latest = {}
        _write(connection, "INSERT INTO coverage", rows, "ON CONFLICT DO UPDATE SET to_epoch_ms = excluded.to_epoch_ms")

    def flush(self, connection: sqlite3.Connection) -> None:
        """Write everything."""
        self.flush_crossings(connection)
        self.flush_coverage(connection)
        _write(
            connection, "INSERT INTO quarter", [(*key, *both) for key, both in self.sums.items()],
            "ON CONFLICT DO UPDATE SET entries = entries + excluded.entries, exits = exits + excluded.exits",
        )  # fmt: skip
        _write(
            connection, "INSERT INTO stream",
            [(one.id, one.counter, one.name, one.first_seq, one.last_seq, one.stored, one.undated, one.conflicts)
             for one in self.streams.values()],
            "ON CONFLICT (id) DO UPDATE SET first_seq = excluded.first_seq, last_seq = excluded.last_seq,"
            " stored = excluded.stored, undated = excluded.undated, conflicts = excluded.conflicts",
        )  # fmt: skip
        _write(
            connection, "INSERT INTO sighting",
            [(counter, one.received_epoch_ms, one.crossing_epoch_ms, one.status)
             for counter, one in self.sighted.items()],
            "ON CONFLICT DO UPDATE SET received_epoch_ms = max(received_epoch_ms, excluded.received_epoch_ms),"
            " crossing_epoch_ms = coalesce(max(crossing_epoch_ms, excluded.crossing_epoch_ms), crossing_epoch_ms,"
            " excluded.crossing_epoch_ms), status = coalesce(excluded.status, status)",
        )  # fmt: skip
        _write(connection, f"INSERT INTO outbox ({', '.join(OUTBOX_COLUMNS)})", self.outbox)
        self.sums, self.streams, self.sighted, self.outbox = {}, {}, {}, []


def _write(connection: sqlite3.Connection, insert: str, rows: Sequence[tuple[object, ...]], conflict: str = "") -> None:
    """Execute *insert* for all *rows*, as few statements as MOST_ROWS allows."""
    start = 0
    while start < len(rows):
        number = min(MOST_ROWS, 1 << (len(rows) - start).bit_length() - 1)
        chunk = rows[start : start + number]
        connection.execute(_statement(insert, len(chunk[0]), number, conflict), _flat(chunk))
        start += number


@lru_cache
def _statement(insert: str, columns: int, rows: int, conflict: str) -> str:
    marks = f"({', '.join('?' * columns)})"
    return f"{insert} VALUES {', '.join([marks] * rows)} {conflict}"


def _flat(rows: Iterable[tuple[object, ...]]) -> list[object]:
    return list(chain.from_iterable(rows))


def _later(one: int | None, other: int | None) -> int | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)
