"""The journal stores each count once, in whatever order and however often batches come."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from footfall.errors import StoreUnavailable
from footfall.model import QUARTER_MS, Arrival, Count, CounterState, Quarter, Span
from footfall.store.journal import Journal
from footfall.store.journal_reader import JournalReader
from tests.support.journals import (
    START_MS,
    arrival,
    contents,
    coverage_of,
    entry,
    fresh_journal,
    leaving,
    old_journal,
    problems_of,
    quarters_of,
    sums_of,
    totals_of,
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal.sqlite")) as opened:
        yield opened


def state_of(journal: Journal, counter: str = "ALLI1") -> CounterState:
    with closing(JournalReader(journal.path)) as reader:
        return reader.counter_states([counter])[counter]


@st.composite
def batches(draw: st.DrawFn) -> list[Arrival]:
    """Batches of two counters with two streams each; they overlap at random and never contradict each other."""
    times = st.integers(START_MS, START_MS + 4 * QUARTER_MS)
    names = st.tuples(st.sampled_from(["ALLI1", "ALLI2"]), st.sampled_from(["s1", "s2"]), st.integers(0, 15))
    crossings = draw(st.dictionaries(names, st.tuples(times, st.booleans()), min_size=1))
    found = []
    for _ in range(draw(st.integers(1, 8))):
        counter, stream, _ = draw(st.sampled_from(sorted(crossings)))
        mine = [seq for one, other, seq in sorted(crossings) if (one, other) == (counter, stream)]
        seqs = draw(st.lists(st.sampled_from(mine), unique=True))
        counts = [(entry if crossings[counter, stream, seq][1] else leaving)(seq, crossings[counter, stream, seq][0])
                  for seq in seqs]  # fmt: skip
        span = draw(st.none() | st.tuples(times, times).map(lambda pair: Span(min(pair), max(pair))))
        found.append(arrival(*counts, counter=counter, stream=stream, span=span))
    return found


@settings(max_examples=80, deadline=None)
@given(batches(), st.data())
def test_any_order_and_any_repetition_of_batches_gives_the_same_sums(sent: list[Arrival], data: st.DataObject) -> None:
    again = data.draw(st.permutations(sent + data.draw(st.lists(st.sampled_from(sent)))))
    groups = data.draw(st.lists(st.integers(1, 4)))
    distinct = {(one.counter, one.stream, count.seq): count for one in sent for count in one.counts}
    with fresh_journal() as straight, fresh_journal() as shuffled:
        receipts = straight.append(sent)
        for size in groups:
            receipts_of_group = shuffled.append(again[:size])
            assert len(receipts_of_group) == len(again[:size])
            del again[:size]
        shuffled.append(again)
        shuffled.append(sent)
        assert quarters_of(straight) == quarters_of(shuffled)
        assert [coverage_of(straight, one) for one in ("ALLI1", "ALLI2")] == [
            coverage_of(shuffled, one) for one in ("ALLI1", "ALLI2")
        ]
        assert [state_of(straight, one) for one in ("ALLI1", "ALLI2")] == [
            state_of(shuffled, one) for one in ("ALLI1", "ALLI2")
        ]
        sums = {(one.counter, one.start_epoch_ms): (one.entries, one.exits) for one in quarters_of(shuffled)}
        truth = sums_of({counter: [count for (name, _, _), count in distinct.items() if name == counter]
                         for counter in ("ALLI1", "ALLI2")})  # fmt: skip
        assert {key: both for key, both in sums.items() if both != (0, 0)} == truth
        assert sum(receipt.stored for receipt in receipts) == len(distinct)
        assert problems_of(straight) == problems_of(shuffled) == []


@settings(max_examples=80, deadline=None)
@given(batches(), st.data())
def test_two_writers_of_one_journal_store_each_crossing_once(sent: list[Arrival], data: st.DataObject) -> None:
    """Ingest and an import take turns: each may have changed what the other has cached."""
    with fresh_journal() as straight, fresh_journal() as first, closing(Journal(first.path)) as second:
        for one in sent:
            writers = data.draw(st.lists(st.sampled_from([first, second]), min_size=1, max_size=3))
            receipts = [writer.append([one])[0] for writer in writers]
            assert receipts[0] == straight.append([one])[0]
            assert {receipt.stored for receipt in receipts[1:]} <= {0}
        assert contents(first.path) == contents(straight.path)
        assert problems_of(first) == []


@settings(max_examples=80, deadline=None)
@given(batches(), st.data())
def test_write_that_fails_at_any_point_leaves_nothing_behind(sent: list[Arrival], data: st.DataObject) -> None:
    """SQLite is interrupted in the middle of a group; then the group is sent again."""
    with fresh_journal() as straight, fresh_journal() as troubled:
        rest = list(sent)
        while rest:
            group = rest[: data.draw(st.integers(1, 4))]
            del rest[: len(group)]
            before = contents(troubled.path)
            troubled._connection.set_progress_handler(lambda: 1, data.draw(st.integers(10, 150)))
            try:
                receipts = troubled.append(group)
            except StoreUnavailable:
                assert contents(troubled.path) == before
                troubled._connection.set_progress_handler(None, 0)
                receipts = troubled.append(group)
            assert receipts == straight.append(group)
        assert contents(troubled.path) == contents(straight.path)


def test_journal_notices_what_another_process_has_written(journal: Journal) -> None:
    journal.append([arrival(entry(1), span=Span(0, 10))])
    with closing(Journal(journal.path)) as other:
        other.append([arrival(entry(2), span=Span(10, 20))])
    assert journal.append([arrival(entry(1), entry(2), entry(3), span=Span(0, 30))])[0] == (1, 2, 3, 0)
    assert totals_of(journal) == (3, 0)
    assert coverage_of(journal) == [Span(0, 30)]


def test_batch_sent_twice_is_stored_once(journal: Journal) -> None:
    sent = arrival(entry(1), entry(2), leaving(3))
    assert journal.append([sent])[0] == (3, 0, 3, 0)
    assert journal.append([sent])[0] == (0, 3, 3, 0)
    assert journal.append([sent, sent])[1] == (0, 3, 3, 0)
    assert totals_of(journal) == (2, 1)


def test_resend_that_has_grown_adds_only_what_is_new(journal: Journal) -> None:
    """A counter that got no answer sends its whole queue, old and new."""
    for last in range(1, 30):
        receipt = journal.append([arrival(*(entry(seq) for seq in range(1, last + 1)))])[0]
        assert receipt == (1, last - 1, last, 0)
    assert totals_of(journal) == (29, 0)


def test_same_seq_of_another_stream_or_counter_is_another_crossing(journal: Journal) -> None:
    journal.append([arrival(entry(1)), arrival(entry(1), stream="other"), arrival(entry(1), counter="ALLI2")])
    assert totals_of(journal) == (3, 0)


def test_through_of_a_heartbeat_is_the_last_seq_of_its_stream(journal: Journal) -> None:
    assert journal.append([arrival()])[0].through == -1
    journal.append([arrival(entry(6), entry(7))])
    assert journal.append([arrival()])[0].through == 7
    assert journal.append([arrival(stream="other")])[0].through == -1


@pytest.mark.parametrize("other", [leaving(1), entry(1, START_MS + 1), Count(1, START_MS, 2, 0)])
def test_crossing_that_comes_again_with_other_content_is_a_conflict_and_the_first_stays(
    journal: Journal, other: Count
) -> None:
    journal.append([arrival(entry(1), entry(2))])
    before = quarters_of(journal)
    assert journal.append([arrival(other, entry(2), entry(3))])[0] == (1, 2, 3, 1)
    assert journal.append([arrival(other)])[0] == (0, 1, 1, 1)
    assert quarters_of(journal) == [before[0]._replace(entries=3)]
    assert state_of(journal).conflicts == 2
    assert problems_of(journal) == []


def test_undated_crossing_counts_at_the_time_of_receipt(journal: Journal) -> None:
    journal.append([arrival(entry(1, None), received_ms=START_MS + QUARTER_MS)])
    assert quarters_of(journal) == [Quarter("ALLI1", START_MS + QUARTER_MS, 1, 0, 0)]
    assert state_of(journal).undated == 1
    assert state_of(journal).crossing_epoch_ms is None


def test_undated_crossing_sent_again_later_is_neither_stored_twice_nor_moved(journal: Journal) -> None:
    journal.append([arrival(entry(1, None))])
    receipt = journal.append([arrival(entry(1, None), received_ms=START_MS + QUARTER_MS)])[0]
    assert receipt == (0, 1, 1, 0)
    assert quarters_of(journal) == [Quarter("ALLI1", START_MS, 1, 0, 0)]


@pytest.mark.parametrize(("first", "second"), [(None, START_MS + 5), (START_MS + 5, None)])
def test_unknown_time_on_one_side_is_no_conflict(journal: Journal, first: int | None, second: int | None) -> None:
    journal.append([arrival(entry(1, first))])
    assert journal.append([arrival(entry(1, second))])[0] == (0, 1, 1, 0)
    assert journal.append([arrival(leaving(1, second))])[0].conflicts == 1


small_spans = st.tuples(st.integers(0, 14), st.integers(0, 5)).map(lambda pair: Span(pair[0], pair[0] + pair[1]))


@settings(max_examples=150, deadline=None)
@given(st.lists(small_spans, min_size=1, max_size=12))
@example([Span(0, 5), Span(5, 10)])
@example([Span(5, 10), Span(0, 5)])
def test_coverage_is_the_union_of_the_spans(spans: list[Span]) -> None:
    """Compared with a row of cells: each run of covered cells is one span, and there are no other spans."""
    cells = [any(span.from_epoch_ms <= cell < span.to_epoch_ms for span in spans) for cell in range(-1, 21)]
    union: list[Span] = []
    for number in range(1, len(cells)):
        if cells[number] and not cells[number - 1]:
            union.append(Span(number - 1, number))
        elif cells[number]:
            union[-1] = Span(union[-1].from_epoch_ms, number)
    with fresh_journal() as journal:
        for span in spans:
            journal.append([arrival(span=span)])
        assert coverage_of(journal) == union


def test_span_without_length_covers_nothing(journal: Journal) -> None:
    journal.append([arrival(span=Span(START_MS, START_MS))])
    assert quarters_of(journal) == []
    assert state_of(journal).covered_to_epoch_ms is None


def test_spans_of_two_counters_never_merge(journal: Journal) -> None:
    journal.append([arrival(span=Span(0, 10)), arrival(span=Span(5, 20), counter="ALLI2")])
    assert coverage_of(journal, "ALLI1") == [Span(0, 10)]
    assert coverage_of(journal, "ALLI2") == [Span(5, 20)]


def test_skipped_seqs_are_lost_until_they_arrive(journal: Journal) -> None:
    journal.append([arrival(entry(10), entry(11))])
    assert state_of(journal).lost == 0, "no seq is lost where a stream begins"
    journal.append([arrival(entry(15))])
    assert state_of(journal).lost == 3
    journal.append([arrival(entry(13))])
    assert state_of(journal).lost == 2
    journal.append([arrival(*(entry(seq) for seq in range(10, 16)))])
    assert state_of(journal).lost == 0


def test_losses_of_all_streams_of_a_counter_add_up(journal: Journal) -> None:
    journal.append([arrival(entry(1), entry(3)), arrival(entry(1), entry(5), stream="other")])
    assert state_of(journal).lost == 4


def test_status_stays_until_the_next_one(journal: Journal) -> None:
    journal.append([arrival(status=b'{"queued":2}')])
    journal.append([arrival(received_ms=START_MS + 1)])
    assert state_of(journal).status == {"queued": 2}
    journal.append([arrival(status=b'{"queued":0}')])
    assert state_of(journal).status == {"queued": 0}


def test_state_has_the_latest_receipt_crossing_and_span(journal: Journal) -> None:
    journal.append([arrival(entry(2, START_MS + 9), span=Span(0, START_MS + 10), received_ms=START_MS + 20)])
    journal.append([arrival(entry(1, START_MS + 1), span=Span(0, 5), received_ms=START_MS + 15)])
    assert state_of(journal) == CounterState("ALLI1", START_MS + 20, START_MS + 9, START_MS + 10)


def test_commit_returns_only_after_its_fsync(journal: Journal) -> None:
    """SQLite guarantees it for write-ahead logging with synchronous=FULL: https://www.sqlite.org/pragma.html."""
    execute = journal._connection.execute
    assert execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert execute("PRAGMA synchronous").fetchone() == (2,)


def test_journal_opened_again_has_its_counts(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    for expected in ((1, 0, 1, 0), (0, 1, 1, 0)):
        with closing(Journal(path)) as journal:
            assert journal.append([arrival(entry(1))])[0] == expected


def test_journal_of_schema_3_is_migrated_and_keeps_every_row(tmp_path: Path) -> None:
    path = old_journal(tmp_path / "journal.sqlite", schema=3)
    before = [row[1:] for row in contents(path)]
    with closing(Journal(path)) as journal:
        assert sorted(map(str, (row[1:] for row in contents(path)))) == sorted(map(str, before))
        assert state_of(journal) == CounterState(
            "ALLI1", START_MS + 5, START_MS + 4, START_MS + 3 * QUARTER_MS, conflicts=1, status={"queued": 2}
        )
        assert totals_of(journal) == (6, 3)
        assert problems_of(journal) == []
        assert journal.append([arrival(entry(1), entry(3, START_MS + 1))])[0] == (1, 1, 3, 1)
        assert totals_of(journal) == (6, 3)
        assert problems_of(journal) == []
