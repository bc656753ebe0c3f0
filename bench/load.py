"""A closed loop of HTTP requests over keep-alive connections, in a separate process."""

import multiprocessing
import os
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from footfall import signing, wire
from footfall.model import Span

CONNECTIONS = 32
NOOP = b"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"


@dataclass(frozen=True)
class Load:
    """*requests* batches of *batch* crossings, spread over *counters*. *batch* 0 is the no-op route."""

    port: int
    requests: int
    batch: int
    counters: tuple[str, ...] = ()
    keys: tuple[bytes, ...] = ()


class Pace(NamedTuple):
    """Requests a second, all answered 200, and the 99th percentile of their response times in ms."""

    per_second: float
    p99_ms: float


def requests_per_second(load: Load) -> float:
    """Return the requests a second of *load*."""
    return pace(load).per_second


def pace(load: Load) -> Pace:
    """Send *load* over CONNECTIONS connections, and return its pace."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (load,))


def _measure(load: Load) -> Pace:
    messages = [NOOP] * load.requests if load.batch == 0 else list(_batches(load))
    chooser = selectors.DefaultSelector()
    for _ in range(CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", load.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        chooser.register(connection, selectors.EVENT_READ)
    started_s = time.perf_counter()
    queue = iter(messages)
    sent_s: dict[int, float] = {}
    taken_s: list[float] = []
    for key, message in zip(list(chooser.get_map().values()), queue, strict=False):
        sent_s[key.fd] = time.perf_counter()
        _socket(key).sendall(message)
    answered = 0
    while answered < len(messages):
        for key, _ in chooser.select():
            _read_response(_socket(key))
            now_s = time.perf_counter()
            taken_s.append(now_s - sent_s[key.fd])
            answered += 1
            for message in islice(queue, 1):
                sent_s[key.fd] = now_s
                _socket(key).sendall(message)
    per_second = len(messages) / (time.perf_counter() - started_s)
    return Pace(per_second, sorted(taken_s)[len(taken_s) * 99 // 100] * 1000)


def _batches(load: Load) -> Iterator[bytes]:
    """Yield signed requests. Each counter's batches follow one another in seq and time, in a new stream."""
    stream = os.urandom(8).hex()
    now_epoch_ms = int(time.time() * 1000)
    start_epoch_ms = now_epoch_ms - 3_600_000
    for number in range(load.requests):
        turn, which = divmod(number, len(load.counters))
        first, at_epoch_ms = turn * load.batch, start_epoch_ms + turn * 1000
        crossings = [(first + seq, at_epoch_ms + seq, 1 if seq % 2 else -1) for seq in range(load.batch)]
        span = Span(at_epoch_ms, at_epoch_ms + 1000)
        body = wire.render_body(load.counters[which], stream, span, crossings)  # type: ignore[arg-type]  # 1 or -1
        headers = signing.signed_headers(load.keys[which], f"m{number}", now_epoch_ms // 1000, body)
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        yield (
            f"POST {wire.PATH} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n{head}\r\n"
        ).encode() + body


def _read_response(connection: socket.socket) -> None:
    data = connection.recv(65536)
    while b"\r\n\r\n" not in data or not data.endswith(b"}\n"):
        more = connection.recv(65536)
        if not more:
            break
        data += more
    if not data.startswith(b"HTTP/1.1 200"):
        raise AssertionError(f"the server answered {data[:300]!r}")


def _socket(key: selectors.SelectorKey) -> socket.socket:
    if not isinstance(key.fileobj, socket.socket):
        raise TypeError("not a socket")
    return key.fileobj
