"""Interruptions while nobody passes: noise, the door itself, and people who lean on the frame."""

import random
from collections.abc import Callable

from bench.walkers.bodies import adult
from bench.walkers.gait import Course
from bench.walkers.intervals import Interval, Intervals, union, without
from bench.walkers.passages import random_way
from bench.walkers.sensor import BeamPair, sensor_output, watch
from bench.walkers.trials import Trial

_LENGTH_MS = 8000.0


def noise(chance: random.Random, beams: BeamPair) -> Trial:
    """Return 8 seconds with one kind of noise: flicker, blips, bursts, an insect, the sun or the door's leaf."""
    kinds: tuple[Callable[[random.Random], tuple[Intervals, Intervals]], ...] = (
        _flicker, _blips_on_one, _blips_on_both, _bursts, _insect, _sun, lambda chance: _leaf(chance, beams),
    )  # fmt: skip
    outer, inner = chance.choice(kinds)(chance)
    return Trial(sensor_output(union(outer), chance), sensor_output(union(inner), chance), (), 1, _LENGTH_MS)


def leaning(chance: random.Random, beams: BeamPair) -> Trial:
    """Return 20 s to 3 min of a person in the doorway or leaning on the frame, who covers one beam or both."""
    if chance.random() < 0.5:
        return _standing_at(chance, beams)
    outer, inner, length_ms = _against_the_frame(chance)
    return Trial(sensor_output(union(outer), chance), sensor_output(union(inner), chance), (), 1, length_ms)


def _flicker(chance: random.Random) -> tuple[Intervals, Intervals]:
    """Return flicker from mains lighting: 1 to 4 ms at every half wave of 50 Hz, on one beam or on both."""
    start_ms, width_ms = chance.uniform(0, 4000), chance.uniform(1, 4)
    count = int(chance.uniform(200, 3000) / 10)
    seen = [(start_ms + 10 * n, start_ms + 10 * n + width_ms) for n in range(count) if chance.random() < 0.8]
    return _placed(seen, chance, both=0.4)


def _blips_on_one(chance: random.Random) -> tuple[Intervals, Intervals]:
    seen = [_moment(chance, 1, 40) for _ in range(chance.randint(1, 8))]
    return _placed(seen, chance, both=0.0)


def _blips_on_both(chance: random.Random) -> tuple[Intervals, Intervals]:
    """Return surges of the power supply: both outputs for 1 to 8 ms, at most 1 ms apart."""
    outer = [_moment(chance, 1, 8) for _ in range(chance.randint(1, 5))]
    inner = [(start + chance.uniform(-1, 1), end + chance.uniform(-1, 1)) for start, end in outer]
    return outer, [(start, max(end, start + 1)) for start, end in inner]


def _bursts(chance: random.Random) -> tuple[Intervals, Intervals]:
    """Return a loose contact: random pulses of 1 to 10 ms for up to half a second, independent on each beam."""
    beams: list[Intervals] = []
    begins_ms = chance.uniform(0, 5000)
    for _ in range(2):
        at_ms, end_ms = begins_ms, begins_ms + chance.uniform(50, 500)
        seen: Intervals = []
        while at_ms < end_ms:
            seen.append((at_ms, at_ms + chance.uniform(1, 10)))
            at_ms = seen[-1][1] + chance.uniform(1, 10)
        beams.append(seen)
    if chance.random() < 0.6:
        beams[chance.randrange(2)] = []
    return beams[0], beams[1]


def _insect(chance: random.Random) -> tuple[Intervals, Intervals]:
    """Return an insect on one sensor's lens: 40 ms to 4 s at a time."""
    return _placed([_moment(chance, 40, 4000) for _ in range(chance.randint(1, 3))], chance, both=0.0)


def _sun(chance: random.Random) -> tuple[Intervals, Intervals]:
    """Return low sun through moving leaves, which blinds one sensor for seconds."""
    start_ms = chance.uniform(0, 2000)
    shade = [_moment(chance, 20, 400) for _ in range(chance.randint(2, 12))]
    return _placed(without([(start_ms, start_ms + chance.uniform(1500, 5000))], shade), chance, both=0.0)


def _leaf(chance: random.Random, beams: BeamPair) -> tuple[Intervals, Intervals]:
    """Return the edge of the door's leaf, 3 to 5 cm thick, swinging through both beams and back."""
    speed, thick_m = chance.uniform(0.4, 1.5), chance.uniform(0.03, 0.05) + 0.03
    lag_ms, width_ms = 1000 * beams.spacing_m / speed, 1000 * thick_m / speed
    there_ms = chance.uniform(500, 1500)
    back_ms = there_ms + lag_ms + width_ms + chance.uniform(1000, 4000)
    first = [(there_ms, there_ms + width_ms), (back_ms + lag_ms, back_ms + lag_ms + width_ms)]
    second = [(there_ms + lag_ms, there_ms + lag_ms + width_ms), (back_ms, back_ms + width_ms)]
    return (first, second) if chance.random() < 0.5 else (second, first)


def _standing_at(chance: random.Random, beams: BeamPair) -> Trial:
    """Return a person who comes to the door, covers one beam or both, shifts about, and goes back."""
    body, way, speed = adult(chance, beams.height_m), random_way(chance), chance.uniform(0.4, 1.2)
    middle_m = chance.uniform(-beams.spacing_m / 2 - body.depth_m / 2, 0.0)
    course = Course(body, chance, -way * 1.3, way, speed).go(way * middle_m, speed, halt=True)
    end_s = course.at_s + chance.uniform(20, 60)
    while course.at_s < end_s:
        course.stand(chance.uniform(1, 8))
        shift_m = chance.uniform(-0.05, 0.05)
        course.go(way * (middle_m + shift_m), 0.15, halt=True)
    course.turn(chance.uniform(0.6, 1.2)).go(-way * 1.3, speed)
    return watch([course], beams, chance, people=1)


def _against_the_frame(chance: random.Random) -> tuple[Intervals, Intervals, float]:
    """Return a shoulder from the side: it covers one beam, or both almost at once, and fidgets on one of them."""
    length_ms = chance.uniform(20_000, 180_000)
    covered: list[Intervals] = []
    for _ in range(2):
        start_ms, end_ms = 500 + chance.uniform(0, 300), length_ms - 500 + chance.uniform(0, 300)
        covered.append([(start_ms, end_ms)])
    fidgets: list[Interval] = []
    at_ms = chance.uniform(2000, 15_000)
    while at_ms < length_ms - 3000:
        fidgets.append((at_ms, at_ms + chance.uniform(30, 900)))
        at_ms += chance.uniform(2000, 20_000)
    which = chance.randrange(2)
    covered[which] = without(covered[which], fidgets)
    if chance.random() < 0.5:
        covered[1 - which] = []
    return covered[0], covered[1], length_ms


def _moment(chance: random.Random, shortest_ms: float, longest_ms: float) -> Interval:
    start_ms = chance.uniform(0, _LENGTH_MS - longest_ms)
    return start_ms, start_ms + chance.uniform(shortest_ms, longest_ms)


def _placed(seen: Intervals, chance: random.Random, both: float) -> tuple[Intervals, Intervals]:
    """Return *seen* on one beam or, with probability *both*, on both beams."""
    if chance.random() < both:
        return seen, list(seen)
    return (seen, []) if chance.random() < 0.5 else ([], seen)
