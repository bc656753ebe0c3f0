"""A journal in trouble: full, locked, read-only, damaged, of another version. A failed write stores nothing."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from footfall.errors import ConfigError, FootfallError, StoreUnavailable
from footfall.model import Arrival, Span
from footfall.store.historical_counts import ImportedHalfHour, append_half_hours
from footfall.store.journal import Journal
from footfall.store.journal_check import check_journal
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.sqlite import SchemaMismatch
from tests.support.journals import START_MS, arrival, contents, entry, problems_of


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal.sqlite", lock_timeout_s=0)) as opened:
        opened.append([arrival(entry(1), entry(2), span=Span(START_MS, START_MS + 60_000))])
        yield opened


def large(first: int = 10) -> Arrival:
    """Return an arrival that needs more pages than the file has."""
    return arrival(*(entry(seq) for seq in range(first, first + 3000)), span=Span(0, START_MS))


def failure_of(journal: Journal, *arrivals: Arrival) -> StoreUnavailable:
    """Append *arrivals*, which must fail and change nothing; return the error, which has a hint."""
    before = contents(journal.path)
    with pytest.raises(StoreUnavailable) as caught:
        journal.append(arrivals)
    assert contents(journal.path) == before
    assert str(journal.path) in caught.value.message
    assert caught.value.hint
    return caught.value


def set_full(journal: Journal, full: bool) -> None:
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    journal._connection.execute(f"PRAGMA max_page_count = {pages if full else 1_073_741_823}").fetchall()


def test_full_disk_stores_nothing_of_the_batch_and_says_so(journal: Journal) -> None:
    set_full(journal, True)
    assert "free some space" in failure_of(journal, large()).hint


def test_full_disk_stores_nothing_of_the_whole_group(journal: Journal) -> None:
    """The small batches would fit, but a group is one transaction."""
    set_full(journal, True)
    failure_of(journal, arrival(entry(3)), large(), arrival(entry(4), counter="ALLI2"))


def test_journal_recovers_by_itself_once_the_disk_has_space(journal: Journal) -> None:
    set_full(journal, True)
    failure_of(journal, large())
    set_full(journal, False)
    assert journal.append([large()])[0].stored == 3000
    assert problems_of(journal) == []


def test_journal_recovers_once_another_process_releases_its_lock(journal: Journal) -> None:
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "another process" in failure_of(journal, arrival(entry(3))).hint
        other.execute("COMMIT")
    assert journal.append([arrival(entry(3))])[0].stored == 1


def test_journal_waits_for_a_short_transaction_of_another_process(tmp_path: Path) -> None:
    """The second writer waits within its timeout, so an import between two batches fails neither."""
    path = tmp_path / "journal.sqlite"
    with closing(Journal(path, lock_timeout_s=60)) as first, closing(Journal(path, lock_timeout_s=60)) as second:
        for seq in range(20):
            first.append([arrival(entry(seq))])
            append_half_hours(
                second, [ImportedHalfHour("ALLI2", seq * 1_800_000, 1, 0)], source="import", received_epoch_ms=0
            )
        assert problems_of(first) == []


def test_read_only_journal_stores_nothing_and_recovers(journal: Journal) -> None:
    journal._connection.execute("PRAGMA query_only = ON")
    assert "write to the data folder" in failure_of(journal, arrival(entry(3))).hint
    journal._connection.execute("PRAGMA query_only = OFF")
    assert journal.append([arrival(entry(3))])[0].stored == 1


def test_read_only_folder_is_unavailable_not_a_crash(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):  # root may write nearly everywhere
        folder = Path("/proc")
    with pytest.raises(StoreUnavailable, match="unable to open") as caught:
        Journal(folder / "journal.sqlite")
    assert "footfall init" in caught.value.hint


@pytest.mark.parametrize("name", ["missing/journal.sqlite", "."])
def test_path_that_cannot_be_a_journal_is_unavailable_not_a_crash(tmp_path: Path, name: str) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open") as caught:
        Journal(tmp_path / name)
    assert "footfall init" in caught.value.hint


def test_file_that_is_no_database_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"2026-5-4,08:30:00,12,9,ALLI1\n" * 100)
    with pytest.raises(StoreUnavailable, match="not a database") as caught:
        Journal(path)
    assert "Restore from a backup" in caught.value.hint
    assert path.read_bytes() == b"2026-5-4,08:30:00,12,9,ALLI1\n" * 100


def test_deep_check_finds_a_sum_that_is_not_its_crossings(journal: Journal) -> None:
    journal._connection.execute("UPDATE quarter SET entries = entries + 1")
    assert check_journal(journal.path, deep=False) == []
    assert problems_of(journal) == ["sums do not add up in 1 quarter hour"]


def test_deep_check_finds_a_crossing_that_is_gone(journal: Journal) -> None:
    journal._connection.execute("DELETE FROM crossing WHERE seq = 1")
    assert problems_of(journal) == ["sums do not add up in 1 quarter hour", "totals do not add up in 1 stream"]


def test_deep_check_finds_a_sum_without_any_crossing(journal: Journal) -> None:
    journal._connection.execute("INSERT INTO quarter VALUES (1, 0, 5, 5)")
    assert problems_of(journal) == ["sums do not add up in 1 quarter hour"]


def test_newer_schema_is_refused_and_not_touched(journal: Journal) -> None:
    newer = len(MIGRATIONS) + 1
    journal._connection.execute(f"PRAGMA user_version = {newer}")
    before = contents(journal.path)
    with pytest.raises(ConfigError, match="written by a newer Footfall"):
        Journal(journal.path)
    assert contents(journal.path) == before
    assert journal._connection.execute("PRAGMA user_version").fetchone() == (newer,)
    with pytest.raises(SchemaMismatch, match=f"schema {newer}, this Footfall knows {len(MIGRATIONS)}"):
        check_journal(journal.path, deep=True)


def test_journal_that_cannot_be_migrated_is_unavailable(journal: Journal) -> None:
    """Version 0, though the tables are there: the first migration fails."""
    journal._connection.execute("PRAGMA user_version = 0")
    before = contents(journal.path)
    with pytest.raises(FootfallError, match="already exists"):
        Journal(journal.path)
    assert contents(journal.path) == before
