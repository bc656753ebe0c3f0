"""Every panel of the Counters dashboard shows what the counters of the simulated week did."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from footfall.model import epoch_ms, from_epoch_ms
from harness.influx_server import InfluxDatabase
from tests.support.grafana import Frame, Json, Viewer, dashboard, panels
from tests.support.grafana_transformations import transform
from tests.support.grafana_week import NOW, SKIPPED, Week, paris, report

BOARD = dashboard("counters")
START = paris(26, 0)
FIVE_MIN_MS, QUARTER_MS, HALF_MS = 300_000, 900_000, 1_800_000
NAMES = {
    "uptime": "uptime_s",
    "firmware": "firmware",
    "signal": "rssi_dbm",
    "free memory": "heap_bytes",
    "queued": "queued",
    "dropped": "dropped",
    "aborted": "aborted",
    "outer blocked": "outer_blocked_s",
    "inner blocked": "inner_blocked_s",
}
Check = Callable[[Week, Sequence[Frame]], None]


def alive(week: Week, start: datetime = START) -> list[str]:
    """Return the counters that sent anything in the range, sorted."""
    return sorted(one.id for one in week.counters if week.sent(one.id, epoch_ms(start), epoch_ms(NOW)))


def windows(week: Week, counter: str, field: str, length_ms: int, before: int = 0) -> dict[int, list[int]]:
    """Return the values of *field* by window, for the range and *before* windows ahead of it."""
    found: dict[int, list[int]] = {}
    for at in week.sent(counter, epoch_ms(START) - before * length_ms, epoch_ms(NOW)):
        value = report(week, counter, at)[field]
        assert isinstance(value, int)
        found.setdefault(at - at % length_ms, []).append(value)
    return found


def last_seen(week: Week, frames: Sequence[Frame]) -> None:
    (table,) = frames
    ends = {one.id: week.last_sent(one.id) for one in week.counters}
    assert dict(zip(table.column("counter"), table.column("Time"), strict=True)) == ends


def last_report(week: Week, frames: Sequence[Frame]) -> None:
    (table,) = frames
    assert sorted(table.column("counter")) == sorted(one.id for one in week.counters)
    for row in table.rows():
        end = week.last_sent(row["counter"])
        assert row["Time"] == end
        status = report(week, row["counter"], end)
        assert {name: row[name] for name in NAMES} == {name: status[field] for name, field in NAMES.items()}


def counted(week: Week, frames: Sequence[Frame]) -> None:
    assert [frame.columns[1].name for frame in frames] == alive(week, START - timedelta(days=7))
    for frame in frames:
        name = frame.columns[1].name
        assert frame.column("Time")[-1] <= epoch_ms(NOW)
        for at, share in list(zip(frame.column("Time"), frame.column(name), strict=True))[
            :-1
        ]:  # the last is incomplete
            start = from_epoch_ms(at)
            expected_ms = week.counting(name, start, start + timedelta(milliseconds=QUARTER_MS))
            assert share * QUARTER_MS == pytest.approx(expected_ms)
    gap = dict(zip(frames[2].column("Time"), frames[2].column("DOOR2"), strict=True))
    assert [gap[epoch_ms(paris(27, *clock))] for clock in ((10, 45), (11, 0), (12, 15), (12, 45))] == [1, 0, 0, 1]


def each(field: str, fold: Callable[[Iterable[int]], int]) -> Check:
    def check(week: Week, frames: Sequence[Frame]) -> None:
        assert [frame.columns[1].name for frame in frames] == alive(week)
        for frame in frames:
            name = frame.columns[1].name
            shown = dict(zip(frame.column("Time"), frame.column(name), strict=True))
            expected = windows(week, name, field, FIVE_MIN_MS)
            assert {at: value for at, value in shown.items() if value is not None} == {
                at: fold(values) for at, values in expected.items()
            }
            silent = [at for at, value in shown.items() if value is None]
            assert silent or name not in {"DOOR2", "DOOR3", "DOOR4"}, "the gap is missing"

    return check


def last_of(values: Iterable[int]) -> int:
    return list(values)[-1]


def aborted(week: Week, frames: Sequence[Frame]) -> None:
    seen = 0
    for frame in frames:
        name = frame.columns[1].name
        most = {at: max(values) for at, values in windows(week, name, "aborted", HALF_MS, before=1).items()}
        expected = {at: most[at] - most[before] for before, at in pairwise(sorted(most))}
        shown = dict(zip(frame.column("Time"), frame.column(name), strict=True))
        assert shown == expected
        seen += sum(shown.values())
    assert seen > 5


def blocked(week: Week, frames: Sequence[Frame]) -> None:
    names = [f"{name} {beam}" for name in alive(week) for beam in ("outer", "inner")]
    assert [frame.columns[1].name for frame in frames] == names
    longest = {}
    for name, frame in zip(names, frames, strict=True):
        counter, beam = name.split()
        shown = dict(zip(frame.column("Time"), frame.column(name), strict=True))
        expected = windows(week, counter, f"{beam}_blocked_s", FIVE_MIN_MS)
        assert {at: v for at, v in shown.items() if v is not None} == {at: max(v) for at, v in expected.items()}
        longest[name] = max(map(max, expected.values()))
    assert [name for name, blocked_s in longest.items() if blocked_s > 900] == ["DOOR3 outer"]


def losses(week: Week, frames: Sequence[Frame]) -> None:
    (table,) = frames
    shown = {row["counter"]: (row["lost"], row["undated"], row["conflicts"]) for row in table.rows()}
    assert shown == {one.id: (SKIPPED if one.id == "DOOR1" else 0, 1, 0) for one in week.counters}


TRUTHS: Mapping[str, Check] = {
    "Last seen": last_seen,
    "Status": last_report,
    "Coverage": counted,
    "Queue": each("queued", max),
    "WiFi signal": each("rssi_dbm", min),
    "Free memory": each("heap_bytes", min),
    "Uptime": each("uptime_s", last_of),
    "Aborted passages": aborted,
    "Blocked beams": blocked,
    "Losses": losses,
}


@pytest.mark.parametrize("panel", list(panels(BOARD)), ids=lambda panel: panel["title"])
def test_panel_shows_what_happened(panel: Json, week: Week, week_database: InfluxDatabase) -> None:
    """Every query runs over the simulated week, and its numbers equal the simulated truth."""
    viewer = Viewer(week_database, START, NOW)
    frames = transform(viewer.frames(BOARD, panel), panel, viewer.zone)
    assert frames, "the panel shows nothing"
    TRUTHS[panel["title"]](week, frames)


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"site": "annex.2"}, ["ANNEX1"]),
        ({"site": ["library", "annex.2"], "counter": ["DOOR2", "ANNEX1"]}, ["ANNEX1", "DOOR2"]),
        ({"counter": "DOOR1"}, ["DOOR1"]),
        ({"site": "annex", "counter": "DOOR1"}, []),
    ],
)
def test_panels_show_only_the_chosen_sites_and_counters(
    chosen: dict[str, str | list[str]], expected: list[str], week_database: InfluxDatabase
) -> None:
    """One or more of each; a name never acts as a pattern."""
    viewer = Viewer(week_database, START, NOW, chosen)
    for panel in panels(BOARD):
        names = {
            name
            for frame in viewer.frames(BOARD, panel)
            for name in (frame.column("counter") if panel["type"] == "table" else [frame.columns[1].labels["counter"]])
        }
        assert sorted(names) == expected, panel["title"]
