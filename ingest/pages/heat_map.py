"""The heat map of a period: entries by weekday and half hour. charts/heat_map_chart.py draws it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from footfall.model import minute_of_day
from ingest.pages.site_days import Coverage, SiteDay


@dataclass(frozen=True)
class HeatCell:
    """One weekday and half hour: the mean entries of fully counted days, None if there is no such day.

    ``is_gap``: at least one such half hour has ended, and none was fully counted.
    """

    label: str
    mean_entries: float | None
    is_gap: bool
    is_open: bool


def compute_heat_map(days: Sequence[SiteDay]) -> Mapping[int, tuple[HeatCell, ...]]:
    """Return 48 wall-clock half hours for each weekday in *days* (0 Monday); partial half hours are excluded."""
    entries_of: dict[tuple[int, int], list[int]] = {}
    for day in days:
        for one in day.half_hours:
            if one.inside is not None:
                slot = minute_of_day(one.bucket.start_local) // 30
                counted = entries_of.setdefault((day.day.weekday(), slot), [])
                if one.coverage is Coverage.FULL:
                    counted.append(one.total.entries)
    hours = days[0].site.hours if days else None
    found = {}
    for weekday in sorted({day.day.weekday() for day in days}):
        cells = []
        for slot in range(48):
            entries = entries_of.get((weekday, slot))
            is_open = hours is not None and slot * 30 in hours
            mean = sum(entries) / len(entries) if entries else None
            cells.append(HeatCell(f"{slot // 2:02}:{slot % 2 * 30:02}", mean, entries == [], is_open))
        found[weekday] = tuple(cells)
    return found
