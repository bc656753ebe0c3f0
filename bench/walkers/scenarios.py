"""The scenarios by name, with the target of each."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from bench.walkers import groups, passages, still
from bench.walkers.bodies import BEAM_HEIGHT_M
from bench.walkers.sensor import BeamPair
from bench.walkers.trials import Trial


class Target(Enum):
    """The error that a two-beam counter can be expected to stay below."""

    ONE_PERCENT = "≤ 1 %"
    FIVE_PERCENT = "≤ 5 %"
    ZERO = "0 counts"
    NONE = ""  # reported without a target


@dataclass(frozen=True)
class Scenario:
    """A kind of trial. *make* returns a random one; *spacing_m* is the distance between the beams."""

    name: str
    title: str
    make: Callable[[random.Random, BeamPair], Trial]
    target: Target
    spacing_m: float = 0.10

    def trials(self, people: int, seed: int, height_m: float = BEAM_HEIGHT_M) -> Iterator[Trial]:
        """Yield trials until *people* have taken part.

        The same *seed* gives the same trials, and the same people at any *height_m*.
        """
        beams = BeamPair(self.spacing_m, height_m)
        number = took_part = 0
        while took_part < people:
            trial = self.make(random.Random(f"{seed} {self.name} {number}"), beams)
            took_part += trial.people
            number += 1
            yield trial


SCENARIOS = (
    Scenario("single", "one person, 0.5 to 2 m/s", passages.single, Target.ONE_PERCENT),
    Scenario("slow", "slow, 0.15 to 0.5 m/s", passages.slow, Target.ONE_PERCENT),
    Scenario("running", "running, 2 to 4 m/s", passages.running, Target.ONE_PERCENT),
    Scenario("hesitation", "stops in the beams, steps back, goes on", passages.hesitating, Target.ONE_PERCENT),
    Scenario("there-and-back", "passes, turns round, comes back", passages.passed_and_came_back, Target.ONE_PERCENT),
    Scenario("file", "2 to 6 in file, 0.15 to 1 m between bodies", groups.in_file, Target.ONE_PERCENT),
    Scenario("opposite", "opposite directions, 0.6 s apart", groups.opposite, Target.ONE_PERCENT),
    Scenario("single-6cm", "one person, beams 6 cm apart", passages.single, Target.ONE_PERCENT, 0.06),
    Scenario("single-20cm", "one person, beams 20 cm apart", passages.single, Target.ONE_PERCENT, 0.20),
    Scenario("single-40cm", "one person, beams 40 cm apart", passages.single, Target.ONE_PERCENT, 0.40),
    Scenario("prams", "behind a pram", groups.pram, Target.FIVE_PERCENT),
    Scenario("u-turns", "turns back, at every depth", passages.turned_back, Target.ZERO),
    Scenario("noise", "flicker, blips, bursts, sun, the door's leaf", still.noise, Target.ZERO),
    Scenario("leaning", "leans at the frame", still.leaning, Target.ZERO),
    Scenario("trolleys", "behind a trolley, in a wheelchair", groups.trolley, Target.NONE),
    Scenario("abreast", "two abreast", groups.abreast, Target.NONE),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
