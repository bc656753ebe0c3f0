"""The rows one journal transaction will write, collected in Python and written one table at a time.

Each call into SQLite releases the interpreter lock, and under load another thread takes it. One statement per
crossing would hand the lock over a hundred times in a commit, so a statement writes up to 128 rows.
"""

import sqlite3
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from footfall.model import QUARTER_MS, Arrival, Count, Span

MAX_ROWS = 128
"""Rows per statement. Row counts are split into powers of two, so eight statements serve all."""


@dataclass(slots=True)
class StreamRow:
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
class CounterStateRow:
    """A row of the table ``counter_state``, or an update to merge into one."""

    received_epoch_ms: int
    crossing_epoch_ms: int | None
    status: str | None


class BatchSummary(NamedTuple):
    """The columns of an outbox row that describe a batch: receipt, status report, and the stream's figures after it."""

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


NO_BATCH = BatchSummary(None, None, None, None)
OUTBOX_COLUMNS = ("counter", "received_epoch_ms", "from_epoch_ms", "to_epoch_ms", *BatchSummary._fields)


@dataclass
class WriteBuffer:
    """Rows to write. ``sums``: by (counter, quarter hour). ``last_spans``: each counter's latest row of coverage."""

    crossings: list[tuple[int, int, int, int, int, bool, bool]] = field(default_factory=list)
    sums: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    streams: dict[int, StreamRow] = field(default_factory=dict)
    last_spans: dict[int, Span] = field(default_factory=dict)
    counter_states: dict[int, CounterStateRow] = field(default_factory=dict)
    outbox: list[tuple[object, ...]] = field(default_factory=list)

    def add_crossings(
        self, stream: StreamRow, counts: Sequence[Count], received_epoch_ms: int, imported: Set[int]
    ) -> None:
        """Add *counts*, all new to *stream*, and add them to the sums. An undated count gets the time of receipt.

        *imported*: quarter hours whose sums an import supplied. Counts in them are stored but not summed.
        """
        stream.stored += len(counts)
        for seq, time_epoch_ms, entries, exits in counts:
            if time_epoch_ms is None:
                stream.undated += 1
                at_epoch_ms = received_epoch_ms
            else:
                at_epoch_ms = time_epoch_ms
            quarter_epoch_ms = at_epoch_ms - at_epoch_ms % QUARTER_MS
            is_superseded = quarter_epoch_ms in imported
            self.crossings.append((stream.id, seq, at_epoch_ms, entries, exits, time_epoch_ms is None, is_superseded))
            if is_superseded:
                stream.conflicts += 1
                continue
            key = stream.counter, quarter_epoch_ms
            sums = self.sums.get(key)
            if sums is None:
                self.sums[key] = [entries, exits]
            else:
                sums[0] += entries
                sums[1] += exits

    def merge_counter_state(
        self, counter: int, received_epoch_ms: int, crossing_epoch_ms: int | None, status: str | None
    ) -> None:
        """Merge a batch into the state of *counter*. None leaves the earlier value."""
        state = self.counter_states.get(counter)
        if state is None:
            self.counter_states[counter] = CounterStateRow(received_epoch_ms, crossing_epoch_ms, status)
            return
        state.received_epoch_ms = max(state.received_epoch_ms, received_epoch_ms)
        state.crossing_epoch_ms = _later(state.crossing_epoch_ms, crossing_epoch_ms)
        state.status = state.status if status is None else status

    def add_to_outbox(
        self, arrival: Arrival, batch: BatchSummary | None, counter: int, new_spans: Sequence[Span]
    ) -> None:
        """Add outbox rows for the *new_spans* that *arrival* covered, and for its *batch* if it was one."""
        received = arrival.received_epoch_ms
        first = new_spans[0] if new_spans else (None, None)
        if batch is not None or new_spans:
            self.outbox.append((counter, received, *first, *(batch or NO_BATCH)))
        for span in new_spans[1:]:
            self.outbox.append((counter, received, *span, *NO_BATCH))

    def flush_crossings(self, connection: sqlite3.Connection) -> None:
        """Write the crossings, so that a SELECT finds them."""
        rows, self.crossings = self.crossings, []
        _write(
            connection,
            "INSERT INTO crossing (stream, seq, time_epoch_ms, entries, exits, undated, superseded_by_import)",
            rows,
        )

    def flush_coverage(self, connection: sqlite3.Connection) -> None:
        """Write the coverage, so that a SELECT finds it."""
        rows = [(counter, *span) for counter, span in self.last_spans.items()]
        self.last_spans = {}
        _write(connection, "INSERT INTO coverage", rows, "ON CONFLICT DO UPDATE SET to_epoch_ms = excluded.to_epoch_ms")

    def flush(self, connection: sqlite3.Connection) -> None:
        """Write everything."""
        self.flush_crossings(connection)
        self.flush_coverage(connection)
        _write(
            connection, "INSERT INTO quarter", [(*key, *sums) for key, sums in self.sums.items()],
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
            connection, "INSERT INTO counter_state",
            [(counter, one.received_epoch_ms, one.crossing_epoch_ms, one.status)
             for counter, one in self.counter_states.items()],
            "ON CONFLICT DO UPDATE SET received_epoch_ms = max(received_epoch_ms, excluded.received_epoch_ms),"
            " crossing_epoch_ms = coalesce(max(crossing_epoch_ms, excluded.crossing_epoch_ms), crossing_epoch_ms,"
            " excluded.crossing_epoch_ms), status = coalesce(excluded.status, status)",
        )  # fmt: skip
        _write(connection, f"INSERT INTO outbox ({', '.join(OUTBOX_COLUMNS)})", self.outbox)
        self.sums, self.streams, self.counter_states, self.outbox = {}, {}, {}, []


def _write(connection: sqlite3.Connection, insert: str, rows: Sequence[tuple[object, ...]], conflict: str = "") -> None:
    """Execute *insert* for all *rows*, in as few statements as MAX_ROWS allows."""
    start = 0
    while start < len(rows):
        number = min(MAX_ROWS, 1 << (len(rows) - start).bit_length() - 1)
        chunk = rows[start : start + number]
        connection.execute(_statement(insert, len(chunk[0]), number, conflict), _flat(chunk))
        start += number


@lru_cache
def _statement(insert: str, columns: int, rows: int, conflict: str) -> str:
    placeholders = f"({', '.join('?' * columns)})"
    return f"{insert} VALUES {', '.join([placeholders] * rows)} {conflict}"


def _flat(rows: Iterable[tuple[object, ...]]) -> list[object]:
    return list(chain.from_iterable(rows))


def _later(one: int | None, other: int | None) -> int | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)
