"""Renders a day's tallies to the bytes of the client's file. Pure: the same tallies always give the same bytes."""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from exporter.dates import render_moment
from exporter.profile import Profile
from footfall.calendar import buckets_of, unknown
from footfall.model import BUCKET, Bucket, Counter, Tally


@dataclass(frozen=True)
class FileRow:
    """One line of the file: a counter over a half hour, or over both passes of a repeated one."""

    counter: Counter
    bucket: Bucket
    tally: Tally


@dataclass(frozen=True)
class Export:
    """The file of one (profile, day). ``gaps`` are phrases for people, not in the file: what is unknown.

    ``unknown_ms`` is the unknown time over all counters. It only ever shrinks while the store loses nothing.
    """

    profile: str
    day: date
    file_name: str
    content: bytes
    rows: int
    entries: int
    exits: int
    gaps: tuple[str, ...]
    unknown_ms: int


def export_buckets(profile: Profile, day: date) -> tuple[Bucket, ...]:
    """Return the half hours of *day* that are in the file of *profile*, in order."""
    return buckets_of(day, profile.site.tz, profile.hours)


def render_export(profile: Profile, day: date, tallies: Mapping[str, Sequence[Tally]]) -> Export:
    """Return the file of *day*. *tallies* has, by counter id, one Tally for each of export_buckets().

    A counter without tallies is one gap. Rows are ordered by time, then by counter id.
    """
    buckets = export_buckets(profile, day)
    counters = [counter for counter in profile.counters if _counted(counter, day, tallies)]
    known = {counter.id: tallies.get(counter.id) or unknown(buckets) for counter in counters}
    rows = [
        FileRow(counter, bucket, known[counter.id][number])
        for number, bucket in enumerate(buckets)
        for counter in counters
    ]
    rows = _merged(rows) if profile.repeated_hour == "merge" else rows
    written = [row for row in rows if not (row.tally.is_gap and profile.gap == "omit")]
    return Export(
        profile=profile.name,
        day=day,
        file_name=profile.file_name_of(day),
        content=_write(profile, written),
        rows=len(written),
        entries=sum(row.tally.entries for row in written),
        exits=sum(row.tally.exits for row in written),
        gaps=tuple(_describe_gaps(counters, buckets, known)),
        unknown_ms=sum(tally.length_ms - tally.covered_ms for tallied in known.values() for tally in tallied),
    )


def _counted(counter: Counter, day: date, tallies: Mapping[str, Sequence[Tally]]) -> bool:
    """Return whether *counter* belongs in the file of *day*: it was in service then, or has counted something."""
    return counter.counts_on(day) or any(not tally.is_gap for tally in tallies.get(counter.id, ()))


def _merged(rows: Sequence[FileRow]) -> list[FileRow]:
    """Return *rows* with both passes of a repeated half hour summed, at the place of the first."""
    found: dict[tuple[str, object], FileRow] = {}
    for row in rows:
        key = row.counter.id, row.bucket.start_local.replace(tzinfo=None)
        first = found.get(key)
        found[key] = row if first is None else FileRow(row.counter, first.bucket, first.tally + row.tally)
    return list(found.values())


def _write(profile: Profile, rows: Sequence[FileRow]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=profile.separator, lineterminator=profile.line_end)
    if profile.header:
        writer.writerow(profile.columns)
    cells = [_CELLS[column] for column in profile.columns]
    writer.writerows([cell(profile, row) for cell in cells] for row in rows)
    return text.getvalue().encode(profile.encoding)


def _count_cell(profile: Profile, row: FileRow, count: int) -> str:
    return "" if row.tally.is_gap and profile.gap == "blank" else str(count)


def _label(profile: Profile, row: FileRow) -> datetime:
    """Return the clock reading that labels the half hour: its start, or that plus 30 minutes.

    Not the local time at which it ends: where clocks change, that could label another half hour too.
    """
    start = row.bucket.start_local.replace(tzinfo=None)
    return start if profile.label == "start" else start + BUCKET


_CELLS: Mapping[str, Callable[[Profile, FileRow], str]] = {
    "date": lambda profile, row: render_moment(_label(profile, row), profile.date_format),
    "bucket": lambda profile, row: render_moment(_label(profile, row), profile.time_format),
    "entries": lambda profile, row: _count_cell(profile, row, row.tally.entries),
    "exits": lambda profile, row: _count_cell(profile, row, row.tally.exits),
    "id": lambda _, row: row.counter.id,
    "name": lambda _, row: row.counter.name,
    "location": lambda _, row: row.counter.location,
    "site": lambda profile, _: profile.site.name,
    "code": lambda profile, _: profile.site.code,
    "start_utc": lambda _, row: row.bucket.start_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "covered": lambda _, row: str(100 * row.tally.covered_ms // row.tally.length_ms),
}


def _describe_gaps(
    counters: Sequence[Counter], buckets: Sequence[Bucket], known: Mapping[str, Sequence[Tally]]
) -> list[str]:
    """Return a phrase for each stretch of half hours that a counter did not cover, or covered only in part."""
    found = []
    for counter in counters:
        numbered = list(zip(buckets, known[counter.id], strict=True))
        for whole, stretch in groupby(numbered, key=lambda one: one[1].is_whole):
            if whole:
                continue
            part = list(stretch)
            covered_ms = sum(tally.covered_ms for _, tally in part)
            minutes = (sum(tally.length_ms for _, tally in part) - covered_ms + 59_999) // 60_000
            first, last = part[0][0].start_local, part[-1][0].end_local
            found.append(f"{counter.id} {first:%H:%M}-{last:%H:%M} ({minutes} min unknown)")
    return found
