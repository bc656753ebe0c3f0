"""Every panel of the Occupancy dashboard shows what happened in the simulated week.

The expected numbers are computed from the simulated crossings with the standard library's calendar, independently of
the queries.
"""

from collections import Counter as Tally
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

import pytest

from footfall.model import Site, epoch_ms, from_epoch_ms
from harness.influx_server import InfluxDatabase
from tests.support.grafana import Column, Frame, Viewer, dashboard, panels
from tests.support.grafana_transformations import DAYS, transform
from tests.support.grafana_week import ANNEX, LIBRARY, NOW, Week

HALF = timedelta(minutes=30)
BOARD = dashboard("occupancy")


@dataclass
class Truth:
    """What happened at *site* on its local day of NOW, as of NOW."""

    week: Week
    site: Site

    @property
    def midnight(self) -> datetime:
        """The start of the site's day."""
        return datetime.combine(NOW.astimezone(self.site.tz).date(), time(), self.site.tz)

    @property
    def reset(self) -> datetime:
        """The last daily reset, which is after midnight at both sites."""
        return self.midnight + timedelta(minutes=self.site.reset)

    def inside(self, until: datetime) -> int:
        """Return entries minus exits from the reset to *until*."""
        return self.week.people(self.site, 1, self.reset, until) - self.week.people(self.site, -1, self.reset, until)

    def crossed(self, start: datetime, end: datetime) -> tuple[int, int] | None:
        """Return entries and exits in [start, end); None if nobody crossed."""
        last = end - timedelta(milliseconds=1)
        counts = self.week.people(self.site, 1, start, last), self.week.people(self.site, -1, start, last)
        return counts if any(counts) else None


def values(frames: Sequence[Frame], ref_id: str = "A") -> list[Column]:
    """Return the value columns of the frames of one query."""
    return [frame.columns[1] for frame in frames if frame.ref_id == ref_id]


def only(frames: Sequence[Frame], ref_id: str = "A") -> object:
    """Return the only value of a query."""
    (column,) = values(frames, ref_id)
    (value,) = column.values
    return value


def inside_now(truth: Truth, frames: Sequence[Frame]) -> None:
    assert only(frames) == truth.inside(NOW)


def against_capacity(truth: Truth, frames: Sequence[Frame]) -> None:
    assert only(frames) == truth.inside(NOW)
    if truth.site.capacity is None:
        assert not values(frames, "B")
    else:
        assert only(frames, "B") == truth.site.capacity


def today(direction: int) -> Callable[[Truth, Sequence[Frame]], None]:
    def check(truth: Truth, frames: Sequence[Frame]) -> None:
        assert only(frames) == truth.week.people(truth.site, direction, truth.midnight, NOW) > 50

    return check


def day_last_week(truth: Truth, frames: Sequence[Frame]) -> None:
    start_utc = from_epoch_ms(epoch_ms(truth.midnight) - 7 * 86_400_000)
    last = start_utc + timedelta(days=1, milliseconds=-1)
    assert only(frames) == truth.week.people(truth.site, 1, start_utc, last) > 100


def counters(truth: Truth, frames: Sequence[Frame]) -> None:
    ends = [truth.week.last_sent(door) for door in truth.week.doors(truth.site)]
    assert only(frames, "A") == sum(end > epoch_ms(NOW - timedelta(minutes=5)) for end in ends)
    assert only(frames, "B") == len(ends)


