"""Renders points as InfluxDB's line protocol, the bytes of a write.

https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ (Special characters): in tags, a backslash
escapes commas, equals signs and spaces; in strings, quotes and backslashes. A newline always ends the line, so control
characters become spaces. Footfall's names of measurements, tags and fields need no escape.

influxdb-client's own Point takes five times as long; docs/decisions.md has the measurements.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from footfall.store.points import Point, Value

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SPECIAL_IN_TAGS = re.compile(r"([,= ])")


def render_lines(points: Iterable[Point]) -> bytes:
    """Return *points*, one per line, times in nanoseconds."""
    lines = []
    for measurement, tags, fields, time_ns in points:
        rendered = [
            f"{name}={value}i" if value.__class__ is int else f"{name}={_value(value)}"  # nearly all are int
            for name, value in fields.items()
        ]
        lines.append(f"{_key(measurement, tags)} {','.join(rendered)} {time_ns}")
    return "\n".join(lines).encode("utf-8", errors="replace")


@lru_cache(maxsize=4096)
def _key(measurement: str, tags: tuple[tuple[str, str], ...]) -> str:
    return ",".join([measurement, *(f"{name}={_tag(value)}" for name, value in tags)])


def _tag(value: str) -> str:
    """Return *value* escaped. A final backslash would escape the comma that follows, so it gets a space."""
    escaped = _SPECIAL_IN_TAGS.sub(r"\\\1", _CONTROL.sub(" ", value))
    return escaped + "\\ " if escaped.endswith("\\") else escaped


def _value(value: Value) -> str:
    if value is True or value is False:  # before int, whose subclass bool is
        return "true" if value else "false"
    if isinstance(value, int):  # a subclass of int
        return f"{int(value)}i"
    if isinstance(value, str):
        escaped = _CONTROL.sub(" ", value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)
