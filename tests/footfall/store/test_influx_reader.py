"""InfluxDB's reader keeps the contract of every Reader, on a real server that journals are forwarded to."""

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.model import QUARTER_MS, Quarter, Span, epoch_ms
from footfall.store.influx_reader import InfluxReader, _covered
from footfall.store.journal_reader import JournalReader
from footfall.store.points import NS_PER_MS
from tests.support.influx_fixtures import InfluxDatabase
from tests.support.influx_stores import NOW, ForwardedJournal, forwarded, reading, write_forwarder
from tests.support.journals import START_MS, arrival, entry, fresh_journal, leaving
from tests.support.reader_contract import Keep, ReaderContract, at, span


@pytest.fixture
def store(tmp_path: Path, influx_database: InfluxDatabase) -> Iterator[ForwardedJournal]:
    with forwarded(tmp_path / "journal.sqlite", influx_database) as one:
        yield one


@pytest.fixture
def keep(store: ForwardedJournal) -> Keep:
    return store.keep


@pytest.fixture
def reader(influx_database: InfluxDatabase) -> Iterator[InfluxReader]:
    with reading(influx_database) as one:
        yield one


class TestInfluxReader(ReaderContract):
    """The contract, over InfluxDB and its reader."""


@pytest.fixture
def other(tmp_path: Path, influx_database: InfluxDatabase) -> Iterator[ForwardedJournal]:
    """A second ingest with a journal of its own that writes to the same InfluxDB."""
    with forwarded(tmp_path / "other.sqlite", influx_database) as one:
        yield one


def test_crossing_received_by_two_ingests_counts_once(
    store: ForwardedJournal, other: ForwardedJournal, reader: InfluxReader
) -> None:
    batch = arrival(entry(1), leaving(2, START_MS + 5), span=span(0, 1))
    store.keep(batch)
    other.keep(replace(batch, received_epoch_ms=START_MS + 9))
    assert reader.quarters(["ALLI1"], at(0), at(1)) == [Quarter("ALLI1", START_MS, 1, 1, QUARTER_MS)]


def test_undated_crossing_received_by_two_ingests_counts_once_at_its_first_receipt(
    store: ForwardedJournal, other: ForwardedJournal, reader: InfluxReader
) -> None:
    for ingest, received_ms in ((other, START_MS + 2 * QUARTER_MS), (store, START_MS), (other, START_MS + 5)):
        ingest.keep(arrival(entry(1, None), leaving(2, None), received_ms=received_ms))
    assert reader.quarters(["ALLI1"], at(0), at(4)) == [Quarter("ALLI1", START_MS, 1, 1, 0)]


def test_undated_crossing_first_received_outside_the_window_counts_there(
    store: ForwardedJournal, other: ForwardedJournal, reader: InfluxReader
) -> None:
    store.keep(arrival(entry(1, None), received_ms=START_MS))
    other.keep(arrival(entry(1, None), entry(2, None), received_ms=START_MS + 9 * 24 * 4 * QUARTER_MS))
    days = [reader.quarters(["ALLI1"], at(day * 96), at((day + 1) * 96)) for day in (0, 9)]
    assert [[one.entries for one in day] for day in days] == [[1], [1]]


def test_undated_crossings_of_two_counters_and_streams_are_kept_apart(
    store: ForwardedJournal, reader: InfluxReader
) -> None:
    for number, (counter, stream) in enumerate((c, s) for c in ("ALLI1", "ALLI2") for s in ("aa", "bb")):
        store.keep(arrival(entry(1, None), counter=counter, stream=stream, received_ms=START_MS + number))
    assert [one.entries for one in reader.quarters(["ALLI1", "ALLI2"], at(0), at(1))] == [2, 2]


def test_coverage_of_several_ingests_is_their_union(
    store: ForwardedJournal, other: ForwardedJournal, reader: InfluxReader
) -> None:
    store.keep(arrival(span=span(0, 0.5)), arrival(span=span(0.75, 1)))
    other.keep(arrival(span=span(0.25, 0.5)), arrival(span=span(0.4, 0.6)), arrival(span=span(0, 0.25)))
    (quarter,) = reader.quarters(["ALLI1"], at(0), at(1))
    assert quarter.covered_ms == int(QUARTER_MS * 0.85)


def test_store_is_complete_until_the_ingest_that_lags_most(
    influx_database: InfluxDatabase, reader: InfluxReader
) -> None:
    """An ingest without a backlog is complete until its last point; a decommissioned one does not count."""
    now_ms = epoch_ms(NOW)
    assert epoch_ms(reader.complete_until()) == 0
    write_forwarder(influx_database, "decommissioned", now_ms - 49 * 3_600_000, waiting=5, lag_s=9)
    assert epoch_ms(reader.complete_until()) == 0
    write_forwarder(influx_database, "a", now_ms - 20_000, refused=3)
    assert epoch_ms(reader.complete_until()) == now_ms - 20_000
    write_forwarder(influx_database, "b", now_ms - 5_000, waiting=5, lag_s=3600)
    assert epoch_ms(reader.complete_until()) == now_ms - 5_000 - 3_601_000


