"""History: whole half hours counted elsewhere, kept beside live crossings without ever counting a person twice.

A half hour that is already known, live or from history, is not added to: the same figures are a duplicate, others
are a conflict for a person to settle. So an import may be run again, and old devices may repeat themselves.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from footfall.model import BUCKET, QUARTER_MS, Arrival, Count, Span
from footfall.store.journal import HISTORY_MARK, Journal

HALF_HOUR_MS = BUCKET.seconds * 1000
Source = Literal["import", "legacy"]


class HalfHour(NamedTuple):
    """What one counter counted in the half hour that starts at ``start_epoch_ms``, a quarter hour of UTC."""

    counter: str
    start_epoch_ms: int
    entries: int
    exits: int


class Conflict(NamedTuple):
    """A half hour that is known with other figures: ``kept`` stays, ``came`` was not taken."""

    came: HalfHour
    kept: tuple[int, int]


@dataclass(frozen=True)
class HistoryReceipt:
    """What became of half hours. With conflicts, nothing was kept."""

    stored: int
    duplicates: int
    conflicts: tuple[Conflict, ...]


def keep_history(
    journal: Journal, half_hours: Iterable[HalfHour], *, source: Source, received_epoch_ms: int
) -> HistoryReceipt:
    """Keep *half_hours* in one transaction, all or, where any of them conflicts, none.

    Each half hour counts as covered. Raises StoreUnavailable: nothing was kept.
    """
    fresh: dict[tuple[str, int], HalfHour] = {}
    conflicts: list[Conflict] = []
    duplicates = 0
    with journal.transaction() as connection:
        for half_hour in half_hours:
            twin = fresh.get(half_hour[:2])
            kept = twin[2:] if twin else _known(connection, half_hour)
            if kept is None:
                fresh[half_hour[:2]] = half_hour
            elif kept == (half_hour.entries, half_hour.exits):
                duplicates += 1
            else:
                conflicts.append(Conflict(half_hour, kept))
        if conflicts:
            return HistoryReceipt(0, duplicates, tuple(conflicts))
        for counter in sorted({counter for counter, _ in fresh}):
            mine = [half_hour for half_hour in fresh.values() if half_hour.counter == counter]
            _keep_counter(journal, mine, source, received_epoch_ms)
    return HistoryReceipt(len(fresh), duplicates, ())


def _known(connection: sqlite3.Connection, half_hour: HalfHour) -> tuple[int, int] | None:
    """Return the (entries, exits) the journal holds for *half_hour*; None when it knows nothing of it."""
    window = {
        "counter": half_hour.counter,
        "start": half_hour.start_epoch_ms,
        "end": half_hour.start_epoch_ms + HALF_HOUR_MS,
    }
    rows, entries, exits = connection.execute(
        "SELECT count(*), coalesce(sum(entries), 0), coalesce(sum(exits), 0)"
        " FROM counter JOIN quarter ON quarter.counter = counter.id"
        " WHERE counter.name = :counter AND start_epoch_ms >= :start AND start_epoch_ms < :end",
        window,
    ).fetchone()
    covered = connection.execute(
        "SELECT 1 FROM counter JOIN coverage ON coverage.counter = counter.id"
        " WHERE counter.name = :counter AND from_epoch_ms < :end AND to_epoch_ms > :start LIMIT 1",
        window,
    ).fetchone()
    return (entries, exits) if rows or covered else None


def _keep_counter(journal: Journal, half_hours: Sequence[HalfHour], source: Source, received_epoch_ms: int) -> None:
    """Keep the fresh *half_hours* of one counter. A half hour's seq is its number among the quarters since 1970."""
    counts = [Count(one.start_epoch_ms // QUARTER_MS, one.start_epoch_ms, one.entries, one.exits) for one in half_hours]
    spans = [Span(one.start_epoch_ms, one.start_epoch_ms + HALF_HOUR_MS) for one in half_hours]
    counter, stream = half_hours[0].counter, f"{HISTORY_MARK}{source}"
    journal.keep(Arrival(counter, stream, tuple(counts), spans[0], received_epoch_ms))
    for span in spans[1:]:
        journal.keep(Arrival(counter, stream, (), span, received_epoch_ms))
