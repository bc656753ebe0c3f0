"""The output of two E18-D50NK sensors as bodies pass.

The E18-D50NK is a diffuse-reflective sensor: it detects objects at 3 to 50 cm within an angle of 15 degrees, responds
within 2 ms, and has some hysteresis (data sheets of the sensor and its siblings). At the distance of a passing person,
its spot is 2 to 5 cm wide. Clothes blur the edges by millimetres and sometimes make the output chatter; dark clothes
are lost for 5 to 30 ms in the middle of a body.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from bench.walkers.bodies import BEAM_HEIGHT_M, Body
from bench.walkers.gait import Course, Pose
from bench.walkers.intervals import Interval, Intervals, union, without
from bench.walkers.trials import Trial, TrueCrossing

_SHORTEST_MS = 1.0  # the output misses interruptions, and gaps in them, that are shorter


@dataclass(frozen=True)
class BeamPair:
    """A pair of sensors, *spacing_m* apart and *height_m* above the floor."""

    spacing_m: float = 0.10
    height_m: float = BEAM_HEIGHT_M

    @property
    def outer_m(self) -> float:
        return -self.spacing_m / 2

    @property
    def inner_m(self) -> float:
        return self.spacing_m / 2


def watch(courses: Sequence[Course], beams: BeamPair, chance: random.Random, people: int | None = None) -> Trial:
    """Return the trial in which all *courses* happen at once. *people* defaults to the number of crossings."""
    seen: tuple[list[Intervals], list[Intervals]] = ([], [])
    truth: list[TrueCrossing] = []
    for course in courses:
        spot_m = chance.uniform(0.02, 0.05)
        for where_m, interrupted in zip((beams.outer_m, beams.inner_m), seen, strict=True):
            misaligned_m = chance.uniform(-0.004, 0.004)
            raw = interruptions(course.poses, where_m + misaligned_m, spot_m, chance)
            interrupted.append(clothed(raw, course.body, chance))
        truth += crossings(course.poses, beams, spot_m)
    truth.sort(key=lambda crossing: crossing.at_ms)
    outer, inner = (sensor_output(union(*interrupted), chance) for interrupted in seen)
    length_ms = max(course.at_s for course in courses) * 1000
    return Trial(outer, inner, tuple(truth), len(truth) if people is None else people, length_ms)


def interruptions(poses: Sequence[Pose], beam_m: float, spot_m: float, chance: random.Random) -> Intervals:
    """Return when *poses* interrupt a beam at *beam_m*, with edges that are off by some millimetres."""
    found: Intervals = []
    half_m, hysteresis_m = spot_m / 2, chance.uniform(0.001, 0.004)
    threshold_m = hysteresis_m + chance.gauss(0, 0.003)
    started_ms: float | None = None
    before_m = -1.0
    for pose in poses:
        within_m = max((min(high - beam_m, beam_m - low) for low, high in pose.seen), default=-1.0) + half_m
        if (started_ms is None) == (within_m > threshold_m):
            moved_m = within_m - before_m
            share = (threshold_m - before_m) / moved_m if moved_m else 1.0
            edge_ms = 1000 * pose.at_s - (1 - min(1.0, max(0.0, share))) * 2.5
            if started_ms is None:
                started_ms = edge_ms
                threshold_m = -hysteresis_m + chance.gauss(0, 0.003)
            else:
                found.append((started_ms, edge_ms))
                started_ms = None
                threshold_m = hysteresis_m + chance.gauss(0, 0.003)
        before_m = within_m
    if started_ms is not None:
        found.append((started_ms, 1000 * poses[-1].at_s))
    return union(found)


def clothed(seen: Intervals, body: Body, chance: random.Random) -> Intervals:
    """Return *seen* with the effects of clothes: lost moments inside a body, chatter at some edges."""
    lost: Intervals = []
    for start_ms, end_ms in seen:
        if body.dark:
            at_ms = start_ms + chance.expovariate(1 / 350)
            while at_ms < end_ms:
                lost.append((at_ms, at_ms + chance.uniform(5, 30)))
                at_ms += chance.expovariate(1 / 350)
        if chance.random() < 0.15:
            lost += _chatter(start_ms, 1, chance)
        if chance.random() < 0.15:
            lost += _chatter(end_ms, -1, chance)
    return without(seen, lost)


def _chatter(edge_ms: float, way: int, chance: random.Random) -> list[Interval]:
    """Return one to three moments within 15 ms of *edge_ms*, inside the body, when the beam is clear."""
    moments: list[Interval] = []
    at_ms = edge_ms
    for _ in range(chance.randint(1, 3)):
        near_ms = at_ms + way * chance.uniform(1, 3)
        at_ms = near_ms + way * chance.uniform(1, 2.5)
        moments.append((min(near_ms, at_ms), max(near_ms, at_ms)))
    return moments


def sensor_output(seen: Intervals, chance: random.Random) -> Intervals:
    """Return *seen* as the sensor outputs it: up to 2 ms late, without the shortest moments."""
    on_ms, off_ms = chance.uniform(0.3, 1.8), chance.uniform(0.3, 1.8)
    late = [
        (start + on_ms + chance.uniform(0, 0.2), end + off_ms + chance.uniform(0, 0.2))
        for start, end in seen
        if end - start >= _SHORTEST_MS
    ]
    kept: Intervals = []
    for start, end in late:
        if kept and start - kept[-1][1] < _SHORTEST_MS:
            kept[-1] = (kept[-1][0], end)
        elif end > start:
            kept.append((start, end))
    return kept


def crossings(poses: Sequence[Pose], beams: BeamPair, spot_m: float, margin_m: float = 0.0) -> list[TrueCrossing]:
    """Return the true crossings: one each time the trunk has cleared both beams on the other side.

    Only the trunk counts, not arms, bags or prams. *margin_m* is extra distance that the trunk must clear on each side:
    a passage whose crossings depend on the margin is unclear to a human observer too.
    """
    edge_m = beams.spacing_m / 2 + spot_m / 2 + margin_m
    found: list[TrueCrossing] = []
    side = 0  # on which the trunk last cleared both beams: -1 outside, +1 inside
    middle_ms = from_ms = 0.0
    was_m = poses[0].centre_m
    for pose in poses:
        at_ms = pose.at_s * 1000
        if (pose.centre_m < 0) != (was_m < 0):
            middle_ms = at_ms
        was_m = pose.centre_m
        low_m, high_m = pose.extent
        if side == 0 or (high_m < -edge_m if side < 0 else low_m > edge_m):
            from_ms = at_ms
        now = -1 if pose.trunk[1] < -edge_m else 1 if pose.trunk[0] > edge_m else 0
        if now and side and now != side:
            found.append(TrueCrossing(middle_ms, now, from_ms, _left(poses, at_ms, now, edge_m)))
        side = now or side
    return found


def _left(poses: Sequence[Pose], after_ms: float, side: int, edge_m: float) -> float:
    """Return the first moment after *after_ms* when the whole person has left the beams."""
    for pose in poses:
        at_ms = pose.at_s * 1000
        if at_ms >= after_ms and (pose.extent[0] > edge_m if side > 0 else pose.extent[1] < -edge_m):
            return at_ms
    return poses[-1].at_s * 1000
