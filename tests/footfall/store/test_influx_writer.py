"""The writer stores points completely, and every failure is an error of ours with a hint."""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st
from influxdb_client.client.exceptions import InfluxDBError

from footfall.errors import FootfallError, PointsRefused, StoreUnavailable, TooLarge
from footfall.store.influx_errors import parse_retry_after
from footfall.store.influx_settings import InfluxConfig
from footfall.store.influx_writer import InfluxWriter, translated
from footfall.store.line_protocol import render_lines
from footfall.store.points import MAX_POINTS_PER_WRITE, Point, Value, tags_of
from tests.support.fixed_answer import answering
from tests.support.influx_fixtures import READ_TOKEN, InfluxDatabase, InfluxServer
from tests.support.influx_stores import config_of

NOW = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
POINT = Point("crossings", tags_of(counter="ALLI1", site="s"), {"entries": 1, "exits": 0}, 1_777_881_600_000_000_001)


def elsewhere(url: str) -> InfluxConfig:
    return InfluxConfig(url, "o", "b", "t", timeout_s=5)


@contextmanager
def writing(config: InfluxConfig) -> Iterator[InfluxWriter]:
    with closing(InfluxWriter(config, lambda: NOW)) as writer:
        yield writer


def failure_of(config: InfluxConfig, point: Point = POINT) -> FootfallError:
    """Write *point*, which must fail; return the error, which names the server and has a hint."""
    with writing(config) as writer, pytest.raises(FootfallError) as caught:
        writer.write([point])
    assert config.url in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value


def test_points_written_any_number_of_times_are_there_once(influx_database: InfluxDatabase) -> None:
    points = [POINT._replace(time_ns=POINT.time_ns + number) for number in range(MAX_POINTS_PER_WRITE)]
    with writing(config_of(influx_database)) as writer:
        for _ in range(3):
            writer.write(points)
    (row,) = influx_database.query("SELECT count(entries), sum(entries) FROM crossings")
    assert (row["count"], row["sum"]) == (MAX_POINTS_PER_WRITE, MAX_POINTS_PER_WRITE)


def test_every_kind_of_value_keeps_its_type(influx_database: InfluxDatabase) -> None:
    fields: dict[str, Value] = {
        "number": 2**53 - 1,
        "negative": -70,
        "share": 0.1,
        "yes": True,
        "no": False,
        "text": "a",
    }
    with writing(config_of(influx_database)) as writer:
        writer.write([POINT._replace(fields=fields)])
    (row,) = influx_database.query("SELECT * FROM crossings")
    assert {name: row[name] for name in fields} == fields
    assert [type(row[name]) for name in fields] == [int, int, float, bool, bool, str]


def test_empty_write_sends_no_request() -> None:
    with writing(InfluxConfig("http://127.0.0.1:9", "o", "b", "t")) as writer:
        writer.write([])


SHOWN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


def test_any_text_comes_back_as_it_was_written(influx_database: InfluxDatabase) -> None:
    """Tags and strings with any characters survive line protocol."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.tuples(SHOWN.filter(bool), SHOWN), min_size=1, max_size=20))
    def holds(several: list[tuple[str, str]]) -> None:
        influx_database.query("DROP MEASUREMENT texts") if influx_database.query("SELECT * FROM texts") else None
        points = [Point("texts", tags_of(name=tag), {"text": text}, at) for at, (tag, text) in enumerate(several)]
        writer.write(points)
        rows = influx_database.query("SELECT text FROM texts GROUP BY *")
        stored = {row["time"]: (row["name"], row["text"]) for row in rows}
        assert stored == {at: (stored_tag(tag), text) for at, (tag, text) in enumerate(several)}

    with writing(config_of(influx_database)) as writer:
        holds()


def stored_tag(tag: str) -> str:
    return f"{tag} " if tag.endswith("\\") else tag  # a final backslash would be an escape


def test_control_characters_never_end_a_line() -> None:
    line = render_lines([Point("m", tags_of(a="x\ny"), {"b": 'c\r\n"d\0'}, 1)])
    assert line == b'm,a=x\\ y b="c  \\"d " 1'


def test_unknown_token_is_an_error_with_status_401(influx_database: InfluxDatabase) -> None:
    error = failure_of(replace(config_of(influx_database), token="wrong"))
    assert isinstance(error, StoreUnavailable)
    assert (error.status, error.retry_after_s) == (401, None)
    assert "unauthorized access" in error.message
    assert "FOOTFALL_INFLUXDB_TOKEN_FILE" in error.hint


def test_read_only_token_is_an_error_with_status_403(own_influx_server: InfluxServer) -> None:
    error = failure_of(replace(config_of(own_influx_server.create()), token=READ_TOKEN))
    assert isinstance(error, StoreUnavailable)
    assert error.status == 403
    assert "let it read and write bucket" in error.hint


def test_missing_bucket_is_an_error_with_status_404(influx_database: InfluxDatabase) -> None:
    error = failure_of(replace(config_of(influx_database), influx_bucket="nowhere"))
    assert isinstance(error, StoreUnavailable)
    assert error.status == 404
    assert error.hint.startswith("create bucket nowhere of organization")


def test_point_that_clashes_is_refused_and_the_others_are_kept(influx_database: InfluxDatabase) -> None:
    """A field's type is fixed by its first write (400 of 1.x, 422 of 2.x)."""
    clashing = POINT._replace(fields={"entries": "many"}, time_ns=POINT.time_ns + 1)
    with writing(config_of(influx_database)) as writer:
        writer.write([POINT])
        with pytest.raises(PointsRefused, match="type conflict"):
            writer.write([clashing, POINT._replace(time_ns=POINT.time_ns + 2)])
    assert len(influx_database.query("SELECT * FROM crossings")) == 2


