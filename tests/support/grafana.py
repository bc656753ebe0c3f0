"""Grafana's InfluxQL data source, as far as the dashboards use it: variables in, one query, frames out.

It follows Grafana's source (v12): public/app/plugins/datasource/influxdb/datasource.ts (variables),
pkg/tsdb/influxdb/models/query.go ($timeFilter, $__interval), pkg/tsdb/influxdb/influxql (the request, frames and their
names). It supports only the formats ``:raw`` and ``:regex``, because versions format a bare ``$site`` differently.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import urllib3

from footfall.model import epoch_ms
from harness.influx_server import InfluxDatabase

FOLDER = Path(__file__).parents[2] / "grafana"
INTERVALS_S = (60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800, 21600, 43200, 86400)
POINTS = 1000
"""The assumed width of a panel in points, which determines $__interval."""

Json = dict[str, Any]


@cache
def _text(name: str) -> str:
    return (FOLDER / "dashboards" / f"{name}.json").read_text(encoding="utf-8")


def dashboard(name: str) -> Json:
    """Return the dashboard *name*."""
    found: Json = json.loads(_text(name))
    return found


def dashboard_names() -> list[str]:
    """Return the names of all dashboards."""
    return sorted(path.stem for path in (FOLDER / "dashboards").glob("*.json"))


def panels(board: Json) -> Iterator[Json]:
    """Yield the panels of *board*, without the rows that group them."""
    for panel in board["panels"]:
        if panel["type"] != "row":
            yield panel
        yield from panel.get("panels", ())


@dataclass
class Column:
    """A field of a frame. ``labels`` are the tags of its group."""

    name: str
    values: list[Any]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Frame:
    """A table as a panel receives it: columns of equal length. Instants are ms since 1970."""

    ref_id: str
    columns: list[Column]

    def __len__(self) -> int:
        return len(self.columns[0].values) if self.columns else 0

    def column(self, name: str) -> list[Any]:
        """Return the values of the column *name*. Raises KeyError."""
        for column in self.columns:
            if column.name == name:
                return column.values
        raise KeyError(name)

    def rows(self) -> list[Json]:
        """Return the rows, each a dict by column name."""
        return [{column.name: column.values[row] for column in self.columns} for row in range(len(self))]


@dataclass
class AnswerSeries:
    """A series in InfluxDB's response. ``rows`` hold values in the order of ``columns``."""

    name: str
    tags: Mapping[str, str]
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


def ask(database: InfluxDatabase, influxql: str) -> list[AnswerSeries]:
    """Return the series of *influxql*, one statement, requested as Grafana does. Fails on any error."""
    answer = urllib3.request(
        "POST", f"{database.url}/query?db={database.influx_bucket}&epoch=ms", body=urlencode({"q": influxql}),
        headers={"Authorization": f"Token {database.token}", "Content-Type": "application/x-www-form-urlencoded"},
        retries=False, timeout=20,
    )  # fmt: skip
    decoded = json.loads(answer.data)
    assert answer.status == 200, (influxql, decoded)
    assert len(decoded["results"]) == 1, f"Grafana reads only one statement: {influxql}"
    result = decoded["results"][0]
    assert "error" not in result, (influxql, result)
    assert not any(series.get("partial") for series in result.get("series", ())), influxql
    return [
        AnswerSeries(one["name"], one.get("tags", {}), one["columns"], one.get("values", ()))
        for one in result.get("series", ())
    ]


