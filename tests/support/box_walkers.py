"""Walkers made of boxes: trunks, arms, prams and flicker, independent of the bench's walkers and simpler.

The bench has bodies with gait and cloth. These have straight speeds and hard edges, and arms that swing or are carried
stiffly: a detector that was fitted to one of the two fails on the other. A trace is what both beams see, in whole
milliseconds, jittered by some ms, seen at every change or by a loop that polls every 10 ms.

Sizes are metres and seconds: trunks 0.18 to 0.36 deep, children 0.13 to 0.18; arms 0.05 to 0.09; prams 0.6 to 1.0.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

Changes = list[tuple[int, int, int]]  # t_ms, outer, inner
Position = Callable[[float], float]  # where the trunk's front is at a time; the first beam is at 0

START = -1.2  # where walkers begin
STEP_MS = 3


@dataclass(frozen=True)
class Box:
    """Something that covers a beam: *behind* the trunk's front (negative: ahead of it), *length* long."""

    behind: float
    length: float
    swing: float = 0.0  # to and fro, about *behind*
    hertz: float = 0.0
    phase: float = 0.0

    def back(self, front: float, t: float) -> float:
        swung = self.swing * math.sin(math.tau * (self.hertz * t + self.phase)) if self.swing else 0.0
        return front - self.behind - self.length + swung


@dataclass(frozen=True)
class Passer:
    """Boxes that move as one. *way*: +1 comes from the street, -1 goes there."""

    boxes: tuple[Box, ...]
    front: Position
    way: int


@dataclass(frozen=True)
class BoxTrial:
    """What the beams saw, *spacing_mm* apart, and who passed, in order of appearance."""

    changes: Changes
    truth: tuple[str, ...]
    spacing_mm: int = 100


def way_of(way: int) -> str:
    return "entry" if way > 0 else "exit"


def steady(speed: float, start: float = START, wobble: float = 0.0, hertz: float = 1.8) -> Position:
    return lambda t: start + speed * t + wobble * math.sin(math.tau * hertz * t)


def through(*points: tuple[float, float]) -> Position:
    """Return a position that goes straight from each (time, place) to the next."""

    def front(t: float) -> float:
        for (t0, x0), (t1, x1) in itertools.pairwise(points):
            if t <= t1:
                return x0 if t < t0 else x0 + (x1 - x0) * (t - t0) / (t1 - t0)
        return points[-1][1]

    return front


Intervals = list[tuple[float, float]]  # ms


def placed(passers: list[Passer], t: float) -> list[tuple[int, float, float]]:
    """Return (way, back, front) of all boxes near the beams, 0 being the beam that each comes to first."""
    fronts = ((each, each.front(t)) for each in passers)
    near = ((each, front) for each, front in fronts if -0.8 < front < 2.5)
    boxes = ((each.way, box.back(front, t), box.length) for each, front in near for box in each.boxes)
    return [(way, back, back + length) for way, back, length in boxes]


def seen(passers: list[Passer], length_s: float, spacing: float, width: float) -> tuple[Intervals, Intervals]:
    """Return when the outer and the inner beam are interrupted; *width* is the beams'."""
    half = width / 2
    levels: tuple[list[tuple[int, bool]], ...] = ([], [])
    for t_ms in range(0, round(length_s * 1000) + 1, STEP_MS):
        boxes = placed(passers, t_ms / 1000)
        for beam in (0, 1):
            covered = any(back - half < spacing * (beam == (way > 0)) < front + half for way, back, front in boxes)
            if not levels[beam] or levels[beam][-1][1] != covered:
                levels[beam].append((t_ms, covered))
    outer, inner = ([*own, (round(length_s * 1000), False)] for own in levels)
    return _interruptions(outer), _interruptions(inner)


def _interruptions(levels: list[tuple[int, bool]]) -> Intervals:
    return [(start, end) for (start, covered), (end, _) in itertools.pairwise(levels) if covered]


def changes(beams: tuple[Intervals, Intervals], dice: Random, jitter_ms: float, every_ms: int) -> Changes:
    """Return the changes of *beams*, each edge late by up to *jitter_ms*, looked at *every_ms*."""
    moments: list[tuple[float, int, int]] = []
    for beam, own in enumerate(beams):
        last = 0.0
        for start, end in own:
            for at, level in ((start, 1), (end, 0)):
                last = max(last, at + dice.uniform(0, jitter_ms))
                moments.append((last, beam, level))
    levels = [0, 0]
    found: Changes = [(0, 0, 0)]
    for at, beam, level in sorted(moments):
        levels[beam] = level
        at_ms = math.ceil(at / every_ms) * every_ms
        if at_ms == found[-1][0]:
            found.pop()
        found.append((at_ms, levels[0], levels[1]))
    return [
        each for before, each in zip([None, *found], found, strict=False) if before is None or each[1:] != before[1:]
    ]


