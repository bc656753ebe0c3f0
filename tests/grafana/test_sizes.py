"""The dashboards work with no data, one counter, and twenty counters."""

from datetime import timedelta

import pytest

from harness.influx_server import InfluxDatabase
from tests.support.grafana import Frame, Json, Viewer, dashboard, dashboard_names, panels
from tests.support.grafana_alerts import firing, rules
from tests.support.grafana_transformations import transform
from tests.support.grafana_week import LIBRARY, NOW, PARIS, load, paris, simulated_week

MANY = 20
MOST_SERIES = 10_000  # maxSeries of the provisioned data source


def drawn(database: InfluxDatabase, board: Json, chosen: dict[str, str | list[str]]) -> dict[str, list[Frame]]:
    """Return what each panel of *board* draws, by title. Fails if a query fails."""
    viewer = Viewer(database, paris(27, 0), NOW, chosen, PARIS)
    return {panel["title"]: transform(viewer.frames(board, panel), panel, PARIS) for panel in panels(board)}


@pytest.mark.parametrize("name", dashboard_names())
def test_without_data_no_query_fails_and_no_panel_shows_a_number(name: str, influx_database: InfluxDatabase) -> None:
    """Every panel says that there is no data; none shows a zero."""
    board = dashboard(name)
    for title, frames in drawn(influx_database, board, {}).items():
        assert not any(len(frame) for frame in frames), title
    for panel in panels(board):
        if panel["type"] != "table":  # an empty table already says "No data"
            assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]


def test_site_without_any_count_shows_no_zero(influx_database: InfluxDatabase) -> None:
    """A gap must never pass for a zero: only the capacity is shown."""
    at_ns = int(NOW.timestamp()) * 10**9 - 10**9
    midnight_ms, reset_ms = int(paris(28, 0).timestamp()) * 1000, int(paris(28, 4).timestamp()) * 1000
    influx_database.write(
        f'sites,site=library time_zone="Europe/Paris",capacity=20i,day_ms={midnight_ms}i,reset_ms={reset_ms}i {at_ns}'
    )
    shown = {
        title: [frame.columns[1].name for frame in frames]
        for title, frames in drawn(influx_database, dashboard("occupancy"), {}).items()
        if frames
    }
    assert shown == {"Occupancy and capacity": ["capacity"], "Occupancy since the daily reset": ["capacity"]}


@pytest.mark.parametrize("doors", [1, MANY])
def test_every_counter_is_shown(doors: int, influx_database: InfluxDatabase) -> None:
    """Every panel about counters has each of them by name."""
    week = simulated_week(doors, people=40 * doors, beat_ms=900_000)
    load(influx_database, week)
    names = week.doors(LIBRARY)
    counters = drawn(influx_database, dashboard("counters"), {"site": LIBRARY.id})
    for title in ("Last seen", "Status", "Losses"):
        assert sorted(counters[title][0].column("counter")) == sorted(names)
    counting = sorted({"DOOR4"} ^ set(names)) if doors > 1 else names  # DOOR4 died before the range
    assert [frame.columns[1].name for frame in counters["Coverage"]] == sorted(names), "the dead counter too, in red"
    for title in ("Queue", "WiFi signal", "Free memory", "Uptime", "Aborted passages"):
        assert [frame.columns[1].name for frame in counters[title]] == counting
    assert len(counters["Blocked beams"]) == 2 * len(counting)
    occupancy = drawn(influx_database, dashboard("occupancy"), {"site": LIBRARY.id})
    assert [frame.columns[1].name for frame in occupancy["Entries by door today"]] == counting
    assert [frame.columns[1].name for frame in occupancy["Coverage"]] == sorted(names)
    assert all(frames for frames in (*counters.values(), *occupancy.values()))
    assert all(len(frames) < MOST_SERIES for frames in (*counters.values(), *occupancy.values()))
    assert {uid for uid, rule in rules().items() if firing(rule, influx_database, NOW) is None} == set()


def test_long_range_returns_no_more_points_than_can_be_drawn(influx_database: InfluxDatabase) -> None:
    viewer = Viewer(influx_database, NOW - timedelta(days=30), NOW)
    for panel in panels(dashboard("counters")):
        query = panel["targets"][0]["query"]
        if "$__interval" in query:
            assert panel["interval"] == "5m", panel["title"]
    load(influx_database, simulated_week(1, people=5, beat_ms=900_000))
    queue = next(panel for panel in panels(dashboard("counters")) if panel["title"] == "Queue")
    assert max(map(len, viewer.frames(dashboard("counters"), queue))) <= 1001
