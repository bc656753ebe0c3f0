"""The journal's reader keeps the contract of every Reader, and reports a journal it cannot read."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from footfall.errors import StoreUnavailable
from footfall.model import Arrival, Quarter
from footfall.store.historical_counts import HALF_HOUR_MS, ImportedHalfHour, append_half_hours
from footfall.store.journal import Journal
from footfall.store.journal_reader import JournalReader
from tests.support.journals import END, EPOCH, START_MS, arrival, entry
from tests.support.reader_contract import Keep, ReaderContract, at


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal.sqlite")) as opened:
        yield opened


@pytest.fixture
def keep(journal: Journal) -> Keep:
    def append(*arrivals: Arrival) -> None:
        journal.append(arrivals)

    return append


@pytest.fixture
def reader(journal: Journal) -> Iterator[JournalReader]:
    with closing(JournalReader(journal.path)) as opened:
        yield opened


class TestJournalReader(ReaderContract):
    """The contract, over a journal and its reader."""


def queries(reader: JournalReader) -> list[Callable[[], object]]:
    return [
        lambda: reader.quarters(["ALLI1"], EPOCH, END),
        lambda: reader.covered_to(["ALLI1"]),
        lambda: reader.counter_states(["ALLI1"]),
    ]


def test_missing_journal_is_unavailable_and_is_not_created(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "journal.sqlite")
    for query in queries(reader):
        with pytest.raises(StoreUnavailable, match="there is no journal") as caught:
            query()
        assert "footfall up" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_reader_older_than_its_journal_answers_once_it_exists(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(JournalReader(path)) as reader:
        with pytest.raises(StoreUnavailable):
            reader.quarters(["ALLI1"], EPOCH, END)
        with closing(Journal(path)) as journal:
            journal.append([arrival(entry(1))])
            assert len(reader.quarters(["ALLI1"], EPOCH, END)) == 1


def test_journal_of_another_schema_is_unavailable_until_it_is_migrated(journal: Journal) -> None:
    (version,) = journal._connection.execute("PRAGMA user_version").fetchone()
    journal._connection.execute(f"PRAGMA user_version = {version + 1}")
    with closing(JournalReader(journal.path)) as reader:
        for query in queries(reader):
            with pytest.raises(StoreUnavailable, match=f"schema {version + 1}, this Footfall knows {version}"):
                query()
        journal._connection.execute(f"PRAGMA user_version = {version}")
        assert reader.covered_to(["ALLI1"]) == {}


def test_damaged_journal_is_unavailable_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"no journal" * 1000)
    for query in queries(JournalReader(path)):
        with pytest.raises(StoreUnavailable, match="not a database") as caught:
            query()
        assert "Restore from a backup" in caught.value.hint


def test_reader_answers_while_another_process_writes(journal: Journal, reader: JournalReader) -> None:
    """It sees the journal as of before the transaction."""
    journal.append([arrival(entry(1))])
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE quarter SET entries = 99")
        assert [one.entries for one in reader.quarters(["ALLI1"], EPOCH, END)] == [1]
        other.execute("ROLLBACK")


def test_reader_blocks_no_writer(journal: Journal, reader: JournalReader) -> None:
    for seq in range(5):
        reader.counter_states(["ALLI1"])
        assert journal.append([arrival(entry(seq))])[0].stored == 1


def test_reader_cannot_write(journal: Journal, reader: JournalReader) -> None:
    with (
        pytest.raises(StoreUnavailable, match="readonly"),
        reader._snapshot() as connection,
    ):
        connection.execute("DELETE FROM counter")


def test_threads_read_at_the_same_time(journal: Journal, reader: JournalReader) -> None:
    journal.append([arrival(entry(1))])
    answers: list[list[Quarter]] = []

    def read() -> None:
        with closing(reader):
            answers.append(reader.quarters(["ALLI1"], EPOCH, END))

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [reader.quarters(["ALLI1"], EPOCH, END)] * 8


def test_imported_half_hours_count_and_cover_but_are_never_lost(journal: Journal, reader: JournalReader) -> None:
    """Their seqs are far apart, which is no loss."""
    halves = [ImportedHalfHour("ALLI1", START_MS + number * HALF_HOUR_MS, 5, 3) for number in (0, 7)]
    append_half_hours(journal, halves, source="import", received_epoch_ms=START_MS)
    assert [(one.entries, one.exits) for one in reader.quarters(["ALLI1"], at(0), at(2))] == [(5, 3), (0, 0)]
    state = reader.counter_states(["ALLI1"])["ALLI1"]
    assert state.lost == 0
    assert state.covered_to_epoch_ms == START_MS + 8 * HALF_HOUR_MS
