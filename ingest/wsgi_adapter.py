"""Lets granian's event loop wait for a request, and Flask's threads work on it once it is whole.

    granian (Rust) --request--> event loop: reads the body, 30 s at most, 256 KiB at most
                                    | whole
                                    v
           batches              threads: Flask, signature, group commit --answer--> granian
           questions            some threads of their own

A counter whose WiFi drops in the middle of a POST leaves a connection that says nothing for ever. A WSGI server that
reads bodies in its threads loses one thread to each, and after as many as it has threads it answers nobody. Here such
a connection costs a coroutine, for half a minute.

Questions are answered by threads of their own: where pages are read from an InfluxDB that hangs, each takes as long as
a time-out, and however many people ask, no counter waits for them.
"""

import asyncio
import io
import logging
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable
from queue import SimpleQueue
from typing import Any, NamedTuple, Protocol

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # its module does not say it exports it

log = logging.getLogger(__name__)

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Headers = list[tuple[str, str]]

BODY_TIMEOUT_S = 30.0
"""How long a body may take to arrive: 256 KiB over a link of 70 kbit/s."""

ASKING_THREADS = 8
"""For whatever is no batch. Questions wait for a store and for the interpreter's lock: more would not be faster."""

_AT_ONCE = frozenset({"/healthz", "/readyz"})
"""Asked by whoever decides whether counters may send here: they must not wait for a page."""

_TOO_SLOW = (
    b'{"error": {"code": "body_too_slow", "message": "the body did not arrive in time; send it again", "field": ""}}'
)


class Scope(Protocol):
    """What granian tells of a request (RSGI 1.5)."""

    method: str
    path: str
    query_string: str
    scheme: str
    server: str
    client: str
    headers: Any


class Exchange(Protocol):
    """Granian's side of a request: call it for the whole body, iterate it for chunks, and answer once."""

    def __call__(self) -> "asyncio.Future[bytes]":
        """Return the body, to be awaited."""

    def __aiter__(self) -> Any:
        """Iterate over the body's chunks."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Answer. Any thread may."""


class _Request(NamedTuple):
    environ: dict[str, Any]
    exchange: Exchange
    answered: "asyncio.Future[None]"


class WsgiAdapter:
    """An RSGI application that runs a WSGI one in threads."""

    def __init__(self, app: Wsgi, *, threads: int, most_body_bytes: int) -> None:
        """Run *app* in *threads*, and in ASKING_THREADS more for questions.

        It sees at most one byte more than *most_body_bytes* of a body: it refuses that.
        """
        self._app = app
        self._most_body_bytes = most_body_bytes
        self._batches: SimpleQueue[_Request] = SimpleQueue()
        self._questions: SimpleQueue[_Request] = SimpleQueue()
        self._answered: deque[asyncio.Future[None]] = deque()
        self._is_settling = False
        for name, number, requests in (
            ("batch", threads, self._batches),
            ("question", ASKING_THREADS, self._questions),
        ):
            for index in range(number):
                threading.Thread(target=self._work, args=(requests,), name=f"{name}-{index}", daemon=True).start()

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        """Answer one request."""
        try:
            body = await self._read_body(scope, exchange)
        except TimeoutError:
            exchange.response_bytes(408, [("content-type", "application/json"), ("connection", "close")], _TOO_SLOW)
            return
        except ProtocolClosed:  # the caller has left; nothing was begun, and nobody is there to answer
            return
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        is_urgent = scope.method == "POST" or scope.path in _AT_ONCE
        (self._batches if is_urgent else self._questions).put(_Request(_environ(scope, body), exchange, answered))
        await answered

    async def _read_body(self, scope: Scope, exchange: Exchange) -> bytes:
        """Return the body, cut off one byte after the most. Raises TimeoutError."""
        length = scope.headers.get("content-length")
        if length is None and "transfer-encoding" not in scope.headers:
            return b""
        if length is not None and not (length.isdigit() and int(length) <= self._most_body_bytes):
            return bytes(self._most_body_bytes + 1)  # refused for its size; no need to take it in
        async with asyncio.timeout(BODY_TIMEOUT_S):
            if length is not None:
                return await exchange()
            chunks = bytearray()
            async for chunk in exchange:
                chunks += chunk
                if len(chunks) > self._most_body_bytes:
                    break
            return bytes(chunks[: self._most_body_bytes + 1])

    def _work(self, requests: "SimpleQueue[_Request]") -> None:
        while True:
            environ, exchange, answered = requests.get()
            try:
                exchange.response_bytes(*self._answer(environ))
            except Exception:  # this thread must take the next request; granian answers 500, if anybody listens
                log.exception("a request could not be answered")
            self._answered.append(answered)
            if not self._is_settling:
                self._is_settling = True
                answered.get_loop().call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        """Let granian forget the requests that were answered."""
        self._is_settling = False  # before the look at the rest: who adds one after that look asks again
        while self._answered:
            answered = self._answered.popleft()
            if not answered.done():
                answered.set_result(None)

    def _answer(self, environ: dict[str, Any]) -> tuple[int, Headers, bytes]:
        status: list[Any] = []

        def start_response(line: str, headers: Headers, _exc_info: object = None) -> None:
            status[:] = int(line[:3]), [(name.lower(), value) for name, value in headers]

        parts = self._app(environ, start_response)
        try:
            content = b"".join(parts)
        finally:
            close = getattr(parts, "close", None)
            if close is not None:
                close()
        return status[0], status[1], content


def _environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """Return the request as WSGI has it (PEP 3333)."""
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host,
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope.headers.items():
        key = "HTTP_" + name.upper().replace("-", "_")
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    for name in ("HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"):  # the body is whole, its length known
        environ.pop(name, None)
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
