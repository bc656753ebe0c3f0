"""The decisions of detector/README.md beyond its table: speeds, spacings, prams, blocked beams, lost edges, boot."""

import pytest

from tests.support.beams import Change, DrivenBeams, changes, counted, crossings_in, drawn

Interval = tuple[int, int]


def walk(
    speed_m_s: float, depth_m: float = 0.25, *, spacing_mm: int = 100, at_us: int = 500_000, ahead_m: float = 0.0
) -> tuple[Interval, Interval]:
    """Return what both beams see of a body that enters, its front *ahead_m* behind that of the first."""
    start = at_us + round(ahead_m / speed_m_s * 1e6)
    covered, lag = round(depth_m / speed_m_s * 1e6), round(spacing_mm / 1000 / speed_m_s * 1e6)
    return (start, start + covered), (start + lag, start + lag + covered)


def ms(intervals: list[Interval]) -> list[Interval]:
    """Return *intervals* of milliseconds in microseconds."""
    return [(start * 1000, end * 1000) for start, end in intervals]


def seen(*walks: tuple[Interval, Interval]) -> list[Change]:
    return changes([[outer for outer, _ in walks], [inner for _, inner in walks]])


@pytest.mark.parametrize("speed_m_s", [0.15, 0.3, 0.7, 1.3, 2.0, 3.0, 4.0])
@pytest.mark.parametrize("depth_m", [0.18, 0.25, 0.4])
@pytest.mark.parametrize("spacing_mm", [60, 100, 200, 400])
def test_a_walker_counts_at_every_speed_depth_and_spacing(speed_m_s: float, depth_m: float, spacing_mm: int) -> None:
    """0.15 to 4 m/s, whether the interruptions overlap or not, dated when the body was between the beams."""
    outer, inner = walk(speed_m_s, depth_m, spacing_mm=spacing_mm)
    [(at_us, direction)] = crossings_in(seen((outer, inner)), spacing_mm)
    assert direction == "entry"
    assert abs(at_us - (outer[0] + inner[1]) / 2) <= 1000


@pytest.mark.parametrize("gap_m", [0.15, 0.3, 0.6, 1.0])
@pytest.mark.parametrize("speed_m_s", [0.3, 0.8, 1.4])
def test_people_in_file_each_count(gap_m: float, speed_m_s: float) -> None:
    """0.15 to 1 m between bodies, of which the beam's width takes 4 cm."""
    file = [walk(speed_m_s, 0.29, ahead_m=number * (0.25 + gap_m)) for number in range(5)]
    assert counted(seen(*file)) == ["entry"] * 5


def test_opposite_directions_six_tenths_apart_are_two() -> None:
    """Two people in opposite directions 0.6 s apart are an entry and an exit."""
    (o1, i1), (i2, o2) = walk(1.2), walk(1.2, at_us=1_100_000)
    assert counted(changes([[o1, o2], [i1, i2]])) == ["entry", "exit"]


@pytest.mark.parametrize("gap_m", [0.1, 0.25, 0.4])
@pytest.mark.parametrize("length_m", [0.75, 1.0])
def test_a_pram_and_its_pusher_are_one(length_m: float, gap_m: float) -> None:
    """A pram is not a second person; only the pusher's crossing counts."""
    pusher = walk(1.0, 0.25, ahead_m=length_m + gap_m)
    [(at_us, direction)] = crossings_in(seen(walk(1.0, length_m), pusher))
    assert direction == "entry"
    assert abs(at_us - (pusher[0][0] + pusher[1][1]) / 2) <= 1000


def test_a_pram_bridged_by_arms_is_one() -> None:
    """Pram, arms and pusher without a hole are one long thing."""
    assert counted(seen(walk(1.0, 1.3))) == ["entry"]


def test_somebody_behind_the_pusher_counts() -> None:
    """A pram takes one person, not two."""
    assert counted(seen(walk(1.0, 0.8), walk(1.0, ahead_m=1.1), walk(1.0, ahead_m=1.8))) == ["entry", "entry"]


@pytest.mark.parametrize("tick", [False, True])
def test_person_after_the_pusher_was_due_counts(tick: bool) -> None:
    """A slower walker who follows just too late for a pusher is a second person, with or without ticks."""
    pram = walk(1.0, 0.8)
    walker = walk(0.7, 0.25, at_us=pram[1][1] + 620_000)
    with DrivenBeams() as beams:
        beams.start()
        for change in seen(pram, walker):
            if tick and change[0] == walker[0][0]:
                beams.tick(change[0] - 4_000)
            beams.set(*change)
        beams.tick(10_000_000)
        assert [direction for _, direction in beams.crossings] == ["entry", "entry"]


