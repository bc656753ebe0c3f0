"""Points as InfluxDB's line protocol, the bytes of a write.

https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ (Special characters): in tags a comma, an
equals sign and a space stand behind a backslash, in strings a quote and a backslash. Lines end at a newline, wherever
it stands, so control characters become spaces. Footfall's own names of measurements, tags and fields need no escape.

Rendered here and not by influxdb-client's Point, which takes five times as long; docs/decisions.md has the figures.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from footfall.store.points import Point, Value

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_IN_TAGS = re.compile(r"([,= ])")


def render_lines(points: Iterable[Point]) -> bytes:
    """Return *points*, a line each, times in nanoseconds."""
    lines = []
    for measurement, tags, fields, time_ns in points:
        told = [
            f"{name}={value}i" if value.__class__ is int else f"{name}={_value(value)}"  # nearly all are
            for name, value in fields.items()
        ]
        lines.append(f"{_key(measurement, tags)} {','.join(told)} {time_ns}")
    return "\n".join(lines).encode("utf-8", errors="replace")


@lru_cache(maxsize=4096)
def _key(measurement: str, tags: tuple[tuple[str, str], ...]) -> str:
    return ",".join([measurement, *(f"{name}={_tag(value)}" for name, value in tags)])


def _tag(value: str) -> str:
    """Return *value* escaped. One that ends in a backslash would swallow the comma after it, so a space follows it."""
    escaped = _IN_TAGS.sub(r"\\\1", _CONTROL.sub(" ", value))
    return escaped + "\\ " if escaped.endswith("\\") else escaped


def _value(value: Value) -> str:
    if value is True or value is False:  # before int, which they are too
        return "true" if value else "false"
    if isinstance(value, int):  # of a class of its own
        return f"{int(value)}i"
    if isinstance(value, str):
        escaped = _CONTROL.sub(" ", value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return repr(value)
