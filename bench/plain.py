"""The plain design, to compare with: Flask, and influxdb-client SYNCHRONOUS in the request. No journal, no checks.

Served by granian with as many threads as `footfall ingest`. It answers once InfluxDB has the points, so what it
acknowledged is as durable as InfluxDB makes it; while InfluxDB is away it can take nothing.
"""

import os
from typing import Any

from flask import Flask, request
from granian.constants import Interfaces
from granian.server import Server
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write.point import Point
from influxdb_client.client.write_api import SYNCHRONOUS

THREADS = 32
_PRECISION: Any = "ms"
point: Any = Point  # it has no types


def create_app() -> Flask:
    """Return the app, which writes where the environment says."""
    client = InfluxDBClient(
        os.environ["PLAIN_URL"], os.environ["PLAIN_TOKEN"], org="bench", enable_gzip=True,
        connection_pool_maxsize=THREADS,
    )  # fmt: skip
    api = client.write_api(write_options=SYNCHRONOUS)
    bucket = os.environ["PLAIN_BUCKET"]
    app = Flask("plain")

    @app.post("/api/v1/crossings")
    def take() -> dict[str, int]:
        batch = request.get_json()
        points = [
            point("crossings")
            .tag("counter", batch["counter"])
            .field("entries", int(direction > 0))
            .field("exits", int(direction < 0))
            .time(at_ms, _PRECISION)
            for _, at_ms, direction in batch["crossings"]
        ]
        api.write(bucket, record=points, write_precision=_PRECISION)
        return {"stored": len(points)}

    return app


def main() -> None:
    """Serve until a signal."""
    server = Server(
        "bench.plain:create_app",
        address="127.0.0.1",
        port=int(os.environ["PLAIN_PORT"]),
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        factory=True,
    )
    server.serve()


if __name__ == "__main__":
    main()
