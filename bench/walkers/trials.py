"""A trial: some seconds of what the beams see, with the true crossings."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench.walkers.intervals import Intervals, shifted, union

QUIET_MS = 6000  # between two trials, so that the detector treats them separately


@dataclass(frozen=True)
class TrueCrossing:
    """One person through both beams: when the trunk's centre was midway, and from when to when it was at the door."""

    at_ms: float
    direction: int  # +1 an entry, -1 an exit
    from_ms: float
    to_ms: float


@dataclass(frozen=True)
class Trial:
    """The interruptions and the truth from 0 to *length_ms*. Errors are a share of *people*: 1 if nobody crosses."""

    outer: Intervals
    inner: Intervals
    truth: tuple[TrueCrossing, ...]
    people: int
    length_ms: float


def later(trial: Trial, by_ms: float) -> Trial:
    """Return *trial* shifted by *by_ms*."""
    truth = (
        TrueCrossing(each.at_ms + by_ms, each.direction, each.from_ms + by_ms, each.to_ms + by_ms)
        for each in trial.truth
    )
    return Trial(
        shifted(trial.outer, by_ms), shifted(trial.inner, by_ms), tuple(truth), trial.people, trial.length_ms + by_ms
    )


def together(trials: Iterable[Trial]) -> Trial:
    """Return *trials* as one, each at its own time."""
    each_trial = list(trials)
    return Trial(
        union(*(trial.outer for trial in each_trial)),
        union(*(trial.inner for trial in each_trial)),
        tuple(crossing for trial in each_trial for crossing in trial.truth),
        sum(trial.people for trial in each_trial),
        max(trial.length_ms for trial in each_trial),
    )


def joined(trials: Iterable[Trial]) -> Trial:
    """Return *trials* one after another, with QUIET_MS before each and after the last."""
    placed: list[Trial] = []
    for trial in trials:
        before_ms = placed[-1].length_ms if placed else 0.0
        placed.append(later(trial, before_ms + QUIET_MS))
    one = together(placed)
    return Trial(one.outer, one.inner, one.truth, one.people, one.length_ms + QUIET_MS)


def changes(outer: Intervals, inner: Intervals) -> Iterator[tuple[int, int, int]]:
    """Yield (t_ms, outer, inner) at each change, in whole milliseconds. Shorter interruptions are left out."""
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
    """Return *trial* for `firmware/build/trace`: a line `t_ms,outer,inner` per change, 1 for interrupted."""
    return "".join(f"{at_ms},{outer},{inner}\n" for at_ms, outer, inner in changes(trial.outer, trial.inner))
