"""The simulated week in a real InfluxDB, loaded once."""

from collections.abc import Iterator

import pytest

from harness.influx_server import InfluxDatabase, InfluxServer
from tests.support.grafana_week import Week, load, simulated_week
from tests.support.influx_fixtures import database_elsewhere


@pytest.fixture(scope="session")
def week() -> Week:
    """Return what happened in the simulated week."""
    return simulated_week()


@pytest.fixture(scope="session")
def shared_week_database(shared_influx_server: InfluxServer | None, week: Week) -> InfluxDatabase | None:
    """Return a database of the shared server with all points of the week; None if there is no shared server."""
    if shared_influx_server is None:
        return None
    database = shared_influx_server.create()
    load(database, week)
    return database


@pytest.fixture(scope="module")
def week_database(shared_week_database: InfluxDatabase | None, week: Week) -> Iterator[InfluxDatabase]:
    """Yield a database with all points of the week, for reading only."""
    if shared_week_database is not None:
        yield shared_week_database
        return
    with database_elsewhere() as database:
        load(database, week)
        yield database
