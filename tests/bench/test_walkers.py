"""Simulated walkers: the interruptions and the true crossings follow from bodies and gait."""

import random
from itertools import pairwise

import pytest

from bench.walkers.arms import held_out, seen_arms
from bench.walkers.bodies import BEAM_HEIGHT_M, Arms, Body, Carriage, adult, child
from bench.walkers.gait import Course
from bench.walkers.intervals import union, without
from bench.walkers.passages import single
from bench.walkers.scenarios import BY_NAME, SCENARIOS, Scenario, Target
from bench.walkers.sensor import BeamPair, crossings, interruptions
from bench.walkers.trials import QUIET_MS, changes, joined, lines
from bench.walkers.wheels import with_pram

BEAMS = BeamPair()


def plain(depth_m: float = 0.25) -> Body:
    return Body(depth_m, 0.45, None)


def course(way: int = 1, speed: float = 1.0) -> Course:
    return Course(plain(), random.Random(1), -way * 1.0, way, speed)


def test_union_and_without_are_set_operations() -> None:
    assert union([(5, 6), (1, 3)], [(2, 4)]) == [(1, 4), (5, 6)]
    assert without([(0, 10)], [(2, 3), (9, 20)]) == [(0, 2), (3, 9)]


@pytest.mark.parametrize("way", [1, -1])
def test_person_who_walks_through_is_one_crossing_in_that_direction(way: int) -> None:
    found = crossings(course(way).go(way * 1.0, 1.0).poses, BEAMS, 0.03)
    assert [each.direction for each in found] == [way]
    assert found[0].from_ms < found[0].at_ms < found[0].to_ms


def test_body_covers_a_beam_for_its_depth_plus_the_spot() -> None:
    """A depth of 25 cm and a spot of 3 cm take 280 ms at 1 m/s, give or take the unevenness of a step."""
    seen = interruptions(course().go(1.0, 1.0).poses, 0.0, 0.03, random.Random(2))
    assert len(seen) == 1
    assert seen[0][1] - seen[0][0] == pytest.approx(280, abs=45)


def test_person_who_turns_back_before_clearing_the_second_beam_has_not_crossed() -> None:
    there = BEAMS.inner_m + 0.125 - 0.03
    assert crossings(course().go(there, 1.0, halt=True).go(-1.0, 1.0).poses, BEAMS, 0.03) == []


def test_person_who_comes_back_after_clearing_both_beams_has_crossed_twice() -> None:
    there = BEAMS.inner_m + 0.125 + 0.1
    found = crossings(course().go(there, 1.0, halt=True).turn(0.8).go(-1.0, 1.0).poses, BEAMS, 0.03)
    assert [each.direction for each in found] == [1, -1]


def test_arms_swing_further_at_higher_speed() -> None:
    arms = Arms(1.39, 0.32, 0.35, Carriage.SWINGING, 1.0, 25.0, 2, beam_height_m=1.05)

    def reach(speed: float) -> float:
        return max(high for phase in range(0, 628, 10) for _, high in seen_arms(arms, phase / 100, speed))

    assert 0.05 < reach(0.5) < reach(1.2) < reach(1.9) < 0.45


def test_a_pram_is_ahead_of_who_pushes_it() -> None:
    chance = random.Random(3)
    for _ in range(50):
        body = with_pram(chance, BEAM_HEIGHT_M)
        assert all(part.front_m < body.depth_m / 2 + 1.6 for part in body.attachments)
        assert body.arms is not None
        assert body.arms.hand_forward_m > body.depth_m / 2 + 0.15


def test_high_beams_see_the_person_and_low_beams_also_the_pram() -> None:
    """At 1.15 m almost no pram is visible; at 0.8 m most are, as half a metre or more ahead of the hands."""
    high = [with_pram(random.Random(number), 1.15) for number in range(200)]
    low = [with_pram(random.Random(number), 0.8) for number in range(200)]
    assert sum(1 for body in high if any(part.front_m > body.depth_m for part in body.attachments)) < 30
    assert sum(1 for body in low if any(part.front_m - part.rear_m >= 0.5 for part in body.attachments)) > 140


