"""Pruning: what is old and in InfluxDB is forgotten, but for its sums and its names; nothing else ever is."""

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
from footfall.store.historical_counts import HalfHour, keep_history
from footfall.store.journal import Journal
from footfall.store.journal_pruning import LOOK_EVERY_S, Pruner, prune
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
    """A journal that is forwarded."""
    with fresh_journal() as one:
        set_forwarding(one.path, is_on=True, now_epoch_ms=START_MS)
        yield one


def forward(journal: Journal) -> list[Point]:
    """Act as a forwarder that wrote everything, and return what it wrote."""
    points: list[Point] = []
    with (
        closing(Outbox(journal.path)) as outbox,
        closing(ForwarderState(journal.path.with_name(FILE_NAME))) as state,
    ):
        if state.progress().is_again:
            state.begin_again()
        high_water_mark = outbox.high_water_mark({"ALLI1": "alliance"})
        while chunk := outbox.next_chunk(state.progress().place, high_water_mark, 100):
            points += chunk.points
            state.reach(chunk.place, chunk.mark, 1)
    return points


def rows(journal: Journal, table: str = "crossing") -> int:
    with closing(sqlite3.connect(journal.path)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_old_crossings_that_were_forwarded_go_and_everything_still_adds_up(journal: Journal) -> None:
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
    assert rows(journal) == 5, "the one at the cursor stays too: by it the forwarder knows its journal"
    assert len(forward(journal)) > 0
    assert problems_of(journal) == []


def test_nothing_goes_without_a_forwarder(journal: Journal) -> None:
    journal.append([arrival(entry(1), entry(2))])
    assert prune(journal.path, ALL_MS) == 0


def test_nothing_goes_while_points_are_in_quarantine_or_nothing_is_taken(journal: Journal) -> None:
    journal.append([arrival(entry(1), entry(2), entry(3))])
    (first, *_) = forward(journal)
    with closing(ForwarderState(journal.path.with_name(FILE_NAME))) as state:
        state.refuse(first, str(PointsRefused("type conflict")), START_MS)
        assert prune(journal.path, ALL_MS) == 0
        state.release(state.refused())
        state.fail("InfluxDB is away", "start it", START_MS, START_MS)
        assert prune(journal.path, ALL_MS) == 0
        state.recover()
        assert prune(journal.path, ALL_MS) == 2


def test_history_and_what_is_in_no_sum_stay(journal: Journal) -> None:
    keep_history(journal, [HalfHour("ALLI1", START_MS, 5, 3)], source="import", received_epoch_ms=START_MS)
    journal.append([arrival(entry(1, START_MS + 1)), arrival(entry(2, START_MS + 4 * QUARTER_MS), entry(3, ALL_MS))])
    before = quarters_of(journal)
    forward(journal)
    assert prune(journal.path, ALL_MS) == 1
    assert rows(journal) == 3
    assert quarters_of(journal) == before
    assert problems_of(journal) == []
    assert journal.append([arrival(entry(9, START_MS + 2))])[0].conflicts == 1, "that half hour is still told"


def test_crossing_sent_again_after_pruning_is_a_duplicate(journal: Journal) -> None:
    """Sent twice, stored once: also years later, also with another story."""
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


def test_late_crossing_in_a_hole_is_stored(journal: Journal) -> None:
    journal.append([arrival(entry(0), entry(1), entry(4), entry(5), entry(9))])
    forward(journal)
    assert prune(journal.path, ALL_MS) == 4
    assert rows(journal, "pruned") == 2
    (receipt,) = journal.append([arrival(*(entry(seq) for seq in range(7)))])
    assert (receipt.stored, receipt.duplicates) == (3, 4)
    assert journal.append([arrival(entry(2), entry(3))])[0].duplicates == 2
    assert problems_of(journal) == []


def test_ranges_that_touch_become_one(journal: Journal) -> None:
    for seq in (0, 2, 1, 4, 3, 5):
        journal.append([arrival(entry(seq)), arrival(entry(100 + seq * 2), stream="other")])
        forward(journal)
        prune(journal.path, ALL_MS, most=2)
    journal.append([arrival(entry(200))])
    forward(journal)
    prune(journal.path, ALL_MS)
    with closing(sqlite3.connect(journal.path)) as connection:
        found = connection.execute("SELECT first_seq, last_seq FROM pruned ORDER BY 1").fetchall()
    assert found == [(0, 5), *((seq, seq) for seq in range(100, 112, 2))]
    assert problems_of(journal) == []


def test_ingest_that_goes_on_knows_what_another_process_pruned(journal: Journal) -> None:
    """It remembers streams, and forgets them when somebody else has written."""
    journal.append([arrival(entry(1), entry(2), entry(3))])
    assert journal.append([arrival(entry(1))])[0].duplicates == 1
    forward(journal)
    prune(journal.path, ALL_MS)
    assert journal.append([arrival(entry(1), entry(2))])[0].duplicates == 2


def test_influxdb_that_lost_everything_is_not_told_that_nobody_came(journal: Journal) -> None:
    """Spans whose crossings were pruned are not told again: their time becomes a gap, and no zero."""
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


def test_pruner_works_in_small_steps_and_then_rests(journal: Journal) -> None:
    journal.append([arrival(*(entry(seq) for seq in range(20)))])
    forward(journal)
    now_s = [LATER_MS / 1000]
    pruner = Pruner(journal.path, 399, lambda: now_s[0])
    assert [pruner.step() for _ in range(3)] == [True, False, False]
    assert rows(journal) == 1
    journal.append([arrival(*(entry(seq) for seq in range(20, 30)))])
    forward(journal)
    assert not pruner.step()
    now_s[0] += LOOK_EVERY_S
    assert pruner.step()
    assert problems_of(journal) == []


def test_what_is_younger_than_keep_days_stays(journal: Journal) -> None:
    journal.append([arrival(*(entry(seq) for seq in range(20)))])
    forward(journal)
    assert not Pruner(journal.path, 401, lambda: LATER_MS / 1000).step()
    assert rows(journal) == 20


SEQS = st.lists(st.integers(0, 25), min_size=1, max_size=8, unique=True)
WORK = st.lists(st.one_of(SEQS, st.sampled_from(["forward", "prune"])), max_size=12)


@settings(deadline=None, max_examples=60)
@given(WORK, st.integers(1, 5))
def test_pruning_changes_no_receipt_and_no_sum(work: list[list[int] | str], most: int) -> None:
    """Property: whatever is sent, forwarded and pruned in whatever order, it counts as if nothing were ever pruned."""

    def sent(seqs: list[int]) -> Arrival:
        return arrival(*(Count(seq, START_MS + seq * QUARTER_MS // 3, 1, 0) for seq in seqs))

    with fresh_journal() as pruned, fresh_journal() as whole:
        set_forwarding(pruned.path, is_on=True, now_epoch_ms=START_MS)
        for step in work:
            if step == "forward":
                forward(pruned)
            elif step == "prune":
                prune(pruned.path, START_MS + 5 * QUARTER_MS, most)
            elif isinstance(step, list):
                assert pruned.append([sent(step)]) == whole.append([sent(step)])
        assert quarters_of(pruned) == quarters_of(whole)
        assert problems_of(pruned) == []


def test_journal_elsewhere_is_left_alone(tmp_path: Path) -> None:
    assert prune(tmp_path / "journal.sqlite", ALL_MS) == 0
    assert list(tmp_path.iterdir()) == []
