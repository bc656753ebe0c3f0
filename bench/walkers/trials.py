"""A trial: what the beams see for some seconds, and what truly happened meanwhile."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.walkers.intervals import Intervals, shifted, union

QUIET_MS = 6000  # between two trials, so that none belongs to the one before


@dataclass(frozen=True)
class Crossing:
    """One person through both beams. *at_ms*: the trunk's centre midway; from, to: when they were at the door."""

    at_ms: float
    direction: int  # +1 an entry, -1 an exit
    from_ms: float
    to_ms: float


@dataclass(frozen=True)
class Trial:
    """Beams and truth from 0 to *length_ms*. *people*: what an error is a share of; of trials without crossings 1."""

    outer: Intervals
    inner: Intervals
    truth: tuple[Crossing, ...]
    people: int
    length_ms: float


def later(trial: Trial, by_ms: float) -> Trial:
    """Return *trial*, begun *by_ms* after 0."""
    truth = (
        Crossing(each.at_ms + by_ms, each.direction, each.from_ms + by_ms, each.to_ms + by_ms) for each in trial.truth
    )
    return Trial(
        shifted(trial.outer, by_ms), shifted(trial.inner, by_ms), tuple(truth), trial.people, trial.length_ms + by_ms
    )


def together(trials: Iterable[Trial]) -> Trial:
    """Return *trials* as one, each at the time it has."""
    all_of_them = list(trials)
    return Trial(
        union(*(trial.outer for trial in all_of_them)),
        union(*(trial.inner for trial in all_of_them)),
        tuple(crossing for trial in all_of_them for crossing in trial.truth),
        sum(trial.people for trial in all_of_them),
        max(trial.length_ms for trial in all_of_them),
    )


def joined(trials: Iterable[Trial]) -> Trial:
    """Return *trials* one after another, QUIET_MS of nothing before each and after the last."""
    placed: list[Trial] = []
    for trial in trials:
        before_ms = placed[-1].length_ms if placed else 0.0
        placed.append(later(trial, before_ms + QUIET_MS))
    one = together(placed)
    return Trial(one.outer, one.inner, one.truth, one.people, one.length_ms + QUIET_MS)


def changes(outer: Intervals, inner: Intervals) -> Iterator[tuple[int, int, int]]:
    """Yield (t_ms, outer, inner) at each change, whole milliseconds; what is shorter than that is not seen."""
    moments = sorted(
        (at, beam, level)
        for beam, seen in enumerate((outer, inner))
        for start, end in union(seen)
        for at, level in ((start, 1), (end, 0))
    )
    levels = [0, 0]
    last = (0, 0)
    for number, (at, beam, level) in enumerate(moments):
        levels[beam] = level
        at_ms = round(at)
        more = number + 1 < len(moments) and round(moments[number + 1][0]) == at_ms
        if not more and (levels[0], levels[1]) != last:
            last = (levels[0], levels[1])
            yield at_ms, levels[0], levels[1]


def lines(trial: Trial) -> str:
    """Return *trial* as `firmware/build/trace` reads it: a line `t_ms,outer,inner` per change, 1 for interrupted."""
    return "".join(f"{at_ms},{outer},{inner}\n" for at_ms, outer, inner in changes(trial.outer, trial.inner))
