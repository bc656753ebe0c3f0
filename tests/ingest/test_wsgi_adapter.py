"""The real server over bare sockets: the requests that no client library sends."""

import json
import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from footfall import wire
from footfall.model import Span
from harness.installation import Installation, batch, install
from ingest.wsgi_adapter import READ_THREADS
from tests.support.process_checks import until


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installed = install(Path(tmp_path_factory.mktemp("adapter")) / "site", more="threads = 4")
    with installed.serving():
        yield installed


def connect(site: Installation) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", site.port), timeout=10)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ask(connection: socket.socket, request: bytes) -> tuple[int, Any]:
    """Send *request* and return the status and the JSON body of the response, None if it is empty."""
    connection.sendall(request)
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536) or pytest.fail(f"hung up after {data!r}")
    head, body = data.split(b"\r\n\r\n", 1)
    length = next(int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += connection.recv(65536) or pytest.fail(f"hung up after {body!r}")
    return int(head[9:12]), json.loads(body) if body else None


def get(path: bytes) -> bytes:
    return b"GET " + path + b" HTTP/1.1\r\nHost: test\r\n\r\n"


def post(*headers: bytes, body: bytes = b"") -> bytes:
    fields = b"\r\n".join([b"Host: test", b"Content-Type: application/json", *headers])
    return b"POST " + wire.PATH.encode() + b" HTTP/1.1\r\n" + fields + b"\r\n\r\n" + body


def test_server_survives_more_stalled_bodies_than_threads(site: Installation) -> None:
    """A counter that loses its Wi-Fi in the middle of a POST costs no thread."""
    with ExitStack() as stack:
        for _ in range(20):
            stalled = stack.enter_context(closing(connect(site)))
            stalled.sendall(post(b"Content-Length: 100", body=b'{"coun'))
        with closing(connect(site)) as other:
            assert ask(other, get(b"/healthz"))[0] == 200


def test_server_survives_more_idle_connections_than_threads(site: Installation) -> None:
    """Each counter may keep its connection open."""
    with ExitStack() as stack:
        idle = [stack.enter_context(closing(connect(site))) for _ in range(200)]
        assert {ask(connection, get(b"/healthz"))[0] for connection in idle} == {200}


def test_reads_from_a_hanging_influxdb_delay_no_batch(tmp_path: Path) -> None:
    """However many reads wait, batches are stored and the health checks answer.

    The InfluxDB here accepts connections and never answers. READ_THREADS reads hang until their timeout while the
    others queue; a batch in the same queue would be answered after most of them.
    """
    with closing(socket.create_server(("127.0.0.1", 0), backlog=128)) as frozen, ExitStack() as stack:
        accepted: list[socket.socket] = []
        threading.Thread(target=accept_all, args=(frozen, accepted), daemon=True).start()
        url = f"http://127.0.0.1:{frozen.getsockname()[1]}"
        settings = f'threads = 4\nreads = "influxdb"\n[influxdb]\nurl = "{url}"\ntoken_file = "token"\n'
        site = install(tmp_path / "site", more=settings)
        (site.folder / "token").write_text("secret\n")
        (site.folder / "token").chmod(0o600)
        with site.serving():
            reads = [stack.enter_context(closing(connect(site))) for _ in range(40)]
            for connection, path in zip(reads, cycle((b"/api/v1/counters", b"/metrics", b"/")), strict=False):
                connection.sendall(get(path))
            until(lambda: len(accepted) >= READ_THREADS, "every read thread waits for InfluxDB")
            now_ms = int(time.time() * 1000)
            for number in range(10):
                span = Span(now_ms - 60_000 + number, now_ms - 59_000 + number)
                assert site.post(batch((number, now_ms - 59_500, 1), span=span)).status == 200
            with closing(connect(site)) as other:
                assert ask(other, get(b"/readyz"))[0] == 200
                assert ask(other, get(b"/healthz"))[0] == 200
            answered, _, _ = select.select(reads, [], [], 0)
            assert len(answered) < len(reads) / 2
        for connection in accepted:
            connection.close()


def accept_all(listener: socket.socket, accepted: list[socket.socket]) -> None:
    with suppress(OSError):  # the listener was closed
        while True:
            accepted.append(listener.accept()[0])


def test_chunked_body_is_read_and_its_size_limited(site: Installation) -> None:
    def chunked(*chunks: bytes) -> bytes:
        body = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))
        return post(b"Transfer-Encoding: chunked", body=body)

    with closing(connect(site)) as connection:
        status, answer = ask(connection, chunked(b'{"counter":', b"1}"))
        assert (status, answer["error"]["field"]) == (400, "counter")
    with closing(connect(site)) as connection:
        status, answer = ask(connection, chunked(*[b"x" * 65_536] * 5))
        assert (status, answer["error"]["code"]) == (413, "body_too_large")


def test_body_that_declares_too_much_is_refused_unread(site: Installation) -> None:
    with closing(connect(site)) as connection:
        status, answer = ask(connection, post(b"Content-Length: 10000000000"))
        assert (status, answer["error"]["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "path",
    [b"/api/v1/sites/caf%C3%A9/occupancy", b"/api/v1/sites/%FF%00%0A/occupancy", b"/api/v1/sites/\xc3\xa9/occupancy"],
)
def test_path_of_any_bytes_is_an_unknown_site(site: Installation, path: bytes) -> None:
    with closing(connect(site)) as connection:
        status, answer = ask(connection, get(path))
        assert (status, answer["error"]["code"]) == (404, "unknown_site")


def test_header_of_any_bytes_is_a_bad_signature(site: Installation) -> None:
    body = b'{"counter":"ALLI1","stream":"s","from":0,"to":0,"crossings":[]}'
    headers = b"webhook-id: \xff\xfe", b"webhook-timestamp: 1", b"webhook-signature: v1,\xe9"
    with closing(connect(site)) as connection:
        status, answer = ask(connection, post(*headers, b"Content-Length: %d" % len(body), body=body))
        assert (status, answer["error"]["code"]) == (401, "bad_signature")
