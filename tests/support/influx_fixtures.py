"""The harness's InfluxDB as pytest fixtures.

If INFLUX_URL, INFLUX_TOKEN, INFLUX_ORG and INFLUX_BUCKET are set, tests use that server instead. They empty that
bucket before every test, so its name must contain ``test``. Tests that stop or break the server always start their
own.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest
import urllib3

from harness import influx_server
from harness.influx_server import READ_TOKEN, TOKEN, InfluxDatabase, InfluxServer, missing_programs

__all__ = ["READ_TOKEN", "TOKEN", "InfluxDatabase", "InfluxServer"]


def require_influxd() -> None:
    """Skip the test if influxd or nginx is not installed."""
    if missing := missing_programs():
        pytest.skip(missing)


@contextlib.contextmanager
def running_influx_server(http_settings: str = "") -> Iterator[InfluxServer]:
    """Yield a server that the test may stop and break; skip if it cannot be started."""
    require_influxd()
    with influx_server.running_influx_server(http_settings) as server:
        yield server


@contextlib.contextmanager
def database_elsewhere() -> Iterator[InfluxDatabase]:
    """Yield the bucket that the environment names, emptied (2.x: POST /api/v2/delete), to one test at a time."""
    names = ("INFLUX_URL", "INFLUX_TOKEN", "INFLUX_ORG", "INFLUX_BUCKET")
    database = InfluxDatabase(*(os.environ[name] for name in names))
    if "test" not in database.influx_bucket:
        pytest.fail("tests empty INFLUX_BUCKET: its name must contain `test`")
    with filelock.FileLock(Path("/tmp") / "footfall-influx-elsewhere.lock"):
        answer = urllib3.request(
            "POST", f"{database.url}/api/v2/delete?org={database.org}&bucket={database.influx_bucket}",
            headers={"Authorization": f"Token {database.token}"}, retries=False,
            json={"start": "1970-01-01T00:00:00Z", "stop": "2200-01-01T00:00:00Z"},
        )  # fmt: skip
        assert answer.status == 204, answer.data
        yield database


@pytest.fixture(scope="session")
def shared_influx_server() -> Iterator[InfluxServer | None]:
    """Yield the server that all tests of a process share; None if the environment names another."""
    if "INFLUX_URL" in os.environ:
        yield None
        return
    with running_influx_server() as server:
        yield server


@pytest.fixture
def influx_database(shared_influx_server: InfluxServer | None) -> Iterator[InfluxDatabase]:
    """Yield an empty database on the shared server, or on the one that the environment names."""
    if shared_influx_server is None:
        with database_elsewhere() as database:
            yield database
        return
    database = shared_influx_server.create()
    yield database
    shared_influx_server.drop(database)


@pytest.fixture
def own_influx_server() -> Iterator[InfluxServer]:
    """Yield a server for this test alone, to stop and break."""
    with running_influx_server() as server:
        yield server
