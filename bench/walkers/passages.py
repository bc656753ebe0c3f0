"""One person at the door: through it, or not."""

import random

from bench.walkers.bodies import Body, adult, child
from bench.walkers.gait import Course
from bench.walkers.sensor import Door, crossings, watch
from bench.walkers.trials import Trial

_AWAY_M = 1.3  # from the door, where somebody's way begins and ends
_WIDEST_SPOT_M = 0.05
_DOUBT_M = 0.04  # what clears a beam by less than this, nobody could say


def anybody(chance: random.Random, door: Door) -> Body:
    """Return an adult, or one time in ten a child of six to ten years."""
    return child(chance, door.height_m) if chance.random() < 0.1 else adult(chance, door.height_m)


def way_of(chance: random.Random) -> int:
    """Return +1, inward, or -1."""
    return chance.choice((1, -1))


def walker(body: Body, chance: random.Random, way: int, speed_m_s: float, away_m: float = _AWAY_M) -> Course:
    """Return *body* at *away_m* before the door, at its speed already."""
    return Course(body, chance, -way * away_m, way, speed_m_s)


def passing(chance: random.Random, door: Door, slowest: float, fastest: float) -> Trial:
    """Return one person who walks through at a speed between *slowest* and *fastest*, either way."""
    speed, way = chance.uniform(slowest, fastest), way_of(chance)
    away_m = 0.8 if speed < 0.5 else _AWAY_M
    return watch([walker(anybody(chance, door), chance, way, speed, away_m).go(way * away_m, speed)], door, chance)


def single(chance: random.Random, door: Door) -> Trial:
    """Return one person at 0.5 to 2 m/s."""
    return passing(chance, door, 0.5, 2.0)


def slow(chance: random.Random, door: Door) -> Trial:
    """Return one person at 0.15 to 0.5 m/s: old, on crutches, looking for something."""
    return passing(chance, door, 0.15, 0.5)


def running(chance: random.Random, door: Door) -> Trial:
    """Return one person at 2 to 4 m/s, elbows bent."""
    return passing(chance, door, 2.0, 4.0)


def turned_back(chance: random.Random, door: Door) -> Trial:
    """Return one person who comes, at most until only the second beam is covered, and leaves where they came from.

    Depths are uniform: from a touch of the first beam to 3 cm before the second is clear on the far side. Half of them
    stop; two in three turn round (which for a moment is the breadth of the shoulders), the others step back.
    """
    while True:
        body, way, speed = anybody(chance, door), way_of(chance), chance.uniform(0.3, 1.5)
        edge_m = door.spacing_m / 2
        first_m = -edge_m - body.depth_m / 2
        last_m = edge_m + body.depth_m / 2
        depth_m = chance.uniform(first_m - 0.02, last_m - 0.03)
        course = walker(body, chance, way, speed).go(way * depth_m, speed, halt=True)
        if chance.random() < 0.5:
            course.stand(chance.uniform(0.3, 4))
        if chance.random() < 0.67:
            course.turn(chance.uniform(0.5, 1.2))
        course.go(-way * _AWAY_M, chance.uniform(0.3, 1.5))
        if _beyond_doubt(course, door, 0):
            return watch([course], door, chance, people=1)


def passed_and_came_back(chance: random.Random, door: Door) -> Trial:
    """Return one person who passes both beams, turns round 5 to 60 cm beyond them, and comes back: two crossings."""
    while True:
        body, way, speed = anybody(chance, door), way_of(chance), chance.uniform(0.4, 1.5)
        far_m = door.spacing_m / 2 + body.depth_m / 2 + _WIDEST_SPOT_M + chance.uniform(0.05, 0.6)
        course = walker(body, chance, way, speed).go(way * far_m, speed, halt=True).stand(chance.uniform(0.2, 3))
        course.turn(chance.uniform(0.5, 1.2)).go(-way * _AWAY_M, chance.uniform(0.4, 1.5))
        if _beyond_doubt(course, door, 2):
            return watch([course], door, chance)


def hesitating(chance: random.Random, door: Door) -> Trial:
    """Return one person who stops at or in the beams for 0.5 to 5 s, perhaps steps back, and goes on in the end."""
    while True:
        body, way, speed = anybody(chance, door), way_of(chance), chance.uniform(0.3, 1.4)
        course = walker(body, chance, way, speed)
        for _ in range(chance.choice((1, 1, 2))):
            course.go(way * chance.uniform(-0.35, 0.25), speed, halt=True).stand(chance.uniform(0.5, 5))
            if chance.random() < 0.4:
                back_m = chance.uniform(0.08, 0.35)
                course.go(course.x_m - way * back_m, chance.uniform(0.2, 0.6), halt=True)
                course.stand(chance.uniform(0.3, 2))
        course.go(way * _AWAY_M, speed)
        if _beyond_doubt(course, door, 1):
            return watch([course], door, chance)


def _beyond_doubt(course: Course, door: Door, count: int) -> bool:
    """Return whether every judge would see *count* crossings, whether they ask for 4 cm more room or for 3 cm less."""
    narrow = len(crossings(course.poses, door, 0.02, -_DOUBT_M + 0.01))
    wide = len(crossings(course.poses, door, _WIDEST_SPOT_M, _DOUBT_M))
    return narrow == wide == count
