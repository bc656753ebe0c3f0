"""Historical counts: whole half hours, imported from files or sent by old devices, stored beside live crossings.

A half hour the journal already covers, live or imported, is never added to: the same figures are a duplicate, other
figures a conflict. So an import can be repeated, old devices may resend, and no person is counted twice.
"""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from footfall.model import BUCKET, QUARTER_MS, Arrival, Count, Span
from footfall.store.journal import HISTORY_PREFIX, Journal

HALF_HOUR_MS = BUCKET.seconds * 1000
Source = Literal["import", "legacy"]


class ImportedHalfHour(NamedTuple):
    """One counter's totals in the half hour from ``start_epoch_ms``, a UTC quarter hour."""

    counter: str
    start_epoch_ms: int
    entries: int
    exits: int


class ImportConflict(NamedTuple):
    """A half hour the journal holds with other figures; ``stored`` (entries, exits) stays."""

    received: ImportedHalfHour
    stored: tuple[int, int]


@dataclass(frozen=True)
class ImportReceipt:
    """The outcome of append_half_hours. If there are conflicts, nothing was stored."""

    stored: int
    duplicates: int
    conflicts: tuple[ImportConflict, ...]


def append_half_hours(
    journal: Journal, half_hours: Iterable[ImportedHalfHour], *, source: Source, received_epoch_ms: int
) -> ImportReceipt:
    """Store *half_hours*, each as covered, in one transaction; if any conflicts, store none of them.

    Raises StoreUnavailable, having stored nothing.
    """
    fresh: dict[tuple[str, int], ImportedHalfHour] = {}
    conflicts: list[ImportConflict] = []
    duplicates = 0
    with journal.transaction() as connection:
        for half_hour in half_hours:
            earlier = fresh.get(half_hour[:2])
            stored = earlier[2:] if earlier else _stored_totals(connection, half_hour)
            if stored is None:
                fresh[half_hour[:2]] = half_hour
            elif stored == (half_hour.entries, half_hour.exits):
                duplicates += 1
            else:
                conflicts.append(ImportConflict(half_hour, stored))
        if conflicts:
            return ImportReceipt(0, duplicates, tuple(conflicts))
        for counter in sorted({counter for counter, _ in fresh}):
            mine = [half_hour for half_hour in fresh.values() if half_hour.counter == counter]
            _append_counter(journal, mine, source, received_epoch_ms)
    return ImportReceipt(len(fresh), duplicates, ())


def _stored_totals(connection: sqlite3.Connection, half_hour: ImportedHalfHour) -> tuple[int, int] | None:
    """Return the journal's (entries, exits) in *half_hour*; None if no part of it has counts or coverage."""
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


def _append_counter(
    journal: Journal, half_hours: Sequence[ImportedHalfHour], source: Source, received_epoch_ms: int
) -> None:
    """Store the fresh *half_hours* of one counter. A half hour's seq is its first quarter hour, numbered from 1970."""
    counts = [Count(one.start_epoch_ms // QUARTER_MS, one.start_epoch_ms, one.entries, one.exits) for one in half_hours]
    spans = [Span(one.start_epoch_ms, one.start_epoch_ms + HALF_HOUR_MS) for one in half_hours]
    counter, stream = half_hours[0].counter, f"{HISTORY_PREFIX}{source}"
    journal.append_one(Arrival(counter, stream, tuple(counts), spans[0], received_epoch_ms))
    for span in spans[1:]:
        journal.append_one(Arrival(counter, stream, (), span, received_epoch_ms))
