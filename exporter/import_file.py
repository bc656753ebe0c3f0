"""Reads a client's file back: rows of a profile's format to half hours. The inverse of render."""

import csv
import io
from collections import Counter as Tallying
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

from exporter.dates import SAMPLE_DAYS, SAMPLE_TIMES, is_unambiguous, parse_moment
from exporter.profile import Profile
from footfall.calendar import buckets_of
from footfall.errors import InvalidHistory
from footfall.model import BUCKET, Bucket, epoch_ms
from footfall.store.historical_counts import ImportedHalfHour
from footfall.wording import plural

NEEDED = ("date", "bucket", "entries", "exits", "id")


def parse_export(profile: Profile, content: bytes, source: str) -> list[ImportedHalfHour]:
    """Return the half hours of *content*, a file in the format of *profile*, in its order.

    Gaps are left out: blank rows, and rows whose ``covered`` is 0. Without that column a 0,0 counts as a zero, although
    a profile may write gaps that way. In a repeated hour, a counter's second row with the same time is the second pass.
    Raises InvalidHistory, naming *source* and the line.
    """
    missing = [column for column in NEEDED if column not in profile.columns]
    if missing:
        raise InvalidHistory(
            f"profile {profile.name} has no column {', '.join(missing)}: its files cannot be read back",
            hint="import with a profile that has them: --profile NAME",
        )
    if not (is_unambiguous(profile.date_format, SAMPLE_DAYS) and is_unambiguous(profile.time_format, SAMPLE_TIMES)):
        raise InvalidHistory(
            f"profile {profile.name} writes different days or half hours alike: its files cannot be read back",
            hint="import with a profile that writes the whole date and time: --profile NAME",
        )
    try:
        lines = io.StringIO(content.decode(profile.encoding), newline="")
    except UnicodeDecodeError as exc:
        raise InvalidHistory(
            f"{source} is not {profile.encoding}: {exc}", hint="set `encoding` in the profile"
        ) from exc
    reader = csv.reader(lines, delimiter=profile.separator, strict=True)
    parser = _RowParser(profile)
    found = []
    try:
        for cells in reader:
            if reader.line_num == 1 and profile.header and tuple(cells) == profile.columns:
                continue
            half_hour = parser.parse(cells) if cells else None
            if half_hour is not None:
                found.append(half_hour)
    except (ValueError, csv.Error) as exc:
        raise InvalidHistory(
            f"{source}, line {reader.line_num}: {exc}", hint=f"the file must be in the format of profile {profile.name}"
        ) from None
    return found


class _RowParser:
    """Reads the rows of one file. Raises ValueError."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._known = {counter.id for counter in profile.counters}
        self._passes: Tallying[tuple[str, datetime]] = Tallying()
        self._buckets = lru_cache(maxsize=4)(self._read_buckets)

    def parse(self, cells: Sequence[str]) -> ImportedHalfHour | None:
        """Return the half hour of one row, None for a gap."""
        if len(cells) != len(self._profile.columns):
            columns = plural(len(cells), "column")
            raise ValueError(f"{columns} instead of {len(self._profile.columns)}")
        row = dict(zip(self._profile.columns, cells, strict=True))
        if row["id"] not in self._known:
            raise ValueError(f"counter {row['id']!r} is not in the profile; register it: footfall counter add")
        bucket = self._find_bucket(row)
        if row["entries"] == row["exits"] == "":
            return None
        entries, exits = (_count(name, row[name]) for name in ("entries", "exits"))
        if entries == exits == 0 and row.get("covered") == "0":
            return None
        return ImportedHalfHour(row["id"], epoch_ms(bucket.start_utc), entries, exits)

    def _find_bucket(self, row: Mapping[str, str]) -> Bucket:
        profile = self._profile
        day = parse_moment(row["date"], profile.date_format).date()
        shown = datetime.combine(day, parse_moment(row["bucket"], profile.time_format).time())
        start = shown if profile.label == "start" else shown - BUCKET
        passes = [one for one in self._buckets(start.date()) if one.start_local.replace(tzinfo=None, fold=0) == start]
        number = self._passes[row["id"], start]
        self._passes[row["id"], start] += 1
        if not passes:
            raise ValueError(f"no half hour starts at {start:%Y-%m-%d %H:%M} in {profile.site.tz.key}")
        if number >= len(passes):
            raise ValueError(f"counter {row['id']} has the half hour {start:%Y-%m-%d %H:%M} more than once")
        return passes[number]

    def _read_buckets(self, day: date) -> tuple[Bucket, ...]:
        return buckets_of(day, self._profile.site.tz)


def _count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError(f"{name} is {text!r}, not a count")
    return int(text)


def ended_by(half_hours: Sequence[ImportedHalfHour], now_epoch_ms: int) -> bool:
    """Return whether all of *half_hours* have ended by *now_epoch_ms*."""
    length_ms = BUCKET // timedelta(milliseconds=1)
    return all(one.start_epoch_ms + length_ms <= now_epoch_ms for one in half_hours)
