"""What holds for every dashboard's JSON, since no Grafana was there to draw it: the classic model, and our own rules.

The classic model: https://grafana.com/docs/grafana/v12.0/dashboards/build-dashboards/view-dashboard-json-model/
The rules are those of dashboard-linter and kubernetes-mixin: stable uids, a data source variable, unit and
description on every panel.
"""

import json
import re
from collections.abc import Iterator

import pytest

from tests.support.grafana import FOLDER, Json, dashboard, dashboard_names, panels
from tests.support.grafana_transformations import TRANSFORMATIONS

NAMES = dashboard_names()
UIDS = {"occupancy": "footfall-occupancy", "counters": "footfall-counters", "deliveries": "footfall-deliveries"}
SOURCE = {"type": "influxdb", "uid": "${datasource}"}
TYPES = {"stat", "bargauge", "timeseries", "piechart", "state-timeline", "table", "barchart"}  # of Grafana itself
UNITS = {"locale", "percentunit", "s", "ms", "h", "dBm", "bytes", "string", "dateTimeFromNow", "dateTimeAsIso"}
CUSTOM_UNIT = re.compile(r"time:[A-Za-z ]+")  # a moment.js layout
KEYS = {"annotations", "description", "editable", "graphTooltip", "id", "links", "panels", "refresh", "schemaVersion",
        "tags", "templating", "time", "timepicker", "timezone", "title", "uid"}  # fmt: skip

each_board = pytest.mark.parametrize("board", [dashboard(name) for name in NAMES], ids=NAMES)
each_panel = pytest.mark.parametrize(
    "panel",
    [pytest.param(panel, id=f"{name}-{panel['id']}") for name in NAMES for panel in panels(dashboard(name))],
)


def queries(board: Json) -> Iterator[str]:
    """Yield every query of *board*: of panels and of variables."""
    for panel in panels(board):
        yield from (target["query"] for target in panel["targets"])
    yield from (one["query"] for one in board["templating"]["list"] if one["type"] == "query")


def test_uids_are_stable_and_unique() -> None:
    """Links, bookmarks and alerts name a dashboard by its uid: it never changes."""
    assert {name: dashboard(name)["uid"] for name in NAMES} == UIDS


