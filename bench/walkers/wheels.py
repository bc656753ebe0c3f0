"""What is seen of prams, trolleys and wheelchairs, and of who moves them, at the height of the beams.

A pram is drawn from the side, and cut where the beams are. Makers give 0.75 to 1 m for the length of pushchairs, and 97
to 111 cm for their height over all, which is that of the bar or of the hood, whichever is higher; bars that can be set
reach from 93 to 110 cm. No maker's sheet was at hand when this was written: check these ranges before trusting a figure
to the centimetre. What stands lower than the beams is not seen: beams at 0.85 m meet the seats of most prams, at
1.1 m nearly all of them pass below.
"""

import random
from dataclasses import replace
from math import sqrt

from bench.walkers.bodies import SPOT_M, Body, Carriage, Part, adult

_FIST_M = 0.045  # half the breadth of a hand around a bar


def with_pram(chance: random.Random, height_m: float) -> Body:
    """Return somebody behind a pram. The child in it is not counted: it does not walk.

    The bar is 20 to 50 cm ahead of the trunk, with both hands on it; from there two tubes lead down and ahead. The hood
    begins 5 to 25 cm ahead of the bar, close where the seat looks ahead, further where it looks back. Below it is the
    seat, or the tub of a carrycot, as long as the pram.
    """
    walker = adult(chance, height_m, Carriage.PUSHING, bag=chance.random() < 0.2)
    bar_m = walker.depth_m / 2 + chance.uniform(0.2, 0.5)
    bar_height_m = _about_as_high_as_bars(chance)
    length_m = chance.uniform(0.75, 1.0)
    rear_m = bar_m + chance.uniform(0.05, 0.25)
    return _at_a_bar(
        walker,
        bar_m,
        bar_height_m,
        _bar(bar_m, bar_height_m, height_m),
        _tube(bar_m, bar_height_m, chance.uniform(0.7, 1.2), height_m),
        _hood(chance, rear_m, bar_m + length_m, height_m),
        _box(rear_m, bar_m + length_m, chance.uniform(0.75, 0.95), height_m),
    )


def with_trolley(chance: random.Random, height_m: float) -> Body:
    """Return somebody behind a shopping trolley: a bar, and a basket 0.5 to 0.8 m long, its rim at 0.95 to 1.02 m."""
    walker = adult(chance, height_m, Carriage.PUSHING, bag=False)
    bar_m, bar_height_m = walker.depth_m / 2 + chance.uniform(0.15, 0.4), chance.uniform(0.98, 1.06)
    rim = _box(
        bar_m + chance.uniform(0.03, 0.1), bar_m + chance.uniform(0.5, 0.8), chance.uniform(0.95, 1.02), height_m
    )
    return _at_a_bar(walker, bar_m, bar_height_m, _bar(bar_m, bar_height_m, height_m), rim)


def in_wheelchair(chance: random.Random, height_m: float) -> Body:
    """Return somebody in a wheelchair that they drive: shoulders at 1.04 to 1.16 m, above them neck and chin."""
    depth_m = min(0.35, max(0.2, chance.gauss(0.26, 0.035)))
    if height_m - SPOT_M > chance.uniform(1.04, 1.16):
        depth_m = chance.uniform(0.13, 0.18)
    handles = _box(-depth_m / 2 - chance.uniform(0.12, 0.22), -depth_m / 2 - 0.02, chance.uniform(0.9, 0.96), height_m)
    return Body(depth_m, depth_m + 0.2, None, () if handles is None else (handles,))


def _about_as_high_as_bars(chance: random.Random) -> float:
    """Return a height so that the higher of two is 0.97 to 1.11 m, as the height over all of pushchairs is."""
    return min(1.13, max(0.93, chance.gauss(1.02, 0.035)))


def _bar(bar_m: float, bar_height_m: float, height_m: float) -> Part | None:
    """Return the hands on a bar, where the beams meet them."""
    return Part(bar_m - _FIST_M, bar_m + _FIST_M) if abs(bar_height_m - height_m) < _FIST_M + SPOT_M else None


def _tube(bar_m: float, bar_height_m: float, ahead: float, height_m: float) -> Part | None:
    """Return a tube of 3 cm that leads down from the bar, *ahead* metres ahead for each metre down."""
    down_m = bar_height_m - height_m
    return Part(bar_m + ahead * down_m - 0.015, bar_m + ahead * down_m + 0.015) if down_m > 0 else None


def _hood(chance: random.Random, rear_m: float, front_m: float, height_m: float) -> Part | None:
    """Return what a hood shows: an arch of 25 to 35 cm height over 44 to 66 cm, its top as high as bars."""
    half_m, arch_m = chance.uniform(0.22, 0.33), chance.uniform(0.25, 0.35)
    top_m = _about_as_high_as_bars(chance)
    up = (height_m - SPOT_M - (top_m - arch_m)) / arch_m
    if up >= 1:
        return None
    seen_m = half_m * sqrt(1 - max(0.0, up) ** 2)
    return Part(rear_m + half_m - seen_m, min(front_m, rear_m + half_m + seen_m))


def _box(rear_m: float, front_m: float, top_m: float, height_m: float) -> Part | None:
    return Part(rear_m, front_m) if height_m - SPOT_M < top_m else None


def _at_a_bar(walker: Body, bar_m: float, bar_height_m: float, *parts: Part | None) -> Body:
    """Return *walker* with both hands on a bar, and ahead of them whatever of *parts* the beams meet."""
    if walker.arms is None:
        raise ValueError("who pushes has arms")
    arms = replace(walker.arms, seen=2, hand_forward_m=bar_m, hand_height_m=bar_height_m)
    return replace(walker, arms=arms, parts=walker.parts + tuple(part for part in parts if part is not None))
