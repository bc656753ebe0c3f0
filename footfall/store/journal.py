"""The journal: a SQLite file that holds every acknowledged count exactly once.

WAL and synchronous=FULL: a commit returns after its fsync, so acknowledged counts survive a power cut. Several
processes may open the journal; one writes at a time, and the others wait. ``footfall import`` is such a second writer.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from footfall.model import QUARTER_MS, Arrival, Count, Receipt, Span
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.sqlite import open_database, transaction
from footfall.store.write_buffer import BatchSummary, StreamRow, WriteBuffer

FILE_NAME = "journal.sqlite"
LOCK_TIMEOUT_S = 2.0
"""How long a write waits for another process's transaction. Counters resend a batch that fails."""

_MAX_CACHED_STREAMS = 10_000

HISTORY_PREFIX = "@"
"""Starts the names of streams of half hours, which hold imports and old devices' rows. No counter sends such a name."""

IMPORT_STREAM = HISTORY_PREFIX + "import"

_PRUNED = (
    "SELECT value FROM json_each(?) WHERE EXISTS"
    " (SELECT 1 FROM pruned WHERE stream = ? AND first_seq <= value AND last_seq >= value)"
)


class Journal:
    """The journal, open for writing. Not thread-safe: GroupCommit lets in one thread at a time."""

    def __init__(self, path: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        """Open the journal at *path*; create or migrate it if needed.

        Raises StoreUnavailable, and ConfigError if a newer Footfall wrote it.
        """
        self.path = path
        self._write_buffer = WriteBuffer()
        self._cache = _RowCache()
        self._connection = open_database(path, MIGRATIONS, timeout_s=lock_timeout_s)

    def close(self) -> None:
        """Close the file. Acknowledged counts are already on disk."""
        self._connection.close()

    def append(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """Store *arrivals* in one transaction and return their receipts, in the same order, after the fsync.

        A (counter, stream, seq) that comes again is a duplicate: the first stays. Raises StoreUnavailable, having
        stored nothing.
        """
        with self.transaction():
            return [self.append_one(arrival) for arrival in arrivals]

    def probe(self, now_epoch_ms: int) -> None:
        """Write one row and fsync it, as append() does. Raises StoreUnavailable if append() would fail now."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO probe VALUES (1, ?)", (now_epoch_ms,))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what the block does, or nothing of it. Raises StoreUnavailable."""
        try:
            with transaction(self._connection, self.path):
                self._drop_stale_cache()
                yield self._connection
                self._write_buffer.flush(self._connection)
        except BaseException:
            self._write_buffer, self._cache = WriteBuffer(), _RowCache()
            raise

    def append_one(self, arrival: Arrival) -> Receipt:
        """Store *arrival* inside the caller's transaction()."""
        counter = self._counter_id(arrival.counter)
        stream = self._stream(counter, arrival)
        receipt = Receipt(0, 0, stream.last_seq if stream else -1)
        if stream is not None and arrival.counts:
            receipt = self._append_counts(stream, arrival)
        new_spans: list[Span] = []
        if arrival.span is not None and arrival.span.from_epoch_ms < arrival.span.to_epoch_ms:
            new_spans = self._extend_coverage(counter, arrival.span)
        if arrival.stream == IMPORT_STREAM:  # an imported file says nothing about the counter's state
            if self._is_forwarding():
                self._write_buffer.add_to_outbox(arrival, None, counter, new_spans)
            return receipt
        times = [count.time_epoch_ms for count in arrival.counts if count.time_epoch_ms is not None]
        status = None if arrival.status is None else arrival.status.decode()
        latest = max(times, default=None)
        self._write_buffer.merge_counter_state(counter, arrival.received_epoch_ms, latest, status)
        if self._is_forwarding():
            batch = BatchSummary(receipt.stored, receipt.duplicates, latest, status)
            if stream is not None and not stream.name.startswith(HISTORY_PREFIX):
                batch = BatchSummary(*batch[:4], stream.id, stream.first_seq, stream.last_seq,
                                     stream.stored, stream.undated, stream.conflicts)  # fmt: skip
            self._write_buffer.add_to_outbox(arrival, batch, counter, new_spans)
        return receipt

    def _drop_stale_cache(self) -> None:
        """Drop the cache if another connection has written since, or if it has grown too large."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version != self._cache.data_version or len(self._cache.streams) > _MAX_CACHED_STREAMS:
            self._cache = _RowCache(version)

    def _is_forwarding(self) -> bool:
        if self._cache.is_forwarding is None:
            row = self._connection.execute("SELECT is_on FROM forwarding").fetchone()
            self._cache.is_forwarding = row is not None and bool(row[0])
        return self._cache.is_forwarding

    def _append_counts(self, stream: StreamRow, arrival: Arrival) -> Receipt:
        stored = self._stored_counts(stream, arrival.counts)
        fresh = [count for count in arrival.counts if count.seq not in stored]
        conflicts = sum(_differs(stored[count.seq], count) for count in arrival.counts if count.seq in stored)
        before = stream.conflicts
        imported = self._imported_quarters(stream, fresh, arrival.received_epoch_ms)
        self._write_buffer.add_crossings(stream, fresh, arrival.received_epoch_ms, imported)
        stream.conflicts += conflicts
        seqs = [count.seq for count in arrival.counts]
        stream.first_seq = min(stream.first_seq, *seqs)
        stream.last_seq = max(stream.last_seq, *seqs)
        self._write_buffer.streams[stream.id] = stream
        return Receipt(len(fresh), len(seqs) - len(fresh), max(seqs), stream.conflicts - before)

    def _stored_counts(self, stream: StreamRow, counts: Iterable[Count]) -> dict[int, Count]:
        """Return, by seq, the counts the stream already holds of *counts*; an undated one has time None.

        A pruned crossing is returned as it came: the journal no longer knows its content, so it cannot conflict.
        """
        wanted = [count.seq for count in counts if count.seq <= stream.last_seq]
        if not wanted:
            return {}
        self._write_buffer.flush_crossings(self._connection)
        rows = self._connection.execute(
            "SELECT seq, iif(undated, NULL, time_epoch_ms), entries, exits FROM crossing"
            " WHERE stream = ? AND seq IN (SELECT value FROM json_each(?))",
            (stream.id, json.dumps(wanted)),
        )
        stored = {row[0]: Count(*row) for row in rows}
        if len(stored) < len(wanted) and self._has_pruned():
            pruned = {row[0] for row in self._connection.execute(_PRUNED, (json.dumps(wanted), stream.id))}
            stored |= {count.seq: count for count in counts if count.seq in pruned}
        return stored

    def _has_pruned(self) -> bool:
        if self._cache.has_pruned is None:
            row = self._connection.execute("SELECT 1 FROM pruned LIMIT 1").fetchone()
            self._cache.has_pruned = row is not None
        return self._cache.has_pruned

    def _imported_quarters(self, stream: StreamRow, counts: Iterable[Count], received_epoch_ms: int) -> set[int]:
        """Return the quarter hours of *counts* whose sums come from an imported half hour."""
        if stream.name.startswith(HISTORY_PREFIX) or not self._has_history(stream.counter):
            return set()
        times = (received_epoch_ms if one.time_epoch_ms is None else one.time_epoch_ms for one in counts)
        quarters = sorted({time_epoch_ms // QUARTER_MS for time_epoch_ms in times})
        rows = self._connection.execute(
            # A half hour's seq is the number of its first quarter hour since 1970.
            "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM stream JOIN crossing ON stream = stream.id"
            " WHERE counter = ? AND name GLOB ? AND seq IN (value, value - 1))",
            (json.dumps(quarters), stream.counter, HISTORY_PREFIX + "*"),
        )
        return {row[0] * QUARTER_MS for row in rows}

    def _has_history(self, counter: int) -> bool:
        found = self._cache.has_history.get(counter)
        if found is None:
            row = self._connection.execute(
                "SELECT 1 FROM stream WHERE counter = ? AND name GLOB ?", (counter, HISTORY_PREFIX + "*")
            ).fetchone()
            found = self._cache.has_history[counter] = row is not None
        return found

    def _extend_coverage(self, counter: int, span: Span) -> list[Span]:
        """Add *span* to the counter's coverage, merging spans that touch or overlap. Return its newly covered parts."""
        last = self._cache.last_spans.get(counter)
        if last is None or span.from_epoch_ms < last.from_epoch_ms:
            self._write_buffer.flush_coverage(self._connection)
            self._cache.last_spans[counter], new_spans = _merge_into_coverage(self._connection, counter, span)
            return new_spans
        new = span
        if span.from_epoch_ms <= last.to_epoch_ms:
            if span.to_epoch_ms <= last.to_epoch_ms:
                return []
            new = Span(last.to_epoch_ms, span.to_epoch_ms)
            span = Span(last.from_epoch_ms, span.to_epoch_ms)
        elif self._write_buffer.last_spans.get(counter):
            self._write_buffer.flush_coverage(self._connection)  # the span before the gap stays a row of its own
        self._cache.last_spans[counter] = self._write_buffer.last_spans[counter] = span
        return [new]

    def _counter_id(self, name: str) -> int:
        found = self._cache.counters.get(name)
        if found is None:
            self._connection.execute("INSERT OR IGNORE INTO counter (name) VALUES (?)", (name,))
            row = self._connection.execute("SELECT id FROM counter WHERE name = ?", (name,)).fetchone()
            found = self._cache.counters[name] = int(row[0])
        return found

    def _stream(self, counter: int, arrival: Arrival) -> StreamRow | None:
        """Return the stream of *arrival*, created if it has counts; None if it is new and has none."""
        key = counter, arrival.stream
        found = self._cache.streams.get(key)
        if found is None:
            row = self._connection.execute("SELECT * FROM stream WHERE counter = ? AND name = ?", key).fetchone()
            if row is None and not arrival.counts:
                return None
            if row is None:
                first = min(count.seq for count in arrival.counts)
                values = (*key, first, first - 1, 0, 0, 0)
                row = self._connection.execute(
                    "INSERT INTO stream (counter, name, first_seq, last_seq, stored, undated, conflicts)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING *",
                    values,
                ).fetchone()
            found = self._cache.streams[key] = StreamRow(*row)
            self._cache.has_history.pop(counter, None)
        return found


@dataclass
class _RowCache:
    """Rows of the journal, valid until another connection writes. ``last_spans``: each counter's latest coverage."""

    data_version: int | None = None
    counters: dict[str, int] = field(default_factory=dict)
    streams: dict[tuple[int, str], StreamRow] = field(default_factory=dict)
    last_spans: dict[int, Span] = field(default_factory=dict)
    has_history: dict[int, bool] = field(default_factory=dict)
    has_pruned: bool | None = None
    is_forwarding: bool | None = None


def _merge_into_coverage(connection: sqlite3.Connection, counter: int, span: Span) -> tuple[Span, list[Span]]:
    """Merge *span* into the rows of coverage. Return the counter's last row, and the parts of *span* that were new."""
    low, high = span
    new_spans, known_from_ms = [], high
    rows = connection.execute(
        "SELECT from_epoch_ms, to_epoch_ms FROM coverage WHERE counter = ? AND from_epoch_ms <= ?"
        " ORDER BY from_epoch_ms DESC",
        (counter, high),
    )
    touching = []
    for row in rows:
        if row[1] < span.from_epoch_ms:
            break
        touching.append(row)
        if row[1] < known_from_ms:
            new_spans.append(Span(row[1], known_from_ms))
        known_from_ms = min(known_from_ms, row[0])
        low, high = min(low, row[0]), max(high, row[1])
    if span.from_epoch_ms < known_from_ms:
        new_spans.append(Span(span.from_epoch_ms, known_from_ms))
    rows.close()
    if touching != [(low, high)]:
        connection.executemany(
            "DELETE FROM coverage WHERE counter = ? AND from_epoch_ms = ?", [(counter, row[0]) for row in touching]
        )
        connection.execute("INSERT INTO coverage VALUES (?, ?, ?)", (counter, low, high))
    last = connection.execute(
        "SELECT from_epoch_ms, to_epoch_ms FROM coverage WHERE counter = ? ORDER BY from_epoch_ms DESC LIMIT 1",
        (counter,),
    ).fetchone()
    return Span(*last), new_spans[::-1]


def _differs(stored: Count, received: Count) -> bool:
    """Return whether *received* contradicts *stored*. An unknown time contradicts none."""
    times = stored.time_epoch_ms, received.time_epoch_ms
    same_time = None in times or times[0] == times[1]
    return not same_time or (stored.entries, stored.exits) != (received.entries, received.exits)
