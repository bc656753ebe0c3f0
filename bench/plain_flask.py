"""Plain Flask, to compare with: each request writes to InfluxDB with influxdb-client. No journal, no checks.

granian serves it with as many threads as `footfall ingest` has. It answers once InfluxDB has the points, so it can
accept nothing while InfluxDB is down.
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
point: Any = Point  # untyped


def create_app() -> Flask:
    """Return the app. The environment names the InfluxDB."""
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
    """Serve until SIGTERM."""
    server = Server(
        "bench.plain_flask:create_app",
        address="127.0.0.1",
        port=int(os.environ["PLAIN_PORT"]),
        interface=Interfaces.WSGI,
        blocking_threads=THREADS,
        factory=True,
    )
    server.serve()


if __name__ == "__main__":
    main()
