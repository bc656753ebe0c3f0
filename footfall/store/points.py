"""What InfluxDB is told, as points. docs/storage.md is the contract; what is made here is never updated, only repeated.

A point is named by measurement, tags and time: the same name written again replaces it. So each is made from what
never changes, the same bytes at every retry, and two different facts never share a name.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from footfall.model import QUARTER_MS, Span

Value = int | float | bool | str

NS_PER_MS = 1_000_000


class Point(NamedTuple):
    """One fact. ``tags`` are ordered and none is empty; ``time_ns`` is since 1970 UTC."""

    measurement: str
    tags: tuple[tuple[str, str], ...]
    fields: Mapping[str, Value]
    time_ns: int


def tags_of(**tags: str) -> tuple[tuple[str, str], ...]:
    """Return *tags* in their order by name, without those that are empty: InfluxDB takes no empty tag."""
    return tuple(sorted((name, value) for name, value in tags.items() if value))


def crossing_point(
    counter: str, site: str, stream: str, seq: int, time_epoch_ms: int, entries: int, exits: int, *, undated: bool
) -> Point:
    """Return the point of one count.

    A counter that never knew the time has its crossing at the time of receipt, which differs where it was received
    twice, by two ingests. Its name goes along, so that a reader can tell.
    """
    fields: dict[str, Value] = {"entries": entries, "exits": exits}
    if undated:
        fields["undated"] = f"{stream}/{seq}"
    time_ns = time_epoch_ms * NS_PER_MS + seq % NS_PER_MS
    return Point("crossings", tags_of(counter=counter, site=site), fields, time_ns)


def span_points(counter: str, site: str, span: Span) -> list[Point]:
    """Return the points of a newly covered *span*, cut at quarter hours.

    The time is the piece's start, and its length is in the nanoseconds: pieces that start together and end apart, as
    two ingests may see them, stay two points.
    """
    points = []
    start = span.from_epoch_ms
    while start < span.to_epoch_ms:
        end = min(span.to_epoch_ms, start - start % QUARTER_MS + QUARTER_MS)
        covered_ms = end - start
        fields: dict[str, Value] = {"covered_ms": covered_ms}
        points.append(Point("spans", tags_of(counter=counter, site=site), fields, start * NS_PER_MS + covered_ms))
        start = end
    return points


def union_ms(pieces: Sequence[Span]) -> int:
    """Return how many milliseconds at least one of *pieces*, ordered by start, covers."""
    total, reached = 0, 0
    for piece in pieces:
        total += max(0, piece.to_epoch_ms - max(piece.from_epoch_ms, reached))
        reached = max(reached, piece.to_epoch_ms)
    return total
