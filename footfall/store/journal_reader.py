"""Reads the journal: sums per quarter hour, coverage, and the state of each counter."""

import json
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from footfall.errors import StoreUnavailable
from footfall.model import QUARTER_MS, CounterState, Quarter, epoch_ms, from_epoch_ms
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.sqlite import open_database, translated

_COUNTS = """
    SELECT counter.name, start_epoch_ms, entries, exits
    FROM json_each(:names) AS wanted
    CROSS JOIN counter ON counter.name = wanted.value
    CROSS JOIN quarter ON quarter.counter = counter.id AND start_epoch_ms >= :start AND start_epoch_ms < :end
"""
_TOTALS = _COUNTS.replace("counter.name, start_epoch_ms, entries, exits", "start_epoch_ms, sum(entries), sum(exits)")
_TOTALS += "GROUP BY start_epoch_ms"
_SUMS = _COUNTS.replace("start_epoch_ms, entries, exits", "sum(entries), sum(exits)") + "GROUP BY counter.name"
_COVERAGE = """
    SELECT counter.name, max(from_epoch_ms, :start), min(to_epoch_ms, :end)
    FROM json_each(:names) AS wanted
    CROSS JOIN counter ON counter.name = wanted.value
    CROSS JOIN coverage ON coverage.counter = counter.id AND from_epoch_ms < :end AND from_epoch_ms >= coalesce(
        (SELECT max(c.from_epoch_ms) FROM coverage AS c WHERE c.counter = counter.id AND c.from_epoch_ms <= :start),
        :start)
    WHERE to_epoch_ms > :start
"""
_COVERED_TO = """
    SELECT counter.name, (SELECT to_epoch_ms FROM coverage WHERE coverage.counter = counter.id
                          ORDER BY from_epoch_ms DESC LIMIT 1) AS covered_to
    FROM json_each(:names) AS wanted CROSS JOIN counter ON counter.name = wanted.value
"""
_COUNTER_STATES = """
    SELECT counter.name, received_epoch_ms, crossing_epoch_ms,
        (SELECT to_epoch_ms FROM coverage WHERE coverage.counter = counter.id ORDER BY from_epoch_ms DESC LIMIT 1),
        (SELECT cast(total(last_seq - first_seq + 1 - stored) AS INTEGER) FROM stream
         WHERE stream.counter = counter.id AND stream.name NOT LIKE '@%'),
        (SELECT coalesce(sum(conflicts), 0) FROM stream WHERE stream.counter = counter.id),
        (SELECT coalesce(sum(undated), 0) FROM stream WHERE stream.counter = counter.id),
        status
    FROM json_each(:names) AS wanted
    CROSS JOIN counter ON counter.name = wanted.value
    LEFT JOIN counter_state ON counter_state.counter = counter.id
"""


