"""An InfluxDB in memory, with the promises the forwarder relies on; it passes the contract that InfluxWriter passes."""

from collections.abc import Callable, Mapping, Sequence

from footfall.errors import PointsRefused, StoreUnavailable, TooLarge
from footfall.store.points import Point, Value

Name = tuple[str, tuple[tuple[str, str], ...], int]


def name_of(point: Point) -> Name:
    """Return what names *point*: a point written again under its name replaces itself."""
    return point.measurement, point.tags, point.time_ns


class FakeInflux:
    """Keeps points by their names. A test sets what goes wrong."""

    def __init__(self) -> None:
        self.points: dict[Name, Mapping[str, Value]] = {}
        self.requests: list[list[Point]] = []
        self.trouble: StoreUnavailable | None = None
        self.loses_answers = False
        self.most_points = 5000
        self.most_in_time = 5000
        self.may_read = True
        self.refuses: Callable[[Point], bool] = lambda _: False
        self.reason = "field type conflict"

    def write(self, points: Sequence[Point]) -> None:
        """Keep *points*, as InfluxWriter.write does."""
        if self.trouble is not None and not self.loses_answers:
            raise self.trouble
        if len(points) > self.most_points:
            raise TooLarge("request entity too large")
        self.requests.append(list(points))
        self.points |= {name_of(point): point.fields for point in points if not self.refuses(point)}
        if self.trouble is not None:
            raise self.trouble
        if len(points) > self.most_in_time:
            raise StoreUnavailable("InfluxDB at http://influx: Read timed out")
        refused = sum(self.refuses(point) for point in points)
        if refused:
            raise PointsRefused(f"partial write: {self.reason} dropped={refused}")

    def holds(self, point: Point) -> bool | None:
        """Return whether it has *point*; None where nobody may look."""
        if self.trouble is not None:
            raise self.trouble
        return name_of(point) in self.points if self.may_read else None

    def of(self, measurement: str) -> dict[Name, Mapping[str, Value]]:
        """Return the points of *measurement*."""
        return {name: fields for name, fields in self.points.items() if name[0] == measurement}
