"""The journal: a SQLite file that holds every acknowledged count exactly once.

WAL, synchronous=FULL: a commit returns after its fsync, so what was acknowledged survives a power cut. One process
writes at a time; a second one (`footfall import`) waits its turn. Only GroupCommit and imports call ``append``.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from footfall.model import QUARTER_MS, Arrival, Count, Receipt, Span
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.sqlite import open_database, transaction
from footfall.store.write_buffer import Heard, Stream, WriteBuffer

FILE_NAME = "journal.sqlite"
LOCK_TIMEOUT_S = 2.0
"""How long a write waits for another process's transaction before it is unavailable. Counters send again anyway."""

_MOST_REMEMBERED = 10_000

HISTORY_MARK = "@"
"""Streams of history start with it; no stream of the wire does. A half hour's seq is its number among the quarters."""

IMPORTED = HISTORY_MARK + "import"

_PRUNED = (
    "SELECT value FROM json_each(?) WHERE EXISTS"
    " (SELECT 1 FROM pruned WHERE stream = ? AND first_seq <= value AND last_seq >= value)"
)


class Journal:
    """The journal open for writing. Not thread-safe: GroupCommit lets one thread in at a time."""

    def __init__(self, path: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        """Open the journal at *path*, making and migrating it where needed.

        Raises StoreUnavailable when that cannot be done now, ConfigError when a newer Footfall wrote it.
        """
        self.path = path
        self._write_buffer = WriteBuffer()
        self._cache = _Cache()
        self._connection = open_database(path, MIGRATIONS, timeout_s=lock_timeout_s)

    def close(self) -> None:
        """Close the file. What was acknowledged is already on disk."""
        self._connection.close()

    def append(self, arrivals: Sequence[Arrival]) -> list[Receipt]:
        """Keep *arrivals* in one transaction and return their receipts, in their order, after the fsync.

        Each (counter, stream, seq) is kept once, the first time it comes. Raises StoreUnavailable: nothing was kept.
        """
        with self.transaction():
            return [self.keep(arrival) for arrival in arrivals]

    def probe(self, now_epoch_ms: int) -> None:
        """Write one row and fsync it, as a batch would. Raises StoreUnavailable when a batch would fail now."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO probe VALUES (1, ?)", (now_epoch_ms,))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what is done inside, or nothing of it. Raises StoreUnavailable."""
        try:
            with transaction(self._connection, self.path):
                self._cache.check(self._connection)
                yield self._connection
                self._write_buffer.flush(self._connection)
        except BaseException:
            self._write_buffer, self._cache = WriteBuffer(), _Cache()
            raise

    def keep(self, arrival: Arrival) -> Receipt:
        """Keep one *arrival* inside the caller's transaction."""
        counter = self._counter(arrival.counter)
        stream = self._stream(counter, arrival)
        receipt = Receipt(0, 0, stream.last_seq if stream else -1)
        if stream is not None and arrival.counts:
            receipt = self._keep_counts(stream, arrival)
        pieces: list[Span] = []
        if arrival.span is not None and arrival.span.from_epoch_ms < arrival.span.to_epoch_ms:
            pieces = self._cover(counter, arrival.span)
        if arrival.stream == IMPORTED:  # a file says nothing of how the counter is now
            if self._is_forwarding():
                self._write_buffer.post(arrival, None, counter, pieces)
            return receipt
        times = [count.time_epoch_ms for count in arrival.counts if count.time_epoch_ms is not None]
        status = None if arrival.status is None else arrival.status.decode()
        latest = max(times, default=None)
        self._write_buffer.sight(counter, arrival.received_epoch_ms, latest, status)
        if self._is_forwarding():
            heard = Heard(receipt.stored, receipt.duplicates, latest, status)
            if stream is not None and not stream.name.startswith(HISTORY_MARK):
                heard = Heard(*heard[:4], stream.id, stream.first_seq, stream.last_seq,
                              stream.stored, stream.undated, stream.conflicts)  # fmt: skip
            self._write_buffer.post(arrival, heard, counter, pieces)
        return receipt

    def _is_forwarding(self) -> bool:
        if self._cache.is_forwarding is None:
            row = self._connection.execute("SELECT is_on FROM forwarding").fetchone()
            self._cache.is_forwarding = row is not None and bool(row[0])
        return self._cache.is_forwarding

    def _keep_counts(self, stream: Stream, arrival: Arrival) -> Receipt:
        known = self._known(stream, arrival.counts)
        fresh = [count for count in arrival.counts if count.seq not in known] if known else arrival.counts
        conflicts = sum(_differs(known[count.seq], count) for count in arrival.counts if count.seq in known)
        before = stream.conflicts
        told = self._told(stream, fresh, arrival.received_epoch_ms)
        self._write_buffer.keep(stream, fresh, arrival.received_epoch_ms, told)
        stream.conflicts += conflicts
        seqs = [count.seq for count in arrival.counts]
        stream.first_seq = min(stream.first_seq, *seqs)
        stream.last_seq = max(stream.last_seq, *seqs)
        self._write_buffer.streams[stream.id] = stream
        return Receipt(len(fresh), len(seqs) - len(fresh), max(seqs), stream.conflicts - before)

    def _known(self, stream: Stream, counts: Iterable[Count]) -> dict[int, Count]:
        """Return those of *counts* the stream already holds, as it holds them. Time None: it was undated.

        Those that were pruned are as they came: what they said before is no longer known here.
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
        known = {row[0]: Count(*row) for row in rows}
        if len(known) < len(wanted) and self._has_pruned():
            pruned = {row[0] for row in self._connection.execute(_PRUNED, (json.dumps(wanted), stream.id))}
            known |= {count.seq: count for count in counts if count.seq in pruned}  # what they said is in InfluxDB
        return known

    def _has_pruned(self) -> bool:
        if self._cache.has_pruned is None:
            row = self._connection.execute("SELECT 1 FROM pruned LIMIT 1").fetchone()
            self._cache.has_pruned = row is not None
        return self._cache.has_pruned

    def _told(self, stream: Stream, counts: Iterable[Count], received_epoch_ms: int) -> set[int]:
        """Return the quarter hours of *counts* whose sums history has told already."""
        if stream.name.startswith(HISTORY_MARK) or not self._has_history(stream.counter):
            return set()
        times = (received_epoch_ms if one.time_epoch_ms is None else one.time_epoch_ms for one in counts)
        quarters = sorted({time_epoch_ms // QUARTER_MS for time_epoch_ms in times})
        rows = self._connection.execute(
            "SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM stream JOIN crossing ON stream = stream.id"
            " WHERE counter = ? AND name GLOB ? AND seq IN (value, value - 1))",
            (json.dumps(quarters), stream.counter, HISTORY_MARK + "*"),
        )
        return {row[0] * QUARTER_MS for row in rows}

    def _has_history(self, counter: int) -> bool:
        found = self._cache.has_history.get(counter)
        if found is None:
            row = self._connection.execute(
                "SELECT 1 FROM stream WHERE counter = ? AND name GLOB ?", (counter, HISTORY_MARK + "*")
            ).fetchone()
            found = self._cache.has_history[counter] = row is not None
        return found

    def _cover(self, counter: int, span: Span) -> list[Span]:
        """Add *span* to what the counter covered, and return what of it is new.

        Spans that touch or overlap become one.
        """
        latest = self._cache.latest.get(counter)
        if latest is None or span.from_epoch_ms < latest.from_epoch_ms:
            self._write_buffer.flush_coverage(self._connection)
            self._cache.latest[counter], pieces = _merge(self._connection, counter, span)
            return pieces
        piece = span
        if span.from_epoch_ms <= latest.to_epoch_ms:
            if span.to_epoch_ms <= latest.to_epoch_ms:
                return []
            piece = Span(latest.to_epoch_ms, span.to_epoch_ms)
            span = Span(latest.from_epoch_ms, span.to_epoch_ms)
        elif self._write_buffer.latest.get(counter):
            self._write_buffer.flush_coverage(self._connection)  # the stretch before this one stays a row of its own
        self._cache.latest[counter] = self._write_buffer.latest[counter] = span
        return [piece]

    def _counter(self, name: str) -> int:
        found = self._cache.counters.get(name)
        if found is None:
            self._connection.execute("INSERT OR IGNORE INTO counter (name) VALUES (?)", (name,))
            row = self._connection.execute("SELECT id FROM counter WHERE name = ?", (name,)).fetchone()
            found = self._cache.counters[name] = int(row[0])
        return found

    def _stream(self, counter: int, arrival: Arrival) -> Stream | None:
        """Return the stream of *arrival*; None when the journal does not know it and nothing is to be counted."""
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
            found = self._cache.streams[key] = Stream(*row)
            self._cache.has_history.pop(counter, None)
        return found


class _Cache:
    """What the journal holds, while nobody else writes to it. ``latest`` is a counter's last row of coverage."""

    def __init__(self) -> None:
        self.version: int | None = None
        self.counters: dict[str, int] = {}
        self.streams: dict[tuple[int, str], Stream] = {}
        self.latest: dict[int, Span] = {}
        self.has_history: dict[int, bool] = {}
        self.has_pruned: bool | None = None
        self.is_forwarding: bool | None = None

    def check(self, connection: sqlite3.Connection) -> None:
        """Forget everything if another connection has written since, or if it is too much."""
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version != self.version or len(self.streams) > _MOST_REMEMBERED:
            self.__init__()  # type: ignore[misc]  # forgetting is starting anew
            self.version = version


def _merge(connection: sqlite3.Connection, counter: int, span: Span) -> tuple[Span, list[Span]]:
    """Merge *span* into the rows of coverage, wherever it lies. Return the counter's last row, and what was new."""
    low, high = span
    pieces, known_from_ms = [], high
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
            pieces.append(Span(row[1], known_from_ms))
        known_from_ms = min(known_from_ms, row[0])
        low, high = min(low, row[0]), max(high, row[1])
    if span.from_epoch_ms < known_from_ms:
        pieces.append(Span(span.from_epoch_ms, known_from_ms))
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
    return Span(*last), pieces[::-1]


def _differs(kept: Count, came: Count) -> bool:
    """Return whether *came* tells another story than *kept*. A time that was unknown on either side tells none."""
    same_time = kept.time_epoch_ms == came.time_epoch_ms or None in (kept.time_epoch_ms, came.time_epoch_ms)
    return not same_time or (kept.entries, kept.exits) != (came.entries, came.exits)
