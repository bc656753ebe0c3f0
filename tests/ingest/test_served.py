"""Batches over real HTTP: the answer a counter reads, and a log that stays readable whatever was sent."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from email.utils import parsedate_to_datetime

import pytest

from footfall import wire
from footfall.model import Span
from harness.installation import Installation, batch, install
from tests.support.journals import contents


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installed = install(tmp_path_factory.mktemp("served") / "site")
    with installed.serving():
        yield installed
    log = (installed.folder / "ingest.log").read_text()
    assert all(" " <= char <= "~" or char == "\n" for char in log)
    assert "Traceback" not in log
    assert "ERROR" not in log


def heartbeat(stream: str = "s") -> bytes:
    now_ms = int(time.time() * 1000)
    return batch(stream=stream, span=Span(now_ms - 60_000, now_ms))


def exchange(site: Installation, request: bytes, *, leave: bool = False) -> bytes:
    """Send *request* and return the response; with *leave*, disconnect before it arrives."""
    with closing(socket.create_connection(("127.0.0.1", site.port), timeout=30)) as connection:
        connection.sendall(request)
        if leave:
            return b""
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
        return answer


def posted(site: Installation, body: bytes, *more: bytes, length: int | None = None) -> bytes:
    """Return a signed request with *more* header lines."""
    headers = [f"{name}: {value}".encode() for name, value in site.signed(body).items()]
    length = len(body) if length is None else length
    lines = [b"POST " + wire.PATH.encode() + b" HTTP/1.1", b"Host: x", b"Connection: close",
             b"Content-Length: %d" % length, *headers, *more]  # fmt: skip
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def assert_well(site: Installation) -> None:
    assert site.post(heartbeat()).status == 200


def test_batch_is_acknowledged_exactly(site: Installation) -> None:
    now_ms = int(time.time() * 1000)
    body = batch((1041, now_ms - 2000, 1), (1042, now_ms - 1000, -1), stream="exact")
    answer = site.post(body)
    assert answer.status == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.body == b'{"stored": 2, "duplicates": 0, "through": 1042}\n'
    assert site.post(body).json() == {"stored": 0, "duplicates": 2, "through": 1042}


@pytest.mark.parametrize("skew_s", [0, -(10**6)])
def test_every_response_carries_the_server_time(site: Installation, skew_s: int) -> None:
    """A counter without NTP sets its clock by it, even when its own clock was the reason for the refusal."""
    body = heartbeat()
    before_s = int(time.time())
    answer = site.post(body, headers=site.signed(body, at_s=time.time() + skew_s))
    assert answer.status == (401 if skew_s else 200)
    assert before_s - 1 <= parsedate_to_datetime(answer.headers["date"]).timestamp() <= time.time() + 1


def test_unsigned_and_oversized_bodies_are_refused_as_json(site: Installation) -> None:
    before = contents(site.journal)
    for body, headers, status in (
        (heartbeat(), {"Content-Type": "application/json"}, 401),
        (heartbeat(), {}, 415),
        (b" " * 300 * 1024, {"Content-Type": "application/json"}, 413),
    ):
        answer = site.post(body, headers=headers)
        assert answer.status == status
        assert list(answer.json()["error"]) == ["code", "message", "field"]
    assert contents(site.journal) == before


def test_client_may_expect_100_continue(site: Installation) -> None:
    """RFC 9110, section 10.1.1."""
    answer = exchange(site, posted(site, heartbeat(), b"Expect: 100-continue"))
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\x01\x02\x1b[31m\r\n\r\n",
        b"GET /\x01\x1b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-A: a\x1b[31mb\r\n\r\n",
        b"POST /api/v1/crossings HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
    ],
)
def test_malformed_http_is_refused_and_harms_nothing(site: Installation, request_bytes: bytes) -> None:
    assert exchange(site, request_bytes).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 505 "))
    assert_well(site)


@pytest.mark.parametrize("name", [b"webhook-id", b"Host", b"User-Agent", b"Content-Type"])
def test_header_of_any_bytes_harms_nothing(site: Installation, name: bytes) -> None:
    answer = exchange(site, posted(site, heartbeat(), name + b": \xff\xfe\xc3\xa9"))
    assert answer.startswith(b"HTTP/1.1 ")
    assert not answer.startswith(b"HTTP/1.1 5")
    assert_well(site)


def test_client_that_disconnects_in_mid_body_stores_nothing(site: Installation) -> None:
    before = contents(site.journal)
    now_ms = int(time.time() * 1000)
    for seq in range(20):
        whole = posted(site, batch((seq, now_ms, 1), stream="left"))
        exchange(site, whole[:-10], leave=True)
    assert contents(site.journal) == before
    assert_well(site)


def test_batch_of_a_client_that_disconnects_early_is_stored_once(site: Installation) -> None:
    before = sum(row[0] == "crossing" for row in contents(site.journal))
    body = batch((1, int(time.time() * 1000), 1), stream="impatient")
    for _ in range(10):
        exchange(site, posted(site, body), leave=True)
    assert site.post(body).status == 200
    assert_well(site)
    assert sum(row[0] == "crossing" for row in contents(site.journal)) == before + 1