class JournalReader:
    """Reads a journal while other threads or processes write it. Thread-safe: each thread has its own connection."""

    def __init__(self, path: Path) -> None:
        """Read the journal at *path*, which is opened by the first query."""
        self.path = path
        self._local = threading.local()

    def close(self) -> None:
        """Close this thread's connection; its next query opens another."""
        held: sqlite3.Connection | None = self._local.__dict__.pop("connection", None)
        if held is not None:
            held.close()

    def quarters(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> list[Quarter]:
        """See Reader."""
        window = {"names": json.dumps(counters), "start": epoch_ms(start_utc), "end": epoch_ms(end_utc)}
        sums: dict[tuple[str, int], list[int]] = {}
        with self._snapshot() as connection:
            for name, start_epoch_ms, entries, exits in connection.execute(_COUNTS, window):
                sums[name, start_epoch_ms] = [entries, exits, 0]
            for name, start_epoch_ms, end_epoch_ms in connection.execute(_COVERAGE, window):
                for quarter_epoch_ms, covered_ms in _cut(start_epoch_ms, end_epoch_ms):
                    sums.setdefault((name, quarter_epoch_ms), [0, 0, 0])[2] += covered_ms
        return [Quarter(*key, *values) for key, values in sorted(sums.items())]

    def totals(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> list[Quarter]:
        """See Reader."""
        window = {"names": json.dumps(counters), "start": epoch_ms(start_utc), "end": epoch_ms(end_utc)}
        with self._snapshot() as connection:
            counts = {start: (entries, exits) for start, entries, exits in connection.execute(_TOTALS, window)}
            covered = _covered_ms(row[1:] for row in connection.execute(_COVERAGE, window))
        found = []
        for start in sorted(counts.keys() | covered.keys()):
            entries, exits = counts.get(start, (0, 0))
            found.append(Quarter("", start, entries, exits, covered.get(start, 0)))
        return found

    def sums(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> Mapping[str, tuple[int, int]]:
        """See Reader."""
        window = {"names": json.dumps(counters), "start": epoch_ms(start_utc), "end": epoch_ms(end_utc)}
        with self._snapshot() as connection:
            found = {name: (entries, exits) for name, entries, exits in connection.execute(_SUMS, window)}
        return {name: found.get(name, (0, 0)) for name in counters}

    def covered_to(self, counters: Sequence[str]) -> Mapping[str, datetime]:
        """See Reader."""
        with self._snapshot() as connection:
            rows = connection.execute(_COVERED_TO, {"names": json.dumps(counters)}).fetchall()
        return {name: from_epoch_ms(instant) for name, instant in rows if instant is not None}

    def complete_until(self) -> None:
        """See Reader. The journal never lags: ingest writes it first."""

    def counter_states(self, counters: Sequence[str]) -> Mapping[str, CounterState]:
        """See Reader."""
        with self._snapshot() as connection:
            rows = connection.execute(_COUNTER_STATES, {"names": json.dumps(counters)}).fetchall()
        found = {name: CounterState(name) for name in counters}
        for name, received, crossing, covered_to, lost, conflicts, undated, status in rows:
            report = json.loads(status) if status else {}
            found[name] = CounterState(name, received, crossing, covered_to, lost, conflicts, undated, report)
        return found

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection whose queries all see the journal as of one instant."""
        with translated(self.path):
            connection = self._connection()
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        held: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if held is not None:
            return held
        if not self.path.exists():
            raise StoreUnavailable(
                f"there is no journal at {self.path}", hint="start ingest once (footfall up), or check `data`"
            )
        connection = open_database(self.path, MIGRATIONS, mode="ro", timeout_s=5, factory=_ThreadConnection)
        connection.execute("PRAGMA cache_size = -512")  # KiB, for each thread
        self._local.connection = connection
        return connection


class _ThreadConnection(sqlite3.Connection):
    """Closes itself when its thread ends or its reader is deleted; nothing else would."""

    def __del__(self) -> None:
        with suppress(sqlite3.ProgrammingError):  # it was never opened
            self.close()


def _covered_ms(spans: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Return how many ms *spans* cover of each quarter hour, added up.

    A year of a hundred counters takes as many steps as it has spans: a span is not walked quarter by quarter. It
    records where it starts and stops to cover whole quarters, and one pass adds these changes up.
    """
    parts: dict[int, int] = defaultdict(int)
    changes: dict[int, int] = defaultdict(int)
    for start, end in spans:
        first, last = -(-start // QUARTER_MS) * QUARTER_MS, end // QUARTER_MS * QUARTER_MS
        if first > last:
            parts[last] += end - start
            continue
        if start < first:
            parts[first - QUARTER_MS] += first - start
        if last < end:
            parts[last] += end - last
        if first < last:
            changes[first] += 1
            changes[last] -= 1
    running = 0
    for number, (quarter, change) in enumerate(ordered := sorted(changes.items())):
        running += change
        if running:
            for whole in range(quarter, ordered[number + 1][0], QUARTER_MS):
                parts[whole] += running * QUARTER_MS
    return parts


def _cut(start_epoch_ms: int, end_epoch_ms: int) -> Iterator[tuple[int, int]]:
    """Yield (quarter, covered_ms) for each quarter hour that [start, end) touches."""
    quarter_epoch_ms = start_epoch_ms - start_epoch_ms % QUARTER_MS
    while quarter_epoch_ms < end_epoch_ms:
        covered_ms = min(end_epoch_ms, quarter_epoch_ms + QUARTER_MS) - max(start_epoch_ms, quarter_epoch_ms)
        yield quarter_epoch_ms, covered_ms
        quarter_epoch_ms += QUARTER_MS
