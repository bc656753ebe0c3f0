"""Queries to InfluxDB: an answer is complete, or an error with a hint."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from footfall.errors import StoreUnavailable
from footfall.store.influx_settings import InfluxConfig
from footfall.store.influxql import InfluxQL, any_of, quoted
from tests.support.fixed_answer import answering
from tests.support.influx_fixtures import InfluxDatabase, InfluxServer, running_influx_server
from tests.support.influx_stores import config_of

NOW = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)


@contextmanager
def querying(config: InfluxConfig) -> Iterator[InfluxQL]:
    with closing(InfluxQL(config, lambda: NOW)) as one:
        yield one


def failure_of(config: InfluxConfig, statement: str = "SELECT * FROM m") -> StoreUnavailable:
    """Send *statement*, which must fail; return the error, which names the server."""
    with querying(config) as influxql, pytest.raises(StoreUnavailable) as caught:
        influxql.query(statement)
    assert config.url in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


def elsewhere(url: str) -> InfluxConfig:
    return InfluxConfig(url, "o", "b", "t", timeout_s=5)


def test_answer_is_series_with_tags_and_exact_times(influx_database: InfluxDatabase) -> None:
    influx_database.write("m,counter=A number=9007199254740991i 1777881600000000001")
    with querying(config_of(influx_database)) as influxql:
        (series,) = influxql.query("SELECT number FROM m GROUP BY counter")
    assert (series.name, series.tags) == ("m", {"counter": "A"})
    assert list(series.rows()) == [{"time": 1_777_881_600_000_000_001, "number": 9_007_199_254_740_991}]


def test_long_answer_is_complete(influx_database: InfluxDatabase) -> None:
    influx_database.write("\n".join(f"m number={number}i {number}" for number in range(120_000)))
    with querying(config_of(influx_database)) as influxql:
        (series,) = influxql.query("SELECT number FROM m")
    assert len(series.values) == 120_000


def test_bucket_with_a_policy_is_a_retention_policy_of_the_database(own_influx_server: InfluxServer) -> None:
    database = own_influx_server.create()
    database.query(f'CREATE RETENTION POLICY "week" ON "{database.influx_bucket}" DURATION INF REPLICATION 1')
    replace(database, influx_bucket=f"{database.influx_bucket}/week").write("m number=1i 1")
    config = config_of(database)
    found = []
    for bucket in (config.influx_bucket, f"{config.influx_bucket}/week"):
        with querying(replace(config, influx_bucket=bucket)) as influxql:
            found.append(len(influxql.query("SELECT number FROM m")))
    assert found == [0, 1]


def test_row_limit_does_not_cut_an_answer_off() -> None:
    """max-row-limit of InfluxDB 1.x applies to unchunked answers only."""
    with running_influx_server("max-row-limit = 10") as server:
        database = server.create()
        database.write("\n".join(f"m,counter=A number={number}i {number}" for number in range(20)))
        with querying(config_of(database)) as influxql:
            (series,) = influxql.query("SELECT number FROM m")
    assert len(series.values) == 20


def test_error_inside_a_successful_answer_is_an_error(influx_database: InfluxDatabase) -> None:
    config = config_of(influx_database)
    missing = failure_of(replace(config, influx_bucket="nowhere"))
    assert missing.status == 404
    assert missing.hint.startswith("create bucket nowhere")
    influx_database.write('m text="a" 1')
    assert "sum" in failure_of(config, "SELECT sum(text) FROM m").message
    assert "400" in failure_of(config, "SELECT").message


def test_wrong_token_and_wrong_url_are_errors_with_a_hint(influx_database: InfluxDatabase) -> None:
    config = config_of(influx_database)
    refused = failure_of(replace(config, token="wrong"))
    assert refused.status == 401
    assert "FOOTFALL_INFLUXDB_TOKEN_FILE" in refused.hint
    assert failure_of(replace(config, url="http://127.0.0.1:9")).hint == "start InfluxDB, or correct influxdb.url"


def test_frozen_server_is_an_error_after_the_timeout(own_influx_server: InfluxServer) -> None:
    config = config_of(own_influx_server.create(), timeout_s=1)
    own_influx_server.freeze()
    assert "influxdb.timeout_s" in failure_of(config).hint


COMPLETE = b'{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time","n"],"values":[[1,2],[3,4]]}]}]}'


PARTIAL = COMPLETE.replace(b'"statement_id":0', b'"statement_id":0,"partial":true') + b"\n"


def test_chunks_of_an_answer_are_joined() -> None:
    with answering(200, PARTIAL + PARTIAL + COMPLETE + b"\n") as url, querying(elsewhere(url)) as influxql:
        (series,) = influxql.query("SELECT n FROM m")
    assert series.values == [[1, 2], [3, 4]] * 3


def test_connection_that_breaks_within_an_answer_is_an_error() -> None:
    for length in (0, 1, len(COMPLETE) // 2, len(COMPLETE) - 1):
        with answering(200, COMPLETE[:length], promised=len(COMPLETE)) as url:
            failure_of(elsewhere(url))


@pytest.mark.parametrize(
    "body",
    [
        COMPLETE[:-9],
        PARTIAL,
        COMPLETE + b"\n" + COMPLETE,
        PARTIAL + COMPLETE[:-9],
        b"",
        b"[]",
        b"<html>login</html>",
        b'{"results":[]}',
        b"{}",
        b'{"results":[{"statement_id":0},{"statement_id":1}]}',
        b'{"results":[{"statement_id":0,"series":[{"name":"m","values":7}]}]}',
        b'{"results":[{"statement_id":0,"partial":true}]}',
        b'{"results":[{"statement_id":0,"series":[{"name":"m","columns":["time"],"values":[[1]],"partial":true}]}]}',
        b'{"results":[{"statement_id":0,"error":"query interrupted"}]}',
        b'{"error":"timeout"}',
        b"\xff\xfe",
    ],
)
def test_incomplete_or_foreign_answer_is_an_error(body: bytes) -> None:
    with answering(200, body) as url:
        failure_of(elsewhere(url))


def test_wait_that_the_server_asks_for_is_returned() -> None:
    with answering(503, b"busy", (("Retry-After", "9"),)) as url:
        error = failure_of(elsewhere(url))
    assert (error.status, error.retry_after_s) == (503, 9)


def test_redirect_is_not_followed() -> None:
    """Another server must not get the token."""
    with answering(200, COMPLETE) as other, answering(302, b"", (("Location", other),)) as url:
        assert "answered 302" in failure_of(elsewhere(url)).message


def test_many_names_are_split_into_queries_that_fit_a_url() -> None:
    names = [f"{'x' * 60}{number:04}" for number in range(200)]
    found = list(any_of("counter", [*names, *names, "", "no'body"]))
    assert all(len(one) < 5000 for one in found)
    assert sum(one.count("counter = ") for one in found) == 200
    assert list(any_of("counter", ["", "no'body"])) == []


@pytest.mark.parametrize("value", ["a", "a'b", "\\", "\\'", "' OR ''='"])
def test_quoted_string_matches_its_value(influx_database: InfluxDatabase, value: str) -> None:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    influx_database.write(f'm text="{escaped}" 1\nm text="other" 2')
    with querying(config_of(influx_database)) as influxql:
        (series,) = influxql.query(f"SELECT text FROM m WHERE text = {quoted(value)}")
    assert series.values == [[1, value]]
