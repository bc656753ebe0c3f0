"""The outbox yields everything in the journal, as the same points each time, in a safe order."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall.errors import StoreUnavailable
from footfall.model import QUARTER_MS, Arrival, Span
from footfall.store import outbox as outboxes
from footfall.store.historical_counts import HALF_HOUR_MS, ImportedHalfHour, append_half_hours
from footfall.store.journal import Journal
from footfall.store.journal_reader import JournalReader
from footfall.store.outbox import Cursor, Fingerprint, Outbox, set_forwarding
from footfall.store.points import NS_PER_MS, Point
from tests.footfall.store.test_journal import batches
from tests.support.journals import (
    START_MS,
    arrival,
    contents,
    coverage_of,
    entry,
    fresh_journal,
    leaving,
    old_journal,
    quarters_of,
)

START = Cursor()
SITES = {"ALLI1": "alliance", "ALLI2": "alliance"}


@contextmanager
def forwarded() -> Iterator[Journal]:
    """Yield a new journal whose outbox is filled."""
    with fresh_journal() as journal:
        set_forwarding(journal.path, is_on=True, now_epoch_ms=START_MS)
        yield journal


@pytest.fixture
def journal() -> Iterator[Journal]:
    with forwarded() as opened:
        yield opened


def sent_points(
    journal: Journal, cursor: Cursor = START, limit: int = 5000, sites: dict[str, str] = SITES
) -> tuple[list[Point], Cursor]:
    """Return every point after *cursor*, read *limit* rows at a time, and the cursor after them."""
    points: list[Point] = []
    with closing(Outbox(journal.path)) as outbox:
        high_water_mark = outbox.high_water_mark(sites)
        while chunk := outbox.next_chunk(cursor, high_water_mark, limit):
            points += chunk.points
            cursor = chunk.cursor
    return points, cursor


def union_ms(pieces: Sequence[Span]) -> int:
    """Return how many ms the union of *pieces*, ordered by start, covers."""
    total, reached = 0, 0
    for piece in pieces:
        total += max(0, piece.to_epoch_ms - max(piece.from_epoch_ms, reached))
        reached = max(reached, piece.to_epoch_ms)
    return total


def of(measurement: str, points: list[Point]) -> list[Point]:
    return [point for point in points if point.measurement == measurement]


def spans_of(points: list[Point], counter: str) -> list[Span]:
    found = []
    for point in of("spans", points):
        if dict(point.tags)["counter"] == counter:
            covered_ms = point.fields["covered_ms"]
            assert isinstance(covered_ms, int)
            start = point.time_ns // NS_PER_MS
            found.append(Span(start, start + covered_ms))
    return sorted(found)


def sums_of_points(points: list[Point]) -> dict[tuple[str, int], tuple[int, int]]:
    sums: dict[tuple[str, int], tuple[int, int]] = {}
    for point in of("crossings", points):
        quarter = point.time_ns // NS_PER_MS // QUARTER_MS * QUARTER_MS
        key = dict(point.tags)["counter"], quarter
        entries, exits = sums.get(key, (0, 0))
        sums[key] = entries + int(point.fields["entries"]), exits + int(point.fields["exits"])
    return sums


@settings(max_examples=40, deadline=None)
@given(batches(), st.data())
def test_points_hold_every_crossing_and_cover_each_instant_once(sent: list[Arrival], data: st.DataObject) -> None:
    """Whenever forwarding began, and however many rows are read at a time."""
    begins = data.draw(st.integers(0, len(sent)))
    with fresh_journal() as journal:
        for number, one in enumerate(sent):
            if number == begins:
                set_forwarding(journal.path, is_on=True, now_epoch_ms=START_MS)
            journal.append([one])
        set_forwarding(journal.path, is_on=True, now_epoch_ms=START_MS)
        points, _ = sent_points(journal, limit=data.draw(st.integers(1, 7)))
        kept = {(one.counter, one.start_epoch_ms): (one.entries, one.exits) for one in quarters_of(journal)}
        assert sums_of_points(points) == {key: sums for key, sums in kept.items() if sums != (0, 0)}
        for counter in SITES:
            pieces, covered = spans_of(points, counter), coverage_of(journal, counter)
            assert sum(end - start for start, end in pieces) == union_ms(pieces) == union_ms(covered)
            assert union_ms(sorted([*pieces, *covered])) == union_ms(covered)
        assert sent_points(journal)[0] == points
        assert len({(point.measurement, point.tags, point.time_ns) for point in points}) == len(points)


@settings(max_examples=40, deadline=None)
@given(batches())
def test_last_points_of_counters_and_streams_are_the_counter_states(sent: list[Arrival]) -> None:
    with forwarded() as journal, closing(JournalReader(journal.path)) as reader:
        for one in sent:
            journal.append([one])
        points, _ = sent_points(journal)
        for counter, state in reader.counter_states(list(SITES)).items():
            mine = [point for point in points if dict(point.tags).get("counter") == counter]
            last = {dict(point.tags)["stream"]: point.fields for point in of("streams", mine)}
            lost = sum(
                int(one["last_seq"]) - int(one["first_seq"]) + 1 - int(one["kept"]) for one in last.values()
            )  # fmt: skip
            assert (lost, sum(int(one["conflicts"]) for one in last.values())) == (state.lost, state.conflicts)
            received = [point.time_ns // NS_PER_MS for point in of("status", mine)]
            assert max(received, default=None) == state.received_epoch_ms


def test_journal_that_is_not_forwarded_has_no_outbox(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        journal.append([arrival(entry(1), span=Span(START_MS, START_MS + 9))])
        assert not [row for row in contents(journal.path) if row[0] in ("outbox", "forwarding", "placement")]


def test_journal_from_before_forwarding_is_migrated_and_sent_whole(tmp_path: Path) -> None:
    path = old_journal(tmp_path / "journal.sqlite", schema=1)
    set_forwarding(path, is_on=True, now_epoch_ms=START_MS)
    with closing(Journal(path)) as journal:
        points, _ = sent_points(journal)
    assert [tuple(point.fields.values()) for point in of("crossings", points)] == [(5, 3), (1, 0)]
    assert len(of("spans", points)) == 3


def test_report_receipt_and_latest_crossing_go_into_status(journal: Journal) -> None:
    journal.append([arrival(entry(1), entry(2, START_MS + 5), status=b'{"firmware":"1.0","queued":2}')])
    journal.append([arrival(entry(2, START_MS + 5), received_ms=START_MS + 60_000)])
    first, second = of("status", sent_points(journal)[0])
    assert first.fields == {"firmware": "1.0", "queued": 2, "stored": 2, "duplicates": 0, "crossing_ms": START_MS + 5}
    assert second.fields == {"stored": 0, "duplicates": 1, "crossing_ms": START_MS + 5}
    assert second.time_ns == (START_MS + 60_000) * NS_PER_MS + 2


def test_two_batches_of_one_millisecond_are_two_points(journal: Journal) -> None:
    journal.append([arrival(entry(1)), arrival(entry(2))])
    assert len({point.time_ns for point in of("status", sent_points(journal)[0])}) == 2


def test_stream_figures_are_those_after_the_batch(journal: Journal) -> None:
    """A point that is sent late has the same bytes."""
    journal.append([arrival(entry(1)), arrival(entry(5)), arrival(leaving(1)), arrival(entry(6, None))])
    figures = [tuple(point.fields.values()) for point in of("streams", sent_points(journal)[0])]
    assert figures == [(1, 1, 1, 0, 0), (1, 5, 2, 0, 0), (1, 5, 2, 0, 1), (1, 6, 3, 1, 1)]


def test_undated_crossing_carries_its_name(journal: Journal) -> None:
    journal.append([arrival(entry(7, None), received_ms=START_MS + 3)])
    (point,) = of("crossings", sent_points(journal)[0])
    assert point.fields == {"entries": 1, "exits": 0, "undated": "9f3c2a1b/7"}
    assert point.time_ns == (START_MS + 3) * NS_PER_MS + 7


def test_imported_half_hours_are_sent_without_status_and_streams(journal: Journal) -> None:
    halves = [ImportedHalfHour("ALLI1", START_MS + number * HALF_HOUR_MS, 5, 3) for number in (0, 2)]
    append_half_hours(journal, halves, source="import", received_epoch_ms=START_MS)
    points, _ = sent_points(journal)
    assert [tuple(point.fields.values()) for point in of("crossings", points)] == [(5, 3), (5, 3)]
    assert len(of("spans", points)) == 4
    assert not of("status", points) + of("streams", points)


def test_superseded_crossings_are_not_sent(journal: Journal) -> None:
    append_half_hours(journal, [ImportedHalfHour("ALLI1", START_MS, 5, 3)], source="import", received_epoch_ms=START_MS)
    journal.append([arrival(entry(1, START_MS + 5))])
    assert [point.fields["entries"] for point in of("crossings", sent_points(journal)[0])] == [5]


def test_backlog_is_the_rows_after_the_cursor_and_the_age_of_the_oldest(journal: Journal) -> None:
    journal.append([arrival(entry(1), received_ms=START_MS)])
    _, cursor = sent_points(journal)
    journal.append([arrival(entry(2), entry(3), received_ms=START_MS + 10_000)])
    with closing(Outbox(journal.path)) as outbox:
        assert outbox.backlog(cursor, START_MS + 25_000) == (3, 15)
        assert outbox.backlog(sent_points(journal)[1], START_MS + 25_000) == (0, 0)


def test_no_span_is_sent_before_the_crossings_in_it(journal: Journal) -> None:
    """Counters send meanwhile: rows after the high-water mark wait for the next mark."""
    with closing(Outbox(journal.path)) as outbox:
        known: set[int] = set()
        cursor, seq = Cursor(), 0
        for _ in range(6):
            high_water_mark = outbox.high_water_mark(SITES)
            while chunk := outbox.next_chunk(cursor, high_water_mark, 2):
                start = START_MS + seq * 1000
                counts = tuple(entry(seq + n, start + n) for n in range(3)) if seq < 30 else ()
                journal.append([arrival(*counts, span=Span(start, start + 1000))] if counts else [])
                seq += 3
                for point in chunk.points:
                    if point.measurement == "crossings":
                        known.add(point.time_ns // NS_PER_MS)
                    elif point.measurement == "spans":
                        begin = point.time_ns // NS_PER_MS
                        assert {begin, begin + 1, begin + 2} <= known
                cursor = chunk.cursor
            journal.append([arrival(entry(1000 + seq, START_MS - 1))])
    assert len(known) > 9


def test_moved_counter_keeps_its_old_site_for_what_it_counted_there(journal: Journal) -> None:
    """The points are the same when they are resent after the move."""
    journal.append([arrival(entry(1), span=Span(START_MS, START_MS + 9))])
    before, cursor = sent_points(journal)
    moved = SITES | {"ALLI1": "annex"}
    sent_points(journal, cursor, sites=moved)
    journal.append([arrival(entry(2), span=Span(START_MS + 9, START_MS + 20))])
    after, _ = sent_points(journal, cursor, sites=moved)
    assert {dict(point.tags)["site"] for point in before} == {"alliance"}
    assert {dict(point.tags)["site"] for point in after} == {"annex"}
    assert sorted(sent_points(journal, sites=moved)[0]) == sorted(before + after)


def test_removed_counter_keeps_its_site(journal: Journal) -> None:
    journal.append([arrival(entry(1))])
    sent_points(journal)
    journal.append([arrival(entry(2))])
    assert {dict(point.tags)["site"] for point in sent_points(journal, sites={})[0]} == {"alliance"}


def test_unregistered_counter_has_no_site_until_it_is_registered(journal: Journal) -> None:
    journal.append([arrival(entry(1))])
    first, _ = sent_points(journal, sites={})
    assert ["site" in dict(point.tags) for point in of("crossings", first)] == [False]
    sent_points(journal)
    journal.append([arrival(entry(2))])
    assert ["site" in dict(point.tags) for point in of("crossings", sent_points(journal)[0])] == [False, True]


def test_fingerprint_matches_its_own_journal_only(journal: Journal) -> None:
    journal.append([arrival(entry(1), span=Span(START_MS, START_MS + 9))])
    with closing(Outbox(journal.path)) as outbox:
        assert outbox.matches(Cursor(), Fingerprint())
        high_water_mark = outbox.high_water_mark(SITES)
        cursor, fingerprints = Cursor(), []
        while chunk := outbox.next_chunk(cursor, high_water_mark, 10):
            cursor = chunk.cursor
            fingerprints.append(chunk.fingerprint)
        assert outbox.matches(cursor, fingerprints[-1])
        assert not outbox.matches(Cursor(cursor.crossing + 1, cursor.outbox), fingerprints[-1])
    with forwarded() as other:
        other.append([arrival(entry(2), span=Span(START_MS, START_MS + 9))])
        with closing(Outbox(other.path)) as outbox:
            assert not outbox.matches(cursor, fingerprints[-1])


def test_sent_rows_are_trimmed_once_they_are_many_except_the_last(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outboxes, "MAX_SENT_ROWS", 10)
    journal.append([arrival(entry(seq), span=Span(START_MS + seq, START_MS + seq + 1)) for seq in range(8)])
    _, cursor = sent_points(journal)
    with closing(Outbox(journal.path)) as outbox:
        outbox.trim(cursor)
        assert len(rows_of(journal)) == 8
        journal.append([arrival(entry(seq), span=Span(START_MS + seq, START_MS + seq + 1)) for seq in range(8, 20)])
        _, cursor = sent_points(journal, cursor)
        outbox.trim(cursor)
        assert rows_of(journal) == [cursor.outbox]
        journal.append([arrival(entry(99))])
        assert rows_of(journal) == [cursor.outbox, cursor.outbox + 1]


def test_sent_rows_are_trimmed_some_at_a_time(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting millions in one transaction would lock ingest out of its journal for too long."""
    monkeypatch.setattr(outboxes, "MAX_SENT_ROWS", 10)
    monkeypatch.setattr(outboxes, "MAX_TRIMMED_ROWS", 6)
    journal.append([arrival(entry(seq), span=Span(START_MS + seq, START_MS + seq + 1)) for seq in range(30)])
    _, cursor = sent_points(journal)
    left = []
    with closing(Outbox(journal.path)) as outbox:
        for _ in range(6):
            outbox.trim(cursor)
            left.append(len(rows_of(journal)))
    assert left == [24, 18, 12, 6, 6, 6]


