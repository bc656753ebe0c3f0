"""Looks at a journal for what should never be."""

from contextlib import closing
from pathlib import Path

from footfall.model import QUARTER_MS
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.sqlite import SchemaMismatch, open_database, translated

_SUMS = f"""
    WITH summed AS (
        SELECT counter, time_epoch_ms / {QUARTER_MS} * {QUARTER_MS} AS start,
               sum(entries) AS entries, sum(exits) AS exits
        FROM (SELECT stream.counter AS counter, time_epoch_ms, entries, exits
              FROM crossing JOIN stream ON stream.id = crossing.stream WHERE NOT told
              UNION ALL SELECT counter, start_epoch_ms, entries, exits FROM pruned_sum) GROUP BY 1, 2),
    kept AS (SELECT counter, start_epoch_ms AS start, entries, exits FROM quarter)
    SELECT count(*) FROM (
        SELECT counter, start FROM (SELECT * FROM summed EXCEPT SELECT * FROM kept)
        UNION SELECT counter, start FROM (SELECT * FROM kept EXCEPT SELECT * FROM summed))
"""  # noqa: S608 - a number of our own
_COUNTS = """
    SELECT count(*) FROM stream
    WHERE stored <> (SELECT count(*) FROM crossing WHERE crossing.stream = stream.id)
                  + (SELECT coalesce(sum(pruned.last_seq - pruned.first_seq + 1), 0)
                     FROM pruned WHERE pruned.stream = stream.id)
"""


def check_journal(path: Path, *, deep: bool) -> list[str]:
    """Return what is wrong with the journal at *path*, a phrase each. Reads only.

    *deep* reads all of it: whether the file is sound, and every sum equals its crossings. Raises StoreUnavailable,
    SchemaMismatch where another version of Footfall wrote it.
    """
    problems: list[str] = []
    with closing(open_database(path, MIGRATIONS, mode="ro", timeout_s=5)) as connection:
        if not deep:
            return problems
        with translated(path):
            (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if sound != "ok":
                problems.append(f"the file is damaged: {sound}")
            for question, text in ((_SUMS, "quarter hours whose sums are not their crossings'"), (_COUNTS, "streams")):
                (number,) = connection.execute(question).fetchone()
                if number:
                    problems.append(f"{number} {text} do not add up")
    return problems


def has_journal(path: Path) -> bool:
    """Return whether there is a journal of this version at *path*. Raises StoreUnavailable."""
    try:
        return path.exists() and not check_journal(path, deep=False)
    except SchemaMismatch:
        return False