class Walkers:
    """Trials of each scenario by name; all chance comes from *seed*."""

    def __init__(self, seed: int, spacing_mm: int = 100) -> None:
        self._dice = Random(seed)
        self._spacing_mm = spacing_mm
        self._spacing = spacing_mm / 1000

    def trials(self, name: str, count: int) -> list[BoxTrial]:
        scenario: Callable[[], BoxTrial] = getattr(self, name)
        return [scenario() for _ in range(count)]

    # People

    def trunk(self) -> Box:
        if self._dice.random() < 0.1:
            return Box(0, self._dice.uniform(0.13, 0.18))
        # a chord of an ellipse: most near its full depth
        return Box(0, self._dice.uniform(0.22, 0.36) * math.sqrt(1 - self._dice.uniform(0, 0.6) ** 2))

    def body(self, speed: float, *, arms: bool = True, bag: bool = True, swings: bool = True) -> tuple[Box, ...]:
        dice = self._dice
        trunk = self.trunk()
        boxes = [trunk]
        if bag and dice.random() < 0.2:  # a rucksack or a belly of its own
            boxes.append(Box(trunk.length, dice.uniform(0.08, 0.18)))
        if not arms:
            return tuple(boxes)
        kind = dice.choice(("none", "swinging", "swinging", "stiff", "pulling"))
        thick = dice.uniform(0.05, 0.09)
        back = sum(box.length for box in boxes)
        if kind == "swinging":
            swing = dice.uniform(0.1, 0.4) * min(1.0, speed / 1.3)
            hertz, phase = 0.9 * math.sqrt(max(0.1, speed / 1.3)), dice.random()
            centre = trunk.length / 2 - thick / 2
            for side in (0.0, 0.5):
                arm = Box(centre, thick, swing, hertz, phase + side)
                boxes.append(arm if swings else Box(centre - swing * math.sin(math.tau * arm.phase), thick))
        if kind == "stiff":
            boxes.append(Box(-thick - dice.uniform(0.02, 0.3), thick))
        if kind == "pulling":
            boxes.append(Box(back + dice.uniform(0.05, 0.35), thick))
        return tuple(boxes)

    def watched(self, passers: list[Passer], length_s: float, truth: list[int]) -> BoxTrial:
        dice = self._dice
        width = dice.uniform(0, 0.05)
        beams = seen(passers, length_s, self._spacing, width)
        jitter_ms, every_ms = dice.choice(((0, 1), (2, 1), (4, 1), (8, 1), (2, 10)))
        return BoxTrial(
            changes(beams, dice, jitter_ms, every_ms), tuple(way_of(way) for way in truth), self._spacing_mm
        )

    def way(self) -> int:
        return self._dice.choice((1, -1))

    def one(self, slowest: float, fastest: float, *, arms: bool = True) -> BoxTrial:
        speed, way = self._dice.uniform(slowest, fastest), self.way()
        boxes = self.body(speed, arms=arms)
        front = steady(speed, START, self._dice.uniform(0, 0.015) * min(1, speed))
        return self.watched([Passer(boxes, front, way)], 3.8 / speed, [way])

    def single(self) -> BoxTrial:
        return self.one(0.5, 2.0)

    def slow(self) -> BoxTrial:
        return self.one(0.15, 0.5)

    def running(self) -> BoxTrial:
        return self.one(2.0, 4.0)

    def file(self, *, arms: bool = False, least: float = 0.15, fastest: float = 1.6) -> BoxTrial:
        dice, way, start = self._dice, self.way(), START
        speed = dice.uniform(fastest / 4, fastest)
        passers = []
        for _ in range(dice.randint(2, 5)):
            boxes = self.body(speed, arms=arms, bag=False)
            ahead = max(0.0, *(box.swing - box.behind for box in boxes))
            start -= ahead
            passers.append(Passer(boxes, steady(speed, start, 0.005), way))
            start -= max(box.behind + box.length + box.swing for box in boxes) + dice.uniform(least, 1)
        return self.watched(passers, (2 - start) / speed, [way] * len(passers))

    def file_with_arms(self) -> BoxTrial:
        return self.file(arms=True, least=0.4)

    def running_file(self) -> BoxTrial:
        return self.file(arms=True, least=0.8, fastest=3.5)

    def opposite(self) -> BoxTrial:
        """Two people, the second 0.6 s after the first has left the beams."""
        dice, way = self._dice, self.way()
        trunks = [self.trunk(), self.trunk()]
        speeds = [dice.uniform(0.6, 1.8), dice.uniform(0.6, 1.8)]
        left = (-START + self._spacing + trunks[0].length + 0.05) / speeds[0]
        start = left + 0.6 + START / speeds[1]
        passers = [Passer((trunks[0],), steady(speeds[0]), way)]
        second = steady(speeds[1])
        passers.append(Passer((trunks[1],), lambda t: second(t - start), -way))
        return self.watched(passers, start + 3 / speeds[1], [way, -way])

    def overtaken(self) -> BoxTrial:
        """One person passes; the next stops in the beams, then passes too."""
        dice, way = self._dice, self.way()
        speed, stop = dice.uniform(0.6, 1.4), dice.uniform(-0.05, 0.25)
        trunks = [self.trunk(), self.trunk()]
        start = trunks[0].length + dice.uniform(0.2, 0.8)
        reached = (stop - START + start) / speed
        going = reached + dice.uniform(0.5, 5)
        front = through((0, START - start), (reached, stop), (going, stop), (going + 2 / speed, stop + 2))
        passers = [Passer((trunks[0],), steady(speed), way), Passer((trunks[1],), front, way)]
        return self.watched(passers, going + 2.5 / speed, [way, way])

    def standing(self) -> BoxTrial:
        """Stops in the door for 1 to 8 s, with sway, perhaps steps back, and goes on."""
        dice, way, speed = self._dice, self.way(), self._dice.uniform(0.4, 1.3)
        boxes = self.body(speed, arms=dice.random() < 0.4, swings=False)
        stop = dice.uniform(-0.1, self._spacing + boxes[0].length + 0.1)
        reached = (stop - START) / speed
        going = reached + dice.uniform(1, 8)
        points = [(0.0, START), (reached, stop)]
        points += [(t, stop + dice.uniform(-0.01, 0.01)) for t in _moments(dice, reached + 0.3, going - 0.1, 0.7)]
        points.append((going, stop))
        if dice.random() < 0.3:
            stop -= dice.uniform(0.05, 0.3)
            going += 0.8
            points.append((going, stop))
        points.append((going + 2.5 / speed, stop + 2.5))
        return self.watched([Passer(boxes, through(*points), way)], points[-1][0], [way])

    # Prams

    def pram(self) -> BoxTrial:
        """A pram of 0.6 to 1 m, its pusher 0.1 to 0.6 m behind; arms may be in the hole or close it."""
        dice, way, speed = self._dice, self.way(), self._dice.uniform(0.5, 1.5)
        length, gap = dice.uniform(0.6, 1.0), dice.uniform(0.1, 0.6)
        trunk = self.trunk().length
        boxes = [Box(0, length), Box(length + gap, max(0.2, trunk))]
        kind = dice.choice(("open", "open", "hands", "forearms", "closed"))
        if kind == "hands":
            boxes.append(Box(length + dice.uniform(0, 0.05), dice.uniform(0.03, 0.08)))
        if kind == "forearms":
            boxes.append(Box(length + gap * 0.4, gap * 0.6))
        if kind == "closed":
            boxes.append(Box(length, gap))
        return self.watched([Passer(tuple(boxes), steady(speed), way)], 5 / speed, [way])

    # Nobody passes

    def turn(self) -> BoxTrial:
        """Comes, with arms that reach further than the trunk, stops or not, and goes back."""
        dice, way, speed = self._dice, self.way(), self._dice.uniform(0.3, 1.6)
        wait = dice.choice((0.0, 0.0, 0.4, 1.0, 3.0))
        boxes = self.body(speed, swings=wait == 0)
        reach = self._spacing + boxes[0].length - 0.04
        deepest = dice.uniform(-0.15, reach)
        reached = (deepest - START) / speed
        back = deepest if dice.random() < 0.5 else deepest - 0.02
        front = through((0, START), (reached, deepest), (reached + wait + 0.05, back), (2 * reached + wait, START))
        return self.watched([Passer(boxes, front, way)], 2 * reached + wait + 0.2, [])

    def leaning(self) -> BoxTrial:
        """Somebody covers one beam or both for seconds, and fidgets."""
        dice = self._dice
        beams: tuple[Intervals, Intervals] = ([], [])
        near, far = dice.choice(((0, 1), (1, 0)))
        at = start = 500.0
        for _ in range(dice.randint(1, 8)):
            at += dice.uniform(40, 700)
            end = at + dice.choice((dice.uniform(300, 9000), dice.uniform(50, 500)))
            beams[near].append((at, end))
            at = end
        if dice.random() < 0.4:  # further in: the other beam all the time, and longer
            beams[far].append((start - dice.uniform(20, 200), at + dice.uniform(20, 300)))
        return BoxTrial(changes(beams, dice, 4, 1), (), self._spacing_mm)

    def noise(self) -> BoxTrial:
        """Blips of 1 to 80 ms on one beam or on both at once."""
        dice = self._dice
        beams: tuple[Intervals, Intervals] = ([], [])
        for at in _moments(dice, 0.5, 10, dice.choice((1.0, 4.0, 10.0))):
            width = dice.uniform(1, 80)
            which = dice.choice(((0,), (1,), (0, 1)))
            for beam in which:
                skew = dice.uniform(0, 3)
                start = at * 1000 + skew
                if not beams[beam] or beams[beam][-1][1] < start:
                    beams[beam].append((start, start + width))
        return BoxTrial(changes(beams, dice, 1, 1), (), self._spacing_mm)


def _moments(dice: Random, start: float, end: float, mean: float) -> Iterator[float]:
    at = start + dice.expovariate(1 / mean)
    while at < end:
        yield at
        at += dice.expovariate(1 / mean) + 0.02
