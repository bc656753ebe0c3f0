"""The dashboards work with no data, with one counter and with twenty."""

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
    """Return what each panel of *board* draws, by title. Fails on any error of a query."""
    viewer = Viewer(database, paris(27, 0), NOW, chosen, PARIS)
    return {panel["title"]: transform(viewer.frames(board, panel), panel, PARIS) for panel in panels(board)}


@pytest.mark.parametrize("name", dashboard_names())
def test_without_data_no_query_fails_and_no_panel_invents_a_number(name: str, influx_database: InfluxDatabase) -> None:
    """With no data: every panel says so in its own words, and none shows a zero."""
    board = dashboard(name)
    for title, frames in drawn(influx_database, board, {}).items():
        assert not any(len(frame) for frame in frames), title
    for panel in panels(board):
        if panel["type"] != "table":  # an empty table says "No data" by itself
            assert panel["fieldConfig"]["defaults"]["noValue"], panel["title"]


def test_a_site_that_was_set_but_never_counted_shows_no_zero(influx_database: InfluxDatabase) -> None:
    """A gap must never pass for a zero: where nothing was told, nothing is shown but the capacity."""
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
    assert shown == {"Inside, against capacity": ["capacity"], "Occupancy since the reset": ["capacity"]}


@pytest.mark.parametrize("doors", [1, MANY])
def test_every_counter_is_shown(doors: int, influx_database: InfluxDatabase) -> None:
    """With one counter and with twenty: each is there, by name, in whatever shows counters."""
    week = simulated_week(doors, people=40 * doors, beat_ms=900_000)
    load(influx_database, week)
    names = week.doors(LIBRARY)
    counters = drawn(influx_database, dashboard("counters"), {"site": LIBRARY.id})
    for title in ("Last seen", "Last report", "Losses"):
        assert sorted(counters[title][0].column("counter")) == sorted(names)
    counting = sorted({"DOOR4"} ^ set(names)) if doors > 1 else names  # DOOR4 was dead before the range
    assert [frame.columns[1].name for frame in counters["Counted"]] == sorted(names), "the dead one too, red"
    for title in ("Queue", "WiFi signal", "Free memory", "Uptime", "Aborted passages"):
        assert [frame.columns[1].name for frame in counters[title]] == counting
    assert len(counters["Blocked beams"]) == 2 * len(counting)
    occupancy = drawn(influx_database, dashboard("occupancy"), {"site": LIBRARY.id})
    assert [frame.columns[1].name for frame in occupancy["Share of each door today"]] == counting
    assert [frame.columns[1].name for frame in occupancy["Counted"]] == sorted(names)
    assert all(frames for frames in (*counters.values(), *occupancy.values()))
    assert all(len(frames) < MOST_SERIES for frames in (*counters.values(), *occupancy.values()))
    assert {uid for uid, rule in rules().items() if firing(rule, influx_database, NOW) is None} == set()


def test_month_of_twenty_counters_stays_small(influx_database: InfluxDatabase) -> None:
    """A long range asks for no more points than can be drawn."""
    viewer = Viewer(influx_database, NOW - timedelta(days=30), NOW)
    for panel in panels(dashboard("counters")):
        query = panel["targets"][0]["query"]
        if "$__interval" in query:
            assert panel["interval"] == "5m", panel["title"]
    load(influx_database, simulated_week(1, people=5, beat_ms=900_000))
    queue = next(panel for panel in panels(dashboard("counters")) if panel["title"] == "Queue")
    assert max(map(len, viewer.frames(dashboard("counters"), queue))) <= 1001
