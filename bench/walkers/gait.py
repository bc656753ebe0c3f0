"""How people move along the walking axis.

The trunk does not glide: its speed varies with each step by about 0.1 m/s, which is most of a slow shuffle. The step
rate follows from the speed: the ratio of step length to cadence is constant, 0.0065 m per step a minute (Sekiya and
others, J. Hum. Mov. Stud. 30, 1996), so the cadence is sqrt(60 v / 0.0065) steps a minute.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import cos, pi, sin, sqrt

from bench.walkers.arms import seen_arms
from bench.walkers.bodies import Body

STEP_S = 0.0025  # between two poses; movement between them is taken as linear
_WALK_RATIO = 0.0065
_ARMS_TWICE_BELOW_M_S = 0.8


@dataclass(frozen=True)
class Pose:
    """The position of a body: time since the trial began, the trunk's centre, and the extents the beams can see."""

    at_s: float
    centre_m: float
    trunk: tuple[float, float]
    seen: tuple[tuple[float, float], ...]

    @property
    def extent(self) -> tuple[float, float]:
        """The extent of the whole person, with arms and bags."""
        spans = self.seen or (self.trunk,)
        return min(low for low, _ in spans), max(high for _, high in spans)


@dataclass
class Course:
    """The movement of one *body* from *x_m*, facing *facing* (+1 inward). Each step adds poses.

    People accelerate at up to 2.5 m/s2: about one step from a walk to a halt.
    """

    body: Body
    chance: random.Random
    x_m: float
    facing: int
    speed_m_s: float = 0.0
    at_s: float = 0.0
    poses: list[Pose] = field(default_factory=list)
    acceleration_m_s2: float = 2.5

    def __post_init__(self) -> None:
        self._step_phase = self.chance.uniform(0, 2 * pi)
        self._arm_phase = self.chance.uniform(0, 2 * pi)
        self._unevenness_m_s = self.chance.uniform(0.06, 0.15)
        ahead_m = max([0.0, *(max(abs(each.rear_m), abs(each.front_m)) for each in self.body.attachments)])
        self._reach_m = 0.9 + ahead_m  # beyond this distance no part of the body reaches the beams
        self._turned = 0.0  # radians, while turning

    def go(self, to_m: float, speed_m_s: float, *, halt: bool = False) -> "Course":
        """Walk forward or backward to *to_m* at about *speed_m_s*. With *halt*, stop there."""
        way = 1 if to_m > self.x_m else -1
        while (to_m - self.x_m) * way > 0.002:
            target = speed_m_s
            if halt:
                target = min(target, max(0.03, sqrt(2 * self.acceleration_m_s2 * (to_m - self.x_m) * way)))
            change = self.acceleration_m_s2 * STEP_S
            self.speed_m_s += max(-change, min(change, target - self.speed_m_s))
            unevenness = min(0.7, self._unevenness_m_s / max(self.speed_m_s, 0.05))
            self.x_m += way * self.speed_m_s * (1 + unevenness * sin(self._step_phase)) * STEP_S
            self._tick()
        if halt:
            self.speed_m_s = 0.0
        return self

    def stand(self, for_s: float) -> "Course":
        """Stand still. A standing trunk sways by 1 to 2 cm at about 0.3 Hz."""
        middle_m, sway_m, turn = self.x_m, self.chance.uniform(0.004, 0.018), 2 * pi * self.chance.uniform(0.25, 0.45)
        self.speed_m_s = 0.0
        for number in range(int(for_s / STEP_S)):
            self.x_m = middle_m + sway_m * sin(turn * number * STEP_S)
            self._tick()
        return self

    def turn(self, for_s: float) -> "Course":
        """Turn around on the spot. For a moment the breadth of the shoulders lies along the axis."""
        self.speed_m_s = 0.0
        count = int(for_s / STEP_S)
        for number in range(count):
            self._turned = pi * number / count
            if number == count // 2:
                self.facing = -self.facing
            self._tick()
        self._turned = 0.0
        return self

    def _tick(self) -> None:
        self.at_s += STEP_S
        steps_hz = sqrt(max(self.speed_m_s, 0.02) / _WALK_RATIO / 60)
        self._step_phase += 2 * pi * steps_hz * STEP_S
        swings_hz = steps_hz if self.speed_m_s < _ARMS_TWICE_BELOW_M_S else steps_hz / 2
        self._arm_phase += 2 * pi * swings_hz * STEP_S
        self.poses.append(self._pose())

    def _pose(self) -> Pose:
        half = self.body.depth_m / 2
        if self._turned:
            half = sqrt((half * cos(self._turned)) ** 2 + (self.body.breadth_m / 2 * sin(self._turned)) ** 2)
        trunk = (self.x_m - half, self.x_m + half)
        if abs(self.x_m) > self._reach_m:
            return Pose(self.at_s, self.x_m, trunk, (trunk,))
        return Pose(self.at_s, self.x_m, trunk, (trunk, *self._attached()) if self.body.seen else ())

    def _attached(self) -> Iterator[tuple[float, float]]:
        spans = [(each.rear_m, each.front_m) for each in self.body.attachments]
        if self.body.arms is not None:
            spans += seen_arms(self.body.arms, self._arm_phase, self.speed_m_s)
        narrowing = cos(self._turned)  # halfway through a turn, arms and bags point sideways
        for rear_m, front_m in spans:
            a, b = self.facing * rear_m * abs(narrowing), self.facing * front_m * abs(narrowing)
            yield self.x_m + min(a, b), self.x_m + max(a, b)
