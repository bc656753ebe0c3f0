"""What is seen of people, and of what they carry or push, at the height of the beams.

Sizes. Depth of the trunk: chest and abdomen of standing adults are about 25 cm deep, standard deviation 3 cm, and
20 to 30 cm from the 5th to the 95th percentile (ANSUR II, NATICK/TR-15/007, "Chest Depth"; NASA-STD-3000 volume I,
section 3.3, gives the same range); drawn here from 18 to 35 cm, since coats add and slim people are slimmer than
soldiers. Shoulder height is 0.82 of the stature, the upper arm 0.19, the forearm 0.15 and the hand to the knuckles 0.06
(segment lengths after Drillis and Contini, in Winter, Biomechanics and Motor Control of Human Movement, section 4.1).
"""

import random
from dataclasses import dataclass
from enum import Enum

BEAM_HEIGHT_M = 1.05  # above the floor: the middle of 1.0 to 1.1 m, at the elbows of most, where arms swing least


class Carriage(Enum):
    """What the arms do."""

    SWINGING = "swinging"
    STILL = "still"  # in pockets, folded, holding something against the body
    READING = "reading"  # one forearm ahead, as with a telephone; the other swings
    PUSHING = "pushing"  # both hands on a bar ahead
    PULLING = "pulling"  # one hand at a handle behind


@dataclass(frozen=True)
class Part:
    """A thing that moves with the trunk: from *rear_m* to *front_m*, measured forward from the trunk's centre."""

    rear_m: float
    front_m: float


@dataclass(frozen=True)
class Arms:
    """Lengths and manners of a pair of arms. *seen* says how many of them stand within the sensor's reach."""

    shoulder_height_m: float
    upper_m: float
    forearm_m: float
    carriage: Carriage
    liveliness: float  # 1 swings as most people do
    elbow_deg: float
    seen: int
    hand_forward_m: float = 0.0  # PUSHING and PULLING: where the hand is
    hand_height_m: float = 0.0


@dataclass(frozen=True)
class Body:
    """A person at the height of the beams. *dark* clothes reflect little: the sensor loses them for moments."""

    depth_m: float
    breadth_m: float
    arms: Arms | None
    parts: tuple[Part, ...] = ()
    dark: bool = False
    people: int = 1


def adult(chance: random.Random, carriage: Carriage | None = None, bag: bool | None = None) -> Body:
    """Return somebody as they come: 4 in 10 with a bag, 1 in 8 in clothes that the sensor hardly sees."""
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
    )
    carries = chance.random() < 0.4 if bag is None else bag
    parts = (_bag(chance, depth_m),) if carries else ()
    return Body(depth_m, depth_m + chance.uniform(0.15, 0.22), arms, parts, dark=chance.random() < 0.125)


def child(chance: random.Random) -> Body:
    """Return a child of 1.1 to 1.3 m: its head and neck pass the beams, 15 to 20 cm deep, its arms do not."""
    depth_m = chance.uniform(0.15, 0.20)
    return Body(depth_m, depth_m + 0.08, None)


def with_pram(chance: random.Random) -> Body:
    """Return somebody behind a pram. The child in it is not counted: it does not walk, and it is not seen.

    The pram is 0.75 to 1 m long, its bar at 0.93 to 1.1 m (bars that can be set reach from 93 to 108 cm). At the beams'
    height the hood is seen of most: it begins 5 to 25 cm ahead of the bar, close where the seat looks ahead, further
    where it looks back, and is 30 to 55 cm long as far as it reaches the beams. Of some a tube of the frame is seen,
    and the bar where it is just as high; the forearms lead from the trunk down or up to the bar, and are seen where
    they come near the beams' height.
    """
    walker = adult(chance, Carriage.PUSHING, bag=chance.random() < 0.2)
    front_m = walker.depth_m / 2
    bar_m = front_m + chance.uniform(0.2, 0.5)
    bar_height_m = min(1.1, max(0.93, chance.gauss(1.02, 0.035)))
    length_m = chance.uniform(0.75, 1.0)
    seen: list[Part] = []
    if abs(bar_height_m - BEAM_HEIGHT_M) < 0.045:
        seen.append(Part(bar_m - 0.015, bar_m + 0.02))
    if chance.random() < 0.7:
        hood_rear_m = bar_m + chance.uniform(0.05, 0.25)
        seen.append(Part(hood_rear_m, min(bar_m + length_m, hood_rear_m + chance.uniform(0.3, 0.55))))
    if chance.random() < 0.35:
        tube_m = bar_m + chance.uniform(0.05, length_m - 0.04)
        seen.append(Part(tube_m, tube_m + chance.uniform(0.02, 0.04)))
    return _at_a_bar(walker, bar_m, bar_height_m, tuple(seen))


def with_trolley(chance: random.Random) -> Body:
    """Return somebody behind a shopping trolley: a bar, and the rim of the basket 0.5 to 0.8 m long beyond it."""
    walker = adult(chance, Carriage.PUSHING, bag=False)
    bar_m = walker.depth_m / 2 + chance.uniform(0.15, 0.4)
    rim = Part(bar_m + chance.uniform(0.03, 0.1), bar_m + chance.uniform(0.5, 0.8))
    return _at_a_bar(walker, bar_m, chance.uniform(0.98, 1.06), (Part(bar_m - 0.015, bar_m + 0.02), rim))


def in_wheelchair(chance: random.Random) -> Body:
    """Return somebody in a wheelchair that they drive themselves: a seated trunk, and the chair's handles behind it."""
    depth_m = min(0.35, max(0.2, chance.gauss(0.26, 0.035)))
    handle_m = -depth_m / 2 - chance.uniform(0.02, 0.12)
    return Body(depth_m, depth_m + 0.2, None, (Part(handle_m - 0.1, handle_m),))


def _at_a_bar(walker: Body, bar_m: float, bar_height_m: float, parts: tuple[Part, ...]) -> Body:
    if walker.arms is None:
        raise ValueError("who pushes has arms")
    arms = Arms(
        walker.arms.shoulder_height_m, walker.arms.upper_m, walker.arms.forearm_m, Carriage.PUSHING,
        walker.arms.liveliness, walker.arms.elbow_deg, 2, bar_m, bar_height_m,
    )  # fmt: skip
    return Body(walker.depth_m, walker.breadth_m, arms, walker.parts + parts, walker.dark)


def _bag(chance: random.Random, depth_m: float) -> Part:
    """Return a backpack (10 to 25 cm, against the back), or a bag at the hip that stands out a little, fore or aft."""
    if chance.random() < 0.5:
        rear_m = -depth_m / 2 - chance.uniform(0.1, 0.25)
        return Part(rear_m, -depth_m / 2 - chance.choice((0.0, 0.0, 0.02)))
    length_m, middle_m = chance.uniform(0.2, 0.35), chance.uniform(-0.15, 0.12)
    return Part(middle_m - length_m / 2, middle_m + length_m / 2)
