"""Imported half hours beside live counts: each is stored once, and never added to counts the journal already has."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from footfall.errors import StoreUnavailable
from footfall.model import QUARTER_MS, Span
from footfall.store.historical_counts import (
    HALF_HOUR_MS,
    ImportConflict,
    ImportedHalfHour,
    ImportReceipt,
    Source,
    append_half_hours,
)
from footfall.store.journal import Journal
from footfall.store.journal_reader import JournalReader
from tests.support.journals import START_MS, arrival, contents, coverage_of, entry, leaving, problems_of, totals_of


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal.sqlite")) as opened:
        yield opened


def half(number: int = 0, entries: int = 12, exits: int = 9, *, counter: str = "ALLI1") -> ImportedHalfHour:
    """Return the half hour *number* after the start."""
    return ImportedHalfHour(counter, START_MS + number * HALF_HOUR_MS, entries, exits)


def append(journal: Journal, *half_hours: ImportedHalfHour, source: Source = "import") -> ImportReceipt:
    return append_half_hours(journal, half_hours, source=source, received_epoch_ms=START_MS)


def test_half_hours_are_stored_and_covered(journal: Journal) -> None:
    assert append(journal, half(0), half(1, 0, 0), half(4, counter="ALLI2")) == ImportReceipt(3, 0, ())
    assert totals_of(journal) == (24, 18)
    assert coverage_of(journal) == [Span(START_MS, START_MS + 2 * HALF_HOUR_MS)]
    assert problems_of(journal) == []


def test_half_hour_appended_twice_is_a_duplicate(journal: Journal) -> None:
    append(journal, half(0), half(1))
    before = contents(journal.path)
    assert append(journal, half(0), half(1)) == ImportReceipt(0, 2, ())
    assert contents(journal.path) == before


def test_half_hour_twice_in_one_call_is_stored_once(journal: Journal) -> None:
    assert append(journal, half(0), half(1), half(0)) == ImportReceipt(2, 1, ())
    assert totals_of(journal) == (24, 18)


def test_half_hour_twice_in_one_call_with_other_figures_stores_nothing(journal: Journal) -> None:
    assert append(journal, half(0), half(0, 13)) == ImportReceipt(0, 0, (ImportConflict(half(0, 13), (12, 9)),))
    assert contents(journal.path) == []


def test_empty_half_hour_is_a_zero_and_not_a_gap(journal: Journal) -> None:
    """Other figures for it are a conflict."""
    append(journal, half(0, 0, 0))
    assert append(journal, half(0, 0, 0)).duplicates == 1
    assert append(journal, half(0, 1, 0)).conflicts == (ImportConflict(half(0, 1, 0), (0, 0)),)


def test_one_conflict_stores_nothing_of_the_call(journal: Journal) -> None:
    append(journal, half(5))
    before = contents(journal.path)
    receipt = append(journal, half(0), half(5), half(5, 1, 1), half(6), half(7, counter="ALLI2"))
    assert receipt == ImportReceipt(0, 1, (ImportConflict(half(5, 1, 1), (12, 9)),))
    assert contents(journal.path) == before


def test_every_conflict_is_reported(journal: Journal) -> None:
    append(journal, half(0), half(1))
    assert len(append(journal, half(0, 1), half(1, 1), half(2)).conflicts) == 2


def test_half_hour_counted_live_with_the_same_figures_is_a_duplicate(journal: Journal) -> None:
    crossings = (entry(1), entry(2, START_MS + QUARTER_MS), leaving(3, START_MS + HALF_HOUR_MS - 1))
    journal.append([arrival(*crossings, span=Span(START_MS, START_MS + HALF_HOUR_MS))])
    assert append(journal, half(0, 2, 1)) == ImportReceipt(0, 1, ())
    assert totals_of(journal) == (2, 1)


@pytest.mark.parametrize("figures", [(1, 1), (2, 0), (0, 0), (3, 1)])
def test_half_hour_counted_live_with_other_figures_is_a_conflict(journal: Journal, figures: tuple[int, int]) -> None:
    journal.append([arrival(entry(1), entry(2), leaving(3))])
    assert append(journal, half(0, *figures)).conflicts == (ImportConflict(half(0, *figures), (2, 1)),)
    assert totals_of(journal) == (2, 1)


def test_half_hour_covered_live_without_a_crossing_is_a_zero(journal: Journal) -> None:
    journal.append([arrival(span=Span(START_MS + 60_000, START_MS + 120_000))])
    assert append(journal, half(0, 0, 0)).duplicates == 1
    assert append(journal, half(0, 5, 5)).conflicts == (ImportConflict(half(0, 5, 5), (0, 0)),)


def test_live_counts_just_outside_a_half_hour_do_not_conflict(journal: Journal) -> None:
    journal.append(
        [
            arrival(entry(1, START_MS - 1), entry(2, START_MS + HALF_HOUR_MS), span=Span(0, START_MS)),
            arrival(span=Span(START_MS + HALF_HOUR_MS, START_MS + 2 * HALF_HOUR_MS)),
            arrival(entry(1), counter="ALLI2"),
        ]
    )
    assert append(journal, half(0, 5, 5)) == ImportReceipt(1, 0, ())


def test_live_crossing_in_an_imported_half_hour_is_stored_but_not_summed(journal: Journal) -> None:
    """A counter sends its backlog after an operator has imported those days from another source."""
    journal.append([arrival(entry(1, START_MS - 1))])
    append(journal, half(entries=12, exits=9))
    last_ms = START_MS + HALF_HOUR_MS - 1
    backlog = arrival(entry(2), leaving(3, START_MS + QUARTER_MS), entry(4, last_ms), entry(5, last_ms + 1))
    assert journal.append([backlog])[0] == (4, 0, 5, 3)
    assert journal.append([backlog])[0] == (0, 4, 5, 0)
    assert totals_of(journal) == (14, 9)
    assert problems_of(journal) == []


def test_row_of_an_old_device_that_is_imported_too_is_a_duplicate(journal: Journal) -> None:
    append(journal, half(0), source="legacy")
    assert append(journal, half(0), source="import") == ImportReceipt(0, 1, ())
    assert append(journal, half(0, 1), source="import").conflicts


def test_import_that_does_not_fit_on_the_disk_stores_nothing(journal: Journal) -> None:
    (pages,) = journal._connection.execute("PRAGMA page_count").fetchone()
    journal._connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()
    many = [half(number, counter=f"C{number % 7}") for number in range(5000)]
    with pytest.raises(StoreUnavailable, match="full"):
        append(journal, *many)
    assert contents(journal.path) == []
    journal._connection.execute("PRAGMA max_page_count = 1073741823").fetchall()
    assert append(journal, *many).stored == 5000
    assert problems_of(journal) == []


def test_import_does_not_make_a_counter_look_alive_but_an_old_device_does(journal: Journal) -> None:
    with closing(JournalReader(journal.path)) as reader:
        append(journal, half())
        assert reader.counter_states(["ALLI1"])["ALLI1"].received_epoch_ms is None
        append(journal, half(1), source="legacy")
        assert reader.counter_states(["ALLI1"])["ALLI1"].received_epoch_ms == START_MS
