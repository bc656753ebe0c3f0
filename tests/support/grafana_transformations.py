"""The Grafana transformations that the dashboards use, following its source (v12).

packages/grafana-data/src/transformations/transformers: convertFieldType, groupBy, groupingToMatrix, sortBy;
public/app/features/transformers/extractFields.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from footfall.model import from_epoch_ms
from tests.support.grafana import Column, Frame, Json

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def transform(frames: Sequence[Frame], panel: Json, zone: ZoneInfo) -> list[Frame]:
    """Return *frames* after the panel's transformations, with *zone* as Grafana's time zone."""
    found = list(frames)
    for transformation in panel.get("transformations", ()):
        found = TRANSFORMATIONS[transformation["id"]](found, transformation["options"], zone)
    return found


def _convert_field_type(frames: list[Frame], options: Json, zone: ZoneInfo) -> list[Frame]:
    """Convert instants to text, the only conversion in use."""
    for conversion in options["conversions"]:
        assert conversion["destinationType"] == "string"
        for frame in frames:
            for column in frame.columns:
                if column.name == conversion["targetField"]:
                    column.values = [
                        _moment(from_epoch_ms(value).astimezone(zone), conversion["dateFormat"])
                        for value in column.values
                    ]
    return frames


def _moment(moment_local: datetime, layout: str) -> str:
    """Return *moment_local* in a moment.js format of [literal], E, ddd, HH, mm and punctuation."""
    values = {"E": str(moment_local.isoweekday()), "ddd": DAYS[moment_local.weekday()],
            "HH": f"{moment_local.hour:02}", "mm": f"{moment_local.minute:02}"}  # fmt: skip
    return re.sub(
        r"\[([^\[]*?)\]|[A-Za-z]+", lambda found: found[1] if found[1] is not None else values[found[0]], layout
    )


def _extract_fields(frames: list[Frame], options: Json, _: ZoneInfo) -> list[Frame]:
    assert options["format"] == "json"
    assert not options["replace"]
    for frame in frames:
        objects = [json.loads(text) for text in frame.column(options["source"])]
        names = dict.fromkeys(name for one in objects for name in one)
        frame.columns += [Column(name, [one.get(name) for one in objects]) for name in names]
    return frames


def _group_by(frames: list[Frame], options: Json, _: ZoneInfo) -> list[Frame]:
    """Return the group columns, in the frame's order, then the aggregations."""
    fields: dict[str, Json] = options["fields"]
    found = []
    for frame in frames:
        keys = [column.name for column in frame.columns if fields.get(column.name, {}).get("operation") == "groupby"]
        groups: dict[tuple[Any, ...], list[Json]] = {}
        for row in frame.rows():
            groups.setdefault(tuple(row[key] for key in keys), []).append(row)
        columns = [Column(key, [group[place] for group in groups]) for place, key in enumerate(keys)]
        for column in frame.columns:
            if fields.get(column.name, {}).get("operation") != "aggregate":
                continue
            assert fields[column.name]["aggregations"] == ["sum"]
            sums = [sum(row[column.name] or 0 for row in rows) for rows in groups.values()]
            columns.append(Column(f"{column.name} (sum)", sums))
        found.append(Frame(frame.ref_id, columns))
    return found


def _sort_by(frames: list[Frame], options: Json, _: ZoneInfo) -> list[Frame]:
    """Sort by the first field; Grafana ignores the others."""
    wanted = options["sort"][0]
    for frame in frames:
        if wanted["field"] in [column.name for column in frame.columns]:
            keys = frame.column(wanted["field"])
            order = sorted(range(len(frame)), key=lambda row: keys[row], reverse=wanted.get("desc", False))
            for column in frame.columns:
                column.values = [column.values[row] for row in order]
    return frames


def _grouping_to_matrix(frames: list[Frame], options: Json, _: ZoneInfo) -> list[Frame]:
    """Use the last row for each cell. Grafana changes nothing unless there is exactly one frame with those columns."""
    assert options["emptyValue"] == "null"
    names = [options[key] for key in ("columnField", "rowField", "valueField")]
    if len(frames) != 1 or any(name not in [column.name for column in frames[0].columns] for name in names):
        return frames
    across, down, values = (frames[0].column(name) for name in names)
    cells = {(row, column): value for row, column, value in zip(down, across, values, strict=True)}
    rows = list(dict.fromkeys(down))
    columns = [Column(f"{names[1]}\\{names[0]}", rows)]
    columns += [Column(str(name), [cells.get((row, name)) for row in rows]) for name in dict.fromkeys(across)]
    return [Frame(frames[0].ref_id, columns)]


TRANSFORMATIONS: dict[str, Callable[[list[Frame], Json, ZoneInfo], list[Frame]]] = {
    "convertFieldType": _convert_field_type,
    "extractFields": _extract_fields,
    "groupBy": _group_by,
    "sortBy": _sort_by,
    "groupingToMatrix": _grouping_to_matrix,
}
