"""Opens Footfall's SQLite files, runs transactions on them, and translates SQLite's errors.

Law: only this module calls ``sqlite3.connect``.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from footfall.errors import ConfigError, StoreUnavailable

Mode = Literal["rwc", "rw", "ro"]
OLDEST_SQLITE = (3, 38)  # STRICT tables, and json_each without a compile option
_WAL_BYTES = 64 * 1024 * 1024  # kept after a checkpoint; the file grows again under load
_WAL_RETRY_S = 0.005
_NEWER_HINT = "install that version again; an older one does not touch the file"


class SchemaMismatch(StoreUnavailable):
    """Schema version ``found`` is not ``needed``, and the file was opened without permission to migrate it."""

    def __init__(self, path: Path, found: int, needed: int) -> None:
        self.found = found
        self.needed = needed
        is_older = found < needed
        super().__init__(
            f"{path} was written by {'an older' if is_older else 'a newer'} Footfall: schema {found},"
            f" this Footfall knows {needed}",
            hint="start this version once; it migrates the file: footfall up" if is_older else _NEWER_HINT,
        )


def open_database(
    path: Path,
    migrations: Sequence[str],
    *,
    timeout_s: float,
    mode: Mode = "rwc",
    synchronous: Literal["FULL", "NORMAL"] = "FULL",
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> sqlite3.Connection:
    """Return a connection to the database at *path*, in autocommit mode, with the schema of *migrations*.

    Mode ``rwc`` creates the file and migrates it; ``rw`` and ``ro`` require a file that has the schema. Opening, and
    each later statement, waits up to *timeout_s* for other processes. One thread at a time may use the connection.

    Raises StoreUnavailable if the file cannot be opened, SchemaMismatch if ``rw`` or ``ro`` finds another schema, and
    ConfigError if ``rwc`` finds the file of a newer Footfall.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StoreUnavailable(
            f"SQLite {sqlite3.sqlite_version} is too old; Footfall needs {oldest}", hint="use a newer Python or system"
        )
    with translated(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=timeout_s, isolation_level=None,
            check_same_thread=False, factory=factory,
        )  # fmt: skip
        try:
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            if mode == "rwc":
                _switch_to_wal(connection, timeout_s)
                connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
                migrate(connection, migrations, str(path))
            elif (found := _schema_version(connection)) != len(migrations):
                raise SchemaMismatch(path, found, len(migrations))
        except BaseException:
            connection.close()
            raise
    return connection


def migrate(connection: sqlite3.Connection, migrations: Sequence[str], source: str) -> None:
    """Bring the database of *connection* to the latest of *migrations*, in one transaction.

    Raises ConfigError, naming *source*, if a newer Footfall wrote the database.
    """
    if _schema_version(connection) == len(migrations):
        return  # without a write lock: opening a current file never waits for a writer
    with _immediate_transaction(connection):
        version = _schema_version(connection)
        if version > len(migrations):
            problem = f"was written by a newer Footfall (schema {version}, this Footfall knows {len(migrations)})"
            raise ConfigError(source, [problem], hint=_NEWER_HINT)
        for script in migrations[version:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Commit what the block does on *connection*, or nothing of it. Raises StoreUnavailable, naming *path*."""
    with translated(path), _immediate_transaction(connection):
        yield


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn every error of sqlite3 into StoreUnavailable, with a hint."""
    try:
        yield
    except sqlite3.Error as exc:
        hint = _HINTS.get(_result_code(exc), "see docs/operate.md, The journal")
        raise StoreUnavailable(f"{path}: {exc}", hint=hint) from exc


@contextmanager
def _immediate_transaction(connection: sqlite3.Connection) -> Iterator[None]:
    if connection.in_transaction:  # the ROLLBACK below failed last time
        connection.execute("ROLLBACK")
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has rolled back some errors itself
            connection.execute("ROLLBACK")
        raise


def _switch_to_wal(connection: sqlite3.Connection, timeout_s: float) -> None:
    """Switch to write-ahead logging, retrying until *timeout_s*.

    The switch upgrades a read lock to a write lock. SQLite never waits for an upgrade, which could deadlock: it fails
    at once if another connection holds the write lock.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if _result_code(exc) != "SQLITE_BUSY" or time.monotonic() >= deadline_s:
                raise
            time.sleep(_WAL_RETRY_S)
        else:
            return


def _schema_version(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return int(version)


def _statements(script: str) -> list[str]:
    """Return the statements of *script*: executescript would commit the transaction they must share."""
    found, pending = [], ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    return found


def _result_code(exc: sqlite3.Error) -> str:
    """Return the primary result code, ``SQLITE_IOERR`` for ``SQLITE_IOERR_WRITE``; "" if Python raised *exc* itself."""
    return "_".join(getattr(exc, "sqlite_errorname", "").split("_")[:2])


_HINTS = {
    "SQLITE_FULL": "free some space on its disk; counters keep their crossings and resend them",
    "SQLITE_BUSY": "another process is writing, perhaps an import; Footfall retries",
    "SQLITE_READONLY": "let the user Footfall runs as write to the data folder",
    "SQLITE_CANTOPEN": "create the data folder, and let the user Footfall runs as write to it: footfall init",
    "SQLITE_IOERR": "check the disk (dmesg) and its free space",
    "SQLITE_CORRUPT": "stop Footfall and follow docs/operate.md, Restore from a backup",
    "SQLITE_NOTADB": "stop Footfall and follow docs/operate.md, Restore from a backup",
}