def occupancy_line(truth: Truth, frames: Sequence[Frame]) -> None:
    line, *rest = frames
    fives = list(range(epoch_ms(truth.reset), epoch_ms(NOW) + 1, 300_000))
    shown = dict(zip(line.column("Time"), line.column("inside"), strict=True))
    expected = {}
    at = truth.reset
    while at <= NOW:
        expected[epoch_ms(at)] = truth.inside(min(at + timedelta(minutes=5, milliseconds=-1), NOW))
        at += timedelta(minutes=5)
    assert shown == expected
    assert list(shown) == fives
    assert max(shown.values()) > 10
    if truth.site.capacity is not None:
        capacity = dict(zip(rest[0].column("Time"), rest[0].column("capacity"), strict=True))
        assert capacity == dict.fromkeys(fives, truth.site.capacity)
    counting = rest[-1]
    assert counting.column("Time")[0] == epoch_ms(truth.reset)
    quarters = list(zip(counting.column("Time"), counting.column("doors counting"), strict=True))
    for at_epoch_ms, doors in quarters[:-1]:  # the last one is incomplete
        start = from_epoch_ms(at_epoch_ms)
        quarter = start, start + timedelta(minutes=15)
        expected_ms = sum(truth.week.counting(door, *quarter) for door in truth.week.doors(truth.site))
        assert doors * 900_000 == pytest.approx(expected_ms)
    assert 0 < quarters[-1][1] < len(truth.week.doors(truth.site))


def door_shares(truth: Truth, frames: Sequence[Frame]) -> None:
    doors = truth.week.doors(truth.site)
    expected = Tally(
        one.counter
        for one in truth.week.crossings
        if one.counter in doors
        and one.direction == 1
        and epoch_ms(truth.midnight) <= one.time_epoch_ms <= epoch_ms(NOW)
    )
    assert {column.name: column.values[0] for column in values(frames)} == expected


def half_hours(days_before: int) -> Callable[[Truth, Sequence[Frame]], None]:
    def check(truth: Truth, frames: Sequence[Frame]) -> None:
        start, end = (at - timedelta(days=days_before) for at in (truth.midnight, NOW.astimezone(truth.site.tz)))
        entries, exits = frames
        for at_epoch_ms, in_, out in zip(
            entries.column("Time"), entries.column("entries"), exits.column("exits"), strict=True
        ):
            at = from_epoch_ms(at_epoch_ms).astimezone(truth.site.tz)
            assert at.minute in {0, 30}
            until = min(at + HALF, end + timedelta(milliseconds=1))
            assert (in_, out) == (truth.crossed(at, until) or (None, None))
        assert entries.column("Time")[0] == epoch_ms(start)
        assert sum(in_ or 0 for in_ in entries.column("entries")) == truth.week.people(truth.site, 1, start, end) > 50

    return check


def covered(days_before: int) -> Callable[[Truth, Sequence[Frame]], None]:
    def check(truth: Truth, frames: Sequence[Frame]) -> None:
        start, end = (at - timedelta(days=days_before) for at in (truth.midnight, NOW.astimezone(truth.site.tz)))
        if not days_before:  # a week longer, so that a counter that was silent all day has its red strip
            start = from_epoch_ms(epoch_ms(start) - 7 * 86_400_000)
        alive = [door for door in truth.week.doors(truth.site) if truth.week.counting(door, start, end)]
        assert truth.site is not LIBRARY or "DOOR4" in alive
        assert [column.name for column in values(frames)] == alive
        for frame, door in zip(frames, alive, strict=True):
            assert frame.column("Time")[-1] <= epoch_ms(end)
            for at_epoch_ms, share in list(zip(frame.column("Time"), frame.column(door), strict=True))[:-1]:
                at = from_epoch_ms(at_epoch_ms)
                assert share * 1_800_000 == pytest.approx(truth.week.counting(door, at, at + HALF))

    return check


def weekdays(truth: Truth, frames: Sequence[Frame]) -> None:
    (matrix,) = frames
    first = matrix.columns[0]
    shown = {
        (row, column.name): column.values[place]
        for column in matrix.columns[1:]
        for place, row in enumerate(first.values)
        if column.values[place] is not None
    }
    expected: dict[tuple[str, str], int] = {}
    for one in truth.week.crossings:
        at = from_epoch_ms(one.time_epoch_ms).astimezone(truth.site.tz)
        if one.counter in truth.week.doors(truth.site) and truth.midnight - timedelta(days=28) <= at < truth.midnight:
            cell = f"{at.isoweekday()} {DAYS[at.weekday()]}", f"{at.hour:02}:{at.minute // 30 * 30:02}"
            expected[cell] = expected.get(cell, 0) + (one.direction == 1)
    assert shown == expected
    assert first.values == [f"{number} {day}" for number, day in enumerate(DAYS, start=1)]
    names = [column.name for column in matrix.columns[1:]]
    assert names == sorted(names)


