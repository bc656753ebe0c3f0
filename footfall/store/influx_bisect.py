"""Finds the points InfluxDB refuses: halves a refused chunk until each refused point stands alone."""

import re
from collections.abc import Callable, Sequence

from footfall.errors import PointsRefused, TooLarge
from footfall.store.points import Point

_EXPIRED = re.compile(r"(?:beyond|outside) retention policy(?!.*points outside write window)", re.IGNORECASE)
"""How 1.x and 2.x say that points are older than their retention, and that they kept the rest of the request.

"points beyond retention policy", or since 2025 "dropped 4 points outside retention policy of duration 24h0m0s"
(influxdata/influxdb pull 26257). The newer one may also mention points outside a write window, which need not be old.
"""
_DROPPED = re.compile(r"\bdropped[= ](\d+)")


def write_bisecting(
    write: Callable[[Sequence[Point]], None],
    points: Sequence[Point],
    on_refused: Callable[[Point, str], None],
    on_expired: Callable[[int], None],
) -> int:
    """Write *points* and return how many InfluxDB accepted. Raises StoreUnavailable.

    *on_refused* gets each refused point and the reason. *on_expired* gets the number of points that are older than
    InfluxDB's retention; it kept the others.
    """
    try:
        write(points)
    except (PointsRefused, TooLarge) as exc:
        if isinstance(exc, PointsRefused) and _EXPIRED.search(exc.message):
            dropped = _DROPPED.search(exc.message)
            expired = min(int(dropped[1]), len(points)) if dropped else len(points)
            on_expired(expired)
            return len(points) - expired
        if len(points) == 1:
            on_refused(points[0], exc.message)
            return 0
        middle = len(points) // 2
        return sum(write_bisecting(write, half, on_refused, on_expired) for half in (points[:middle], points[middle:]))
    return len(points)
