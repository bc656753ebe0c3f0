"""Several people at the door, and people who push something large."""

import random

from bench.walkers.arms import held_out
from bench.walkers.bodies import Body, Carriage, adult
from bench.walkers.gait import Course
from bench.walkers.passages import random_person, random_way, walker
from bench.walkers.sensor import BeamPair, watch
from bench.walkers.trials import Trial
from bench.walkers.wheels import in_wheelchair, with_pram, with_trolley


def in_file(chance: random.Random, beams: BeamPair) -> Trial:
    """Return 2 to 6 people in single file, with 0.15 to 1 m between one trunk and the next.

    People who walk close together walk slowly: in single file they need 0.36 m, and 1.06 m more for each m/s (Seyfried
    and others, J. Stat. Mech. 2005, P10002). Through a door they hurry: here up to twice as fast. Gaps below 0.4 m
    leave no room for bags; anything that sticks out ahead or behind widens the gap. All walk at one speed but with
    their own steps, which varies the gaps by 1 to 3 cm.
    """
    way, tightest_m = random_way(chance), chance.uniform(0.15, 1.0)
    steady = max(0.25, (tightest_m + 0.25 - 0.36) / 1.06)
    speed = chance.uniform(steady, min(1.6, 2 * steady + 0.3))
    courses: list[Course] = []
    ahead_m = 1.3
    for number in range(chance.randint(2, 6)):
        gap_m = chance.uniform(tightest_m, min(1.0, tightest_m + 0.3))
        narrow = number > 0 and gap_m < 0.4
        body = adult(chance, beams.height_m, bag=False) if narrow else random_person(chance, beams)
        if number:
            ahead_m += gap_m + body.depth_m / 2 + _protrusion_m(body, 1)
        courses.append(walker(body, chance, way, speed, ahead_m).go(way * 1.3, speed))
        ahead_m += body.depth_m / 2 + _protrusion_m(body, -1)
    return watch(courses, beams, chance)


def opposite(chance: random.Random, beams: BeamPair) -> Trial:
    """Return two people in opposite directions who are midway 0.54 to 0.66 s apart.

    Pairs who would be at the beams together are drawn again: two do not fit into the sensors' half metre of range.
    """
    while True:
        way = random_way(chance)
        first, second = chance.uniform(1.0, 1.8), chance.uniform(1.0, 1.8)
        delay_s = chance.uniform(0.54, 0.66)
        there = walker(random_person(chance, beams), chance, way, first, 2.2).go(way * 2.2, first)
        back_m = (2.2 / first + delay_s) * second
        back = walker(random_person(chance, beams), chance, -way, second, back_m).go(-way * 2.2, second)
        trial = watch([there, back], beams, chance)
        if trial.truth[0].to_ms <= trial.truth[1].from_ms:
            return trial


def pram(chance: random.Random, beams: BeamPair) -> Trial:
    """Return one person behind a pram."""
    return _pushing(with_pram(chance, beams.height_m), chance, beams)


def trolley(chance: random.Random, beams: BeamPair) -> Trial:
    """Return one person behind a shopping trolley, or in a wheelchair."""
    body = with_trolley if chance.random() < 0.6 else in_wheelchair
    return _pushing(body(chance, beams.height_m), chance, beams)


def abreast(chance: random.Random, beams: BeamPair) -> Trial:
    """Return two people side by side, at most 10 cm apart, whom two beams cannot tell from one."""
    way, speed = random_way(chance), chance.uniform(0.6, 1.4)
    lag_m = chance.uniform(0.0, 0.10)
    courses = [
        walker(adult(chance, beams.height_m, Carriage.SWINGING), chance, way, speed, away_m).go(way * 1.3, speed)
        for away_m in (1.3, 1.3 + lag_m)
    ]
    return watch(courses, beams, chance)


def _protrusion_m(body: Body, way: int) -> float:
    """Return how far bags and held-out arms stick out, ahead of the trunk (+1) or behind it (-1), in metres."""
    edges = [each.front_m if way > 0 else -each.rear_m for each in body.attachments]
    if body.arms is not None:
        rear_m, front_m = held_out(body.arms)
        edges.append(front_m if way > 0 else -rear_m)
    return max([0.0, *(edge - body.depth_m / 2 for edge in edges)])


def _pushing(body: Body, chance: random.Random, beams: BeamPair) -> Trial:
    way, speed = random_way(chance), chance.uniform(0.5, 1.4)
    return watch([walker(body, chance, way, speed, 2.4).go(way * 2.0, speed)], beams, chance)