@pytest.mark.parametrize("name", NAMES)
def test_file_is_written_as_json_is_written_here(name: str) -> None:
    """Two spaces, and a line end: so that a difference shows what changed."""
    text = (FOLDER / "dashboards" / f"{name}.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


@each_board
def test_dashboard_is_of_the_classic_model(board: Json) -> None:
    """No id and no version, which belong to one Grafana's database; nothing unknown at the top."""
    assert set(board) == KEYS
    assert board["id"] is None
    assert board["schemaVersion"] == 41  # of Grafana 12.0
    assert board["title"].startswith("Footfall ")
    assert board["description"]
    assert board["tags"] == ["footfall"]
    assert board["refresh"] == "1m"
    assert board["time"]["to"] == "now", "as of now: every panel but the ranges reads the end of the time"
    assert board["timezone"] == "", "the organization's default, which the compose file sets: sites may have several"
    assert board["annotations"] == {"list": []}


@each_board
def test_dashboards_link_to_each_other(board: Json) -> None:
    """From each dashboard one click leads to the others, with the same site."""
    (link,) = board["links"]
    assert link["type"] == "dashboards"
    assert link["tags"] == board["tags"]
    assert link["includeVars"] is True


@each_board
def test_panels_tile_the_grid(board: Json) -> None:
    """24 columns, no overlaps, no holes in a row, ids once each."""
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        grid = panel["gridPos"]
        assert 0 <= grid["x"] < grid["x"] + grid["w"] <= 24, panel["title"]
        cells = {
            (x, y) for x in range(grid["x"], grid["x"] + grid["w"]) for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & taken, f"{panel['title']} overlaps"
        taken |= cells
    height = max(y for _, y in taken) + 1
    assert len(taken) == 24 * height
    assert sorted(panel["id"] for panel in board["panels"]) == list(range(1, len(board["panels"]) + 1))


@each_board
def test_data_source_and_site_are_variables(board: Json) -> None:
    """A data source variable, a site variable, no id of one Grafana's data source anywhere."""
    variables = {one["name"]: one for one in board["templating"]["list"]}
    assert list(variables)[:2] == ["datasource", "site"]
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "influxdb"
    for variable in board["templating"]["list"]:
        assert variable["description"], variable["name"]
        if variable["type"] == "query":
            assert variable["datasource"] == SOURCE
            assert variable["refresh"] == 2, "asked again whenever the range moves, so a screen left on changes its day"
            assert variable["multi"] == variable["includeAll"]
    uids = re.findall(r'"uid": "([^"]+)"', json.dumps({**board, "uid": ""}))
    assert set(uids) == {"${datasource}"}


@each_board
def test_every_variable_is_used_and_every_used_one_is_there(board: Json) -> None:
    """Only formats that mean the same in every version: a bare $site would be escaped in some."""
    used = {name for query in queries(board) for name in re.findall(r"\$\{(\w+)(?::\w+)?\}", query)}
    names = {one["name"] for one in board["templating"]["list"]} - {"datasource"}
    assert used - {"__from", "__to"} == names
    for query in queries(board):
        leftover = re.sub(r"\$\{\w+:(raw|regex)\}|\$\{__(from|to)\}|\$timeFilter|\$__interval|\$/", "", query)
        assert "$" not in leftover, query


@each_panel
def test_panel_says_what_it_shows(panel: Json) -> None:
    """A title, a description that is a sentence, a unit that Grafana has, a word for no value."""
    assert panel["type"] in TYPES
    assert panel["title"]
    assert panel["description"].endswith("."), panel["title"]
    defaults = panel["fieldConfig"]["defaults"]
    overridden = [
        item["value"] for one in panel["fieldConfig"]["overrides"] for item in one["properties"] if item["id"] == "unit"
    ]
    for unit in (defaults["unit"], *overridden):
        assert unit in UNITS or CUSTOM_UNIT.fullmatch(unit), unit
    assert "noValue" in defaults


@each_panel
def test_panel_asks_through_the_variable_data_source(panel: Json) -> None:
    """Raw InfluxQL, one SELECT a query, in a format the panel can draw."""
    assert panel["datasource"] == SOURCE
    assert [target["refId"] for target in panel["targets"]] == list("ABCD"[: len(panel["targets"])])
    for target in panel["targets"]:
        assert target["datasource"] == SOURCE
        assert target["rawQuery"] is True
        assert target["query"].startswith("SELECT ")
        assert ";" not in target["query"]
        as_table = panel["type"] in {"table", "barchart"}
        assert target["resultFormat"] == ("table" if as_table else "time_series")
        assert ("alias" in target) == (not as_table)


@each_panel
def test_gap_is_drawn_as_a_gap(panel: Json) -> None:
    """Nothing is connected across a gap, and no count of people is filled with zeros where it is drawn as such."""
    custom = panel["fieldConfig"]["defaults"]["custom"]
    if panel["type"] in {"timeseries", "state-timeline"}:
        assert custom["spanNulls"] is False
    for target in panel["targets"]:
        if "fill(0)" in target["query"] and "cumulative_sum" not in target["query"]:
            measurement = re.findall(r'FROM "(\w+)"', target["query"])
            assert measurement in (["spans"], ["exporter"]), "zero is the truth only of what should be there"


@each_panel
def test_shifted_panel_asks_only_for_its_own_range(panel: Json) -> None:
    """What Grafana fills in for ${__from} and ${__to} in a shifted panel differs between versions."""
    if "timeShift" in panel:
        assert all("$timeFilter" in target["query"] and "${__" not in target["query"] for target in panel["targets"])


@each_panel
def test_legend_of_many_series_is_a_table_or_beside(panel: Json) -> None:
    """Twenty counters have twenty names: a legend that grows is a table, which scrolls."""
    grouped = any('"counter"' in target["query"].split("GROUP BY")[-1] for target in panel["targets"])
    if grouped and panel["type"] in {"timeseries", "piechart"}:
        assert panel["options"]["legend"]["displayMode"] == "table"


@each_board
def test_days_are_the_sites_days(board: Json) -> None:
    """GROUP BY time(1d) is UTC unless the query ends in tz()."""
    for query in queries(board):
        for length in re.findall(r"GROUP BY time\((\w+)\)", query):
            if length == "1d" or (length == "30m" and '"status"' not in query):  # those of status are of several sites
                assert query.endswith("tz('${zone:raw}')"), query


@each_board
def test_every_query_is_bounded(board: Json) -> None:
    """Some InfluxDB refuses what has no bounds, and old points cost time: each query says from when to when."""
    for query in queries(board):
        if not query.startswith("SHOW TAG VALUES"):
            assert "$timeFilter" in query or re.search(r"time >=? .*AND time <=? ", query), query


def test_people_inside_are_never_shown_below_zero() -> None:
    """Only the figure people read is held at zero: a mapping where it is a number, the axis where it is a line."""
    by_title = {panel["title"]: panel["fieldConfig"]["defaults"] for panel in panels(dashboard("occupancy"))}
    for title in ("People inside now", "Inside, against capacity"):
        (mapping,) = by_title[title]["mappings"]
        assert mapping["options"]["to"] == 0
        assert mapping["options"]["from"] <= -1_000_000
        assert mapping["options"]["result"]["text"] == "0"
    assert by_title["Occupancy since the reset"]["min"] == 0


@each_panel
def test_transformations_are_those_that_are_tried(panel: Json) -> None:
    """A transformation that the tests cannot run could do anything."""
    assert {one["id"] for one in panel.get("transformations", ())} <= set(TRANSFORMATIONS)
