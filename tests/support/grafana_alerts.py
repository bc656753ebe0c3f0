"""Evaluates Grafana's alert rules: InfluxQL queries, then server-side expressions over their series.

It follows pkg/expr in Grafana's source (v12): reduce.go (dropNN drops missing values), mathexp/union.go (joins two sets
of series where the labels of one are a subset of the other's), mathexp/exp.go (combines two series at their common
instants; a comparison is 1 or 0).
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import yaml

from harness.influx_server import InfluxDatabase
from tests.support.grafana import FOLDER, Json, ask, fill

Labels = frozenset[tuple[str, str]]
Points = dict[int, float | None]


@dataclass
class NodeValues:
    """The values of a node by labels: each a series by instant, or one number."""

    values: Mapping[Labels, Points | float | None]


def rules() -> dict[str, Json]:
    """Return all alert rules by uid."""
    content = yaml.safe_load((FOLDER / "provisioning" / "alerting" / "rules.yaml").read_text(encoding="utf-8"))
    return {rule["uid"]: rule for group in content["groups"] for rule in group["rules"]}


def firing(rule: Json, database: InfluxDatabase, now_utc: datetime) -> set[Labels] | None:
    """Return the labels for which *rule*'s condition holds at *now*, ignoring its `for`; None if there is no data."""
    nodes: dict[str, NodeValues] = {}
    for node in rule["data"]:
        model = node["model"]
        if node["datasourceUid"] == "__expr__":
            nodes[node["refId"]] = _reduce(model, nodes) if model["type"] == "reduce" else _math(model, nodes)
        else:
            nodes[node["refId"]] = query(node, database, now_utc)
    condition = nodes[rule["condition"]].values
    return {labels for labels, value in condition.items() if value} if condition else None


def query(node: Json, database: InfluxDatabase, now_utc: datetime) -> NodeValues:
    """Return the series of one query of a rule. Fails if two have the same labels."""
    span = node["relativeTimeRange"]
    start_utc, end_utc = (now_utc - timedelta(seconds=span[end]) for end in ("from", "to"))
    values: dict[Labels, Points | float | None] = {}
    for series in ask(database, fill(node["model"]["query"], {}, start_utc, end_utc, 60)):
        assert len(series.columns) == 2, "an alert's query must have one value, or its series would share their labels"
        labels = frozenset(series.tags.items())
        assert labels not in values
        values[labels] = {row[0]: row[1] for row in series.rows}
    return NodeValues(values)


def _reduce(model: Json, nodes: Mapping[str, NodeValues]) -> NodeValues:
    assert model["settings"] == {"mode": "dropNN"}
    reducers: dict[str, Callable[[list[float]], float | None]] = {
        "last": lambda numbers: numbers[-1] if numbers else None,
        "sum": sum,
    }
    found: dict[Labels, Points | float | None] = {}
    for labels, points in nodes[model["expression"]].values.items():
        assert isinstance(points, dict)
        found[labels] = reducers[model["reducer"]]([points[at] for at in sorted(points) if points[at] is not None])  # type: ignore[misc]
    return NodeValues(found)


def _math(model: Json, nodes: Mapping[str, NodeValues]) -> NodeValues:
    text = model["expression"].replace("&&", " and ").replace("||", " or ").replace("$", "")
    return _evaluate(ast.parse(text, mode="eval").body, nodes)


def _evaluate(tree: ast.expr, nodes: Mapping[str, NodeValues]) -> NodeValues:
    match tree:
        case ast.Name(id=name):
            return nodes[name]
        case ast.Constant(value=int() | float() as value):
            return NodeValues({frozenset(): float(value)})
        case ast.BinOp(left=left, op=op, right=right):
            return _join(_evaluate(left, nodes), _evaluate(right, nodes), _OPERATORS[type(op)])
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _join(_evaluate(left, nodes), _evaluate(right, nodes), _OPERATORS[type(op)])
        case ast.BoolOp(op=op, values=[left, right]):
            return _join(_evaluate(left, nodes), _evaluate(right, nodes), _OPERATORS[type(op)])
    raise AssertionError(f"unsupported expression: {ast.dump(tree)}")


def _join(left: NodeValues, right: NodeValues, operate: Callable[[float, float], float]) -> NodeValues:
    found: dict[Labels, Points | float | None] = {}
    for mine, a in left.values.items():
        for yours, b in right.values.items():
            if mine <= yours or yours <= mine:
                found[max(mine, yours, key=len)] = _operate(a, b, operate)
    return NodeValues(found)


def _operate(a: Any, b: Any, operate: Callable[[float, float], float]) -> Points | float | None:
    if isinstance(a, dict) and isinstance(b, dict):
        return {at: _number(a[at], b[at], operate) for at in a if at in b}
    if isinstance(a, dict):
        return {at: _number(value, b, operate) for at, value in a.items()}
    if isinstance(b, dict):
        return {at: _number(a, value, operate) for at, value in b.items()}
    return _number(a, b, operate)


def _number(a: float | None, b: float | None, operate: Callable[[float, float], float]) -> float | None:
    return None if a is None or b is None else float(operate(a, b))


_OPERATORS: dict[type[ast.AST], Callable[[float, float], float]] = {
    ast.Mult: lambda a, b: a * b,
    ast.Eq: lambda a, b: a == b,
    ast.Gt: lambda a, b: a > b,
    ast.And: lambda a, b: bool(a) and bool(b),
    ast.Or: lambda a, b: bool(a) or bool(b),
}
