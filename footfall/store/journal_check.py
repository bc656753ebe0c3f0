"""Checks a journal for damage, and for sums that do not equal their crossings."""

from contextlib import closing
from pathlib import Path

from footfall.model import QUARTER_MS
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.sqlite import SchemaMismatch, open_database, translated
from footfall.wording import plural

_WRONG_QUARTERS = f"""
    WITH summed AS (
        SELECT counter, time_epoch_ms / {QUARTER_MS} * {QUARTER_MS} AS start,
               sum(entries) AS entries, sum(exits) AS exits
        FROM (SELECT stream.counter AS counter, time_epoch_ms, entries, exits
              FROM crossing JOIN stream ON stream.id = crossing.stream WHERE NOT superseded_by_import
              UNION ALL SELECT counter, start_epoch_ms, entries, exits FROM pruned_sum) GROUP BY 1, 2),
    kept AS (SELECT counter, start_epoch_ms AS start, entries, exits FROM quarter)
    SELECT count(*) FROM (
        SELECT counter, start FROM (SELECT * FROM summed EXCEPT SELECT * FROM kept)
        UNION SELECT counter, start FROM (SELECT * FROM kept EXCEPT SELECT * FROM summed))
"""  # noqa: S608 - a number of our own
_WRONG_STREAMS = """
    SELECT count(*) FROM stream
    WHERE stored <> (SELECT count(*) FROM crossing WHERE crossing.stream = stream.id)
                  + (SELECT coalesce(sum(pruned.last_seq - pruned.first_seq + 1), 0)
                     FROM pruned WHERE pruned.stream = stream.id)
"""


def check_journal(path: Path, *, deep: bool) -> list[str]:
    """Return the problems of the journal at *path*, one phrase each. Reads only.

    *deep* reads the whole file. Raises StoreUnavailable, and SchemaMismatch if another version wrote the journal.
    """
    problems: list[str] = []
    with closing(open_database(path, MIGRATIONS, mode="ro", timeout_s=5)) as connection:
        if not deep:
            return problems
        with translated(path):
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            (quarters,) = connection.execute(_WRONG_QUARTERS).fetchone()
            (streams,) = connection.execute(_WRONG_STREAMS).fetchone()
    if verdict != "ok":
        problems.append(f"the file is damaged: {verdict}")
    if quarters:
        problems.append(f"sums do not add up in {plural(quarters, 'quarter hour')}")
    if streams:
        problems.append(f"totals do not add up in {plural(streams, 'stream')}")
    return problems


def has_journal(path: Path) -> bool:
    """Return whether there is a journal of this version at *path*. Raises StoreUnavailable."""
    try:
        return path.exists() and not check_journal(path, deep=False)
    except SchemaMismatch:
        return False
