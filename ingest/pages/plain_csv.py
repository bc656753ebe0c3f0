"""The plain CSV that the history page offers for download, with every gap left blank."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from footfall.calendar import buckets_of, day_bounds, fold, unknown
from footfall.model import Site
from footfall.store.reader import Reader

HEADER = ("date", "start", "end", "start_utc", "counter", "entries", "exits", "covered")


def render_plain_csv(
    reader: Reader, site: Site, counters: Iterable[str], days: Sequence[date], now_utc: datetime
) -> str:
    """Return a header, then a row for each half hour of *days* that has begun and each of *counters*.

    ``entries`` and ``exits`` are blank in a gap; ``covered`` is the covered part of the half hour, 0 to 1. Raises
    StoreUnavailable.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(HEADER)
    names = list(counters)
    for day in days:
        buckets = [bucket for bucket in buckets_of(day, site.tz) if bucket.start_utc < now_utc]
        tallies = fold(reader.quarters(names, *day_bounds(day, site.tz)), buckets)
        for number, bucket in enumerate(buckets):
            for counter in names:
                tally = (tallies.get(counter) or unknown(buckets))[number]
                counts = ("", "") if tally.is_gap else (tally.entries, tally.exits)
                covered = min(1.0, tally.covered_ms / tally.length_ms)
                writer.writerow(
                    (day, f"{bucket.start_local:%H:%M}", f"{bucket.end_local:%H:%M}",
                     f"{bucket.start_utc:%Y-%m-%dT%H:%M:%SZ}", counter, *counts, f"{covered:.4f}")
                )  # fmt: skip
    return written.getvalue()
