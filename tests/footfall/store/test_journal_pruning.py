"""Pruning deletes old crossings that are in InfluxDB, and nothing else; their sums and their names stay."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall.errors import PointsRefused
from footfall.model import QUARTER_MS, Arrival, Count
from footfall.store.forwarder_state import FILE_NAME, ForwarderState
from footfall.store.historical_counts import ImportedHalfHour, append_half_hours
from footfall.store.journal import Journal
from footfall.store.journal_pruning import PAUSE_S, Pruner, prune
from footfall.store.outbox import Outbox, set_forwarding
from footfall.store.points import Point
from tests.support.journals import (
    START_MS,
    arrival,
    coverage_of,
    entry,
    fresh_journal,
    leaving,
    problems_of,
    quarters_of,
)  # fmt: skip
from tests.support.reader_contract import span

LATER_MS = START_MS + 400 * 24 * 3_600_000
ALL_MS = START_MS + 1000 * QUARTER_MS


@pytest.fixture
def journal() -> Iterator[Journal]:
    """A journal whose outbox is filled."""
    with fresh_journal() as one:
        set_forwarding(one.path, is_on=True, now_epoch_ms=START_MS)
        yield one


def forward(journal: Journal) -> list[Point]:
    """Forward everything, as the forwarder does; return the points."""
    points: list[Point] = []
    with (
        closing(Outbox(journal.path)) as outbox,
        closing(ForwarderState(journal.path.with_name(FILE_NAME))) as state,
    ):
        if state.progress().resend_requested:
            state.rewind()
        high_water_mark = outbox.high_water_mark({"ALLI1": "alliance"})
        while chunk := outbox.next_chunk(state.progress().cursor, high_water_mark, 100):
            points += chunk.points
            state.advance(chunk.cursor, chunk.fingerprint, 1)
    return points


def rows(journal: Journal, table: str = "crossing") -> int:
    with closing(sqlite3.connect(journal.path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_old_forwarded_crossings_are_deleted_and_everything_still_adds_up(journal: Journal) -> None:
    journal.append([arrival(*(entry(seq, START_MS + seq * QUARTER_MS) for seq in range(10)), span=span(0, 10))])
    before = quarters_of(journal), coverage_of(journal)
    forward(journal)
    assert prune(journal.path, START_MS + 5 * QUARTER_MS) == 5
    assert rows(journal) == 5
    assert (quarters_of(journal), coverage_of(journal)) == before
    assert problems_of(journal) == []


def test_crossing_that_was_not_forwarded_stays(journal: Journal) -> None:
    journal.append([arrival(*(entry(seq) for seq in range(5)))])
    assert prune(journal.path, ALL_MS) == 0
    forward(journal)
    journal.append([arrival(*(entry(seq) for seq in range(5, 9)))])
    assert prune(journal.path, ALL_MS) == 4
    assert rows(journal) == 5, "the one at the cursor stays: the forwarder recognises its journal by it"
    assert len(forward(journal)) > 0
    assert problems_of(journal) == []


def test_nothing_is_deleted_without_a_forwarder(journal: Journal) -> None:
    journal.append([arrival(entry(1), entry(2))])
    assert prune(journal.path, ALL_MS) == 0


def test_nothing_is_deleted_during_an_outage_or_while_points_are_in_quarantine(journal: Journal) -> None:
    journal.append([arrival(entry(1), entry(2), entry(3))])
    (first, *_) = forward(journal)
    with closing(ForwarderState(journal.path.with_name(FILE_NAME))) as state:
        state.quarantine(first, str(PointsRefused("type conflict")), START_MS)
        assert prune(journal.path, ALL_MS) == 0
        state.release(state.quarantined_points())
        state.record_failure("InfluxDB is down", "start it", START_MS, START_MS)
        assert prune(journal.path, ALL_MS) == 0
        state.record_recovery()
        assert prune(journal.path, ALL_MS) == 2


def test_imported_half_hours_and_superseded_crossings_stay(journal: Journal) -> None:
    append_half_hours(journal, [ImportedHalfHour("ALLI1", START_MS, 5, 3)], source="import", received_epoch_ms=START_MS)
    journal.append([arrival(entry(1, START_MS + 1)), arrival(entry(2, START_MS + 4 * QUARTER_MS), entry(3, ALL_MS))])
    before = quarters_of(journal)
    forward(journal)
    assert prune(journal.path, ALL_MS) == 1
    assert rows(journal) == 3
    assert quarters_of(journal) == before
    assert problems_of(journal) == []
    assert journal.append([arrival(entry(9, START_MS + 2))])[0].conflicts == 1, "the half hour still supersedes"


def test_crossing_sent_again_after_pruning_is_a_duplicate(journal: Journal) -> None:
    """Sent twice, stored once, even years later and with other content."""
    batch = arrival(*(entry(seq) for seq in range(6)))
    journal.append([batch])
    forward(journal)
    prune(journal.path, ALL_MS)
    before = quarters_of(journal)
    (receipt,) = journal.append([batch])
    assert (receipt.stored, receipt.duplicates, receipt.through, receipt.conflicts) == (0, 6, 5, 0)
    assert journal.append([arrival(leaving(1), entry(6))])[0].stored == 1
    assert [one.entries for one in quarters_of(journal)] == [before[0].entries + 1]
    assert problems_of(journal) == []


def test_late_crossing_between_pruned_ones_is_stored(journal: Journal) -> None:
    journal.append([arrival(entry(0), entry(1), entry(4), entry(5), entry(9))])
    forward(journal)
    assert prune(journal.path, ALL_MS) == 4
    assert rows(journal, "pruned") == 2
    (receipt,) = journal.append([arrival(*(entry(seq) for seq in range(7)))])
    assert (receipt.stored, receipt.duplicates) == (3, 4)
    assert journal.append([arrival(entry(2), entry(3))])[0].duplicates == 2
    assert problems_of(journal) == []


def test_ranges_that_touch_are_merged(journal: Journal) -> None:
    for seq in (0, 2, 1, 4, 3, 5):
        journal.append([arrival(entry(seq)), arrival(entry(100 + seq * 2), stream="other")])
        forward(journal)
        prune(journal.path, ALL_MS, limit=2)
    journal.append([arrival(entry(200))])
    forward(journal)
    prune(journal.path, ALL_MS)
    with closing(sqlite3.connect(journal.path)) as connection:
        found = connection.execute("SELECT first_seq, last_seq FROM pruned ORDER BY 1").fetchall()
    assert found == [(0, 5), *((seq, seq) for seq in range(100, 112, 2))]
    assert problems_of(journal) == []


def test_running_ingest_notices_what_another_process_pruned(journal: Journal) -> None:
    """It drops its cache when another process has written."""
    journal.append([arrival(entry(1), entry(2), entry(3))])
    assert journal.append([arrival(entry(1))])[0].duplicates == 1
    forward(journal)
    prune(journal.path, ALL_MS)
    assert journal.append([arrival(entry(1), entry(2))])[0].duplicates == 2


def test_pruned_time_is_resent_as_a_gap_and_not_as_a_zero(journal: Journal) -> None:
    """InfluxDB lost its data. Spans whose crossings were pruned are not resent."""
    for quarter in range(4):
        journal.append([arrival(entry(quarter, START_MS + quarter * QUARTER_MS), span=span(quarter, quarter + 1))])
    forward(journal)
    prune(journal.path, START_MS + 2 * QUARTER_MS)
    set_forwarding(journal.path, is_on=False, now_epoch_ms=LATER_MS)
    set_forwarding(journal.path, is_on=True, now_epoch_ms=LATER_MS)
    journal.path.with_name(FILE_NAME).unlink()
    points = forward(journal)
    starts = [one.time_ns // 1_000_000 for one in points if one.measurement == "spans"]
    assert starts == [START_MS + 2 * QUARTER_MS, START_MS + 3 * QUARTER_MS]
    assert sum(one.measurement == "crossings" for one in points) == 2


def test_pruner_works_in_small_steps_and_then_pauses(journal: Journal) -> None:
    journal.append([arrival(*(entry(seq) for seq in range(20)))])
    forward(journal)
    now_s = [LATER_MS / 1000]
    pruner = Pruner(journal.path, 399, lambda: now_s[0])
    assert [pruner.step() for _ in range(3)] == [True, False, False]
    assert rows(journal) == 1
    journal.append([arrival(*(entry(seq) for seq in range(20, 30)))])
    forward(journal)
    assert not pruner.step()
    now_s[0] += PAUSE_S
    assert pruner.step()
    assert problems_of(journal) == []


def test_crossings_younger_than_keep_days_stay(journal: Journal) -> None:
    journal.append([arrival(*(entry(seq) for seq in range(20)))])
    forward(journal)
    assert not Pruner(journal.path, 401, lambda: LATER_MS / 1000).step()
    assert rows(journal) == 20


SEQS = st.lists(st.integers(0, 25), min_size=1, max_size=8, unique=True)
WORK = st.lists(st.one_of(SEQS, st.sampled_from(["forward", "prune"])), max_size=12)


@settings(deadline=None, max_examples=60)
@given(WORK, st.integers(1, 5))
def test_pruning_changes_no_receipt_and_no_sum(work: list[list[int] | str], limit: int) -> None:
    """In whatever order batches are sent, forwarded and pruned, they count as if nothing were ever pruned."""

    def sent(seqs: list[int]) -> Arrival:
        return arrival(*(Count(seq, START_MS + seq * QUARTER_MS // 3, 1, 0) for seq in seqs))

    with fresh_journal() as pruned, fresh_journal() as whole:
        set_forwarding(pruned.path, is_on=True, now_epoch_ms=START_MS)
        for step in work:
            if step == "forward":
                forward(pruned)
            elif step == "prune":
                prune(pruned.path, START_MS + 5 * QUARTER_MS, limit)
            elif isinstance(step, list):
                assert pruned.append([sent(step)]) == whole.append([sent(step)])
        assert quarters_of(pruned) == quarters_of(whole)
        assert problems_of(pruned) == []


def test_missing_journal_is_not_created(tmp_path: Path) -> None:
    assert prune(tmp_path / "journal.sqlite", ALL_MS) == 0
    assert list(tmp_path.iterdir()) == []