def test_stopped_server_is_unavailable(own_influx_server: InfluxServer) -> None:
    config = config_of(own_influx_server.create())
    own_influx_server.kill()
    behind = failure_of(config)
    assert isinstance(behind, StoreUnavailable)
    assert behind.status == 502
    own_influx_server.close_front()
    refused = failure_of(config)
    assert isinstance(refused, StoreUnavailable)
    assert refused.status is None
    assert refused.hint == "start InfluxDB, or correct influxdb.url"


def test_frozen_server_is_unavailable_after_the_timeout(own_influx_server: InfluxServer) -> None:
    config = replace(config_of(own_influx_server.create()), timeout_s=1)
    own_influx_server.freeze()
    error = failure_of(config)
    assert isinstance(error, StoreUnavailable)
    assert "raise influxdb.timeout_s" in error.hint


def test_server_with_a_full_disk_is_unavailable(own_influx_server: InfluxServer) -> None:
    config = config_of(own_influx_server.create())
    own_influx_server.make_read_only()
    error = failure_of(config)
    assert isinstance(error, StoreUnavailable)
    assert error.status == 500
    assert "its disk" in error.hint


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "wait_s"), [("7", 7), ("Mon, 04 May 2026 08:01:30 GMT", 90), ("soon", None), (None, None)]
)
def test_wait_that_the_server_asks_for_is_returned(status: int, header: str | None, wait_s: float | None) -> None:
    with answering(status, b'{"message":"slow\\ndown"}', (("Retry-After", header),) if header else ()) as url:
        error = failure_of(elsewhere(url))
    assert isinstance(error, StoreUnavailable)
    assert (error.status, error.retry_after_s) == (status, wait_s)
    assert error.message.endswith(f"answered {status}: slow down")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"code":"invalid","message":"unable to parse"}', PointsRefused),
        (422, b'{"code":"unprocessable entity","message":"dropped"}', PointsRefused),
        (413, b"<html>too large</html>", TooLarge),
        (301, b"", StoreUnavailable),
        (404, b"\xff\xfe", StoreUnavailable),
        (500, b"{}", StoreUnavailable),
        (599, b"[1]", StoreUnavailable),
    ],
)
def test_every_unsuccessful_answer_is_an_error_of_ours(status: int, body: bytes, kind: type[FootfallError]) -> None:
    with answering(status, body) as url:
        assert type(failure_of(elsewhere(url))) is kind


def test_https_to_a_server_without_it_is_unavailable(influx_database: InfluxDatabase) -> None:
    error = failure_of(replace(config_of(influx_database), url=influx_database.url.replace("http:", "https:")))
    assert isinstance(error, StoreUnavailable)
    assert "check its certificate" in error.hint


@pytest.mark.parametrize(
    ("value", "wait_s"),
    [
        ("0", 0),
        (" 12 ", 12),
        ("Mon, 04 May 2026 07:00:00 GMT", 0),
        ("-5", None),
        ("1.5", None),
        ("", None),
        ("Mon, 04 May 2026 08:00:10 -0000", None),
        ("9" * 400, 999_999_999),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, wait_s: float | None) -> None:
    """RFC 9110, section 10.2.3."""
    assert parse_retry_after(value, lambda: NOW) == wait_s


def exceptions_of(package: str) -> set[type[Exception]]:
    """Return every exception class in the loaded modules of *package*."""
    found: set[type[Exception]] = set()
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == package:
            members = inspect.getmembers(module, inspect.isclass)
            found |= {one for _, one in members if issubclass(one, Exception) and one.__module__.startswith(package)}
    assert len(found) > 1
    return found


NOT_RAISED_HERE = {
    "FluxQueryException": "no Flux answer is read",
    "FluxCsvParserException": "as above",
    "FluxStructureException": "as above",
    "CertificateError": "urllib3 wraps it in an SSLError",
    "ProxySchemeUnsupported": "no proxy is set",
}


def test_every_exception_of_the_libraries_is_translated() -> None:
    """It fails when a new release adds an exception of another kind."""
    mapped = (InfluxDBError, urllib3.exceptions.HTTPError, Warning)
    unknown = {
        one.__name__
        for one in exceptions_of("influxdb_client") | exceptions_of("urllib3")
        if not issubclass(one, mapped) and one.__name__ not in NOT_RAISED_HERE
    }
    assert unknown == set()


@pytest.mark.parametrize(
    "make",
    [
        lambda: InfluxDBError(message="odd"),
        lambda: urllib3.exceptions.ProtocolError("Connection aborted."),
        lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    ],
)
def test_error_instead_of_an_answer_is_unavailable(make: Callable[[], Exception]) -> None:
    config = InfluxConfig("http://influx:8086", "o", "b", "t")
    with pytest.raises(StoreUnavailable, match="http://influx:8086"), translated(config, lambda: NOW):
        raise make()