@pytest.mark.parametrize("side", [-1, 1])
def test_an_arm_ahead_or_behind_is_nobody(side: int) -> None:
    """An arm of 8 cm within reach, seen by both beams, belongs to the body."""
    arm = walk(1.2, 0.08, ahead_m=0.15 if side < 0 else 0.25 + 0.12 + 0.15)
    assert counted(seen(arm, walk(1.2, ahead_m=0.15 + 0.08 + 0.1))) == ["entry"]


def test_a_blip_in_one_beam_changes_nothing() -> None:
    """Noise in one beam does not change how a passing person counts."""
    outer, inner = walk(1.0)
    blip = (outer[1] + 150_000, outer[1] + 170_000)
    assert counted(changes([[outer, blip], [inner]])) == ["entry"]


def test_dark_clothes_are_one_person() -> None:
    """Holes of 30 ms in both beams are cloth, not the air between people."""
    (start, end), (start_in, end_in) = walk(0.5)
    outer = [(start, start + 90_000), (start + 120_000, start + 300_000), (start + 330_000, end)]
    inner = [(start_in, start_in + 200_000), (start_in + 230_000, end_in)]
    assert counted(changes([outer, inner])) == ["entry"]


def test_interruption_shorter_than_the_sensor_responds_is_ignored() -> None:
    """Less than 4 ms on both beams is neither counted nor aborted."""
    with DrivenBeams() as beams:
        beams.start()
        for number in range(50):
            beams.set(10_000 + number * 20_000, True, True)
            beams.set(13_000 + number * 20_000, False, False)
        beams.tick(5_000_000)
        assert (beams.crossings, beams.aborted) == ([], 0)


def test_turning_round_is_aborted() -> None:
    """A U-turn counts nothing and is reported."""
    with DrivenBeams() as beams:
        beams.start()
        for change in drawn("..######..######..", "....##########...."):
            beams.set(*change)
        beams.tick(5_000_000)
        assert (beams.crossings, beams.aborted) == ([], 1)


def test_blocked_beam_is_reported_and_not_counted() -> None:
    """A beam is blocked after 15 s: nothing counts, and is_counting() is false."""
    with DrivenBeams() as beams:
        beams.start()
        beams.set(1_000_000, True, False)
        beams.tick(15_900_000)
        assert beams.is_counting
        assert beams.blocked_s(inner=False) == 0
        beams.tick(31_004_000)
        assert not beams.is_counting
        assert beams.blocked_s(inner=False) == 30
        assert beams.blocked_s(inner=True) == 0
        assert (beams.crossings, beams.aborted) == ([], 1)


def test_blocked_beam_counts_nobody_on_the_other_one() -> None:
    """One beam has no direction: people who pass meanwhile do not count, then or later."""
    with DrivenBeams() as beams:
        beams.start()
        beams.set(1_000_000, True, False)
        for second in range(17, 20):
            beams.set(second * 1_000_000, True, True)
            beams.set(second * 1_000_000 + 300_000, True, False)
        beams.set(20_000_000, False, False)
        beams.tick(25_000_000)
        assert beams.crossings == []
        assert beams.is_counting


def test_blocked_beam_that_clears_counts_again() -> None:
    """Half a second after both beams are clear, the next person counts."""
    with DrivenBeams() as beams:
        beams.start()
        beams.set(1_000_000, True, False)
        beams.set(19_000_000, False, False)
        assert not beams.is_counting
        beams.tick(19_600_000)
        assert beams.is_counting
        for at_us, outer, inner in seen(walk(1.0)):
            beams.set(at_us + 20_000_000, outer, inner)
        beams.tick(28_000_000)
        assert [direction for _, direction in beams.crossings] == ["entry"]


def test_beam_interrupted_at_the_start_is_unknown() -> None:
    """Somebody who stands in the beams at power-up and walks on is not counted; the next one is."""
    with DrivenBeams() as beams:
        beams.start(True, True)
        assert not beams.is_counting
        beams.set(1_000_000, False, True)
        beams.set(1_200_000, False, False)
        beams.tick(5_000_000)
        assert beams.crossings == []
        assert beams.is_counting


