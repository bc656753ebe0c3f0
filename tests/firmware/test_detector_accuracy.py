"""The detector meets its aims on walkers modelled independently of it. `make bench` walks more of them."""

import pytest

from bench.accuracy import judge
from bench.walkers.scenarios import SCENARIOS, Scenario, Target
from tests.support.firmware import program

PEOPLE = {Target.ONE_PERCENT: 100, Target.FIVE_PERCENT: 60, Target.ZERO: 60, Target.NONE: 60}
FACTORS = {"file": 2.0, "leaning": 0.25}  # people in file come in groups, each one trial; leaning takes a minute
SEED = 1
# Met on 500 people (docs/accuracy.md), but narrowly: one more of 100 may be wrong by chance. Remove a scenario once the
# detector improves.
BY_A_HAIR = {"running": 0.02, "hesitation": 0.02, "opposite": 0.02}


@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario",
    [each for each in SCENARIOS if each.target is not Target.NONE and each.name not in BY_A_HAIR],
    ids=lambda scenario: scenario.name,
)
def test_detector_reaches_the_aim(scenario: Scenario) -> None:
    """At most 1 % of people are missed or extra, 5 % with prams. U-turns, noise and leaning count nothing."""
    people = round(PEOPLE[scenario.target] * FACTORS.get(scenario.name, 1.0))
    result = judge(scenario.name, people, SEED, program("trace"))
    assert result.reached, f"{scenario.title}: {result.new} of {result.people}"


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_A_HAIR)
def test_scenario_that_narrowly_meets_its_aim_gets_no_worse(name: str) -> None:
    result = judge(name, PEOPLE[Target.ONE_PERCENT], SEED, program("trace"))
    assert result.new.errors <= BY_A_HAIR[name] * result.people, f"{name}: {result.new} of {result.people}"


def test_two_abreast_count_once_or_twice() -> None:
    """Two beams cannot tell two abreast from one, but they must neither lose both nor invent a third."""
    result = judge("abreast", PEOPLE[Target.NONE], SEED, program("trace"))
    assert result.new.missed <= result.people // 2
    assert result.new.extra == 0


def test_times_are_those_at_which_people_were_midway() -> None:
    """Half of the crossings of single walkers are dated within 50 ms of the moment when the trunk was midway."""
    result = judge("single", PEOPLE[Target.NONE], SEED, program("trace"))
    assert result.new.off_ms is not None
    assert result.new.off_ms < 50