def days(truth: Truth, frames: Sequence[Frame]) -> None:
    (table,) = frames
    shown = {}
    for row in table.rows():
        at = from_epoch_ms(row["Time"]).astimezone(truth.site.tz)
        assert at.time() == time()
        if row["entries"] is not None:
            shown[at.date()] = row["entries"], row["exits"]
    expected: Mapping[object, tuple[int, int] | None] = {
        day: truth.crossed(
            datetime.combine(day, time(), truth.site.tz),
            min(datetime.combine(day + timedelta(days=1), time(), truth.site.tz), NOW),
        )
        for day in (truth.midnight.date() - timedelta(days=back) for back in range(31))
    }
    assert shown == {day: counts for day, counts in expected.items() if counts}
    assert len(shown) > 10


def hours_counted(truth: Truth, frames: Sequence[Frame]) -> None:
    (table,) = frames
    assert len(table) >= 31
    for row in table.rows():
        day = from_epoch_ms(row["Time"]).astimezone(truth.site.tz).date()
        bounds = [datetime.combine(day + timedelta(days=days), time(), truth.site.tz) for days in (0, 1)]
        bounds[1] = min(bounds[1], NOW)  # a span that is open then counts whole
        doors = truth.week.doors(truth.site)
        expected_ms = sum(truth.week.counting(door, *bounds) for door in doors)
        late_ms = truth.week.beat_ms * len(doors) if bounds[1] == NOW else 0
        assert expected_ms - 1 <= row["hours"] * 3_600_000 <= expected_ms + late_ms + 1, day


TRUTHS: Mapping[str, Callable[[Truth, Sequence[Frame]], None]] = {
    "People inside now": inside_now,
    "Occupancy and capacity": against_capacity,
    "Entries today": today(1),
    "Exits today": today(-1),
    "Entries a week ago": day_last_week,
    "Counters": counters,
    "Occupancy since the daily reset": occupancy_line,
    "Entries by door today": door_shares,
    "Half hours": half_hours(0),
    "Half hours, one week earlier": half_hours(7),
    "Coverage": covered(0),
    "Coverage, one week earlier": covered(7),
    "Entries by weekday and half hour": weekdays,
    "Entries and exits per day, last month": days,
    "Hours covered per day, last month": hours_counted,
}


@pytest.mark.parametrize("site", [LIBRARY, ANNEX], ids=lambda site: site.id)
@pytest.mark.parametrize("panel", list(panels(BOARD)), ids=lambda panel: panel["title"])
def test_panel_shows_what_happened(
    panel: dict[str, object], site: Site, week: Week, week_database: InfluxDatabase
) -> None:
    """Every query runs over the simulated week, and its numbers equal the simulated truth."""
    truth = Truth(week, site)
    viewer = Viewer(week_database, truth.midnight, NOW, {"site": site.id}, site.tz)
    frames = viewer.frames(BOARD, panel)
    assert {frame.ref_id for frame in frames} >= {"A"}, "the panel shows nothing"
    TRUTHS[str(panel["title"])](truth, transform(frames, panel, site.tz))


def test_range_in_the_past_shows_the_occupancy_of_its_end(week: Week, week_database: InfluxDatabase) -> None:
    then = datetime(2026, 10, 22, 14, 0, tzinfo=LIBRARY.tz)
    viewer = Viewer(week_database, then - timedelta(days=1), then, {"site": LIBRARY.id}, LIBRARY.tz)
    panel = next(panel for panel in panels(BOARD) if panel["title"] == "People inside now")
    reset = then.replace(hour=4)
    expected = week.people(LIBRARY, 1, reset, then) - week.people(LIBRARY, -1, reset, then)
    assert only(viewer.frames(BOARD, panel)) == expected > 0
