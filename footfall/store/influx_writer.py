"""Writes points to InfluxDB with influxdb-client: one POST per call, no background batching.

SYNCHRONOUS on purpose: the client's own batching drops a batch after some retries and only logs it. Here write()
returns once InfluxDB has confirmed all points, or raises; the caller keeps its cursor and retries the same points.

Law: only this module imports influxdb_client.
"""

import gzip
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import urllib3
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException

from footfall.errors import FootfallError, PointsRefused, TooLarge
from footfall.store.influx_errors import answer_text, parse_retry_after, refusal, unreachable
from footfall.store.influx_settings import InfluxConfig
from footfall.store.line_protocol import render_lines
from footfall.store.points import Point

_COMPRESSION_LEVEL = 6
"""The client's own, 9, takes four times as long for 4 % less."""
_PRECISION: Any = "ns"  # a str, despite write()'s annotation


class InfluxWriter:
    """Writes to one bucket. Not thread-safe; create it in the process that uses it."""

    def __init__(self, config: InfluxConfig, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Write to the bucket of *config*. *clock* serves a Retry-After that is a date."""
        self._config = config
        self._clock = clock
        self._client = InfluxDBClient(
            url=config.url,
            token=config.token,
            org=config.org,
            timeout=config.timeout_s * 1000,
            ssl_ca_cert=None if config.ca_file is None else str(config.ca_file),
        )
        self._client.api_client.set_default_header("Content-Encoding", "gzip")  # type: ignore[no-untyped-call]
        self._api = self._client.write_api(write_options=SYNCHRONOUS)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()  # type: ignore[no-untyped-call]
        self._client.close()  # type: ignore[no-untyped-call]

    def write(self, points: Sequence[Point]) -> None:
        """Return once InfluxDB has *points*, at most MAX_POINTS_PER_WRITE.

        Raises PointsRefused (it may have kept the others), TooLarge (it kept none), or StoreUnavailable (it may have
        kept any: retry the same points).
        """
        if not points:
            return
        body = gzip.compress(render_lines(points), _COMPRESSION_LEVEL)
        with translated(self._config, self._clock):
            self._api.write(self._config.influx_bucket, record=body, write_precision=_PRECISION)


@contextmanager
def translated(config: InfluxConfig, clock: Callable[[], datetime]) -> Iterator[None]:
    """Turn every error of influxdb-client, and of urllib3 below it, into ours."""
    try:
        yield
    except ApiException as exc:
        if not exc.status:  # influxdb-client wraps a TLS error so; there was no answer
            raise unreachable(config, urllib3.exceptions.SSLError(str(exc.reason))) from exc
        raise _refusal(config, exc, clock) from exc
    except (InfluxDBError, urllib3.exceptions.HTTPError, UnicodeDecodeError) as exc:
        raise unreachable(config, exc) from exc


def _refusal(config: InfluxConfig, exc: ApiException, clock: Callable[[], datetime]) -> FootfallError:
    body = exc.body or ""
    if exc.status in (400, 422):
        text = answer_text(config, exc.status, body)
        return PointsRefused(text, hint="refused points go to quarantine; footfall quarantine lists them")
    if exc.status == 413:
        text = answer_text(config, exc.status, body)
        return TooLarge(text, hint="let the proxy before InfluxDB accept larger requests (nginx: client_max_body_size)")
    return refusal(config, exc.status, body, parse_retry_after(exc.retry_after, clock))