def test_lost_edges_invent_nothing() -> None:
    """After an overflow the detector aborts the pass in progress and continues from the present levels."""
    with DrivenBeams() as beams:
        beams.start()
        beams.set(1_000_000, True, False)
        beams.set(1_100_000, True, True)
        beams.lose(6_000_000, False, True)
        beams.set(6_100_000, False, False)
        beams.tick(10_000_000)
        assert (beams.crossings, beams.aborted) == ([], 1)
        for at_us, outer, inner in seen(walk(1.0)):
            beams.set(at_us + 11_000_000, outer, inner)
        beams.tick(20_000_000)
        assert [direction for _, direction in beams.crossings] == ["entry"]


def test_person_in_the_beams_at_the_end_has_not_passed() -> None:
    """At the end of input the detector decides pending passages and aborts unfinished ones."""
    with DrivenBeams() as beams:
        beams.start()
        for change in [*seen(walk(1.0)), (1_300_000, True, False)]:
            beams.set(*change)
        beams.finish()
        assert [direction for _, direction in beams.crossings] == ["entry"]
        assert beams.aborted == 1


def test_swap_and_polarity_are_configuration() -> None:
    """With the beams swapped and low meaning interrupted, the same walk is an exit."""
    with DrivenBeams(swap=True, high=False) as beams:
        beams.start(True, True)
        for at_us, outer, inner in seen(walk(1.0)):
            beams.set(at_us, not outer, not inner)
        beams.tick(5_000_000)
        assert not beams.is_interrupted(inner=False)
        assert [direction for _, direction in beams.crossings] == ["exit"]


@pytest.mark.parametrize(("depth_m", "within_us"), [(0.24, 500_000), (0.9, 2_010_000)])
def test_a_crossing_is_reported_in_bounded_time(depth_m: float, within_us: int) -> None:
    """Half a second after a walker at 1 m/s has left the beams, 2 s after a pram."""
    walker = walk(1.0, depth_m)
    with DrivenBeams() as beams:
        beams.start()
        for change in seen(walker):
            beams.set(*change)
        beams.tick(walker[1][1] + within_us)
        assert len(beams.crossings) == 1


def test_a_blip_while_somebody_stands_changes_nothing() -> None:
    """5 ms on the other beam are too short for a limb: the person who stood in the first beam still counts."""
    outer, inner = [(500, 4500)], [(4300, 4700)]
    blip = [(1200, 1205)]
    plain = counted(changes([ms(outer), ms(inner)]))
    assert plain == counted(changes([ms(outer), ms(blip + inner)])) == ["entry"]


def test_an_arm_that_stays_in_the_second_beam_is_not_the_body() -> None:
    """A person stands with an arm in the inner beam, then goes on: the trunk passes both evenly and counts."""
    outer, inner = [(2168, 2242), (5326, 5670)], [(2282, 5346), (5434, 5784)]
    [(at_us, direction)] = crossings_in(changes([ms(outer), ms(inner)]))
    assert direction == "entry"
    assert abs(at_us - 5_552_000) < 5_000


@pytest.mark.parametrize("depth_m", [0.125, 0.15])
def test_a_slim_child_counts(depth_m: float) -> None:
    """Both beams see 12 to 15 cm with one lag and nobody else near: a child."""
    assert counted(seen(walk(1.0, depth_m))) == ["entry"]


def test_a_runner_whose_forearms_hide_one_step_counts() -> None:
    """The inner beam is covered first and cleared last, but nobody who turns round is as quick."""
    assert counted(changes([ms([(508, 642)]), ms([(500, 682)])])) == ["entry"]
    assert counted(changes([ms([(580, 1100)]), ms([(500, 1300)])])) == []


def test_beams_clear_for_a_moment_do_not_end_a_stand() -> None:
    """Dark clothes clear both beams for a moment; the rest of the stand is not a separate pass."""
    outer, inner = [(1117, 3507), (3514, 20_000)], [(946, 2686), (2727, 3490), (3530, 20_100)]
    assert counted(changes([ms(outer), ms(inner)])) == []


def test_a_hood_and_its_pusher_are_one() -> None:
    """Two things closer than people in file, at walking speed: a hood and its pusher."""
    assert counted(seen(walk(1.0, 0.4), walk(1.0, 0.3, ahead_m=0.48))) == ["entry"]
    assert counted(seen(walk(0.3, 0.4), walk(0.3, 0.3, ahead_m=0.52))) == ["entry", "entry"]
