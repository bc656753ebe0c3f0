"""An InfluxDB in memory. It keeps the same contract as InfluxWriter, and fails on demand."""

from collections.abc import Callable, Mapping, Sequence

from footfall.errors import PointsRefused, StoreUnavailable, TooLarge
from footfall.store.points import Point, Value

Name = tuple[str, tuple[tuple[str, str], ...], int]


def name_of(point: Point) -> Name:
    """Return the name of *point*; a point that is written again replaces the one of its name."""
    return point.measurement, point.tags, point.time_ns


class FakeInflux:
    """Stores points by name. A test sets what fails."""

    def __init__(self) -> None:
        self.points: dict[Name, Mapping[str, Value]] = {}
        self.requests: list[list[Point]] = []
        self.trouble: StoreUnavailable | None = None
        self.loses_answers = False
        self.max_points = 5000
        self.max_points_in_time = 5000
        self.allows_queries = True
        self.refuses: Callable[[Point], bool] = lambda _: False
        self.reason = "field type conflict"

    def write(self, points: Sequence[Point]) -> None:
        """Store *points*, as InfluxWriter.write does."""
        if self.trouble is not None and not self.loses_answers:
            raise self.trouble
        if len(points) > self.max_points:
            raise TooLarge("request entity too large")
        self.requests.append(list(points))
        self.points |= {name_of(point): point.fields for point in points if not self.refuses(point)}
        if self.trouble is not None:
            raise self.trouble
        if len(points) > self.max_points_in_time:
            raise StoreUnavailable("InfluxDB at http://influx: Read timed out")
        refused = sum(self.refuses(point) for point in points)
        if refused:
            raise PointsRefused(f"partial write: {self.reason} dropped={refused}")

    def has_point(self, point: Point) -> bool | None:
        """Return whether *point* is stored; None if queries are forbidden."""
        if self.trouble is not None:
            raise self.trouble
        return name_of(point) in self.points if self.allows_queries else None

    def of(self, measurement: str) -> dict[Name, Mapping[str, Value]]:
        """Return the points of *measurement*."""
        return {name: fields for name, fields in self.points.items() if name[0] == measurement}
