"""Sets of time: sorted, disjoint intervals [start, end) in milliseconds."""

from collections.abc import Iterable

Interval = tuple[float, float]
Intervals = list[Interval]


def union(*sets: Iterable[Interval]) -> Intervals:
    """Return the union of *sets*."""
    merged: Intervals = []
    for start, end in sorted(interval for each in sets for interval in each):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif end > start:
            merged.append((start, end))
    return merged


def without(kept: Iterable[Interval], removed: Iterable[Interval]) -> Intervals:
    """Return *kept* minus *removed*."""
    holes = union(removed)
    left: Intervals = []
    for start, end in union(kept):
        for hole_start, hole_end in holes:
            if hole_end <= start or hole_start >= end:
                continue
            if hole_start > start:
                left.append((start, hole_start))
            start = hole_end  # noqa: PLW2901 - the rest of the interval
        if start < end:
            left.append((start, end))
    return left


def shifted(intervals: Iterable[Interval], by_ms: float) -> Intervals:
    """Return *intervals*, each *by_ms* later."""
    return [(start + by_ms, end + by_ms) for start, end in intervals]
