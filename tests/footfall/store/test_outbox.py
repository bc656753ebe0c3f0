"""The outbox tells all that the journal has, as points that are the same each time, in an order to be trusted."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall.errors import StoreUnavailable
from footfall.model import QUARTER_MS, Arrival, Span
from footfall.store import outbox as outboxes
from footfall.store.historical_counts import HALF_HOUR_MS, HalfHour, keep_history
from footfall.store.journal import Journal
from footfall.store.journal_reader import JournalReader
from footfall.store.outbox import Cursor, Fingerprint, Outbox, set_forwarding
from footfall.store.points import NS_PER_MS, Point, union_ms
from tests.footfall.store.test_journal import batches
from tests.support.journals import START_MS, arrival, contents, coverage_of, entry, fresh_journal, leaving, quarters_of

START = Cursor()
SITES = {"ALLI1": "alliance", "ALLI2": "alliance"}


@contextmanager
def forwarded() -> Iterator[Journal]:
    """Give a new journal that is forwarded."""
    with fresh_journal() as journal:
        set_forwarding(journal.path, is_on=True, now_epoch_ms=START_MS)
        yield journal


@pytest.fixture
def journal() -> Iterator[Journal]:
    with forwarded() as opened:
        yield opened


def told(
    journal: Journal, place: Cursor = START, most: int = 5000, sites: dict[str, str] = SITES
) -> tuple[list[Point], Cursor]:
    """Return every point after *place*, *most* rows at a time, and the place that is reached."""
    points: list[Point] = []
    with closing(Outbox(journal.path)) as outbox:
        high_water_mark = outbox.high_water_mark(sites)
        while chunk := outbox.next_chunk(place, high_water_mark, most):
            points += chunk.points
            place = chunk.place
    return points, place


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
def test_points_tell_all_that_the_journal_has_and_each_instant_once(sent: list[Arrival], data: st.DataObject) -> None:
    """Whenever forwarding began, however batches were grouped, and however many rows are read at a time."""
    begins = data.draw(st.integers(0, len(sent)))
    with fresh_journal() as journal:
        for number, one in enumerate(sent):
            if number == begins:
                set_forwarding(journal.path, is_on=True, now_epoch_ms=START_MS)
            journal.append([one])
        set_forwarding(journal.path, is_on=True, now_epoch_ms=START_MS)
        points, _ = told(journal, most=data.draw(st.integers(1, 7)))
        kept = {(one.counter, one.start_epoch_ms): (one.entries, one.exits) for one in quarters_of(journal)}
        assert sums_of_points(points) == {key: sums for key, sums in kept.items() if sums != (0, 0)}
        for counter in SITES:
            pieces, covered = spans_of(points, counter), coverage_of(journal, counter)
            assert sum(end - start for start, end in pieces) == union_ms(pieces) == union_ms(covered)
            assert union_ms(sorted([*pieces, *covered])) == union_ms(covered)
        assert told(journal)[0] == points
        assert len({(point.measurement, point.tags, point.time_ns) for point in points}) == len(points)


@settings(max_examples=40, deadline=None)
@given(batches())
def test_last_points_of_counters_and_streams_are_the_sightings(sent: list[Arrival]) -> None:
    with forwarded() as journal, closing(JournalReader(journal.path)) as reader:
        for one in sent:
            journal.append([one])
        points, _ = told(journal)
        for counter, sighting in reader.counter_states(list(SITES)).items():
            mine = [point for point in points if dict(point.tags).get("counter") == counter]
            last = {dict(point.tags)["stream"]: point.fields for point in of("streams", mine)}
            lost = sum(
                int(one["last_seq"]) - int(one["first_seq"]) + 1 - int(one["kept"]) for one in last.values()
            )  # fmt: skip
            assert (lost, sum(int(one["conflicts"]) for one in last.values())) == (sighting.lost, sighting.conflicts)
            received = [point.time_ns // NS_PER_MS for point in of("status", mine)]
            assert max(received, default=None) == sighting.received_epoch_ms


def test_journal_that_is_not_forwarded_has_no_outbox(tmp_path: Path) -> None:
    with closing(Journal(tmp_path / "journal.sqlite")) as journal:
        journal.append([arrival(entry(1), span=Span(START_MS, START_MS + 9))])
        assert not [row for row in contents(journal.path) if row[0] in ("outbox", "forwarding", "placement")]


def test_journal_of_before_forwarding_is_brought_up_to_date_and_told_whole(tmp_path: Path) -> None:
    """Schema 1, as the release before wrote it."""
    path = tmp_path / "journal.sqlite"
    with closing(Journal(path)) as journal:
        journal.append([arrival(entry(1), entry(2), span=Span(START_MS, START_MS + 3 * QUARTER_MS))])
    with closing(sqlite3.connect(path)) as connection:
        for table in ("forwarding", "outbox", "placement"):
            connection.execute(f"DROP TABLE {table}")
        for table in [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE name GLOB 'prun*'")]:
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    set_forwarding(path, is_on=True, now_epoch_ms=START_MS)
    with closing(Journal(path)) as journal:
        points, _ = told(journal)
    assert (len(of("crossings", points)), len(of("spans", points))) == (2, 3)


def test_report_receipt_and_latest_crossing_go_into_status(journal: Journal) -> None:
    journal.append([arrival(entry(1), entry(2, START_MS + 5), status=b'{"firmware":"1.0","queued":2}')])
    journal.append([arrival(entry(2, START_MS + 5), received_ms=START_MS + 60_000)])
    first, second = of("status", told(journal)[0])
    assert first.fields == {"firmware": "1.0", "queued": 2, "stored": 2, "duplicates": 0, "crossing_ms": START_MS + 5}
    assert second.fields == {"stored": 0, "duplicates": 1, "crossing_ms": START_MS + 5}
    assert second.time_ns == (START_MS + 60_000) * NS_PER_MS + 2


def test_two_batches_of_one_millisecond_have_two_points(journal: Journal) -> None:
    journal.append([arrival(entry(1)), arrival(entry(2))])
    assert len({point.time_ns for point in of("status", told(journal)[0])}) == 2


def test_figures_of_a_stream_are_those_of_then(journal: Journal) -> None:
    """A point that is told late must not say what was only known later."""
    journal.append([arrival(entry(1)), arrival(entry(5)), arrival(leaving(1)), arrival(entry(6, None))])
    figures = [tuple(point.fields.values()) for point in of("streams", told(journal)[0])]
    assert figures == [(1, 1, 1, 0, 0), (1, 5, 2, 0, 0), (1, 5, 2, 0, 1), (1, 6, 3, 1, 1)]


def test_crossing_without_a_time_says_so(journal: Journal) -> None:
    journal.append([arrival(entry(7, None), received_ms=START_MS + 3)])
    (point,) = of("crossings", told(journal)[0])
    assert point.fields == {"entries": 1, "exits": 0, "undated": "9f3c2a1b/7"}
    assert point.time_ns == (START_MS + 3) * NS_PER_MS + 7


def test_history_is_told_as_tallies_that_say_nothing_of_the_counter(journal: Journal) -> None:
    halves = [HalfHour("ALLI1", START_MS + number * HALF_HOUR_MS, 5, 3) for number in (0, 2)]
    keep_history(journal, halves, source="import", received_epoch_ms=START_MS)
    points, _ = told(journal)
    assert [tuple(point.fields.values()) for point in of("crossings", points)] == [(5, 3), (5, 3)]
    assert len(of("spans", points)) == 4
    assert not of("status", points) + of("streams", points)


def test_crossings_of_half_hours_that_history_told_are_not_told(journal: Journal) -> None:
    keep_history(journal, [HalfHour("ALLI1", START_MS, 5, 3)], source="import", received_epoch_ms=START_MS)
    journal.append([arrival(entry(1, START_MS + 5))])
    assert [point.fields["entries"] for point in of("crossings", told(journal)[0])] == [5]


def test_rows_that_wait_are_counted_from_the_place_and_the_oldest_has_an_age(journal: Journal) -> None:
    journal.append([arrival(entry(1), received_ms=START_MS)])
    _, place = told(journal)
    journal.append([arrival(entry(2), entry(3), received_ms=START_MS + 10_000)])
    with closing(Outbox(journal.path)) as outbox:
        assert outbox.waiting(place, START_MS + 25_000) == (3, 15)
        assert outbox.waiting(told(journal)[1], START_MS + 25_000) == (0, 0)


def test_no_span_is_told_before_the_crossings_in_it(journal: Journal) -> None:
    """Also while counters go on: what came after the high_water_mark waits for the next."""
    with closing(Outbox(journal.path)) as outbox:
        known: set[int] = set()
        place, seq = Cursor(), 0
        for _ in range(6):
            high_water_mark = outbox.high_water_mark(SITES)
            while chunk := outbox.next_chunk(place, high_water_mark, 2):
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
                place = chunk.place
            journal.append([arrival(entry(1000 + seq, START_MS - 1))])
    assert len(known) > 9


def test_moved_counter_keeps_its_old_site_for_what_it_counted_there(journal: Journal) -> None:
    """Told again later, by one that knows only the new registry, the points are the same."""
    journal.append([arrival(entry(1), span=Span(START_MS, START_MS + 9))])
    before, place = told(journal)
    moved = SITES | {"ALLI1": "annex"}
    told(journal, place, sites=moved)
    journal.append([arrival(entry(2), span=Span(START_MS + 9, START_MS + 20))])
    after, _ = told(journal, place, sites=moved)
    assert {dict(point.tags)["site"] for point in before} == {"alliance"}
    assert {dict(point.tags)["site"] for point in after} == {"annex"}
    assert sorted(told(journal, sites=moved)[0]) == sorted(before + after)


def test_removed_counter_keeps_its_site(journal: Journal) -> None:
    journal.append([arrival(entry(1))])
    told(journal)
    journal.append([arrival(entry(2))])
    assert {dict(point.tags)["site"] for point in told(journal, sites={})[0]} == {"alliance"}


def test_counter_that_nobody_registered_has_no_site_until_it_is(journal: Journal) -> None:
    journal.append([arrival(entry(1))])
    first, _ = told(journal, sites={})
    assert ["site" in dict(point.tags) for point in of("crossings", first)] == [False]
    told(journal)
    journal.append([arrival(entry(2))])
    assert ["site" in dict(point.tags) for point in of("crossings", told(journal)[0])] == [False, True]


def test_row_at_the_place_is_known_again_and_another_is_not(journal: Journal, tmp_path: Path) -> None:
    journal.append([arrival(entry(1), span=Span(START_MS, START_MS + 9))])
    with closing(Outbox(journal.path)) as outbox:
        assert outbox.is_known(Cursor(), Fingerprint())
        high_water_mark = outbox.high_water_mark(SITES)
        place, marks = Cursor(), []
        while chunk := outbox.next_chunk(place, high_water_mark, 10):
            place = chunk.place
            marks.append(chunk.mark)
        assert outbox.is_known(place, marks[-1])
        assert not outbox.is_known(Cursor(place.crossing + 1, place.outbox), marks[-1])
    with forwarded() as other:
        other.append([arrival(entry(2), span=Span(START_MS, START_MS + 9))])
        with closing(Outbox(other.path)) as outbox:
            assert not outbox.is_known(place, marks[-1])


def test_told_rows_are_deleted_once_they_are_many_but_for_the_last(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outboxes, "MOST_KEPT", 10)
    journal.append([arrival(entry(seq), span=Span(START_MS + seq, START_MS + seq + 1)) for seq in range(8)])
    _, place = told(journal)
    with closing(Outbox(journal.path)) as outbox:
        outbox.trim(place)
        assert len(rows_of(journal)) == 8
        journal.append([arrival(entry(seq), span=Span(START_MS + seq, START_MS + seq + 1)) for seq in range(8, 20)])
        _, place = told(journal, place)
        outbox.trim(place)
        assert rows_of(journal) == [place.outbox]
        journal.append([arrival(entry(99))])
        assert rows_of(journal) == [place.outbox, place.outbox + 1]


def test_told_rows_are_deleted_some_at_a_time(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting millions in one transaction would keep ingest from its journal for longer than counters are let wait."""
    monkeypatch.setattr(outboxes, "MOST_KEPT", 10)
    monkeypatch.setattr(outboxes, "MOST_TRIMMED", 6)
    journal.append([arrival(entry(seq), span=Span(START_MS + seq, START_MS + seq + 1)) for seq in range(30)])
    _, place = told(journal)
    left = []
    with closing(Outbox(journal.path)) as outbox:
        for _ in range(6):
            outbox.trim(place)
            left.append(len(rows_of(journal)))
    assert left == [24, 18, 12, 6, 6, 6]