def test_counter_that_moved_to_another_site_is_one_counter(store: ForwardedJournal, reader: InfluxReader) -> None:
    store.keep(arrival(entry(1), span=span(0, 0.5), received_ms=START_MS))
    store.sites = {"ALLI1": "elsewhere"}
    store.keep(arrival(entry(2, START_MS + 1), span=span(0.5, 1), received_ms=START_MS + QUARTER_MS, status=b"{}"))
    assert reader.quarters(["ALLI1"], at(0), at(1)) == [Quarter("ALLI1", START_MS, 2, 0, QUARTER_MS)]
    assert reader.covered_to(["ALLI1"]) == {"ALLI1": at(1)}
    state = reader.counter_states(["ALLI1"])["ALLI1"]
    assert (state.received_epoch_ms, state.lost) == (START_MS + QUARTER_MS, 0)


def test_crossing_resent_to_another_ingest_after_the_counter_moved_counts_once(
    store: ForwardedJournal, other: ForwardedJournal, reader: InfluxReader
) -> None:
    """The answer was lost, and the counter moved before it resent the batch: the crossing is stored at both sites."""
    store.keep(arrival(entry(1), leaving(2, START_MS + 5), span=span(0, 0.5)))
    other.sites = {"ALLI1": "elsewhere"}
    other.keep(arrival(entry(1), leaving(2, START_MS + 5), entry(3, START_MS + 5), span=span(0, 1)))
    assert reader.quarters(["ALLI1"], at(0), at(1)) == [Quarter("ALLI1", START_MS, 2, 1, QUARTER_MS)]
    assert reader.sums(["ALLI1"], at(0), at(1)) == {"ALLI1": (2, 1)}


def test_hundreds_of_counters_are_read_at_once(store: ForwardedJournal, reader: InfluxReader) -> None:
    names = [f"DOOR-{number:03}.{'x' * 40}" for number in range(300)]
    store.journal.append([arrival(entry(1), counter=name, span=span(0, 1)) for name in names])
    store.forward()
    assert [one.counter for one in reader.quarters(names, at(0), at(1))] == names
    assert len(reader.covered_to(names)) == 300
    assert {one.lost for one in reader.counter_states(names).values()} == {0}


HOSTILE = (
    "' OR '1'='1",
    "x') OR (counter = 'ALLI1",
    "a'; DROP MEASUREMENT crossings",
    "\\",
    "ALLI1\n",
    "*",
    "/.*/",
    "é",
)


@pytest.mark.parametrize("name", HOSTILE)
def test_name_never_becomes_part_of_a_query(store: ForwardedJournal, reader: InfluxReader, name: str) -> None:
    store.keep(arrival(entry(1), span=span(0, 1)))
    assert reader.quarters([name], at(0), at(1)) == []
    assert reader.covered_to([name]) == {}
    assert reader.counter_states([name])[name].received_epoch_ms is None
    assert len(reader.quarters(["ALLI1"], at(0), at(1))) == 1


def test_report_stays_until_the_next_one(store: ForwardedJournal, reader: InfluxReader) -> None:
    """A batch without a report keeps the earlier one; a new report replaces all of it."""
    batches = [b'{"queued":2,"firmware":"1.0.0"}', b'{"rssi_dbm":-70}', *[None] * 30]
    store.keep(*(arrival(status=status, received_ms=START_MS + number) for number, status in enumerate(batches)))
    assert reader.counter_states(["ALLI1"])["ALLI1"].status == {"rssi_dbm": -70}


def test_old_values_are_found(influx_database: InfluxDatabase, store: ForwardedJournal) -> None:
    """The latest values are found days, months and years later."""
    store.keep(arrival(entry(1), entry(3), span=span(0, 1), status=b'{"queued":2}'))
    for days in (1, 20, 2000):
        with reading(influx_database, lambda later=NOW + timedelta(days=days): later) as reader:  # type: ignore[misc]
            assert reader.covered_to(["ALLI1"]) == {"ALLI1": at(1)}
            state = reader.counter_states(["ALLI1"])["ALLI1"]
            assert (state.received_epoch_ms, state.crossing_epoch_ms, state.lost) == (START_MS, START_MS, 1)
            assert state.status == {"queued": 2}


