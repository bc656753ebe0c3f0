"""One person at the door, who passes or turns back."""

import random

from bench.walkers.bodies import Body, adult, child
from bench.walkers.gait import Course
from bench.walkers.sensor import BeamPair, crossings, watch
from bench.walkers.trials import Trial

_AWAY_M = 1.3  # how far from the door a walk begins and ends
_WIDEST_SPOT_M = 0.05
_DOUBT_M = 0.04  # a trunk that clears a beam by less is not clearly past it


def random_person(chance: random.Random, beams: BeamPair) -> Body:
    """Return an adult or, one time in ten, a child of six to ten years."""
    return child(chance, beams.height_m) if chance.random() < 0.1 else adult(chance, beams.height_m)


def random_way(chance: random.Random) -> int:
    """Return +1 (inward) or -1."""
    return chance.choice((1, -1))


def walker(body: Body, chance: random.Random, way: int, speed_m_s: float, away_m: float = _AWAY_M) -> Course:
    """Return *body* at *away_m* before the door, already at *speed_m_s*."""
    return Course(body, chance, -way * away_m, way, speed_m_s)


def passing(chance: random.Random, beams: BeamPair, slowest: float, fastest: float) -> Trial:
    """Return one person who walks through at *slowest* to *fastest* m/s, in either direction."""
    speed, way = chance.uniform(slowest, fastest), random_way(chance)
    away_m = 0.8 if speed < 0.5 else _AWAY_M
    return watch(
        [walker(random_person(chance, beams), chance, way, speed, away_m).go(way * away_m, speed)], beams, chance
    )


def single(chance: random.Random, beams: BeamPair) -> Trial:
    """Return one person at 0.5 to 2 m/s."""
    return passing(chance, beams, 0.5, 2.0)


def slow(chance: random.Random, beams: BeamPair) -> Trial:
    """Return one person at 0.15 to 0.5 m/s: frail, on crutches, or looking for something."""
    return passing(chance, beams, 0.15, 0.5)


def running(chance: random.Random, beams: BeamPair) -> Trial:
    """Return one person at 2 to 4 m/s, with bent elbows."""
    return passing(chance, beams, 2.0, 4.0)


def turned_back(chance: random.Random, beams: BeamPair) -> Trial:
    """Return one person who reaches the beams, turns back, and leaves the way they came.

    They turn at a random depth: between touching the first beam and 3 cm before clearing the second. Half of them stop
    there. Two in three turn around, which briefly shows the breadth of the shoulders; the others step back.
    """
    while True:
        body, way, speed = random_person(chance, beams), random_way(chance), chance.uniform(0.3, 1.5)
        edge_m = beams.spacing_m / 2
        first_m = -edge_m - body.depth_m / 2
        last_m = edge_m + body.depth_m / 2
        depth_m = chance.uniform(first_m - 0.02, last_m - 0.03)
        course = walker(body, chance, way, speed).go(way * depth_m, speed, halt=True)
        if chance.random() < 0.5:
            course.stand(chance.uniform(0.3, 4))
        if chance.random() < 0.67:
            course.turn(chance.uniform(0.5, 1.2))
        course.go(-way * _AWAY_M, chance.uniform(0.3, 1.5))
        if _is_clear(course, beams, 0):
            return watch([course], beams, chance, people=1)


def passed_and_came_back(chance: random.Random, beams: BeamPair) -> Trial:
    """Return one person who passes, turns around 5 to 60 cm beyond the beams, and comes back: two crossings."""
    while True:
        body, way, speed = random_person(chance, beams), random_way(chance), chance.uniform(0.4, 1.5)
        far_m = beams.spacing_m / 2 + body.depth_m / 2 + _WIDEST_SPOT_M + chance.uniform(0.05, 0.6)
        course = walker(body, chance, way, speed).go(way * far_m, speed, halt=True).stand(chance.uniform(0.2, 3))
        course.turn(chance.uniform(0.5, 1.2)).go(-way * _AWAY_M, chance.uniform(0.4, 1.5))
        if _is_clear(course, beams, 2):
            return watch([course], beams, chance)


def hesitating(chance: random.Random, beams: BeamPair) -> Trial:
    """Return one person who stops at or in the beams for 0.5 to 5 s, may step back, and then passes."""
    while True:
        body, way, speed = random_person(chance, beams), random_way(chance), chance.uniform(0.3, 1.4)
        course = walker(body, chance, way, speed)
        for _ in range(chance.choice((1, 1, 2))):
            course.go(way * chance.uniform(-0.35, 0.25), speed, halt=True).stand(chance.uniform(0.5, 5))
            if chance.random() < 0.4:
                back_m = chance.uniform(0.08, 0.35)
                course.go(course.x_m - way * back_m, chance.uniform(0.2, 0.6), halt=True)
                course.stand(chance.uniform(0.3, 2))
        course.go(way * _AWAY_M, speed)
        if _is_clear(course, beams, 1):
            return watch([course], beams, chance)


def _is_clear(course: Course, beams: BeamPair, count: int) -> bool:
    """Return whether there are *count* crossings both with 4 cm more distance from the beams and with 3 cm less."""
    narrow = len(crossings(course.poses, beams, 0.02, -_DOUBT_M + 0.01))
    wide = len(crossings(course.poses, beams, _WIDEST_SPOT_M, _DOUBT_M))
    return narrow == wide == count
