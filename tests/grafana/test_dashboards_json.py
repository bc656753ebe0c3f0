"""Rules for every dashboard's JSON, because no Grafana was available: the classic model, and our own.

The classic model: https://grafana.com/docs/grafana/v12.0/dashboards/build-dashboards/view-dashboard-json-model/
Our rules follow dashboard-linter and kubernetes-mixin: stable uids, a data source variable, and a unit and description
on every panel.
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
TYPES = {"stat", "bargauge", "timeseries", "piechart", "state-timeline", "table", "barchart"}  # built into Grafana
UNITS = {"locale", "percentunit", "s", "ms", "h", "dBm", "bytes", "string", "dateTimeFromNow", "dateTimeAsIso"}
CUSTOM_UNIT = re.compile(r"time:[A-Za-z ]+")  # a moment.js format
KEYS = {"annotations", "description", "editable", "graphTooltip", "id", "links", "panels", "refresh", "schemaVersion",
        "tags", "templating", "time", "timepicker", "timezone", "title", "uid"}  # fmt: skip

each_board = pytest.mark.parametrize("board", [dashboard(name) for name in NAMES], ids=NAMES)
each_panel = pytest.mark.parametrize(
    "panel",
    [pytest.param(panel, id=f"{name}-{panel['id']}") for name in NAMES for panel in panels(dashboard(name))],
)


def queries(board: Json) -> Iterator[str]:
    """Yield every query of *board*, from panels and variables."""
    for panel in panels(board):
        yield from (target["query"] for target in panel["targets"])
    yield from (one["query"] for one in board["templating"]["list"] if one["type"] == "query")


def test_uids_are_stable_and_unique() -> None:
    """Links, bookmarks and alerts use the uid, so it must never change."""
    assert {name: dashboard(name)["uid"] for name in NAMES} == UIDS


@pytest.mark.parametrize("name", NAMES)
def test_file_is_formatted(name: str) -> None:
    """Indented by two spaces, with a final newline, so that a diff shows what changed."""
    text = (FOLDER / "dashboards" / f"{name}.json").read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n"


@each_board
def test_dashboard_follows_the_classic_model(board: Json) -> None:
    """Without id and version, which belong to one Grafana's database, and without unknown keys."""
    assert set(board) == KEYS
    assert board["id"] is None
    assert board["schemaVersion"] == 41  # of Grafana 12.0
    assert board["title"].startswith("Footfall ")
    assert board["description"]
    assert board["tags"] == ["footfall"]
    assert board["refresh"] == "1m"
    assert board["time"]["to"] == "now", "most panels show the state at the end of the range"
    assert board["timezone"] == "", "the organization's default, which the compose file sets"
    assert board["annotations"] == {"list": []}


@each_board
def test_dashboards_link_to_each_other(board: Json) -> None:
    """One click leads to the others, and keeps the site."""
    (link,) = board["links"]
    assert link["type"] == "dashboards"
    assert link["tags"] == board["tags"]
    assert link["includeVars"] is True


@each_board
def test_panels_tile_the_grid(board: Json) -> None:
    """24 columns, no overlaps, no holes, unique ids."""
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
    """And no id of one Grafana's data source appears anywhere."""
    variables = {one["name"]: one for one in board["templating"]["list"]}
    assert list(variables)[:2] == ["datasource", "site"]
    assert variables["datasource"]["type"] == "datasource"
    assert variables["datasource"]["query"] == "influxdb"
    for variable in board["templating"]["list"]:
        assert variable["description"], variable["name"]
        if variable["type"] == "query":
            assert variable["datasource"] == SOURCE
            assert variable["refresh"] == 2, "refreshed with the range, so an unattended screen follows the day"
            assert variable["multi"] == variable["includeAll"]
    uids = re.findall(r'"uid": "([^"]+)"', json.dumps({**board, "uid": ""}))
    assert set(uids) == {"${datasource}"}


@each_board
def test_every_variable_is_used_and_defined(board: Json) -> None:
    """With an explicit format, because some versions escape a bare $site."""
    used = {name for query in queries(board) for name in re.findall(r"\$\{(\w+)(?::\w+)?\}", query)}
    names = {one["name"] for one in board["templating"]["list"]} - {"datasource"}
    assert used - {"__from", "__to"} == names
    for query in queries(board):
        leftover = re.sub(r"\$\{\w+:(raw|regex)\}|\$\{__(from|to)\}|\$timeFilter|\$__interval|\$/", "", query)
        assert "$" not in leftover, query


@each_panel
def test_panel_is_described(panel: Json) -> None:
    """It has a title, a description in full sentences, a known unit, and a text for no value."""
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
def test_panel_uses_the_data_source_variable(panel: Json) -> None:
    """With raw InfluxQL, one SELECT per query, in a format that the panel can draw."""
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
    """No line connects across a gap, and no count of people is filled with zeros."""
    custom = panel["fieldConfig"]["defaults"]["custom"]
    if panel["type"] in {"timeseries", "state-timeline"}:
        assert custom["spanNulls"] is False
    for target in panel["targets"]:
        if "fill(0)" in target["query"] and "cumulative_sum" not in target["query"]:
            measurement = re.findall(r'FROM "(\w+)"', target["query"])
            assert measurement in (["spans"], ["exporter"]), "zero is right only where reports must exist"


@each_panel
def test_shifted_panel_queries_only_its_own_range(panel: Json) -> None:
    """Versions of Grafana differ in ${__from} and ${__to} for a shifted panel."""
    if "timeShift" in panel:
        assert all("$timeFilter" in target["query"] and "${__" not in target["query"] for target in panel["targets"])


@each_panel
def test_legend_of_many_series_is_a_table(panel: Json) -> None:
    """Twenty counters have twenty names, and a table scrolls."""
    grouped = any('"counter"' in target["query"].split("GROUP BY")[-1] for target in panel["targets"])
    if grouped and panel["type"] in {"timeseries", "piechart"}:
        assert panel["options"]["legend"]["displayMode"] == "table"


@each_board
def test_days_are_the_sites_days(board: Json) -> None:
    """GROUP BY time(1d) is UTC unless the query ends in tz()."""
    for query in queries(board):
        for length in re.findall(r"GROUP BY time\((\w+)\)", query):
            if length == "1d" or (length == "30m" and '"status"' not in query):  # queries of status cover several sites
                assert query.endswith("tz('${zone:raw}')"), query


@each_board
def test_every_query_is_bounded(board: Json) -> None:
    """Some versions of InfluxDB refuse unbounded queries, and reading old points takes time."""
    for query in queries(board):
        if not query.startswith("SHOW TAG VALUES"):
            assert "$timeFilter" in query or re.search(r"time >=? .*AND time <=? ", query), query


def test_people_inside_are_never_shown_below_zero() -> None:
    """A mapping limits the number, and the axis limits the line; the data itself is unchanged."""
    by_title = {panel["title"]: panel["fieldConfig"]["defaults"] for panel in panels(dashboard("occupancy"))}
    for title in ("People inside now", "Occupancy and capacity"):
        (mapping,) = by_title[title]["mappings"]
        assert mapping["options"]["to"] == 0
        assert mapping["options"]["from"] <= -1_000_000
        assert mapping["options"]["result"]["text"] == "0"
    assert by_title["Occupancy since the daily reset"]["min"] == 0


@each_panel
def test_only_tested_transformations_are_used(panel: Json) -> None:
    assert {one["id"] for one in panel.get("transformations", ())} <= set(TRANSFORMATIONS)
