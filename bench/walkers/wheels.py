"""Prams, trolleys and wheelchairs, and the people who move them, at the height of the beams.

A pram is modelled in side view and cut at the height of the beams. Makers give pushchairs a length of 0.75 to 1 m and
an overall height of 97 to 111 cm, that of the bar or the hood, whichever is higher; adjustable bars reach from 93 to
110 cm. These ranges were written from memory, not from data sheets: check them before you trust a figure to the
centimetre. Beams at 0.85 m hit the seats of most prams; nearly all prams pass below beams at 1.1 m.
"""

import random
from dataclasses import replace
from math import sqrt

from bench.walkers.bodies import SPOT_M, Attachment, Body, Carriage, adult

_FIST_M = 0.045  # half the width of a hand around a bar


def with_pram(chance: random.Random, height_m: float) -> Body:
    """Return a person behind a pram. The child in it does not walk, so it does not count.

    Both hands are on the bar, 20 to 50 cm ahead of the trunk, from which two tubes lead down and ahead. The hood begins
    5 to 25 cm ahead of the bar: closer if the seat faces ahead, further if it faces back. Below it is the seat or the
    carrycot, as long as the pram.
    """
    walker = adult(chance, height_m, Carriage.PUSHING, bag=chance.random() < 0.2)
    bar_m = walker.depth_m / 2 + chance.uniform(0.2, 0.5)
    bar_height_m = _bar_or_hood_height_m(chance)
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
    """Return a person behind a shopping trolley with a basket 0.5 to 0.8 m long, its rim at 0.95 to 1.02 m."""
    walker = adult(chance, height_m, Carriage.PUSHING, bag=False)
    bar_m, bar_height_m = walker.depth_m / 2 + chance.uniform(0.15, 0.4), chance.uniform(0.98, 1.06)
    rim = _box(
        bar_m + chance.uniform(0.03, 0.1), bar_m + chance.uniform(0.5, 0.8), chance.uniform(0.95, 1.02), height_m
    )
    return _at_a_bar(walker, bar_m, bar_height_m, _bar(bar_m, bar_height_m, height_m), rim)


def in_wheelchair(chance: random.Random, height_m: float) -> Body:
    """Return a person who drives a wheelchair: shoulders at 1.04 to 1.16 m, with neck and chin above."""
    depth_m = min(0.35, max(0.2, chance.gauss(0.26, 0.035)))
    if height_m - SPOT_M > chance.uniform(1.04, 1.16):
        depth_m = chance.uniform(0.13, 0.18)
    handles = _box(-depth_m / 2 - chance.uniform(0.12, 0.22), -depth_m / 2 - 0.02, chance.uniform(0.9, 0.96), height_m)
    return Body(depth_m, depth_m + 0.2, None, () if handles is None else (handles,))


def _bar_or_hood_height_m(chance: random.Random) -> float:
    """Return a height such that the higher of two is 0.97 to 1.11 m, the overall height of pushchairs."""
    return min(1.13, max(0.93, chance.gauss(1.02, 0.035)))


def _bar(bar_m: float, bar_height_m: float, height_m: float) -> Attachment | None:
    """Return the hands on a bar, if they are at beam height."""
    return Attachment(bar_m - _FIST_M, bar_m + _FIST_M) if abs(bar_height_m - height_m) < _FIST_M + SPOT_M else None


def _tube(bar_m: float, bar_height_m: float, ahead: float, height_m: float) -> Attachment | None:
    """Return a tube of 3 cm from the bar, *ahead* metres forward for each metre down."""
    down_m = bar_height_m - height_m
    return Attachment(bar_m + ahead * down_m - 0.015, bar_m + ahead * down_m + 0.015) if down_m > 0 else None


def _hood(chance: random.Random, rear_m: float, front_m: float, height_m: float) -> Attachment | None:
    """Return the hood at beam height: an arch 25 to 35 cm high and 44 to 66 cm long."""
    half_m, arch_m = chance.uniform(0.22, 0.33), chance.uniform(0.25, 0.35)
    top_m = _bar_or_hood_height_m(chance)
    up = (height_m - SPOT_M - (top_m - arch_m)) / arch_m
    if up >= 1:
        return None
    seen_m = half_m * sqrt(1 - max(0.0, up) ** 2)
    return Attachment(rear_m + half_m - seen_m, min(front_m, rear_m + half_m + seen_m))


def _box(rear_m: float, front_m: float, top_m: float, height_m: float) -> Attachment | None:
    return Attachment(rear_m, front_m) if height_m - SPOT_M < top_m else None


def _at_a_bar(walker: Body, bar_m: float, bar_height_m: float, *parts: Attachment | None) -> Body:
    """Return *walker* with both hands on a bar, and with the parts that are at beam height."""
    if walker.arms is None:
        raise ValueError("a person who pushes needs arms")
    arms = replace(walker.arms, seen=2, hand_forward_m=bar_m, hand_height_m=bar_height_m)
    return replace(
        walker, arms=arms, attachments=walker.attachments + tuple(each for each in parts if each is not None)
    )
