"""The detection loop of the old firmware, simulated, to compare the new detector with.

    loop:  both beams interrupted      -> sleep 500 ms
           one beam interrupted        -> poll the other beam for up to 1 s;
                                          interrupted too: a crossing in that direction, sleep 500 ms
           sleep 100 ms

The loop sees nothing while it sleeps, and it keeps no edges: it misses an interruption that begins and ends in a sleep.
"""

from bisect import bisect_right

from bench.walkers.intervals import Intervals, union
from bench.walkers.trials import Trial

PASS_MS = 100.0
AFTER_DETECTION_MS = 500.0
WAIT_MS = 1000.0


def count(trial: Trial) -> list[tuple[float, int]]:
    """Return the crossings that the old loop counts in *trial*, (t_ms, +1 or -1), in order of time."""
    outer, inner = _Beam(trial.outer), _Beam(trial.inner)
    counted: list[tuple[float, int]] = []
    at_ms = 0.0
    while at_ms < trial.length_ms:
        first, second = outer.interrupted(at_ms), inner.interrupted(at_ms)
        if first and second:
            at_ms += AFTER_DETECTION_MS
        elif first or second:
            found_ms = (inner if first else outer).next_interruption(at_ms)
            if found_ms <= at_ms + WAIT_MS:
                counted.append((found_ms, 1 if first else -1))
                at_ms = found_ms + AFTER_DETECTION_MS
            else:
                at_ms += WAIT_MS
        at_ms += PASS_MS
    return counted


class _Beam:
    """The interruptions of one beam."""

    def __init__(self, moments: Intervals) -> None:
        self._moments = union(moments)
        self._starts = [start for start, _ in self._moments]

    def interrupted(self, at_ms: float) -> bool:
        """Return whether the beam is interrupted at *at_ms*."""
        number = bisect_right(self._starts, at_ms) - 1
        return number >= 0 and at_ms < self._moments[number][1]

    def next_interruption(self, from_ms: float) -> float:
        """Return the first moment from *from_ms* on at which the beam is interrupted; infinity if there is none."""
        if self.interrupted(from_ms):
            return from_ms
        number = bisect_right(self._starts, from_ms)
        return self._starts[number] if number < len(self._starts) else float("inf")
