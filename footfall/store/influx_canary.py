"""Asks InfluxDB whether it still has a point that it had: where that is gone, everything is."""

from footfall.errors import PointsRefused, StoreUnavailable
from footfall.store.influx_settings import InfluxConfig
from footfall.store.influxql import InfluxQL, text
from footfall.store.points import Point

_MAY_NOT_LOOK = (200, 401, 403, 404)  # 200: an error inside an answer


class InfluxCanary:
    """Call it with a point for whether InfluxDB has it; None where that cannot be asked with this token."""

    def __init__(self, config: InfluxConfig) -> None:
        """Ask the InfluxDB of *config*."""
        self._influxql = InfluxQL(config)

    def __call__(self, point: Point) -> bool | None:
        """Return whether InfluxDB has *point*, by its name. Raises StoreUnavailable when nobody answers."""
        where = " AND ".join([*(f'"{name}" = {text(value)}' for name, value in point.tags), f"time = {point.time_ns}"])
        question = f'SELECT "{next(iter(point.fields))}" FROM "{point.measurement}" WHERE {where}'  # noqa: S608
        try:
            return bool(self._influxql.ask(question))
        except PointsRefused:
            return None
        except StoreUnavailable as exc:
            if exc.status in _MAY_NOT_LOOK:
                return None
            raise
