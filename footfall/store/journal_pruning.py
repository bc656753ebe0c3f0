"""Deletes old crossings that are in InfluxDB. Their sums and their names stay.

    crossing  --old and forwarded-->  pruned      ranges of seqs per stream, so a resent crossing is still a duplicate
                                      pruned_sum  sums per quarter hour, which with the rest make up ``quarter``

Imported half hours stay: they decide which live crossings are superseded. So do superseded crossings.
"""

import logging
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from footfall.model import QUARTER_MS
from footfall.store.forwarder_state import prunable_through
from footfall.store.journal import HISTORY_PREFIX, LOCK_TIMEOUT_S
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.sqlite import open_database, transaction, translated

log = logging.getLogger(__name__)

MAX_ROWS = 5_000
"""Rows per transaction, which blocks ingest for some tens of milliseconds."""

PAUSE_S = 6 * 60 * 60
_DAY_MS = 24 * 60 * 60 * 1000

_PRUNABLE = """
    SELECT crossing.id, crossing.stream, stream.counter, seq, time_epoch_ms, entries, exits
    FROM crossing JOIN stream ON stream.id = crossing.stream
    WHERE crossing.id <= ? AND time_epoch_ms < ? AND NOT superseded_by_import AND stream.name NOT GLOB ?
    ORDER BY crossing.id LIMIT ?
"""
_Row = tuple[int, int, int, int, int, int, int]


class Pruner:
    """Prunes a journal step by step, then pauses for hours. ``clock`` returns seconds since 1970 UTC."""

    def __init__(self, journal: Path, keep_days: int, clock: Callable[[], float]) -> None:
        """Keep the crossings of the last *keep_days* in the journal at *journal*."""
        self._journal = journal
        self._keep_ms = keep_days * _DAY_MS
        self._clock = clock
        self._paused_s: float | None = None
        self._pruned = 0

    def step(self) -> bool:
        """Delete up to MAX_ROWS rows unless pausing; return whether there may be more. Raises StoreUnavailable.

        The pauses are long because a step that finds nothing reads the whole table.
        """
        now_s = self._clock()
        if self._paused_s is not None and 0 <= now_s - self._paused_s < PAUSE_S:
            return False
        before = int(now_s * 1000) - self._keep_ms
        number = prune(self._journal, before - before % QUARTER_MS)
        self._pruned += number
        if number:
            return True
        if self._pruned:
            log.info(
                "deleted old crossings from the journal (keep_days); InfluxDB has them: crossings=%d", self._pruned
            )
        self._pruned, self._paused_s = 0, now_s
        return False


def prune(journal: Path, before_epoch_ms: int, limit: int = MAX_ROWS) -> int:
    """Delete up to *limit* forwarded crossings before *before_epoch_ms*; return how many. Raises StoreUnavailable."""
    through = prunable_through(journal)
    if not through:
        return 0
    with closing(open_database(journal, MIGRATIONS, mode="rw", timeout_s=LOCK_TIMEOUT_S)) as connection:
        with translated(journal):
            rows: list[_Row] = connection.execute(
                _PRUNABLE, (through, before_epoch_ms, f"{HISTORY_PREFIX}*", limit)
            ).fetchall()
        if not rows:
            return 0
        with transaction(connection, journal):
            connection.executemany("DELETE FROM crossing WHERE id = ?", [(row[0],) for row in rows])
            _record_seqs(connection, rows)
            _record_sums(connection, rows)
            connection.execute(
                "INSERT INTO pruning VALUES (1, ?) ON CONFLICT DO UPDATE"
                " SET before_epoch_ms = max(before_epoch_ms, excluded.before_epoch_ms)",
                (before_epoch_ms,),
            )
    return len(rows)


def _record_seqs(connection: sqlite3.Connection, rows: Iterable[_Row]) -> None:
    """Add the seqs of *rows* to the pruned ranges, merging ranges that touch."""
    seqs: dict[int, list[int]] = defaultdict(list)
    for _, stream, _, seq, *_ in rows:
        seqs[stream].append(seq)
    for stream, pruned in seqs.items():
        for first, last in _ranges(sorted(pruned)):
            touching = connection.execute(
                "SELECT first_seq, last_seq FROM pruned WHERE stream = ? AND first_seq <= ? AND last_seq >= ?",
                (stream, last + 1, first - 1),
            ).fetchall()
            connection.executemany(
                "DELETE FROM pruned WHERE stream = ? AND first_seq = ?", [(stream, row[0]) for row in touching]
            )
            merged = min([first, *(row[0] for row in touching)]), max([last, *(row[1] for row in touching)])
            connection.execute("INSERT INTO pruned VALUES (?, ?, ?)", (stream, *merged))


def _record_sums(connection: sqlite3.Connection, rows: Iterable[_Row]) -> None:
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for _, _, counter, _, time_epoch_ms, entries, exits in rows:
        quarter = sums[counter, time_epoch_ms - time_epoch_ms % QUARTER_MS]
        quarter[0] += entries
        quarter[1] += exits
    connection.executemany(
        "INSERT INTO pruned_sum VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET entries = entries + excluded.entries, exits = exits + excluded.exits",
        [(*key, *quarter) for key, quarter in sums.items()],
    )


def _ranges(seqs: list[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, last), both inclusive, of each run of consecutive *seqs*, which are sorted and distinct."""
    first = last = seqs[0]
    for seq in seqs[1:]:
        if seq != last + 1:
            yield first, last
            first = seq
        last = seq
    yield first, last
