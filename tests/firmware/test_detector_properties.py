"""Invariants of the detector on random edges."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tests.support.beams import Change, DrivenBeams, crossings_in

PAUSES_MS = st.one_of(st.integers(1, 20), st.integers(5, 400), st.integers(50, 12_000))
STEPS = st.lists(st.tuples(PAUSES_MS, st.sampled_from(["outer", "inner", "both"])), max_size=40)


@st.composite
def traces(draw: st.DrawFn) -> list[Change]:
    """Random edges that end with both beams clear."""
    at_us, outer, inner, found = 0, False, False, []
    for pause_ms, which in draw(STEPS):
        at_us += pause_ms * 1000
        outer ^= which != "inner"
        inner ^= which != "outer"
        found.append((at_us, outer, inner))
    found.append((at_us + 10_000, False, False))
    return found


def completed(seen: list[Change], beam: int) -> int:
    levels = [False, *(bool(change[beam]) for change in seen)]
    return sum(before and not after for before, after in pairwise(levels))


@given(traces())
def test_never_more_crossings_than_interruptions_of_both_beams(seen: list[Change]) -> None:
    """Each crossing needs its own interruption of each beam."""
    assert len(crossings_in(seen)) <= min(completed(seen, 1), completed(seen, 2))


@given(traces())
def test_beams_exchanged_exchange_entries_and_exits(seen: list[Change]) -> None:
    """The detector treats both directions alike."""
    turned = {"entry": "exit", "exit": "entry"}
    mirrored = crossings_in([(at_us, inner, outer) for at_us, outer, inner in seen])
    assert [(at_us, turned[direction]) for at_us, direction in mirrored] == crossings_in(seen)


@given(traces(), st.integers(0, (1 << 32) - 1))
def test_the_wrap_of_the_clock_changes_nothing(seen: list[Change], epoch_us: int) -> None:
    """Any shift in time, even across 2^32 microseconds, gives the same crossings to the microsecond."""
    assert crossings_in(seen, epoch_us=epoch_us) == crossings_in(seen)


@given(traces(), st.data())
def test_ticks_change_nothing(seen: list[Change], data: st.DataObject) -> None:
    """Ticks change neither the counts nor the aborted passes."""
    ticks = data.draw(st.lists(st.integers(0, seen[-1][0] + 4_000_000), max_size=30))
    with DrivenBeams() as beams:
        beams.start()
        moments = sorted(
            [*((at_us, change) for at_us, *change in seen), *((at_us, None) for at_us in ticks)], key=first
        )
        for at_us, change in moments:
            if change is None:
                beams.tick(at_us)
            else:
                beams.set(at_us, *change)
        beams.tick(seen[-1][0] + 4_000_000)
        assert beams.crossings == crossings_in(seen)


@given(traces())
def test_reported_crossings_never_change(seen: list[Change]) -> None:
    """The crossings of every prefix are the first crossings of the whole."""
    whole = crossings_in(seen)
    with DrivenBeams() as beams:
        beams.start()
        for change in seen:
            beams.set(*change)
            assert beams.crossings == whole[: len(beams.crossings)]


@given(st.lists(st.tuples(st.integers(0, 8_000), st.integers(1, 39), st.sampled_from([0, 1])), max_size=30))
def test_flicker_of_one_beam_counts_nobody(pulses: list[tuple[int, int, int]]) -> None:
    """Blips of less than 40 ms, each in one beam and 50 ms from the next, are noise."""
    seen: list[Change] = []
    at_ms = 0
    for pause_ms, width_ms, beam in pulses:
        at_ms += 50 + pause_ms
        seen.append((at_ms * 1000, beam == 0, beam == 1))
        at_ms += width_ms
        seen.append((at_ms * 1000, False, False))
    assert crossings_in(seen) == []


@given(traces())
def test_times_are_in_order_and_not_in_the_future(seen: list[Change]) -> None:
    """Crossings come out in the order of their times, each after it happened."""
    times = [at_us for at_us, _ in crossings_in(seen)]
    assert times == sorted(times)
    assert all(0 <= at_us <= seen[-1][0] for at_us in times)


@given(traces())
def test_quiet_ends_everything(seen: list[Change]) -> None:
    """After 4 s of clear beams nothing is pending, and a walker counts once."""
    walker = [(0, True, False), (100_000, True, True), (300_000, False, True), (400_000, False, False)]
    start_us = seen[-1][0] + 4_000_000
    after = [(start_us + at_us, outer, inner) for at_us, outer, inner in walker]
    assert crossings_in([*seen, *after]) == [*crossings_in(seen), (start_us + 200_000, "entry")]


def first(moment: tuple[int, object]) -> int:
    return moment[0]
