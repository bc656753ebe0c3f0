"""People, and what they carry, at the height of the beams.

Sizes. Trunk: the chest and abdomen of standing adults are about 25 cm deep, with a standard deviation of 3 cm, and 20
to 30 cm from the 5th to the 95th percentile (ANSUR II, NATICK/TR-15/007, "Chest Depth"; NASA-STD-3000 volume I, section
3.3, gives the same range). The model uses 18 to 35 cm, because coats add depth and not everyone is built like a
soldier. Shoulder height is 0.82 of the stature, the upper arm 0.19, the forearm 0.15 and the hand to the knuckles 0.06
(segment lengths after Drillis and Contini, in Winter, Biomechanics and Motor Control of Human Movement, section 4.1).
Children are about 0.95 m tall at three years, 1.10 at five, 1.16 at six and 1.38 at ten (WHO, Child Growth Standards
and Growth Reference 5 to 19 years, medians of height for age).
"""

import random
from dataclasses import dataclass
from enum import Enum
from math import sqrt

BEAM_HEIGHT_M = 1.10  # above the floor; docs/accuracy.md explains why
SPOT_M = 0.02  # half the height of the spot: above and below the beam, this much reflects enough


class Carriage(Enum):
    """How the arms are held."""

    SWINGING = "swinging"
    STILL = "still"  # in pockets, folded, holding something against the body
    READING = "reading"  # one forearm ahead, as with a phone; the other swings
    PUSHING = "pushing"  # both hands on a bar ahead
    PULLING = "pulling"  # one hand on a handle behind


@dataclass(frozen=True)
class Attachment:
    """An object that moves with the trunk, from *rear_m* to *front_m* ahead of the trunk's centre."""

    rear_m: float
    front_m: float


@dataclass(frozen=True)
class Arms:
    """A pair of arms: lengths and carriage. *seen* arms are within the sensor's range."""

    shoulder_height_m: float
    upper_m: float
    forearm_m: float
    carriage: Carriage
    liveliness: float  # 1: an average swing
    elbow_deg: float
    seen: int
    hand_forward_m: float = 0.0  # of the hand, for PUSHING and PULLING
    hand_height_m: float = 0.0
    beam_height_m: float = BEAM_HEIGHT_M


@dataclass(frozen=True)
class Body:
    """The part of a person at the height of the beams.

    The sensor loses *dark* clothes for moments, because they reflect little. A person who is not *seen* is too short
    for the beams.
    """

    depth_m: float
    breadth_m: float
    arms: Arms | None
    attachments: tuple[Attachment, ...] = ()
    dark: bool = False
    seen: bool = True


def adult(chance: random.Random, height_m: float, carriage: Carriage | None = None, *, bag: bool | None = None) -> Body:
    """Return a random adult: 4 in 10 have a bag, 1 in 8 wear clothes that the sensor hardly sees."""
    stature_m = min(1.95, max(1.48, chance.gauss(1.69, 0.09)))
    depth_m = min(0.35, max(0.18, chance.gauss(0.25, 0.035)))
    chosen = (
        carriage
        or chance.choices((Carriage.SWINGING, Carriage.STILL, Carriage.READING, Carriage.PULLING), (76, 12, 8, 4))[0]
    )
    arms = Arms(
        shoulder_height_m=0.82 * stature_m,
        upper_m=0.19 * stature_m,
        forearm_m=0.21 * stature_m,
        carriage=chosen,
        liveliness=chance.uniform(0.5, 1.4),
        elbow_deg=chance.uniform(15, 35),
        seen=chance.choice((1, 2)),
        hand_forward_m=chance.uniform(-0.45, -0.25),
        hand_height_m=chance.uniform(0.85, 1.0),
        beam_height_m=height_m,
    )
    carries = chance.random() < 0.4 if bag is None else bag
    attachments = (_bag(chance, depth_m),) if carries else ()
    return Body(depth_m, depth_m + chance.uniform(0.15, 0.22), arms, attachments, dark=chance.random() < 0.125)


def child(chance: random.Random, height_m: float, shortest_m: float = 1.15, tallest_m: float = 1.40) -> Body:
    """Return a random child, by default six to ten years old. Its arms do not reach the beams."""
    stature_m = chance.uniform(shortest_m, tallest_m)
    deepest_m = chance.uniform(0.16, 0.20)
    heights = (height_m - SPOT_M, height_m, height_m + SPOT_M)
    depth_m = max(_childs_depth(stature_m, deepest_m, each) for each in heights)
    return Body(depth_m or deepest_m, deepest_m + 0.08, None, seen=depth_m > 0)


def _childs_depth(stature_m: float, deepest_m: float, height_m: float) -> float:
    """Return the depth of a child at *height_m*: trunk up to 0.79 of its stature, neck up to 0.83, then the head.

    The neck is 9 to 10 cm thick, or 11 with hair or a collar. The jaw is wider than the neck, and the crown is round.
    """
    if height_m < 0.79 * stature_m:
        return deepest_m
    if height_m < 0.83 * stature_m:
        return 0.11
    half_m = 0.085 * stature_m
    up = (height_m - (stature_m - half_m)) / half_m
    if up >= 1:
        return 0.0
    return deepest_m * (sqrt(1 - up * up) if up > 0 else 1 + 0.25 * up)


def _bag(chance: random.Random, depth_m: float) -> Attachment:
    """Return a backpack of 10 to 25 cm, or a bag at the hip that sticks out a little ahead or behind."""
    if chance.random() < 0.5:
        rear_m = -depth_m / 2 - chance.uniform(0.1, 0.25)
        return Attachment(rear_m, -depth_m / 2 - chance.choice((0.0, 0.0, 0.02)))
    length_m, middle_m = chance.uniform(0.2, 0.35), chance.uniform(-0.15, 0.12)
    return Attachment(middle_m - length_m / 2, middle_m + length_m / 2)
