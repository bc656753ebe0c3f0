"""Every SQLite file opens through one function, which waits for other processes and migrates; errors carry a hint."""

import multiprocessing
import resource
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

import pytest

from footfall.errors import ConfigError, FootfallError, StoreUnavailable
from footfall.store import ledger, sqlite
from footfall.store.forwarder_state import ForwarderState
from footfall.store.journal import Journal
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.sqlite import SchemaMismatch, migrate, open_database, transaction, translated
from tests.support.journals import MEMORY

FIRST = "CREATE TABLE door (id INTEGER PRIMARY KEY, name TEXT) STRICT;\nCREATE INDEX door_name ON door (name);\n"
SECOND = "ALTER TABLE door ADD COLUMN site TEXT;\nUPDATE door SET site = 'a;b';\nCREATE TABLE site (id INTEGER) STRICT;"


class Closable(Protocol):
    def close(self) -> None: ...


def open_journal(path: Path) -> Closable:
    return Journal(path, lock_timeout_s=60)


OPENERS: dict[str, Callable[[Path], Closable]] = {
    "journal": open_journal,
    "ledger": ledger.Ledger,
    "forwarder state": ForwarderState,
}

PROCESSES = 8
FILES = 10


def open_in_step(folder: Path, barrier: Barrier, outcomes: "Queue[list[str]]") -> None:
    """Open FILES new files of each store at the same time as the other processes, and report every error."""
    errors = []
    for number in range(FILES):
        for store, opener in OPENERS.items():
            barrier.wait(60)
            try:
                opener(folder / f"{store}-{number}.sqlite").close()
            except FootfallError as exc:
                errors.append(str(exc))
    outcomes.put(errors)


def test_eight_processes_open_new_databases_at_once() -> None:
    spawn = multiprocessing.get_context("spawn")
    barrier, outcomes = spawn.Barrier(PROCESSES), spawn.Queue()
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        arguments = (Path(folder), barrier, outcomes)
        processes = [spawn.Process(target=open_in_step, args=arguments, daemon=True) for _ in range(PROCESSES)]
        for process in processes:
            process.start()
        errors = [error for _ in processes for error in outcomes.get(timeout=300)]
        for process in processes:
            process.join(60)
    assert errors == []


@pytest.mark.parametrize("store", OPENERS)
def test_new_database_opens_once_another_process_ends_its_transaction(tmp_path: Path, store: str) -> None:
    """SQLite fails the switch to write-ahead logging at once, whatever the timeout, while another connection writes."""
    path = tmp_path / "new.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.3, other.execute, ["COMMIT"])
        timer.start()
        try:
            OPENERS[store](path).close()
        finally:
            timer.join()


def test_database_that_stays_locked_is_unavailable_after_the_timeout(tmp_path: Path) -> None:
    path = tmp_path / "doors.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(StoreUnavailable, match="locked"):
            open_database(path, (FIRST,), timeout_s=0.05)


def test_current_database_opens_while_another_process_writes(tmp_path: Path) -> None:
    path = tmp_path / "doors.sqlite"
    with closing(open_database(path, (FIRST,), timeout_s=1)) as other:
        other.execute("BEGIN IMMEDIATE")
        open_database(path, (FIRST,), timeout_s=0).close()


@pytest.mark.parametrize("mode", ["rw", "ro"])
def test_only_one_mode_creates_or_migrates(tmp_path: Path, mode: "sqlite.Mode") -> None:
    path = tmp_path / "doors.sqlite"
    with pytest.raises(StoreUnavailable, match="unable to open"):
        open_database(path, (FIRST, SECOND), mode=mode, timeout_s=0)
    assert not path.exists()
    open_database(path, (FIRST,), timeout_s=0).close()
    with pytest.raises(SchemaMismatch, match=r"an older Footfall: schema 1, this Footfall knows 2") as caught:
        open_database(path, (FIRST, SECOND), mode=mode, timeout_s=0)
    assert (caught.value.found, caught.value.needed) == (1, 2)
    open_database(path, (FIRST, SECOND), timeout_s=0).close()
    with pytest.raises(SchemaMismatch, match=r"a newer Footfall: schema 2, this Footfall knows 1"):
        open_database(path, (FIRST,), mode=mode, timeout_s=0)
    open_database(path, (FIRST, SECOND), mode=mode, timeout_s=0).close()


def test_path_with_characters_of_a_url_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "what? 100% #1" / "doors.sqlite"
    path.parent.mkdir()
    open_database(path, (FIRST,), timeout_s=0).close()
    assert path.exists()