@dataclass
class Viewer:
    """A user who views dashboards over [start, end], with *chosen* values for some variables."""

    database: InfluxDatabase
    start_utc: datetime
    end_utc: datetime
    chosen: Mapping[str, str | list[str]] = field(default_factory=dict)
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    def variables(self, board: Json) -> dict[str, str | list[str]]:
        """Return the value of each variable of *board*, queried in order; "" if it has no options."""
        values: dict[str, str | list[str]] = {}
        for variable in board["templating"]["list"]:
            if variable["type"] != "query":
                continue
            name = variable["name"]
            options = self._options(variable, values)
            if variable["includeAll"]:
                values[name] = self.chosen.get(name, variable["allValue"])
            else:
                values[name] = self.chosen.get(name, options[0] if options else "")
        return values

    def frames(self, board: Json, panel: Json) -> list[Frame]:
        """Return the frames of *panel*'s queries, before transformations."""
        values = self.variables(board)
        start_utc, end_utc = self._range_of(panel)
        found = []
        for target in panel["targets"]:
            influxql = fill(
                target["query"], {**values, **self._bounds()}, start_utc, end_utc,
                interval_s(start_utc, end_utc, panel.get("interval", "1m")))  # fmt: skip
            found += frames_of(ask(self.database, influxql), target)
        return found

    def _options(self, variable: Json, values: Mapping[str, str | list[str]]) -> list[str]:
        influxql = fill(variable["query"], {**values, **self._bounds()}, self.start_utc, self.end_utc, 60)
        series = ask(self.database, influxql)
        if not series:
            return []
        first = series[0]
        place = 1 if first.columns[0] in {"key", "time"} else 0
        options = [str(row[place]) for row in first.rows]
        return sorted(options) if variable["sort"] == 1 else options

    def _bounds(self) -> dict[str, str]:
        """Return Grafana's variables for the dashboard's range, in ms since 1970."""
        return {"__from": str(epoch_ms(self.start_utc)), "__to": str(epoch_ms(self.end_utc))}

    def _range_of(self, panel: Json) -> tuple[datetime, datetime]:
        """Return the panel's range. A shift is in days of the viewer's calendar."""
        shift = re.fullmatch(r"(\d+)d", panel.get("timeShift", "0d"))
        assert shift, panel["timeShift"]
        days = timedelta(days=int(shift[1]))
        start_local, end_local = self.start_utc.astimezone(self.zone), self.end_utc.astimezone(self.zone)
        return start_local - days, end_local - days


def fill(
    query: str, values: Mapping[str, str | list[str]], start_utc: datetime, end_utc: datetime, interval: int
) -> str:
    """Return *query* with variables, $timeFilter and $__interval filled in. Fails if any other variable is left."""
    for name, value in values.items():
        text = value if isinstance(value, str) else ",".join(value)
        query = query.replace(f"${{{name}:raw}}", text)
        query = query.replace(f"${{{name}:regex}}", _regex(value))
        if name in {"__from", "__to"}:
            query = query.replace(f"${{{name}}}", text)
    query = query.replace("$timeFilter", f"time >= {epoch_ms(start_utc)}ms and time <= {epoch_ms(end_utc)}ms")
    query = query.replace("$__interval", f"{interval}s")
    assert not re.search(r"\$[\w{]", query), f"not filled in: {query}"
    return query


def _regex(value: str | list[str]) -> str:
    """Return *value* in the format ``regex``. The value for all is already a pattern."""
    if value == ".*":
        return value
    escaped = [
        re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", one) for one in ([value] if isinstance(value, str) else value)
    ]
    return escaped[0] if len(escaped) == 1 else "(" + "|".join(escaped) + ")"


def interval_s(start_utc: datetime, end_utc: datetime, least: str) -> int:
    """Return $__interval in seconds: a round value of at least *least* that gives at most POINTS points."""
    unit_s = {"s": 1, "m": 60, "h": 3600}[least[-1]]
    wanted_s = max(int(least[:-1]) * unit_s, (end_utc - start_utc).total_seconds() / POINTS)
    return next(round_s for round_s in INTERVALS_S if round_s >= wanted_s)


def frames_of(series: Sequence[AnswerSeries], target: Json) -> list[Frame]:
    """Return *series* as frames: one table, or one frame for each column of each series."""
    if not series:
        return []
    ref_id = target["refId"]
    if target["resultFormat"] == "table":
        first = series[0]
        table = [Column("Time" if first.columns[0] == "time" else first.columns[0], [])]
        table += [Column(name, []) for name in (*first.tags, *first.columns[1:])]
        for one in series:
            for row in one.rows:
                for column, value in zip(table, [row[0], *one.tags.values(), *row[1:]], strict=True):
                    column.values.append(value)
        return [Frame(ref_id, table)]
    return [
        Frame(
            ref_id,
            [
                Column("Time", [row[0] for row in one.rows]),
                Column(_alias(target, one, name), [row[place] for row in one.rows], one.tags),
            ],
        )
        for one in series
        for place, name in enumerate(one.columns)
        if name != "time"
    ]


def _alias(target: Json, series: AnswerSeries, column: str) -> str:
    """Return the name of a frame, as FormatFrameName in pkg/tsdb/influxdb/influxql/util does."""
    alias: str = target.get("alias", f"{series.name}.{column}")
    named = {"col": column, "m": series.name, **{f"tag_{name}": value for name, value in series.tags.items()}}
    return re.sub(r"\$(\w+)", lambda found: named.get(found[1], found[0]), alias)
