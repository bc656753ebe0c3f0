"""Several people at the door, and people with something large."""

import random

from bench.walkers.arms import held_out
from bench.walkers.bodies import Body, Carriage, adult
from bench.walkers.gait import Course
from bench.walkers.passages import anybody, walker, way_of
from bench.walkers.sensor import Door, watch
from bench.walkers.trials import Trial
from bench.walkers.wheels import in_wheelchair, with_pram, with_trolley


def in_file(chance: random.Random, door: Door) -> Trial:
    """Return 2 to 6 people behind one another, 0.15 to 1 m between the trunk of one and the next.

    Who walks close walks slowly: in single file people need 0.36 m and 1.06 m for each m/s (Seyfried and others,
    J. Stat. Mech. 2005, P10002). Through a door they press on: up to twice as fast here. Gaps narrower than 0.4 m leave
    no room for bags; what stands out behind somebody, or is held out ahead, widens the gap by as much. All walk at one
    speed, each in their own step, which moves the gaps by a centimetre or three.
    """
    way, tightest_m = way_of(chance), chance.uniform(0.15, 1.0)
    steady = max(0.25, (tightest_m + 0.25 - 0.36) / 1.06)
    speed = chance.uniform(steady, min(1.6, 2 * steady + 0.3))
    courses: list[Course] = []
    ahead_m = 1.3
    for number in range(chance.randint(2, 6)):
        gap_m = chance.uniform(tightest_m, min(1.0, tightest_m + 0.3))
        narrow = number > 0 and gap_m < 0.4
        body = adult(chance, door.height_m, bag=False) if narrow else anybody(chance, door)
        if number:
            ahead_m += gap_m + body.depth_m / 2 + _stands_out(body, 1)
        courses.append(walker(body, chance, way, speed, ahead_m).go(way * 1.3, speed))
        ahead_m += body.depth_m / 2 + _stands_out(body, -1)
    return watch(courses, door, chance)


def opposite(chance: random.Random, door: Door) -> Trial:
    """Return two people in opposite directions, midway 0.6 s apart (a tenth more or less), one after the other.

    Who would be at the beams at once are drawn again: two do not fit into the half metre that the sensors see.
    """
    while True:
        way = way_of(chance)
        first, second = chance.uniform(1.0, 1.8), chance.uniform(1.0, 1.8)
        later_s = chance.uniform(0.54, 0.66)
        there = walker(anybody(chance, door), chance, way, first, 2.2).go(way * 2.2, first)
        back_m = (2.2 / first + later_s) * second
        back = walker(anybody(chance, door), chance, -way, second, back_m).go(-way * 2.2, second)
        trial = watch([there, back], door, chance)
        if trial.truth[0].to_ms <= trial.truth[1].from_ms:
            return trial


def pram(chance: random.Random, door: Door) -> Trial:
    """Return one person behind a pram."""
    return _pushing(with_pram(chance, door.height_m), chance, door)


def trolley(chance: random.Random, door: Door) -> Trial:
    """Return one person behind a shopping trolley, or in a wheelchair."""
    body = with_trolley if chance.random() < 0.6 else in_wheelchair
    return _pushing(body(chance, door.height_m), chance, door)


def abreast(chance: random.Random, door: Door) -> Trial:
    """Return two people side by side, one at most 10 cm ahead of the other: what two beams cannot tell from one."""
    way, speed = way_of(chance), chance.uniform(0.6, 1.4)
    lag_m = chance.uniform(0.0, 0.10)
    courses = [
        walker(adult(chance, door.height_m, Carriage.SWINGING), chance, way, speed, away_m).go(way * 1.3, speed)
        for away_m in (1.3, 1.3 + lag_m)
    ]
    return watch(courses, door, chance)


def _stands_out(body: Body, way: int) -> float:
    """Return how far bags and arms that are held out reach beyond the trunk, ahead (+1) or behind (-1), in metres."""
    edges = [part.front_m if way > 0 else -part.rear_m for part in body.parts]
    if body.arms is not None:
        rear_m, front_m = held_out(body.arms)
        edges.append(front_m if way > 0 else -rear_m)
    return max([0.0, *(edge - body.depth_m / 2 for edge in edges)])


def _pushing(body: Body, chance: random.Random, door: Door) -> Trial:
    way, speed = way_of(chance), chance.uniform(0.5, 1.4)
    return watch([walker(body, chance, way, speed, 2.4).go(way * 2.0, speed)], door, chance)
