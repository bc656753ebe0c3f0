"""The position of the arms at the height of the beams.

At a free walk the shoulder swings through about 30 degrees, more behind the body than ahead of it (Perry, Gait
Analysis, chapter 8), and further at higher speed. Walkers keep the elbow nearly straight; runners hold it near a right
angle (Yegian and others, J. Exp. Biol. 222, 2019, jeb197228). Below 0.8 m/s arms swing once a step, above once a stride
(Webb, Tuttle and Baksh, Am. J. Phys. Anthropol. 93, 1994). The beams see the part of the chain shoulder, elbow,
knuckles that lies at the height of their spot.
"""

from itertools import pairwise
from math import cos, radians, sin

from bench.walkers.bodies import Arms, Carriage

Extent = tuple[float, float]
Position = tuple[float, float]

_SPOT_M = 0.025  # half the height of a beam's spot
_UPPER_RADIUS_M = 0.045
_FOREARM_RADIUS_M = 0.035
_RUNNING_M_S = 2.1  # above this speed people run


def seen_arms(arms: Arms, phase: float, speed_m_s: float) -> list[Extent]:
    """Return the parts of *arms* at beam height, each (rear, front) in metres ahead of the trunk's centre.

    *phase* is the angle of the swing in radians. The two arms are half a swing apart.
    """
    spans: list[Extent] = []
    for side in range(arms.seen):
        chain = _chain(arms, side, sin(phase) if side == 0 else -sin(phase), speed_m_s)
        for (start, end), radius_m in zip(pairwise(chain), (_UPPER_RADIUS_M, _FOREARM_RADIUS_M), strict=False):
            span = _within_spot(start, end, radius_m, arms.beam_height_m)
            if span is not None:
                spans.append(span)
    return spans


def held_out(arms: Arms) -> Extent:
    """Return (rear, front), in metres ahead of the trunk's centre, of an arm that is held out and does not swing."""
    if arms.carriage in (Carriage.SWINGING, Carriage.STILL):
        return (0.0, 0.0)
    places = [x for x, _ in _chain(arms, 0, 0.0, 1.0)]
    return min(places), max(places)


def _chain(arms: Arms, side: int, swing: float, speed_m_s: float) -> tuple[Position, ...]:
    """Return shoulder, elbow and knuckles, each (metres ahead of the trunk's centre, metres above the floor)."""
    shoulder = (0.0, arms.shoulder_height_m)
    if arms.carriage is Carriage.STILL:
        return (shoulder,)
    if arms.carriage is Carriage.PUSHING or (arms.carriage is Carriage.PULLING and side == 0):
        hand = (arms.hand_forward_m, arms.hand_height_m)
        elbow = (0.25 * arms.hand_forward_m, max(arms.hand_height_m, arms.shoulder_height_m - 0.9 * arms.upper_m))
        return (shoulder, elbow, hand)
    if arms.carriage is Carriage.READING and side == 0:
        shoulder_deg, elbow_deg = 8 + 10 * arms.liveliness, 72 + arms.elbow_deg
    elif speed_m_s > _RUNNING_M_S:
        shoulder_deg = -5 + min(45.0, (20 + 5 * speed_m_s) * arms.liveliness) * swing
        elbow_deg = 75 + arms.elbow_deg
    else:
        shoulder_deg = -8 + min(30.0, 12.5 * speed_m_s * arms.liveliness) * swing
        elbow_deg = arms.elbow_deg + 10 * swing
    upper, fore = radians(shoulder_deg), radians(shoulder_deg + elbow_deg)
    elbow = (arms.upper_m * sin(upper), arms.shoulder_height_m - arms.upper_m * cos(upper))
    return (shoulder, elbow, (elbow[0] + arms.forearm_m * sin(fore), elbow[1] - arms.forearm_m * cos(fore)))


def _within_spot(start: Position, end: Position, radius_m: float, height_m: float) -> Extent | None:
    """Return the extent at *height_m* of a limb from *start* to *end*; None if it is higher or lower."""
    (x1, z1), (x2, z2) = (start, end) if start[1] <= end[1] else (end, start)
    half_m = _SPOT_M + 0.7 * radius_m  # a limb is round, so its axis may miss the spot
    low, high = height_m - half_m, height_m + half_m
    if z2 < low or z1 > high:
        return None
    rise = z2 - z1
    if rise < 1e-6:
        a, b = x1, x2
    else:
        a = x1 + (x2 - x1) * max(0.0, (low - z1) / rise)
        b = x1 + (x2 - x1) * min(1.0, (high - z1) / rise)
    return min(a, b) - radius_m, max(a, b) + radius_m
