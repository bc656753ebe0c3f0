"""The forwarder's assumptions about InfluxDB, against a real one: the contract, expired points, and the canary."""

import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
import urllib3

from footfall.errors import PointsRefused, StoreUnavailable
from footfall.store.influx_bisect import write_bisecting
from footfall.store.influx_writer import InfluxWriter
from footfall.store.influxql import InfluxQL
from footfall.store.points import Point, forwarder_point
from harness.installation import free_port
from tests.support.influx_fixtures import InfluxDatabase, InfluxServer
from tests.support.influx_stores import config_of
from tests.support.writer_contract import Held, WriterContract, point


@pytest.fixture
def writer(influx_database: InfluxDatabase) -> Iterator[InfluxWriter]:
    with closing(InfluxWriter(config_of(influx_database))) as opened:
        yield opened


class TestInfluxWriter(WriterContract):
    """The contract, over the real writer and a real InfluxDB."""

    @pytest.fixture
    def held(self, influx_database: InfluxDatabase) -> Held:
        return lambda name: {
            (row["counter"], row["time"]): {"entries": row["entries"], "exits": row["exits"]}
            for row in influx_database.query(f"SELECT * FROM {name}")
        }


def test_expired_points_are_recognised_and_the_others_are_stored(
    shared_influx_server: InfluxServer | None, influx_database: InfluxDatabase
) -> None:
    """They are recognised by the message of InfluxDB."""
    if shared_influx_server is None:
        pytest.skip("needs a server of its own, to give the bucket a retention: unset INFLUX_URL")
    name = influx_database.influx_bucket
    question = f'CREATE RETENTION POLICY "hour" ON "{name}" DURATION 1h REPLICATION 1'
    headers = {"Authorization": f"Token {influx_database.token}"}
    urllib3.request("POST", f"{influx_database.url}/query", fields={"q": question}, headers=headers, retries=False)
    config = replace(config_of(influx_database), influx_bucket=f"{name}/hour")
    refused: list[Point] = []
    expired: list[int] = []
    with closing(InfluxWriter(config)) as short:
        several = [point(1), point(2)._replace(time_ns=time.time_ns())]
        write_bisecting(short.write, several, lambda one, _: refused.append(one), expired.append)
        with pytest.raises(PointsRefused, match="beyond retention policy"):
            short.write(several)
    assert (refused, expired) == ([], [1])
    (row,) = influx_database.query(f'SELECT count(entries) FROM "{name}"."hour".crossings')
    assert row["count"] == 1


def test_only_the_canary_that_was_written_is_found(writer: InfluxWriter, influx_database: InfluxDatabase) -> None:
    mine, other = (forwarder_point(name, 0, 0, 0, 1_777_881_600_000_000_000) for name in ("it's \\ mine", "other"))
    writer.write([mine])
    with closing(InfluxQL(config_of(influx_database))) as influxql:
        assert influxql.has_point(mine) is True
        assert influxql.has_point(other) is False
        assert influxql.has_point(mine._replace(time_ns=mine.time_ns + 1)) is False


def test_canary_is_unknown_to_a_token_without_permission(influx_database: InfluxDatabase) -> None:
    with closing(InfluxQL(replace(config_of(influx_database), token="wrong"))) as influxql:
        assert influxql.has_point(forwarder_point("mine", 0, 0, 0, 1)) is None


def test_canary_query_without_an_answer_is_unavailable(influx_database: InfluxDatabase) -> None:
    elsewhere = replace(config_of(influx_database), url=f"http://127.0.0.1:{free_port()}")
    with closing(InfluxQL(elsewhere)) as influxql, pytest.raises(StoreUnavailable):
        influxql.has_point(forwarder_point("mine", 0, 0, 0, 1))
