"""The facts InfluxDB stores, as points. docs/storage.md is their contract.

A point is named by its measurement, tags and time; written again, it replaces itself. So every point is built from
facts that never change, with the same bytes at each retry, and no two facts share a name. A point is never updated.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from footfall.calendar import day_bounds
from footfall.model import QUARTER_MS, Site, Span, epoch_ms, from_epoch_ms, minute_of_day
from footfall.occupancy import last_reset

Value = int | float | bool | str
Tags = tuple[tuple[str, str], ...]

NS_PER_MS = 1_000_000
MAX_POINTS_PER_WRITE = 5_000
"""InfluxData's advice for 2.x (docs.influxdata.com, Optimize writes). Larger writes are not faster."""


class Point(NamedTuple):
    """One fact. ``tags`` are sorted, none is empty; ``time_ns`` is since 1970 UTC."""

    measurement: str
    tags: Tags
    fields: Mapping[str, Value]
    time_ns: int


@lru_cache(4096)
def tags_of(**tags: str) -> Tags:
    """Return *tags* sorted by name, without the empty ones, which InfluxDB rejects."""
    return tuple(sorted((name, value) for name, value in tags.items() if value))


def crossing_point(tags: Tags, undated: str, seq: int, time_epoch_ms: int, entries: int, exits: int) -> Point:
    """Return the point of one count. *undated*: ``stream/seq`` if the counter never knew the time, else "".

    An undated crossing has the time of receipt, so two ingests that both receive it write two points. By that name,
    readers recognise them as one crossing.
    """
    fields: dict[str, Value] = {"entries": entries, "exits": exits}
    if undated:
        fields["undated"] = undated
    return Point("crossings", tags, fields, time_epoch_ms * NS_PER_MS + seq % NS_PER_MS)


def span_points(counter: str, site: str, span: Span) -> Iterator[Point]:
    """Yield the points of a newly covered *span*, cut at quarter hours.

    A piece's time is its start plus its length in nanoseconds: pieces with the same start and different ends, as two
    ingests may see them, stay two points.
    """
    tags = tags_of(counter=counter, site=site)
    start = span.from_epoch_ms
    while start < span.to_epoch_ms:
        end = min(span.to_epoch_ms, start - start % QUARTER_MS + QUARTER_MS)
        covered_ms = end - start
        yield Point("spans", tags, {"covered_ms": covered_ms}, start * NS_PER_MS + covered_ms)
        start = end


def status_point(counter: str, site: str, fields: Mapping[str, Value], received_epoch_ms: int, number: int) -> Point:
    """Return the point of batch *number* of an ingest: its receipt and its status report."""
    return Point("status", tags_of(counter=counter, site=site), fields, _numbered(received_epoch_ms, number))


def stream_point(tags: Tags, figures: Mapping[str, Value], received_epoch_ms: int, number: int) -> Point:
    """Return the point of a stream as it was after batch *number* of an ingest."""
    return Point("streams", tags, figures, _numbered(received_epoch_ms, number))


def site_point(site: Site, now_ns: int) -> Point:
    """Return the point of *site*: its settings, and what InfluxQL cannot compute from its calendar.

    ``day_ms`` and ``reset_ms``: when its day and its occupancy began, ms since 1970; ``open``: 1 in opening hours.
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
    """Return the point of the progress of *ingest*'s forwarder."""
    fields: dict[str, Value] = {"waiting": waiting, "lag_s": lag_s, "quarantined": quarantined}
    return Point("forwarder", tags_of(ingest=ingest), fields, now_ns)


def _numbered(instant_epoch_ms: int, number: int) -> int:
    """Return a time in ns that is distinct even for batches of the same millisecond."""
    return instant_epoch_ms * NS_PER_MS + number % NS_PER_MS
