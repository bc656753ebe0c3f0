"""People inside: entries minus exits since the daily reset, never below zero.

Two beams miss a person now and then, and the errors add up. So occupancy restarts from zero once a day, when nobody is
inside. Only the displayed number is clamped at zero: entries and exits stay as counted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from footfall.calendar import local_instant
from footfall.model import Bucket, Quarter, Site, Tally


@dataclass(frozen=True, slots=True)
class Occupancy:
    """People inside a site at an instant, with the entries and exits since ``reset_utc``."""

    reset_utc: datetime
    entries: int
    exits: int

    @property
    def inside(self) -> int:
        """People inside now."""
        return max(0, self.entries - self.exits)


def last_reset(site: Site, now_utc: datetime) -> datetime:
    """Return the last daily reset of *site* at or before *now_utc*, UTC."""
    today = now_utc.astimezone(site.tz).date()
    reset_utc = local_instant(today, site.reset, site.tz)
    if reset_utc > now_utc:
        reset_utc = local_instant(today - timedelta(days=1), site.reset, site.tz)
    return reset_utc


def occupancy_of(quarters: Iterable[Quarter], reset_utc: datetime) -> Occupancy:
    """Return the occupancy after *quarters*, all of them since *reset_utc*."""
    entries = exits = 0
    for quarter in quarters:
        entries += quarter.entries
        exits += quarter.exits
    return Occupancy(reset_utc, entries, exits)


def occupancy_through(
    site: Site, totals: Sequence[Tally], buckets: Sequence[Bucket], before: Iterable[Quarter]
) -> list[int]:
    """Return the people inside at the end of each bucket. *totals* has one Tally per bucket.

    *before* holds the quarters between the last reset and the first bucket: the people already inside.
    """
    if not buckets:
        return []
    running = occupancy_of(before, last_reset(site, buckets[0].start_utc))
    found = []
    for bucket, total in zip(buckets, totals, strict=True):
        reset_utc = last_reset(site, bucket.start_utc)
        if reset_utc > running.reset_utc:
            running = Occupancy(reset_utc, 0, 0)
        running = Occupancy(running.reset_utc, running.entries + total.entries, running.exits + total.exits)
        found.append(running.inside)
    return found