@pytest.mark.parametrize(("stature_m", "is_seen"), [(1.05, False), (1.2, True)])
def test_children_shorter_than_the_beams_cross_unseen(stature_m: float, is_seen: bool) -> None:
    body = child(random.Random(4), BEAM_HEIGHT_M, stature_m, stature_m)
    walked = Course(body, random.Random(4), -1.0, 1, 1.0).go(1.0, 1.0)
    assert body.seen is is_seen
    assert bool(interruptions(walked.poses, 0.0, 0.03, random.Random(2))) is is_seen
    assert len(crossings(walked.poses, BEAMS, 0.03)) == 1


def test_only_held_out_arms_widen_the_gap_in_single_file() -> None:
    """So that no arm reaches into the next person's trunk."""
    assert held_out(Arms(1.39, 0.32, 0.35, Carriage.SWINGING, 1.0, 25.0, 2)) == (0.0, 0.0)
    assert held_out(Arms(1.39, 0.32, 0.35, Carriage.READING, 1.0, 25.0, 2))[1] > 0.3
    assert held_out(Arms(1.39, 0.32, 0.35, Carriage.PULLING, 1.0, 25.0, 2, -0.4, 0.9))[0] == pytest.approx(-0.4)


def test_adults_have_a_realistic_depth() -> None:
    depths = [adult(random.Random(number), BEAM_HEIGHT_M).depth_m for number in range(2000)]
    assert 0.24 < sum(depths) / len(depths) < 0.26
    assert min(depths) >= 0.18
    assert max(depths) <= 0.35


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_one_seed_gives_the_same_people(scenario: Scenario) -> None:
    first, again, other = (lines(joined(scenario.trials(4, seed))) for seed in (5, 5, 6))
    assert first == again != other


@pytest.mark.parametrize("name", [scenario.name for scenario in SCENARIOS if scenario.target is Target.ZERO])
def test_nobody_crosses_in_scenarios_with_a_target_of_zero(name: str) -> None:
    assert all(not trial.truth for trial in BY_NAME[name].trials(10, 8))


@pytest.mark.parametrize("name", ["single", "slow", "running", "hesitation", "prams", "single-40cm"])
def test_one_person_is_one_crossing(name: str) -> None:
    assert all(len(trial.truth) == 1 for trial in BY_NAME[name].trials(10, 9))


def test_people_in_single_file_pass_one_after_another() -> None:
    for trial in BY_NAME["file"].trials(30, 10):
        times = [each.at_ms for each in trial.truth]
        assert len(times) == trial.people >= 2
        assert all(later - earlier > 100 for earlier, later in pairwise(times))


def test_joined_trials_are_apart_and_each_change_is_one_line() -> None:
    first, second = single(random.Random(1), BEAMS), single(random.Random(2), BEAMS)
    both = joined([first, second])
    seen = list(changes(both.outer, both.inner))
    assert len(seen) == len(list(changes(first.outer, first.inner))) + len(list(changes(second.outer, second.inner)))
    assert [at for at, _, _ in seen] == sorted({at for at, _, _ in seen})
    assert seen[-1][1:] == (0, 0)
    assert max(later[0] - earlier[0] for earlier, later in pairwise(seen)) > QUIET_MS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_lines_keep_the_total_time_of_all_interruptions(scenario: Scenario) -> None:
    """To the millisecond, however short the interruptions are."""
    trial = joined(scenario.trials(12, 3))
    seen = list(changes(trial.outer, trial.inner))
    assert seen[-1][1:] == (0, 0)
    for beam, moments in ((1, trial.outer), (2, trial.inner)):
        total_ms = sum(later[0] - now[0] for now, later in pairwise(seen) if now[beam])
        assert total_ms == pytest.approx(sum(end - start for start, end in moments), abs=len(moments) + 1)
