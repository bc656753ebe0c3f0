"""The scenarios by name, and what is aimed at in each."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from bench.walkers import groups, passages, still
from bench.walkers.bodies import BEAM_HEIGHT_M
from bench.walkers.sensor import Door
from bench.walkers.trials import Trial


class Aim(Enum):
    """What an honest two-beam counter can be asked for."""

    ONE_PERCENT = "≤ 1 %"
    FIVE_PERCENT = "≤ 5 %"
    ZERO = "0 counts"
    TOLD = ""  # reported, not aimed at


@dataclass(frozen=True)
class Scenario:
    """A kind of trial: *make* returns one, by chance. *spacing_m*: of the door's beams."""

    name: str
    title: str
    make: Callable[[random.Random, Door], Trial]
    aim: Aim
    spacing_m: float = 0.10

    def trials(self, people: int, seed: int, height_m: float = BEAM_HEIGHT_M) -> Iterator[Trial]:
        """Yield trials until *people* took part; the same *seed* always gives the same ones, each its own chance.

        The same people pass beams at whatever *height_m*.
        """
        door = Door(self.spacing_m, height_m)
        number = took_part = 0
        while took_part < people:
            trial = self.make(random.Random(f"{seed} {self.name} {number}"), door)
            took_part += trial.people
            number += 1
            yield trial


SCENARIOS = (
    Scenario("single", "one person, 0.5 to 2 m/s", passages.single, Aim.ONE_PERCENT),
    Scenario("slow", "slow, 0.15 to 0.5 m/s", passages.slow, Aim.ONE_PERCENT),
    Scenario("running", "running, 2 to 4 m/s", passages.running, Aim.ONE_PERCENT),
    Scenario("hesitation", "stops in the beams, steps back, goes on", passages.hesitating, Aim.ONE_PERCENT),
    Scenario("there-and-back", "passes, turns round, comes back", passages.passed_and_came_back, Aim.ONE_PERCENT),
    Scenario("file", "2 to 6 in file, 0.15 to 1 m between bodies", groups.in_file, Aim.ONE_PERCENT),
    Scenario("opposite", "opposite directions, 0.6 s apart", groups.opposite, Aim.ONE_PERCENT),
    Scenario("single-6cm", "one person, beams 6 cm apart", passages.single, Aim.ONE_PERCENT, 0.06),
    Scenario("single-20cm", "one person, beams 20 cm apart", passages.single, Aim.ONE_PERCENT, 0.20),
    Scenario("single-40cm", "one person, beams 40 cm apart", passages.single, Aim.ONE_PERCENT, 0.40),
    Scenario("prams", "behind a pram", groups.pram, Aim.FIVE_PERCENT),
    Scenario("u-turns", "turns back, at every depth", passages.turned_back, Aim.ZERO),
    Scenario("noise", "flicker, blips, bursts, sun, the door's leaf", still.noise, Aim.ZERO),
    Scenario("leaning", "leans at the frame", still.leaning, Aim.ZERO),
    Scenario("trolleys", "behind a trolley, in a wheelchair", groups.trolley, Aim.TOLD),
    Scenario("abreast", "two abreast", groups.abreast, Aim.TOLD),
)
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}