def rows_of(journal: Journal) -> list[int]:
    return [int(str(row[1])) for row in contents(journal.path) if row[0] == "outbox"]


def test_what_was_deleted_is_told_again_from_what_the_journal_keeps(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Crossings and coverage whole, the last report, each stream as it is: no instant twice."""
    monkeypatch.setattr(outboxes, "MOST_KEPT", 2)
    journal.append([arrival(entry(seq), span=Span(START_MS + seq, START_MS + seq + 1)) for seq in range(9)])
    journal.append([arrival(span=Span(START_MS + 10**8, START_MS + 3 * 10**8), status=b'{"queued":7}')])
    first, place = told(journal)
    journal.append([arrival(entry(50), span=Span(START_MS + 9, START_MS + 12))])
    with closing(Outbox(journal.path)) as outbox:
        outbox.trim(place)
        outbox.tell_again(START_MS)
        again, _ = told(journal)
        pieces = spans_of(again, "ALLI1")
        assert sum(end - start for start, end in pieces) == union_ms(pieces) == union_ms(coverage_of(journal))
        assert set(map(repr, of("crossings", first))) < set(map(repr, of("crossings", again)))
        assert {"queued": 7, "stored": 0, "duplicates": 0, "crossing_ms": START_MS} in [
            point.fields for point in of("status", again)
        ]
        outbox.tell_again(START_MS)
        assert spans_of(told(journal)[0], "ALLI1") == pieces


def test_nothing_is_made_anew_while_nothing_was_deleted(journal: Journal) -> None:
    journal.append([arrival(entry(1), span=Span(START_MS, START_MS + 9))])
    before = contents(journal.path)
    with closing(Outbox(journal.path)) as outbox:
        outbox.tell_again(START_MS)
    assert contents(journal.path) == before


def test_forwarding_that_ends_empties_the_outbox_and_may_begin_again(journal: Journal) -> None:
    for seq in range(3):
        journal.append([arrival(entry(seq), span=Span(START_MS + seq, START_MS + seq + 1))])
    set_forwarding(journal.path, is_on=False, now_epoch_ms=START_MS)
    assert rows_of(journal) == [3]
    journal.append([arrival(entry(5), span=Span(START_MS + 5, START_MS + 6))])
    assert rows_of(journal) == [3]
    set_forwarding(journal.path, is_on=True, now_epoch_ms=START_MS)
    points, _ = told(journal)
    assert len(of("crossings", points)) == 4
    assert union_ms(spans_of(points, "ALLI1")) == union_ms(coverage_of(journal)) == 4
    assert len(spans_of(points, "ALLI1")) == 2


def test_span_of_years_is_told_piece_by_piece_in_little_memory(journal: Journal) -> None:
    journal.append([arrival(span=Span(START_MS - 40_000 * QUARTER_MS, START_MS))])
    with closing(Outbox(journal.path)) as outbox:
        chunk = outbox.next_chunk(Cursor(), outbox.high_water_mark(SITES), 10)
        assert chunk is not None
        assert isinstance(chunk.points, Iterator)
        assert sum(1 for point in chunk.points if point.measurement == "spans") == 40_000


def become_99(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


def breakages() -> list[tuple[str, Callable[[Path], object]]]:
    return [
        ("there is no journal", lambda path: path.unlink()),
        ("a newer Footfall: schema 99", become_99),
        ("not a database", lambda path: path.write_bytes(b"no journal" * 1000)),
    ]


@pytest.mark.parametrize(("told_so", "break_it"), breakages(), ids=[told_so for told_so, _ in breakages()])
def test_journal_that_cannot_be_read_is_unavailable(
    tmp_path: Path, told_so: str, break_it: Callable[[Path], object]
) -> None:
    path = tmp_path / "journal.sqlite"
    Journal(path).close()
    break_it(path)
    with pytest.raises(StoreUnavailable, match=told_so):
        Outbox(path)
    assert path.exists() == (told_so != "there is no journal")