class TestSeveralIngests:
    """While one ingest lags, a span that another wrote is not complete."""

    def delay_first(self, store: ForwardedJournal, other: ForwardedJournal) -> None:
        """Let *store* hold back an older batch, which a newer one of *other* overtakes."""
        store.journal.append([arrival(entry(1), span=span(0, 1), received_ms=START_MS + QUARTER_MS)])
        other.keep(arrival(entry(2, START_MS + QUARTER_MS), span=span(1, 2), received_ms=START_MS + QUARTER_MS + 1000))

    def test_span_does_not_count_while_an_older_batch_waits_elsewhere(
        self, store: ForwardedJournal, other: ForwardedJournal, reader: InfluxReader, influx_database: InfluxDatabase
    ) -> None:
        self.delay_first(store, other)
        now_ms = epoch_ms(NOW)
        write_forwarder(influx_database, "b", now_ms)
        waits_s = (now_ms - START_MS - QUARTER_MS) // 1000
        write_forwarder(influx_database, "a", now_ms, waiting=2, lag_s=waits_s)
        assert reader.covered_to(["ALLI1"]) == {}
        assert reader.counter_states(["ALLI1"])["ALLI1"].covered_to_epoch_ms == START_MS + 2 * QUARTER_MS
        store.forward()
        write_forwarder(influx_database, "a", now_ms + 1000)
        assert reader.covered_to(["ALLI1"]) == {"ALLI1": at(2)}

    def test_silent_ingest_counts_until_it_is_considered_decommissioned(
        self, store: ForwardedJournal, other: ForwardedJournal, influx_database: InfluxDatabase
    ) -> None:
        self.delay_first(store, other)
        write_forwarder(influx_database, "a", START_MS)
        for days, expected in ((1, {}), (3, {"ALLI1": at(2)})):
            later = NOW + timedelta(days=days)
            write_forwarder(influx_database, "b", epoch_ms(later))
            with reading(influx_database, lambda later=later: later) as reader:  # type: ignore[misc]
                assert reader.covered_to(["ALLI1"]) == expected

    def test_single_ingest_is_complete_whatever_its_backlog(
        self, store: ForwardedJournal, reader: InfluxReader, influx_database: InfluxDatabase
    ) -> None:
        """It forwards crossings before the spans that cover them."""
        store.keep(arrival(entry(1), span=span(0, 1)))
        write_forwarder(influx_database, "a", START_MS, waiting=9, lag_s=9)
        assert reader.covered_to(["ALLI1"]) == {"ALLI1": at(1)}


def test_nothing_is_complete_while_points_are_in_quarantine(
    store: ForwardedJournal, reader: InfluxReader, influx_database: InfluxDatabase
) -> None:
    """One of them may be a crossing in a span that was written."""
    store.keep(arrival(entry(1), span=span(0, 1)))
    now_ms = epoch_ms(NOW)
    for number, (refused, expected) in enumerate(((0, {"ALLI1": at(1)}), (1, {}), (0, {"ALLI1": at(1)}))):
        write_forwarder(influx_database, "a", now_ms + number, refused=refused)
        assert reader.covered_to(["ALLI1"]) == expected


def test_several_journals_give_the_same_sums_as_one(influx_database: InfluxDatabase, tmp_path: Path) -> None:
    """Batches reach one ingest, the other or both, in any order and any number of times."""
    chance = random.Random(11)
    batches = [
        arrival(
            *(chance.choice((entry, leaving))(seq, START_MS + seq * 30_000 + chance.randrange(30_000))
              for seq in range(first, first + 5)),
            span=Span(START_MS + first * 30_000, START_MS + (first + 5) * 30_000), counter=counter,
        )
        for counter in ("ALLI1", "ALLI2") for first in range(0, 200, 5)
    ]  # fmt: skip
    with fresh_journal() as journal:
        journal.append(batches)
        with closing(JournalReader(journal.path)) as truth:
            expected = truth.quarters(["ALLI1", "ALLI2"], at(0), at(100))
    with (
        forwarded(tmp_path / "a.sqlite", influx_database) as a,
        forwarded(tmp_path / "b.sqlite", influx_database) as b,
        reading(influx_database) as reader,
    ):
        for one in chance.sample(batches, len(batches)):
            for ingest in chance.choice(([a], [b], [a, b], [b, a, a])):
                ingest.journal.append([one])
            chance.choice((a, b)).forward()
        a.forward()
        b.forward()
        assert reader.quarters(["ALLI1", "ALLI2"], at(0), at(100)) == expected
    assert sum(one.entries + one.exits for one in expected) == 400


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=1, max_size=12), st.integers(1, 25))
def test_covered_time_is_the_union_of_the_pieces(pieces: list[tuple[int, int]], end: int) -> None:
    """Compared instant by instant: those in at least one piece and before the end."""
    rows = sorted((start * NS_PER_MS + length, length) for start, length in pieces if start < end)
    instants = {at_ms for start, length in pieces for at_ms in range(start, start + length) if at_ms < end}
    assert dict(_covered(rows, end)) == ({0: len(instants)} if instants else {})
