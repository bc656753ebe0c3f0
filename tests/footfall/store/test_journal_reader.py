"""The journal's reader holds to what every Reader promises, and says when there is no journal."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from footfall.errors import StoreUnavailable
from footfall.model import Arrival, Quarter
from footfall.store.historical_counts import HALF_HOUR_MS, HalfHour, keep_history
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


def questions(reader: JournalReader) -> list[Callable[[], object]]:
    return [
        lambda: reader.quarters(["ALLI1"], EPOCH, END),
        lambda: reader.covered_to(["ALLI1"]),
        lambda: reader.counter_states(["ALLI1"]),
    ]


def test_missing_journal_is_unavailable_and_is_not_made(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "journal.sqlite")
    for ask in questions(reader):
        with pytest.raises(StoreUnavailable, match="there is no journal") as caught:
            ask()
        assert "footfall up" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_reader_made_before_the_journal_answers_once_it_is_there(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with closing(JournalReader(path)) as reader:
        with pytest.raises(StoreUnavailable):
            reader.quarters(["ALLI1"], EPOCH, END)
        with closing(Journal(path)) as journal:
            journal.append([arrival(entry(1))])
            assert len(reader.quarters(["ALLI1"], EPOCH, END)) == 1


def test_journal_of_another_schema_is_unavailable_until_it_is_brought_up_to_date(journal: Journal) -> None:
    (version,) = journal._connection.execute("PRAGMA user_version").fetchone()
    journal._connection.execute(f"PRAGMA user_version = {version + 1}")
    with closing(JournalReader(journal.path)) as reader:
        for ask in questions(reader):
            with pytest.raises(StoreUnavailable, match=f"schema {version + 1}, this Footfall knows {version}"):
                ask()
        journal._connection.execute(f"PRAGMA user_version = {version}")
        assert reader.covered_to(["ALLI1"]) == {}


def test_damaged_journal_is_unavailable_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(b"no journal" * 1000)
    for ask in questions(JournalReader(path)):
        with pytest.raises(StoreUnavailable, match="not a database") as caught:
            ask()
        assert "Restore from a backup" in caught.value.hint


def test_reader_answers_while_another_process_writes(journal: Journal, reader: JournalReader) -> None:
    """It sees the journal as it was before that transaction."""
    journal.append([arrival(entry(1))])
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE quarter SET entries = 99")
        assert [one.entries for one in reader.quarters(["ALLI1"], EPOCH, END)] == [1]
        other.execute("ROLLBACK")


def test_reader_holds_no_writer_up(journal: Journal, reader: JournalReader) -> None:
    for seq in range(5):
        reader.counter_states(["ALLI1"])
        assert journal.append([arrival(entry(seq))])[0].stored == 1


def test_reader_cannot_write(journal: Journal, reader: JournalReader) -> None:
    with (
        pytest.raises(StoreUnavailable, match="readonly"),
        reader._snapshot() as connection,
    ):
        connection.execute("DELETE FROM counter")


def test_each_thread_reads_by_itself(journal: Journal, reader: JournalReader) -> None:
    journal.append([arrival(entry(1))])
    told: list[list[Quarter]] = []

    def ask() -> None:
        with closing(reader):
            told.append(reader.quarters(["ALLI1"], EPOCH, END))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [reader.quarters(["ALLI1"], EPOCH, END)] * 8


def test_path_with_marks_of_a_url_is_read(tmp_path: Path) -> None:
    path = tmp_path / "what? 100% #1" / "journal.sqlite"
    path.parent.mkdir()
    with closing(Journal(path)) as journal, closing(JournalReader(path)) as reader:
        journal.append([arrival(entry(1))])
        assert len(reader.quarters(["ALLI1"], EPOCH, END)) == 1


def test_history_counts_and_covers_but_is_never_lost(journal: Journal, reader: JournalReader) -> None:
    """Half hours of history have seqs far apart, which is no loss."""
    halves = [HalfHour("ALLI1", START_MS + number * HALF_HOUR_MS, 5, 3) for number in (0, 7)]
    keep_history(journal, halves, source="import", received_epoch_ms=START_MS)
    assert [(one.entries, one.exits) for one in reader.quarters(["ALLI1"], at(0), at(2))] == [(5, 3), (0, 0)]
    sighting = reader.counter_states(["ALLI1"])["ALLI1"]
    assert sighting.lost == 0
    assert sighting.covered_to_epoch_ms == START_MS + 8 * HALF_HOUR_MS
