"""Asks InfluxDB whether it still has a point that it had: where that is gone, everything is."""

import json

import urllib3

from footfall.errors import FootfallError, StoreUnavailable
from footfall.store.influx_config import InfluxConfig
from footfall.store.influx_errors import refusal, unreachable
from footfall.store.points import Point


class InfluxWitness:
    """Call it with a point for whether InfluxDB has it; None where that cannot be asked with this token."""

    def __init__(self, config: InfluxConfig) -> None:
        """Ask the InfluxDB of *config*."""
        self._config = config
        self._database, _, self._policy = config.influx_bucket.partition("/")
        self._pool = urllib3.PoolManager(
            retries=False, timeout=config.timeout_s, ca_certs=None if config.ca_file is None else str(config.ca_file)
        )

    def __call__(self, point: Point) -> bool | None:
        """Return whether InfluxDB has *point*, by its name. Raises StoreUnavailable when nobody answers."""
        field = next(iter(point.fields))
        tags = " AND ".join(f"\"{name}\" = '{_escaped(value)}'" for name, value in point.tags)
        query = f'SELECT "{field}" FROM "{point.measurement}" WHERE {tags} AND time = {point.time_ns}'  # noqa: S608
        fields = {"db": self._database, "q": query, "epoch": "ns", **({"rp": self._policy} if self._policy else {})}
        headers = {"Authorization": f"Token {self._config.token}"}
        try:
            answer = self._pool.request("GET", f"{self._config.url}/query", fields=fields, headers=headers)
            body = answer.data
        except urllib3.exceptions.HTTPError as exc:
            raise unreachable(self._config, exc) from exc
        if answer.status in (400, 401, 403, 404):  # it may write, but not read
            return None
        if answer.status != 200:
            error: FootfallError = refusal(self._config, answer.status, body)
            raise error if isinstance(error, StoreUnavailable) else StoreUnavailable(error.message, hint=error.hint)
        return _has_rows(body)


def _has_rows(body: bytes) -> bool | None:
    try:
        (result,) = json.loads(body)["results"]
        return None if "error" in result else bool(result.get("series"))
    except (ValueError, KeyError, TypeError):
        return None


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
