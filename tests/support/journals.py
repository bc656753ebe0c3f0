"""Journals for tests: arrivals to append, and the contents of real files."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from footfall.model import QUARTER_MS, Arrival, Count, Quarter, Span
from footfall.store.journal import Journal
from footfall.store.journal_check import check_journal
from footfall.store.journal_reader import JournalReader
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.sqlite import migrate

START_MS = 1_777_881_600_000
"""2026-05-04 08:00 UTC, the start of a quarter hour."""

MEMORY = Path("/dev/shm")
"""Property tests create hundreds of journals; on a disk they would mostly wait for fsyncs."""

EPOCH, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def arrival(
    *counts: Count,
    counter: str = "ALLI1",
    stream: str = "9f3c2a1b",
    span: Span | None = None,
    received_ms: int = START_MS,
    status: bytes | None = None,
) -> Arrival:
    """Return the arrival of *counts*."""
    return Arrival(counter, stream, counts, span, received_ms, status)


def entry(seq: int, at_ms: int | None = START_MS) -> Count:
    """Return the crossing *seq*, an entry."""
    return Count(seq, at_ms, 1, 0)


def leaving(seq: int, at_ms: int | None = START_MS) -> Count:
    """Return the crossing *seq*, an exit."""
    return Count(seq, at_ms, 0, 1)


_OLD_ROWS = (
    "INSERT INTO counter VALUES (1, 'ALLI1')",
    "INSERT INTO stream VALUES (1, 1, '@import', 1975424, 1975424, 1, 0, 0), (2, 1, '9f3c2a1b', 1, 2, 2, 0, 1)",
    f"INSERT INTO crossing VALUES (1, 1, 1975424, {START_MS}, 5, 3, 0, 0), (2, 2, 1, {START_MS}, 1, 0, 0, 1)",
    f"INSERT INTO crossing VALUES (3, 2, 2, {START_MS + 2 * QUARTER_MS}, 1, 0, 0, 0)",
    f"INSERT INTO quarter VALUES (1, {START_MS}, 5, 3), (1, {START_MS + 2 * QUARTER_MS}, 1, 0)",
    f"INSERT INTO coverage VALUES (1, {START_MS}, {START_MS + 3 * QUARTER_MS})",
    f"INSERT INTO sighting VALUES (1, {START_MS + 5}, {START_MS + 4}, '{{\"queued\":2}}')",
)


def old_journal(path: Path, *, schema: int) -> Path:
    """Write a journal of *schema*, 1 to 3, to *path* and return it.

    It holds an imported half hour, a crossing which that supersedes, and a crossing that counts.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS[:schema], "journal")
        for statement in _OLD_ROWS:
            connection.execute(statement)
    return path


@contextmanager
def fresh_journal() -> Iterator[Journal]:
    """Yield a new journal in a temporary folder, in memory if possible."""
    with (
        TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder,
        closing(Journal(Path(folder) / "journal.sqlite")) as journal,
    ):
        yield journal


def contents(journal: Path) -> list[tuple[object, ...]]:
    """Return every row of every table of *journal* except ``probe``, each after the name of its table."""
    with closing(sqlite3.connect(journal)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return [
            (table, *row)
            for table in sorted(tables)
            if table != "probe"
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
        ]


def quarters_of(journal: Journal, *counters: str) -> list[Quarter]:
    """Return all quarters of *counters*; by default ALLI1 and ALLI2."""
    with closing(JournalReader(journal.path)) as reader:
        return reader.quarters(counters or ("ALLI1", "ALLI2"), EPOCH, END)


def totals_of(journal: Journal) -> tuple[int, int]:
    """Return the sums of all entries and exits of ALLI1 and ALLI2."""
    quarters = quarters_of(journal)
    return sum(one.entries for one in quarters), sum(one.exits for one in quarters)


def coverage_of(journal: Journal, counter: str = "ALLI1") -> list[Span]:
    """Return the coverage of *counter*."""
    with closing(sqlite3.connect(journal.path)) as connection:
        rows = connection.execute(
            "SELECT from_epoch_ms, to_epoch_ms FROM coverage JOIN counter ON counter.id = coverage.counter"
            " WHERE counter.name = ? ORDER BY 1",
            (counter,),
        )
        return [Span(*row) for row in rows]


def sums_of(counts: Mapping[str, list[Count]]) -> dict[tuple[str, int], tuple[int, int]]:
    """Return (entries, exits) by counter and quarter hour, from *counts* that all have a time."""
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    for counter, several in counts.items():
        for _, at_ms, entries, exits in several:
            assert at_ms is not None
            key = (counter, at_ms // QUARTER_MS * QUARTER_MS)
            before = sums.get(key, (0, 0))
            sums[key] = (before[0] + entries, before[1] + exits)
    return sums


def problems_of(journal: Journal) -> list[str]:
    """Return the problems a deep check finds."""
    return check_journal(journal.path, deep=True)
