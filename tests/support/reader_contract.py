"""The contract of every Reader, whichever store it reads.

A test module derives from ReaderContract and provides two fixtures: ``keep`` stores arrivals, ``reader`` reads them.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from footfall.model import QUARTER_MS, Arrival, CounterState, Quarter, Span, from_epoch_ms
from footfall.store.reader import Reader
from tests.support.journals import START_MS, arrival, entry, leaving, sums_of

Keep = Callable[..., None]
"""Stores the arrivals it is given, in their order."""

MINUTE_MS = 60_000
LONG_AGO, LONG_AFTER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def at(quarters: float) -> datetime:
    """Return the instant that many quarter hours after START_MS."""
    return from_epoch_ms(START_MS + int(quarters * QUARTER_MS))


def span(first: float, last: float) -> Span:
    """Return the span between two numbers of quarter hours after START_MS."""
    return Span(START_MS + int(first * QUARTER_MS), START_MS + int(last * QUARTER_MS))


class ReaderContract:
    """The tests. Each has a store of its own."""

    def test_empty_store_has_no_answers(self, reader: Reader) -> None:
        assert reader.quarters(["ALLI1"], LONG_AGO, LONG_AFTER) == []
        assert reader.covered_to(["ALLI1"]) == {}
        assert reader.counter_states(["ALLI1"]) == {"ALLI1": CounterState("ALLI1")}

    def test_quarters_sum_crossings_by_counter_and_quarter_hour_in_order(self, reader: Reader, keep: Keep) -> None:
        keep(
            arrival(entry(1, START_MS), counter="ALLI2"),
            arrival(entry(1, START_MS + QUARTER_MS), leaving(2, START_MS + QUARTER_MS + 5), span=span(0.5, 1.5)),
            arrival(entry(3, START_MS + QUARTER_MS - 1)),
        )
        assert reader.quarters(["ALLI2", "ALLI1"], at(0), at(2)) == [
            Quarter("ALLI1", START_MS, 1, 0, QUARTER_MS // 2),
            Quarter("ALLI1", START_MS + QUARTER_MS, 1, 1, QUARTER_MS // 2),
            Quarter("ALLI2", START_MS, 1, 0, 0),
        ]

    def test_quarters_sum_to_the_crossings(self, reader: Reader, keep: Keep) -> None:
        chance = random.Random(7)
        moments = [START_MS + chance.randrange(5 * QUARTER_MS) for _ in range(400)]
        counts = {
            name: [chance.choice((entry, leaving))(seq, at_ms) for seq, at_ms in enumerate(moments[first::2])]
            for first, name in enumerate(("ALLI1", "ALLI2"))
        }
        keep(*(arrival(*several, counter=name) for name, several in counts.items()))
        quarters = reader.quarters(list(counts), LONG_AGO, LONG_AFTER)
        assert {(one.counter, one.start_epoch_ms): (one.entries, one.exits) for one in quarters} == sums_of(counts)

    def test_window_is_half_open(self, reader: Reader, keep: Keep) -> None:
        keep(arrival(*(entry(number, START_MS + number * QUARTER_MS) for number in range(4)), span=span(0, 4)))
        assert [one.start_epoch_ms for one in reader.quarters(["ALLI1"], at(1), at(3))] == [
            START_MS + QUARTER_MS,
            START_MS + 2 * QUARTER_MS,
        ]
        assert reader.quarters(["ALLI1"], at(1), at(1)) == []

    def test_window_may_end_now_in_the_middle_of_a_quarter(self, reader: Reader, keep: Keep) -> None:
        keep(arrival(entry(1, START_MS + 1), span=span(0, 1)))
        assert reader.quarters(["ALLI1"], at(0), at(0.2)) == [Quarter("ALLI1", START_MS, 1, 0, QUARTER_MS // 5)]

    def test_coverage_is_cut_at_the_window_and_at_quarters(self, reader: Reader, keep: Keep) -> None:
        keep(arrival(span=span(-50, 50)))
        quarters = reader.quarters(["ALLI1"], at(1), at(3.5))
        assert [one.covered_ms for one in quarters] == [QUARTER_MS, QUARTER_MS, QUARTER_MS // 2]
        assert [one.start_epoch_ms for one in quarters] == [START_MS + number * QUARTER_MS for number in (1, 2, 3)]

    def test_overlapping_spans_count_once(self, reader: Reader, keep: Keep) -> None:
        keep(arrival(span=span(0, 0.5)), arrival(span=span(0.25, 0.75)), arrival(span=span(0, 0.5)))
        assert [one.covered_ms for one in reader.quarters(["ALLI1"], at(0), at(1))] == [QUARTER_MS * 3 // 4]

    def test_several_spans_of_one_quarter_add_up(self, reader: Reader, keep: Keep) -> None:
        keep(*(arrival(span=Span(START_MS + n * MINUTE_MS, START_MS + n * MINUTE_MS + 1000)) for n in range(0, 15, 2)))
        assert [one.covered_ms for one in reader.quarters(["ALLI1"], at(0), at(1))] == [8000]

    def test_spans_outside_the_window_add_nothing(self, reader: Reader, keep: Keep) -> None:
        keep(arrival(span=span(-3, 0)), arrival(span=span(2, 3)))
        assert reader.quarters(["ALLI1"], at(0), at(2)) == []

    def test_unknown_counters_add_nothing(self, reader: Reader, keep: Keep) -> None:
        keep(arrival(entry(1), span=span(0, 1)))
        asked = ["NOBODY", "ALLI1", "no'body\"", ""]
        assert {one.counter for one in reader.quarters(asked, at(0), at(1))} == {"ALLI1"}
        assert set(reader.covered_to(asked)) == {"ALLI1"}
        assert reader.counter_states(["NOBODY"]) == {"NOBODY": CounterState("NOBODY")}

    def test_counters_not_asked_for_are_left_out(self, reader: Reader, keep: Keep) -> None:
        keep(arrival(entry(1), span=span(0, 1)), arrival(entry(1), span=span(0, 1), counter="ALLI2"))
        assert {one.counter for one in reader.quarters(["ALLI2"], at(0), at(1))} == {"ALLI2"}
        assert reader.quarters([], at(0), at(1)) == []
        assert set(reader.covered_to(["ALLI2"])) == {"ALLI2"}
        assert set(reader.counter_states(["ALLI2"])) == {"ALLI2"}

    def test_totals_are_the_quarters_of_all_counters_together(self, reader: Reader, keep: Keep) -> None:
        """With random crossings, and spans cut by the window, within a quarter hour, over many, or none."""
        chance = random.Random(11)
        names = ["ALLI1", "ALLI2", "ALLI3"]
        for name in names:
            edges = sorted(START_MS + chance.randrange(-3 * QUARTER_MS, 12 * QUARTER_MS) for _ in range(8))
            several = [entry(seq, START_MS + chance.randrange(9 * QUARTER_MS)) for seq in range(20)]
            spans = [Span(*pair) for pair in zip(edges[::2], edges[1::2], strict=True)]
            keep(arrival(*several, counter=name), *(arrival(span=one, counter=name) for one in spans))
        for first, last in ((0, 9), (2, 5.3), (-10, 40), (3, 3)):
            sums: dict[int, list[int]] = {}
            for one in reader.quarters(names, at(first), at(last)):
                row = sums.setdefault(one.start_epoch_ms, [0, 0, 0])
                row[:] = row[0] + one.entries, row[1] + one.exits, row[2] + one.covered_ms
            expected = [Quarter("", start, *row) for start, row in sorted(sums.items())]
            assert reader.totals(names, at(first), at(last)) == expected
        assert reader.totals([], at(0), at(9)) == []

    def test_sums_are_those_of_each_counter_over_the_window(self, reader: Reader, keep: Keep) -> None:
        keep(arrival(entry(1), leaving(2), entry(3, START_MS + QUARTER_MS)), arrival(entry(1), counter="ALLI2"))
        assert reader.sums(["ALLI1", "ALLI2", "ALLI3"], at(0), at(1)) == {
            "ALLI1": (1, 1),
            "ALLI2": (1, 0),
            "ALLI3": (0, 0),
        }

    def test_covered_to_is_the_end_of_the_latest_span(self, reader: Reader, keep: Keep) -> None:
        keep(arrival(span=span(3, 4)), arrival(span=span(0, 1)), arrival(entry(1, START_MS), counter="ALLI2"))
        assert reader.covered_to(["ALLI1", "ALLI2"]) == {"ALLI1": at(4)}
        assert reader.covered_to(["ALLI1"])["ALLI1"].utcoffset() == timedelta(0)

    def test_counter_state_has_the_latest_receipt_crossing_and_report(self, reader: Reader, keep: Keep) -> None:
        keep(
            arrival(entry(1, START_MS + 7), span=span(0, 1), received_ms=START_MS + QUARTER_MS, status=b'{"queued":2}'),
            arrival(span=span(1, 2), received_ms=START_MS + 2 * QUARTER_MS),
        )
        assert reader.counter_states(["ALLI1"])["ALLI1"] == CounterState(
            "ALLI1",
            received_epoch_ms=START_MS + 2 * QUARTER_MS,
            crossing_epoch_ms=START_MS + 7,
            covered_to_epoch_ms=START_MS + 2 * QUARTER_MS,
            status={"queued": 2},
        )

    def test_counter_state_counts_lost_conflicting_and_undated_crossings(self, reader: Reader, keep: Keep) -> None:
        keep(arrival(entry(1), entry(5, None)), arrival(leaving(1)))
        state = reader.counter_states(["ALLI1"])["ALLI1"]
        assert (state.lost, state.conflicts, state.undated) == (3, 1, 1)

    def test_reader_sees_what_is_stored_later(self, reader: Reader, keep: Keep) -> None:
        batches: list[Arrival] = [arrival(entry(seq)) for seq in range(3)]
        for number, one in enumerate(batches, 1):
            keep(one)
            assert [quarter.entries for quarter in reader.quarters(["ALLI1"], at(0), at(1))] == [number]
