"""What the journal and the ledger share: opening, transactions, and SQLite's errors in our words."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from footfall.errors import StoreUnavailable


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Commit what is done inside on *connection*, or nothing of it. Raises StoreUnavailable, naming *path*."""
    with translated(path):
        try:
            if connection.in_transaction:  # the ROLLBACK below failed too, last time
                connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


@contextmanager
def closed_on_failure(connection: sqlite3.Connection) -> Iterator[None]:
    """Close *connection*, which is just being set up, should the block fail: its owner never comes to hold it."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn every error of sqlite3 into StoreUnavailable, with what to do about it."""
    try:
        yield
    except sqlite3.Error as exc:
        text = str(exc)
        hint = next((hint for words, hint in _HINTS if words in text), "see docs/operate.md, The journal")
        raise StoreUnavailable(f"{path}: {text}", hint=hint) from exc


_HINTS = (
    ("full", "free some space on its disk; counters keep their crossings and send them again"),
    ("locked", "another process is writing, an import perhaps; it is tried again"),
    ("readonly", "let the user Footfall runs as write the data folder"),
    ("unable to open", "make the data folder, and let the user Footfall runs as write it: footfall init"),
    ("disk I/O", "check the disk (dmesg) and its free space"),
    ("malformed", "stop Footfall and follow docs/operate.md, Restore from a backup"),
    ("not a database", "stop Footfall and follow docs/operate.md, Restore from a backup"),
)