class TestErrors:
    """Each result code with a hint of its own, from SQLite itself."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        path = tmp_path / "doors.sqlite"
        with closing(open_database(path, (FIRST,), timeout_s=0)) as connection:
            connection.execute(
                "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
                " INSERT INTO door (name) SELECT hex(zeroblob(50)) FROM n"
            )
        return path

    def failure(self, path: Path, statement: str, *preparations: str) -> StoreUnavailable:
        """Execute *statement*, which must fail, after *preparations* on the same connection."""
        with closing(open_database(path, (FIRST,), timeout_s=0)) as connection:
            for one in preparations:
                connection.execute(one).fetchall()
            with pytest.raises(StoreUnavailable) as caught, translated(path):
                connection.execute(statement).fetchall()
        assert str(path) in caught.value.message
        return caught.value

    def code(self, error: StoreUnavailable) -> str:
        assert isinstance(error.__cause__, sqlite3.Error)
        return error.__cause__.sqlite_errorname

    def test_full(self, path: Path) -> None:
        large = f"INSERT INTO door (name) VALUES ('{'n' * 1_000_000}')"
        error = self.failure(path, large, "PRAGMA max_page_count = 1")
        assert self.code(error) == "SQLITE_FULL"
        assert "free some space" in error.hint

    def test_busy(self, path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            error = self.failure(path, "DELETE FROM door")
        assert self.code(error) == "SQLITE_BUSY"
        assert "another process is writing" in error.hint

    def test_busy_snapshot(self, path: Path) -> None:
        """An extended code has the hint of its primary code."""
        with closing(sqlite3.connect(path, isolation_level=None)) as other, closing(
            open_database(path, (FIRST,), timeout_s=0)
        ) as connection:  # fmt: skip
            connection.execute("BEGIN")
            connection.execute("SELECT * FROM door").fetchone()
            other.execute("DELETE FROM door")
            with pytest.raises(StoreUnavailable) as caught, translated(path):
                connection.execute("DELETE FROM door")
        assert self.code(caught.value) == "SQLITE_BUSY_SNAPSHOT"
        assert "another process is writing" in caught.value.hint

    def test_readonly(self, path: Path) -> None:
        error = self.failure(path, "DELETE FROM door", "PRAGMA query_only = ON")
        assert self.code(error) == "SQLITE_READONLY"
        assert "write to the data folder" in error.hint

    @pytest.mark.parametrize("name", ["missing/doors.sqlite", "."])
    def test_cantopen(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(StoreUnavailable) as caught:
            open_database(tmp_path / name, (FIRST,), timeout_s=0)
        assert self.code(caught.value).startswith("SQLITE_CANTOPEN")
        assert "footfall init" in caught.value.hint

    def test_corrupt(self, path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(b"\xff" * (path.stat().st_size - 4096))
        error = self.failure(path, "SELECT * FROM door")
        assert self.code(error).startswith("SQLITE_CORRUPT")
        assert "Restore from a backup" in error.hint

    def test_not_a_database(self, path: Path) -> None:
        path.write_bytes(b"2026-5-4,08:30:00,12,9,ALLI1\n" * 1000)
        with pytest.raises(StoreUnavailable) as caught:
            open_database(path, (FIRST,), timeout_s=0)
        assert self.code(caught.value) == "SQLITE_NOTADB"
        assert "Restore from a backup" in caught.value.hint

    def test_input_output_error(self, path: Path) -> None:
        with no_file_may_grow(), pytest.raises(StoreUnavailable) as caught:
            open_database(path, (FIRST,), timeout_s=0)
        assert self.code(caught.value).startswith("SQLITE_IOERR")
        assert "dmesg" in caught.value.hint

    def test_error_of_python_itself_is_translated_too(self, path: Path) -> None:
        connection = open_database(path, (FIRST,), timeout_s=0)
        connection.close()
        with pytest.raises(StoreUnavailable, match="closed") as caught, translated(path):
            connection.execute("SELECT 1")
        assert "The journal" in caught.value.hint


@contextmanager
def no_file_may_grow() -> Iterator[None]:
    """Fail each write of this process to a file with EFBIG; Python ignores the signal that comes with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_transaction_after_a_failed_rollback_starts_clean(tmp_path: Path) -> None:
    path = tmp_path / "doors.sqlite"
    with closing(open_database(path, (FIRST,), timeout_s=0)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO door (name) VALUES ('lost')")
        with transaction(connection, path):
            connection.execute("INSERT INTO door (name) VALUES ('north')")
        assert connection.execute("SELECT name FROM door").fetchall() == [("north",)]


def version_of(connection: sqlite3.Connection) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    assert isinstance(version, int)
    return version


@pytest.fixture
def old(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A database of version 1 of two, with a row."""
    with closing(sqlite3.connect(tmp_path / "doors.sqlite", isolation_level=None)) as connection:
        migrate(connection, (FIRST,), "doors")
        connection.execute("INSERT INTO door (name) VALUES ('north')")
        yield connection


def test_older_schema_is_migrated_and_keeps_its_rows(old: sqlite3.Connection) -> None:
    migrate(old, (FIRST, SECOND), "doors")
    assert version_of(old) == 2
    assert old.execute("SELECT * FROM door").fetchall() == [(1, "north", "a;b")]
    migrate(old, (FIRST, SECOND), "doors")
    assert version_of(old) == 2


def test_migration_that_fails_halfway_leaves_the_old_version_untouched(old: sqlite3.Connection) -> None:
    before = list(old.iterdump())
    with pytest.raises(sqlite3.OperationalError):
        migrate(old, (FIRST, SECOND, "CREATE TABLE extra (id INTEGER);\nINSERT INTO missing VALUES (1);"), "doors")
    assert version_of(old) == 1
    assert list(old.iterdump()) == before
    migrate(old, (FIRST, SECOND), "doors")
    assert version_of(old) == 2


def test_migration_waits_no_longer_than_the_timeout(old: sqlite3.Connection, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "doors.sqlite", isolation_level=None, timeout=0)) as other:
        old.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            migrate(other, (FIRST, SECOND), "doors")
        old.execute("ROLLBACK")
        assert version_of(other) == 1


def test_newer_schema_is_refused_and_not_touched(old: sqlite3.Connection) -> None:
    migrate(old, (FIRST, SECOND), "doors")
    before = list(old.iterdump())
    with pytest.raises(ConfigError, match=r"written by a newer Footfall \(schema 2, this Footfall knows 1\)"):
        migrate(old, (FIRST,), "doors")
    assert (version_of(old), list(old.iterdump())) == (2, before)


@pytest.mark.parametrize("script", MIGRATIONS)
def test_no_statement_of_a_migration_is_lost(script: str) -> None:
    """A script is cut into statements; one without a semicolon at its end would be skipped."""
    assert "".join(sqlite._statements(script)).strip() == script.strip()
