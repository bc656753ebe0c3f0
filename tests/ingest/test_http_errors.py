"""Every error has the one JSON shape, stores nothing and keeps the log printable."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from footfall import wire
from harness.installation import batch
from ingest.http_errors import HttpError
from tests.support.ingest_app import HEARTBEAT, LEGACY, NOON_MS, Ingest, ingest_in_process

BODY = batch((1, NOON_MS, 1), span=HEARTBEAT)
LARGE = batch(*((seq, NOON_MS, 1) for seq in range(4000)), span=HEARTBEAT)
ROW = b"2026-5-4,08:30:00,12,9,ALLI1,Counter A,RDCentre,Alliance,ALLI"
NASTY = "\x00\x1b[31m\x7f\x9f\xff\u00e9"
"""Bytes that are not text, as a WSGI server passes them on: each character is one byte."""


class Case(NamedTuple):
    """A request that must fail, and the expected response."""

    send: Callable[[Ingest], TestResponse]
    status: int
    code: str
    field: str = ""


def read(path: str) -> Callable[[Ingest], TestResponse]:
    return lambda ingest: ingest.client.get(path)


def row(content: bytes, address: str = "127.0.0.1") -> Callable[[Ingest], TestResponse]:
    return lambda ingest: ingest.client.post(
        "/", data=content, content_type="text/plain", environ_base={"REMOTE_ADDR": address}
    )


def signed(body: bytes, **changes: str) -> Callable[[Ingest], TestResponse]:
    """POST *body* signed. *changes* replace headers; an underscore stands for a hyphen."""

    def send(ingest: Ingest) -> TestResponse:
        headers = {name.lower(): value for name, value in ingest.signed(body).items()}
        return ingest.post(body, headers=headers | {name.replace("_", "-"): value for name, value in changes.items()})

    return send


def while_it_is(trouble: str, send: Callable[[Ingest], TestResponse]) -> Callable[[Ingest], TestResponse]:
    def sent(ingest: Ingest) -> TestResponse:
        with getattr(ingest, trouble)():
            return send(ingest)

    return sent


@contextmanager
def clock_broken(ingest: Ingest) -> Iterator[None]:
    ingest.clock.now_ms = float("nan")  # type: ignore[assignment]  # a broken clock
    try:
        yield
    finally:
        ingest.clock.now_ms = NOON_MS


def failing(ingest: Ingest) -> TestResponse:
    with clock_broken(ingest):
        return ingest.client.get("/api/v1/sites/alliance/occupancy")


CASES = {
    "no json": Case(signed(b"{"), 400, "invalid_batch"),
    "wrong type": Case(signed(BODY.replace(b'"ALLI1"', b"1")), 400, "invalid_batch", "counter"),
    "crossing in the future": Case(
        signed(batch((1, NOON_MS * 2, 1), span=HEARTBEAT)), 400, "invalid_batch", "crossings[0].time"
    ),
    "unknown counter": Case(signed(BODY.replace(b"ALLI1", b"NOBODY")), 401, "unknown_counter"),
    "bad signature": Case(signed(BODY, webhook_signature="v1,AAAA"), 401, "bad_signature"),
    "bad timestamp": Case(signed(BODY, webhook_timestamp="soon"), 401, "bad_signature"),
    "too large": Case(signed(BODY.ljust(300 * 1024)), 413, "body_too_large"),
    "wrong content type": Case(signed(BODY, content_type="text/plain"), 415, "wrong_content_type", "Content-Type"),
    "no content type": Case(lambda ingest: ingest.post(BODY, headers={}), 415, "wrong_content_type", "Content-Type"),
    "unknown path": Case(read("/api/v2/crossings"), 404, "not_found"),
    "slashes in a row": Case(read("/api//v1/sites"), 404, "not_found"),
    "root": Case(lambda ingest: ingest.client.delete("/"), 405, "method_not_allowed"),
    "slash at the end": Case(read("/api/v1/sites/"), 404, "not_found"),
    "wrong method": Case(read(wire.PATH), 405, "method_not_allowed"),
    "deleting": Case(lambda ingest: ingest.client.delete("/api/v1/counters"), 405, "method_not_allowed"),
    "unknown site": Case(read("/api/v1/sites/nowhere/occupancy"), 404, "unknown_site", "site"),
    "unknown site's buckets": Case(read("/api/v1/sites/nowhere/buckets"), 404, "unknown_site", "site"),
    "bad day": Case(read("/api/v1/sites/alliance/buckets?day=tomorrow"), 400, "invalid_query", "day"),
    "bad row": Case(row(b"hello"), 400, "invalid_batch", "row"),
    "bad count in a row": Case(row(ROW.replace(b"12", b"x")), 400, "invalid_batch", "entries"),
    "row of an unknown counter": Case(row(ROW.replace(b"ALLI1", b"NOBODY")), 401, "unknown_counter"),
    "row from elsewhere": Case(row(ROW, "192.0.2.1"), 403, "forbidden_network"),
    "row of another type": Case(
        lambda ingest: ingest.client.post("/", data=ROW, content_type="text/csv"),
        415, "wrong_content_type", "Content-Type",
    ),
    "row too large": Case(row(ROW.ljust(300 * 1024)), 413, "body_too_large"),
    "row that conflicts": Case(row(ROW.replace(b"08:30", b"12:00")), 409, "conflict", "row"),
    "full": Case(while_it_is("full", signed(LARGE)), 503, "store_unavailable"),
    "locked": Case(while_it_is("locked", signed(BODY)), 503, "store_unavailable"),
    "locked for a row": Case(while_it_is("locked", row(ROW)), 503, "store_unavailable"),
    "not ready": Case(while_it_is("locked", read("/readyz")), 503, "store_unavailable"),
    "unexpected error": Case(failing, 500, "internal"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_every_error_has_the_one_shape_and_stores_nothing(legacy_ingest: Ingest, case: Case) -> None:
    ingest = legacy_ingest
    ingest.keep((1, NOON_MS - 1_800_000, 1))
    before = ingest.stored()
    answer = case.send(ingest)
    assert answer.status_code == case.status
    assert answer.mimetype == "application/json"
    body = json.loads(answer.data)
    assert list(body) == ["error"]
    assert list(body["error"]) == ["code", "message", "field"]
    assert all(isinstance(part, str) for part in body["error"].values())
    assert (body["error"]["code"], body["error"]["field"]) == (case.code, case.field)
    assert len(body["error"]["message"]) > 5
    assert ("Retry-After" in answer.headers) == (case.status == 503)
    assert ("Allow" in answer.headers) == (case.status == 405)
    assert ingest.stored() == before


def test_traceback_of_an_unexpected_error_is_in_the_log_only(ingest: Ingest) -> None:
    answer = failing(ingest)
    assert "NaN" not in answer.text
    assert "Traceback" in ingest.log.lines[-1]
    assert "cannot convert float NaN to integer" in ingest.log.lines[-1]


def test_error_of_a_head_request_has_no_body(ingest: Ingest) -> None:
    answer = ingest.client.head("/nowhere")
    assert (answer.status_code, answer.data) == (404, b"")


def test_errors_can_be_kept_in_a_set() -> None:
    """Traceback printing and exception groups hash the errors they hold."""
    errors = [HttpError(404, "unknown_site", "no such site") for _ in range(2)]
    assert len({*errors}) == 2
    assert str(errors[0]) == "no such site"


HEADERS = ("WEBHOOK_ID", "WEBHOOK_TIMESTAMP", "WEBHOOK_SIGNATURE", "HOST", "USER_AGENT", "X_FORWARDED_FOR")


@pytest.mark.parametrize("name", HEADERS)
def test_control_characters_and_broken_text_in_a_header_do_no_harm(ingest: Ingest, name: str) -> None:
    headers = {f"HTTP_{key.upper().replace('-', '_')}": value for key, value in ingest.signed(BODY).items()}
    sent = {"CONTENT_TYPE": "application/json", **headers, f"HTTP_{name}": NASTY}
    status, body = ingest.raw(body=BODY, **sent)
    if name.startswith("WEBHOOK"):
        assert (status, json.loads(body)["error"]["code"]) == (401, "bad_signature")
        assert ingest.stored() == []
    else:
        assert status == 200, "ingest ignores it"


@pytest.mark.parametrize("path", [f"/{NASTY}", f"{wire.PATH}{NASTY}", f"/api/v1/sites/{NASTY}/occupancy", "//x"])
@pytest.mark.parametrize("method", ["GET", "POST", "BREW", "P\x01T"])
def test_control_characters_and_broken_text_in_a_path_do_no_harm(ingest: Ingest, path: str, method: str) -> None:
    status, body = ingest.raw(path, method=method)
    assert status in (404, 405)
    assert list(json.loads(body)) == ["error"]


@pytest.mark.parametrize("query", [f"day={NASTY}", "day=%ff%00%1b", "day=", "day", "day=2026-05-04&day=x", "&&=;%"])
def test_control_characters_and_broken_text_in_a_query_do_no_harm(ingest: Ingest, query: str) -> None:
    status, _ = ingest.raw("/api/v1/sites/alliance/buckets", method="GET", QUERY_STRING=query)
    assert status in (200, 400)


@pytest.mark.parametrize(
    "row",
    [ROW.replace(b"ALLI1", b"\x1b[31m\xff"), ROW.replace(b"2026", b"\x00"), b"\xff" * 9, b",,,,\x1b,,,,", b"\x1b"],
)
def test_control_characters_and_broken_text_in_a_row_do_no_harm(legacy_ingest: Ingest, row: bytes) -> None:
    status, body = legacy_ingest.raw("/", body=row, CONTENT_TYPE="text/plain", REMOTE_ADDR="127.0.0.1")
    assert status in (400, 401)
    assert json.loads(body)["error"]["message"].isprintable()


@pytest.mark.parametrize("length", ["-1", "x", "99999999999999999999", "5", ""])
def test_wrong_content_length_does_no_harm(ingest: Ingest, length: str) -> None:
    status, body = ingest.raw(body=b"{}", CONTENT_TYPE="application/json", CONTENT_LENGTH=length)
    assert status in (400, 413)
    assert list(json.loads(body)) == ["error"]


text_of_bytes = st.text(st.characters(max_codepoint=255), max_size=40)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["GET", "POST", "PUT", "OPTIONS"]), text_of_bytes, text_of_bytes, st.binary(max_size=60))
def test_no_request_makes_the_service_fail(
    shared_ingest: Ingest, method: str, text: str, more: str, body: bytes
) -> None:
    for path in (f"/{text}", f"/api/v1/sites/{text}/buckets", "/api/v1/sites/alliance/buckets", "/", wire.PATH):
        status, _ = shared_ingest.raw(
            path, method=method, body=body, QUERY_STRING=f"day={more}", CONTENT_TYPE="text/plain",
            HTTP_WEBHOOK_ID=text, HTTP_WEBHOOK_TIMESTAMP=more, HTTP_WEBHOOK_SIGNATURE=text, REMOTE_ADDR="127.0.0.1",
        )  # fmt: skip
        assert status < 500
    assert shared_ingest.stored() == []
    assert shared_ingest.log.unprintable() == []


@pytest.fixture(scope="module")
def shared_ingest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    folder: Path = tmp_path_factory.mktemp("shared")
    with ingest_in_process(folder / "footfall", more=LEGACY) as found:
        yield found
