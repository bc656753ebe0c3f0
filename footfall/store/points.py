"""What InfluxDB is told, as points. docs/storage.md is the contract; what is made here is never updated, only repeated.

A point is named by measurement, tags and time: the same name written again replaces it. So each is made from what
never changes, the same bytes at every retry, and two different facts never share a name.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from footfall.calendar import day_bounds
from footfall.model import QUARTER_MS, Site, Span, epoch_ms, from_epoch_ms, minute_of_day
from footfall.occupancy import last_reset

Value = int | float | bool | str
Tags = tuple[tuple[str, str], ...]

NS_PER_MS = 1_000_000


class Point(NamedTuple):
    """One fact. ``tags`` are ordered and none is empty; ``time_ns`` is since 1970 UTC."""

    measurement: str
    tags: Tags
    fields: Mapping[str, Value]
    time_ns: int


@lru_cache(4096)
def tags_of(**tags: str) -> Tags:
    """Return *tags* in their order by name, without those that are empty: InfluxDB takes no empty tag."""
    return tuple(sorted((name, value) for name, value in tags.items() if value))


def crossing_point(
    counter: str, site: str, stream: str, seq: int, time_epoch_ms: int, entries: int, exits: int, *, undated: bool
) -> Point:
    """Return the point of one count of *counter*."""
    return tagged_crossing(
        tags_of(counter=counter, site=site), f"{stream}/{seq}" if undated else "", seq, time_epoch_ms, entries, exits
    )


def tagged_crossing(tags: Tags, undated: str, seq: int, time_epoch_ms: int, entries: int, exits: int) -> Point:
    """Return the point of one count that has *tags*, and the name *undated* where it has no time of its own.

    A counter that never knew the time has its crossing at the time of receipt, which differs where it was received
    twice, by two ingests. Its name goes along, so that a reader can tell.
    """
    fields: dict[str, Value] = {"entries": entries, "exits": exits}
    if undated:
        fields["undated"] = undated
    return Point("crossings", tags, fields, time_epoch_ms * NS_PER_MS + seq % NS_PER_MS)


def span_points(counter: str, site: str, span: Span) -> Iterator[Point]:
    """Yield the points of a newly covered *span*, cut at quarter hours.

    The time is the piece's start, and its length is in the nanoseconds: pieces that start together and end apart, as
    two ingests may see them, stay two points.
    """
    tags = tags_of(counter=counter, site=site)
    start = span.from_epoch_ms
    while start < span.to_epoch_ms:
        end = min(span.to_epoch_ms, start - start % QUARTER_MS + QUARTER_MS)
        covered_ms = end - start
        yield Point("spans", tags, {"covered_ms": covered_ms}, start * NS_PER_MS + covered_ms)
        start = end


def status_point(counter: str, site: str, heard: Mapping[str, Value], received_epoch_ms: int, number: int) -> Point:
    """Return the point of batch *number* of an ingest: what became of it, and the report it carried."""
    return Point("status", tags_of(counter=counter, site=site), heard, _numbered(received_epoch_ms, number))


def stream_point(tags: Tags, figures: Mapping[str, Value], received_epoch_ms: int, number: int) -> Point:
    """Return the point of a stream as it was after batch *number* of an ingest."""
    return Point("streams", tags, figures, _numbered(received_epoch_ms, number))


def site_point(site: Site, now_ns: int) -> Point:
    """Return the point of what is set for *site* now, and of its calendar, which InfluxQL cannot work out.

    ``day_ms`` and ``reset_ms``, ms since 1970: where its day and its occupancy began; ``open``: 1 in opening hours.
    """
    now_utc = from_epoch_ms(now_ns // NS_PER_MS)
    now_local = now_utc.astimezone(site.tz)
    fields: dict[str, Value] = {
        "name": site.name,
        "time_zone": site.tz.key,
        "opens_min": site.hours.opens,
        "closes_min": site.hours.closes,
        "reset_min": site.reset,
        "day_ms": epoch_ms(day_bounds(now_local.date(), site.tz)[0]),
        "reset_ms": epoch_ms(last_reset(site, now_utc)),
        "open": int(minute_of_day(now_local) in site.hours),
    }
    if site.capacity is not None:
        fields["capacity"] = site.capacity
    return Point("sites", tags_of(site=site.id), fields, now_ns)


def forwarder_point(ingest: str, waiting: int, lag_s: int, quarantined: int, now_ns: int) -> Point:
    """Return the point of how far *ingest*'s forwarder is."""
    fields: dict[str, Value] = {"waiting": waiting, "lag_s": lag_s, "quarantined": quarantined}
    return Point("forwarder", tags_of(ingest=ingest), fields, now_ns)


def _numbered(instant_epoch_ms: int, number: int) -> int:
    return instant_epoch_ms * NS_PER_MS + number % NS_PER_MS


def union_ms(pieces: Sequence[Span]) -> int:
    """Return how many milliseconds at least one of *pieces*, ordered by start, covers."""
    total, reached = 0, 0
    for piece in pieces:
        total += max(0, piece.to_epoch_ms - max(piece.from_epoch_ms, reached))
        reached = max(reached, piece.to_epoch_ms)
    return total
