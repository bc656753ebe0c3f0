"""The journal: a SQLite file that holds every acknowledged count exactly once.

WAL, synchronous=FULL: a commit returns after its fsync, so what was acknowledged survives a power cut. One process
writes at a time; a second one (`footfall import`) waits its turn. Only GroupCommit and imports call ``append``.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from footfall.errors import StoreUnavailable
from footfall.model import QUARTER_MS, Arrival, Count, Receipt, Span
from footfall.store.schema import MIGRATIONS, migrate

FILE_NAME = "journal.sqlite"
LOCK_TIMEOUT_S = 2.0
"""How long a write waits for another process's transaction before it is unavailable. Counters send again anyway."""

OLDEST_SQLITE = (3, 38)  # STRICT tables and json_each without a compile option


class _Stream(NamedTuple):
    id: int
    counter: int
    last_seq: int


class Journal:
    """The journal open for writing. Not thread-safe: GroupCommit lets one thread in at a time."""

    def __init__(self, path: Path, *, lock_timeout_s: float = LOCK_TIMEOUT_S) -> None:
        """Open the journal at *path*, making and migrating it where needed.

        Raises StoreUnavailable when that cannot be done now, ConfigError when a newer Footfall wrote it.
        """
        self.path = path
        with translated(path):
            if sqlite3.sqlite_version_info < OLDEST_SQLITE:
                raise StoreUnavailable(
                    f"SQLite {sqlite3.sqlite_version} is too old, 3.38 is needed", hint="use a newer Python or system"
                )
            self._connection = sqlite3.connect(
                path, timeout=lock_timeout_s, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute("PRAGMA foreign_keys = OFF")  # references are kept by construction, in one place
            self._connection.execute("PRAGMA journal_size_limit = 67108864")  # bytes of WAL kept after a checkpoint
            migrate(self._connection, MIGRATIONS, str(path))

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
        with self.transaction():
            self._connection.execute("INSERT OR REPLACE INTO probe VALUES (1, ?)", (now_epoch_ms,))

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what is done inside, or nothing of it. Raises StoreUnavailable."""
        with translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def keep(self, arrival: Arrival) -> Receipt:
        """Keep one *arrival* inside the caller's transaction."""
        stream = self._find_stream(arrival.counter, arrival.stream)
        receipt = Receipt(0, 0, stream.last_seq if stream else -1)
        counter = stream.counter if stream else self._make_counter(arrival.counter)
        if arrival.counts:
            stream = stream or self._make_stream(counter, arrival)
            receipt = self._keep_counts(stream, arrival)
        if arrival.span is not None:
            self._cover(counter, arrival.span)
        self._sight(counter, arrival)
        return receipt

    def _keep_counts(self, stream: _Stream, arrival: Arrival) -> Receipt:
        known = self._known(stream, arrival.counts)
        fresh = [count for count in arrival.counts if count.seq not in known]
        conflicts = sum(_differs(known[count.seq], count) for count in arrival.counts if count.seq in known)
        received_epoch_ms = arrival.received_epoch_ms
        rows = []
        undated = 0
        sums: dict[int, list[int]] = {}
        for seq, time_epoch_ms, entries, exits in fresh:
            at_epoch_ms = received_epoch_ms if time_epoch_ms is None else time_epoch_ms
            undated += time_epoch_ms is None
            rows.append((stream.id, seq, at_epoch_ms, entries, exits, time_epoch_ms is None))
            quarter = sums.setdefault(at_epoch_ms - at_epoch_ms % QUARTER_MS, [0, 0])
            quarter[0] += entries
            quarter[1] += exits
        self._connection.executemany(
            "INSERT INTO crossing (stream, seq, time_epoch_ms, entries, exits, undated) VALUES (?, ?, ?, ?, ?, ?)", rows
        )
        self._connection.executemany(
            "INSERT INTO quarter VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
            " SET entries = entries + excluded.entries, exits = exits + excluded.exits",
            [(stream.counter, start_epoch_ms, *both) for start_epoch_ms, both in sums.items()],
        )
        seqs = [count.seq for count in arrival.counts]
        self._connection.execute(
            "UPDATE stream SET first_seq = min(first_seq, ?), last_seq = max(last_seq, ?),"
            " stored = stored + ?, undated = undated + ?, conflicts = conflicts + ? WHERE id = ?",
            (min(seqs), max(seqs), len(fresh), undated, conflicts, stream.id),
        )
        return Receipt(len(fresh), len(seqs) - len(fresh), max(seqs), conflicts)

    def _known(self, stream: _Stream, counts: Iterable[Count]) -> dict[int, Count]:
        """Return those of *counts* the stream already holds, as it holds them. Time None: it was undated."""
        wanted = [count.seq for count in counts if count.seq <= stream.last_seq]
        if not wanted:
            return {}
        rows = self._connection.execute(
            "SELECT seq, iif(undated, NULL, time_epoch_ms), entries, exits FROM crossing"
            " WHERE stream = ? AND seq IN (SELECT value FROM json_each(?))",
            (stream.id, json.dumps(wanted)),
        )
        return {row[0]: Count(*row) for row in rows}

    def _cover(self, counter: int, span: Span) -> None:
        """Add *span* to what the counter covered; spans that touch or overlap become one."""
        start, end = span
        if start == end:
            return
        touching = []
        rows = self._connection.execute(
            "SELECT from_epoch_ms, to_epoch_ms FROM coverage WHERE counter = ? AND from_epoch_ms <= ?"
            " ORDER BY from_epoch_ms DESC",
            (counter, end),
        )
        for row in rows:
            if row[1] < start:
                break
            touching.append(row)
        rows.close()
        low = min([start, *(row[0] for row in touching)])
        high = max([end, *(row[1] for row in touching)])
        if touching == [(low, high)]:
            return
        if len(touching) != 1 or touching[0][0] != low:
            self._connection.executemany(
                "DELETE FROM coverage WHERE counter = ? AND from_epoch_ms = ?", [(counter, row[0]) for row in touching]
            )
        self._connection.execute(
            "INSERT INTO coverage VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET to_epoch_ms = excluded.to_epoch_ms",
            (counter, low, high),
        )

    def _sight(self, counter: int, arrival: Arrival) -> None:
        times = [count.time_epoch_ms for count in arrival.counts if count.time_epoch_ms is not None]
        status = None if arrival.status is None else arrival.status.decode()
        self._connection.execute(
            "INSERT INTO sighting VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " received_epoch_ms = max(received_epoch_ms, excluded.received_epoch_ms),"
            " crossing_epoch_ms = coalesce(max(crossing_epoch_ms, excluded.crossing_epoch_ms),"
            " crossing_epoch_ms, excluded.crossing_epoch_ms),"
            " status = coalesce(excluded.status, status)",
            (counter, arrival.received_epoch_ms, max(times, default=None), status),
        )

    def _find_stream(self, counter: str, stream: str) -> _Stream | None:
        row = self._connection.execute(
            "SELECT stream.id, stream.counter, last_seq FROM counter JOIN stream ON stream.counter = counter.id"
            " WHERE counter.name = ? AND stream.name = ?",
            (counter, stream),
        ).fetchone()
        return _Stream(*row) if row else None

    def _make_counter(self, name: str) -> int:
        self._connection.execute("INSERT OR IGNORE INTO counter (name) VALUES (?)", (name,))
        found: int = self._connection.execute("SELECT id FROM counter WHERE name = ?", (name,)).fetchone()[0]
        return found

    def _make_stream(self, counter: int, arrival: Arrival) -> _Stream:
        first = min(count.seq for count in arrival.counts)
        cursor = self._connection.execute(
            "INSERT INTO stream (counter, name, first_seq, last_seq, stored, undated, conflicts)"
            " VALUES (?, ?, ?, ?, 0, 0, 0)",
            (counter, arrival.stream, first, first - 1),
        )
        return _Stream(cursor.lastrowid or 0, counter, first - 1)


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn every error of sqlite3 into StoreUnavailable, with what to do about it."""
    try:
        yield
    except sqlite3.Error as exc:
        text = str(exc)
        hint = next((hint for words, hint in _HINTS if words in text), "see docs/operations.md, The journal")
        raise StoreUnavailable(f"{path}: {text}", hint=hint) from exc


_HINTS = (
    ("full", "free some space on its disk; counters keep their crossings and send them again"),
    ("locked", "another process is writing, an import perhaps; it is tried again"),
    ("readonly", "let the user Footfall runs as write the data folder"),
    ("unable to open", "make the data folder, and let the user Footfall runs as write it: footfall init"),
    ("disk I/O", "check the disk (dmesg) and its free space"),
    ("malformed", "stop Footfall and follow docs/operations.md, Restore from a backup"),
    ("not a database", "stop Footfall and follow docs/operations.md, Restore from a backup"),
)


def _differs(kept: Count, came: Count) -> bool:
    """Return whether *came* tells another story than *kept*. A time that was unknown on either side tells none."""
    same_time = kept.time_epoch_ms == came.time_epoch_ms or None in (kept.time_epoch_ms, came.time_epoch_ms)
    return not same_time or (kept.entries, kept.exits) != (came.entries, came.exits)
