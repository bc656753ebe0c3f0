"""The rows one transaction of the journal writes, and how few statements it takes."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from footfall.model import QUARTER_MS, Arrival, Count, Span
from footfall.store.historical_counts import ImportedHalfHour, append_half_hours
from footfall.store.journal import Journal
from footfall.store.outbox import set_forwarding
from tests.support.journals import START_MS, arrival, coverage_of, entry, leaving, problems_of


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal.sqlite")) as opened:
        set_forwarding(opened.path, is_on=True, now_epoch_ms=START_MS)
        yield opened


def rows(journal: Journal, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(journal.path)) as connection:
        return connection.execute(query).fetchall()


@contextmanager
def statements(journal: Journal) -> Iterator[list[str]]:
    """Yield a list of what the journal executes meanwhile."""
    executed: list[str] = []
    journal._connection.set_trace_callback(executed.append)
    try:
        yield executed
    finally:
        journal._connection.set_trace_callback(None)


def append(journal: Journal, arrivals: Sequence[Arrival], *, at_once: bool) -> None:
    """Append *arrivals* in one transaction, or in one each."""
    for group in [arrivals] if at_once else [[one] for one in arrivals]:
        journal.append(group)


NEWLY_COVERED = [
    (Span(10, 20), [(10, 20)]),
    (Span(20, 30), [(20, 30)]),
    (Span(25, 30), []),
    (Span(10, 30), []),
    (Span(15, 35), [(30, 35)]),
    (Span(10, 36), [(35, 36)]),
    (Span(50, 60), [(50, 60)]),
    (Span(45, 50), [(45, 50)]),
    (Span(20, 36), []),
    (Span(10, 20), []),
    (Span(40, 42), [(40, 42)]),
    (Span(44, 48), [(44, 45)]),
    (Span(5, 5), []),
    (Span(0, 100), [(0, 10), (36, 40), (42, 44), (60, 100)]),
    (Span(30, 110), [(100, 110)]),
    (Span(50, 60), []),
]


@pytest.mark.parametrize("at_once", [True, False])
def test_outbox_has_what_each_span_newly_covered(journal: Journal, at_once: bool) -> None:
    append(journal, [arrival(span=span) for span, _ in NEWLY_COVERED], at_once=at_once)
    nothing: list[tuple[int | None, int | None]] = [(None, None)]
    expected = [part for _, parts in NEWLY_COVERED for part in [*parts] or nothing]
    assert rows(journal, "SELECT from_epoch_ms, to_epoch_ms FROM outbox ORDER BY id") == expected
    assert coverage_of(journal) == [Span(0, 110)]


@pytest.mark.parametrize("at_once", [True, False])
def test_each_stretch_of_coverage_is_one_row(journal: Journal, at_once: bool) -> None:
    spans = [Span(0, 10), Span(20, 30), Span(30, 40), Span(50, 60), Span(12, 15), Span(15, 20), Span(55, 70)]
    append(journal, [arrival(span=span) for span in spans], at_once=at_once)
    assert coverage_of(journal) == [Span(0, 10), Span(12, 40), Span(50, 70)]


def test_span_that_goes_on_from_the_last_one_reads_nothing(journal: Journal) -> None:
    """Every heartbeat of every counter is such a span."""
    journal.append([arrival(span=Span(0, 10))])
    with statements(journal) as executed:
        for span in (Span(10, 20), Span(0, 30), Span(20, 30), Span(40, 50)):
            journal.append([arrival(span=span)])
    assert not [one for one in executed if one.startswith("SELECT") and "coverage" in one]


def test_known_counters_and_streams_are_not_looked_up_again(journal: Journal) -> None:
    journal.append([arrival(entry(1)), arrival(entry(1), stream="other")])
    with statements(journal) as executed:
        journal.append([arrival(entry(2)), arrival(entry(2), stream="other")])
    assert [one for one in executed if one.startswith("SELECT")] == []
    assert not [one for one in executed if "INTO counter " in one]


def test_row_of_the_outbox_is_the_batch_its_receipt_and_its_stream(journal: Journal) -> None:
    sent = arrival(
        entry(7, None), entry(9, START_MS + 5), leaving(8, START_MS + 9),
        span=Span(START_MS, START_MS + 60_000), received_ms=START_MS + 61_000, status=b'{"queued":2}',
    )  # fmt: skip
    again = arrival(leaving(9, START_MS + 5), received_ms=START_MS + 62_000)
    journal.append([sent, again])
    journal.append([arrival(stream="new", received_ms=START_MS + 63_000), arrival(received_ms=START_MS + 64_000)])
    found = rows(journal, "SELECT * FROM outbox ORDER BY id")
    assert [row[2:] for row in found] == [
        (START_MS + 61_000, START_MS, START_MS + 60_000, 3, 0, START_MS + 9, '{"queued":2}', 1, 7, 9, 3, 1, 0),
        (START_MS + 62_000, None, None, 0, 1, START_MS + 5, None, 1, 7, 9, 3, 1, 1),
        (START_MS + 63_000, None, None, 0, 0, None, None, None, None, None, None, None, None),
        (START_MS + 64_000, None, None, 0, 0, None, None, 1, 7, 9, 3, 1, 1),
    ]
    assert {row[1] for row in found} == {1}


def test_import_is_in_the_outbox_by_its_spans_alone(journal: Journal) -> None:
    half_hours = [ImportedHalfHour("ALLI1", START_MS + number * 2 * QUARTER_MS, 5, 3) for number in (0, 2)]
    append_half_hours(journal, half_hours, source="import", received_epoch_ms=START_MS + 7)
    assert [row[2:] for row in rows(journal, "SELECT * FROM outbox ORDER BY id")] == [
        (START_MS + 7, START_MS + start, START_MS + start + 2 * QUARTER_MS, *[None] * 10)
        for start in (0, 4 * QUARTER_MS)
    ]
    assert rows(journal, "SELECT * FROM counter_state") == []


def test_row_of_an_old_device_is_a_batch_without_a_stream(journal: Journal) -> None:
    half_hour = ImportedHalfHour("ALLI1", START_MS, 5, 3)
    append_half_hours(journal, [half_hour], source="legacy", received_epoch_ms=START_MS + 7)
    (row,) = rows(journal, "SELECT * FROM outbox")
    assert row[2:] == (START_MS + 7, START_MS, START_MS + 2 * QUARTER_MS, 1, 0, START_MS, *[None] * 7)
    assert rows(journal, "SELECT * FROM counter_state") == [(1, START_MS + 7, START_MS, None)]


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
def test_state_of_a_counter_is_its_latest_receipt_and_crossing_and_its_last_status(
    journal: Journal, at_once: bool, backwards: bool
) -> None:
    sent = [
        arrival(received_ms=5),
        arrival(entry(1, 70), received_ms=30, status=b"{}"),
        arrival(entry(2, 90), received_ms=10),
        arrival(entry(3, 80), received_ms=20, status=b'{"queued":2}'),
        arrival(entry(4, None), received_ms=15),
    ]
    append(journal, sent[::-1] if backwards else sent, at_once=at_once)
    status = "{}" if backwards else '{"queued":2}'
    assert rows(journal, "SELECT * FROM counter_state") == [(1, 30, 90, status)]


@pytest.mark.parametrize("at_once", [True, False])
def test_stream_has_its_first_and_last_seq_and_its_figures(journal: Journal, at_once: bool) -> None:
    sent = [
        arrival(entry(5, None), entry(6, None), leaving(9)),
        arrival(leaving(5), leaving(6), leaving(9)),
        arrival(entry(2, None), entry(7)),
    ]
    append(journal, sent, at_once=at_once)
    assert rows(journal, "SELECT * FROM stream") == [(1, 1, "9f3c2a1b", 2, 9, 5, 3, 2)]


def test_crossings_that_an_import_supersedes_are_conflicts_and_do_not_count(journal: Journal) -> None:
    append_half_hours(journal, [ImportedHalfHour("ALLI1", START_MS, 5, 3)], source="import", received_epoch_ms=0)
    late = [entry(1, START_MS), entry(2, START_MS + 2 * QUARTER_MS - 1), entry(3, START_MS + 2 * QUARTER_MS)]
    receipt = journal.append([arrival(*late, entry(4, START_MS - 1), entry(5, None), received_ms=START_MS + 1)])[0]
    assert receipt == (5, 0, 5, 3)
    assert rows(journal, "SELECT seq, superseded_by_import FROM crossing WHERE stream = 2 ORDER BY 1") == [
        (1, 1), (2, 1), (3, 0), (4, 0), (5, 1),
    ]  # fmt: skip
    assert problems_of(journal) == []


def test_sums_of_a_quarter_hour_add_up_within_a_transaction_and_across(journal: Journal) -> None:
    for first in (0, 10):
        counts = [Count(first, START_MS, 3, 1), Count(first + 1, START_MS + QUARTER_MS - 1, 4, 2),
                  Count(first + 2, START_MS + QUARTER_MS, 5, 6)]  # fmt: skip
        journal.append([arrival(*counts), arrival(Count(first + 3, START_MS, 7, 8))])
    assert rows(journal, "SELECT * FROM quarter ORDER BY 2") == [
        (1, START_MS, 28, 22), (1, START_MS + QUARTER_MS, 10, 12),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("crossings", "inserts"), [(1, [1]), (2, [2]), (3, [2, 1]), (127, [64, 32, 16, 8, 4, 2, 1]), (128, [128]),
                               (129, [128, 1]), (300, [128, 128, 32, 8, 4])]
)  # fmt: skip
def test_crossings_are_written_by_statements_of_a_power_of_two_rows(
    journal: Journal, crossings: int, inserts: list[int]
) -> None:
    with statements(journal) as executed:
        journal.append([arrival(*(entry(seq) for seq in range(crossings)))])
    found = [one for one in executed if one.startswith("INSERT INTO crossing ")]
    assert [one.count("(") - 1 for one in found] == inserts
    assert rows(journal, "SELECT count(*), min(seq), max(seq) FROM crossing") == [(crossings, 0, crossings - 1)]


def test_transaction_writes_each_table_by_one_statement_however_many_batches_it_has(journal: Journal) -> None:
    counters = ("ALLI1", "ALLI2", "ALLI3", "ALLI4")
    before, span = Span(START_MS - 60_000, START_MS), Span(START_MS, START_MS + 60_000)
    journal.append([arrival(entry(0), counter=counter, span=before) for counter in counters])
    sent = [arrival(entry(seq), counter=counter, span=span) for counter in counters for seq in (1, 2)]
    with statements(journal) as executed:
        journal.append(sent)
    written = [" ".join(one.split()[:3]) for one in executed if one[:6].upper() == "INSERT"]
    tables = ("crossing", "coverage", "quarter", "stream", "counter_state", "outbox")
    assert written == [f"INSERT INTO {table}" for table in tables]