def rows_of(journal: Journal) -> list[int]:
    return [int(str(row[1])) for row in contents(journal.path) if row[0] == "outbox"]


def test_trimmed_rows_are_refilled_from_the_journal(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """All crossings, all coverage with no instant twice, the latest report, and each stream as it is."""
    monkeypatch.setattr(outboxes, "MAX_SENT_ROWS", 2)
    journal.append([arrival(entry(seq), span=Span(START_MS + seq, START_MS + seq + 1)) for seq in range(9)])
    journal.append([arrival(span=Span(START_MS + 10**8, START_MS + 3 * 10**8), status=b'{"queued":7}')])
    first, cursor = sent_points(journal)
    journal.append([arrival(entry(50), span=Span(START_MS + 9, START_MS + 12))])
    with closing(Outbox(journal.path)) as outbox:
        outbox.trim(cursor)
        outbox.refill(START_MS)
        resent, _ = sent_points(journal)
        pieces = spans_of(resent, "ALLI1")
        assert sum(end - start for start, end in pieces) == union_ms(pieces) == union_ms(coverage_of(journal))
        assert set(map(repr, of("crossings", first))) < set(map(repr, of("crossings", resent)))
        assert {"queued": 7, "stored": 0, "duplicates": 0, "crossing_ms": START_MS} in [
            point.fields for point in of("status", resent)
        ]
        outbox.refill(START_MS)
        assert spans_of(sent_points(journal)[0], "ALLI1") == pieces


def test_refill_without_a_trim_changes_nothing(journal: Journal) -> None:
    journal.append([arrival(entry(1), span=Span(START_MS, START_MS + 9))])
    before = contents(journal.path)
    with closing(Outbox(journal.path)) as outbox:
        outbox.refill(START_MS)
    assert contents(journal.path) == before


def test_forwarding_that_stops_empties_the_outbox_and_can_start_again(journal: Journal) -> None:
    for seq in range(3):
        journal.append([arrival(entry(seq), span=Span(START_MS + seq, START_MS + seq + 1))])
    set_forwarding(journal.path, is_on=False, now_epoch_ms=START_MS)
    assert rows_of(journal) == [3]
    journal.append([arrival(entry(5), span=Span(START_MS + 5, START_MS + 6))])
    assert rows_of(journal) == [3]
    set_forwarding(journal.path, is_on=True, now_epoch_ms=START_MS)
    points, _ = sent_points(journal)
    assert len(of("crossings", points)) == 4
    assert union_ms(spans_of(points, "ALLI1")) == union_ms(coverage_of(journal)) == 4
    assert len(spans_of(points, "ALLI1")) == 2


def test_points_of_a_long_span_are_built_one_at_a_time(journal: Journal) -> None:
    journal.append([arrival(span=Span(START_MS - 40_000 * QUARTER_MS, START_MS))])
    with closing(Outbox(journal.path)) as outbox:
        chunk = outbox.next_chunk(Cursor(), outbox.high_water_mark(SITES), 10)
        assert chunk is not None
        assert isinstance(chunk.points, Iterator)
        assert sum(1 for point in chunk.points if point.measurement == "spans") == 40_000


def set_schema_99(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def breakages() -> list[tuple[str, Callable[[Path], object]]]:
    return [
        ("there is no journal", lambda path: path.unlink()),
        ("a newer Footfall: schema 99", set_schema_99),
        ("not a database", lambda path: path.write_bytes(b"no journal" * 1000)),
    ]


@pytest.mark.parametrize(("message", "break_it"), breakages(), ids=[message for message, _ in breakages()])
def test_journal_that_cannot_be_read_is_unavailable(
    tmp_path: Path, message: str, break_it: Callable[[Path], object]
) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    break_it(path)
    with pytest.raises(StoreUnavailable, match=message):
        Outbox(path)
    assert path.exists() == (message != "there is no journal")
