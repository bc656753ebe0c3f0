"""Forgets single crossings that are old and in InfluxDB. What they add up to stays, and so do their names.

    crossing  --old, forwarded-->  pruned       ranges of seq per stream: sent again, they are still duplicates
                                   pruned_sum   their sums per quarter hour: with the rest they make up ``quarter``

History (streams that start with @) stays, for it says which half hours were told; so do crossings that are in no sum.
"""

import logging
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from footfall.model import QUARTER_MS
from footfall.store.forwarder_state import prunable_through
from footfall.store.journal import HISTORY_MARK, LOCK_TIMEOUT_S
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.sqlite import open_database, transaction, translated

log = logging.getLogger(__name__)

MOST_ROWS = 5_000
"""Of one transaction: some tens of milliseconds, in which ingest waits."""

LOOK_EVERY_S = 6 * 60 * 60
_DAY_MS = 24 * 60 * 60 * 1000

_OLD = """
    SELECT crossing.id, crossing.stream, stream.counter, seq, time_epoch_ms, entries, exits
    FROM crossing JOIN stream ON stream.id = crossing.stream
    WHERE crossing.id <= ? AND time_epoch_ms < ? AND NOT told AND stream.name NOT GLOB ?
    ORDER BY crossing.id LIMIT ?
"""
_Row = tuple[int, int, int, int, int, int, int]


class Pruner:
    """Call step() when there is nothing better to do. ``clock`` tells seconds since 1970 UTC."""

    def __init__(self, journal: Path, keep_days: int, clock: Callable[[], float]) -> None:
        """Keep the crossings of the last *keep_days* in the journal at *journal*."""
        self._journal = journal
        self._keep_ms = keep_days * _DAY_MS
        self._clock = clock
        self._rests_since_s: float | None = None
        self._pruned = 0

    def step(self) -> bool:
        """Delete some rows, if it is time and there are any; return whether there may be more. Raises StoreUnavailable.

        Looks every few hours: finding out that there is nothing reads the whole table.
        """
        now_s = self._clock()
        if self._rests_since_s is not None and 0 <= now_s - self._rests_since_s < LOOK_EVERY_S:
            return False
        before = int(now_s * 1000) - self._keep_ms
        number = prune(self._journal, before - before % QUARTER_MS)
        self._pruned += number
        if number:
            return True
        if self._pruned:
            log.info("%d crossings that are in InfluxDB were deleted from the journal, as keep_days says", self._pruned)
        self._pruned, self._rests_since_s = 0, now_s
        return False


def prune(journal: Path, before_epoch_ms: int, most: int = MOST_ROWS) -> int:
    """Delete up to *most* forwarded crossings before *before_epoch_ms*; return how many. Raises StoreUnavailable."""
    through = prunable_through(journal)
    if not through:
        return 0
    with closing(open_database(journal, MIGRATIONS, mode="rw", timeout_s=LOCK_TIMEOUT_S)) as connection:
        with translated(journal):
            rows: list[_Row] = connection.execute(_OLD, (through, before_epoch_ms, f"{HISTORY_MARK}*", most)).fetchall()
        if not rows:
            return 0
        with transaction(connection, journal):
            connection.executemany("DELETE FROM crossing WHERE id = ?", [(row[0],) for row in rows])
            _keep_names(connection, rows)
            _keep_sums(connection, rows)
            connection.execute(
                "INSERT INTO pruning VALUES (1, ?) ON CONFLICT DO UPDATE"
                " SET before_epoch_ms = max(before_epoch_ms, excluded.before_epoch_ms)",
                (before_epoch_ms,),
            )
    return len(rows)


def _keep_names(connection: sqlite3.Connection, rows: Iterable[_Row]) -> None:
    seqs: dict[int, list[int]] = defaultdict(list)
    for _, stream, _, seq, *_ in rows:
        seqs[stream].append(seq)
    for stream, several in seqs.items():
        for first, last in _runs(sorted(several)):
            touching = connection.execute(
                "SELECT first_seq, last_seq FROM pruned WHERE stream = ? AND first_seq <= ? AND last_seq >= ?",
                (stream, last + 1, first - 1),
            ).fetchall()
            connection.executemany(
                "DELETE FROM pruned WHERE stream = ? AND first_seq = ?", [(stream, row[0]) for row in touching]
            )
            both = min([first, *(row[0] for row in touching)]), max([last, *(row[1] for row in touching)])
            connection.execute("INSERT INTO pruned VALUES (?, ?, ?)", (stream, *both))


def _keep_sums(connection: sqlite3.Connection, rows: Iterable[_Row]) -> None:
    sums: dict[tuple[int, int], list[int]] = defaultdict(lambda: [0, 0])
    for _, _, counter, _, time_epoch_ms, entries, exits in rows:
        both = sums[counter, time_epoch_ms - time_epoch_ms % QUARTER_MS]
        both[0] += entries
        both[1] += exits
    connection.executemany(
        "INSERT INTO pruned_sum VALUES (?, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET entries = entries + excluded.entries, exits = exits + excluded.exits",
        [(*key, *both) for key, both in sums.items()],
    )


def _runs(seqs: list[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of each stretch of *seqs*, ordered and all different, in which none is missing."""
    first = last = seqs[0]
    for seq in seqs[1:]:
        if seq != last + 1:
            yield first, last
            first = seq
        last = seq
    yield first, last
