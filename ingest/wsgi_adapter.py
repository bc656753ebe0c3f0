"""Runs the Flask app behind granian: the event loop receives a request, a thread handles it once it is complete.

    granian (Rust) --request--> event loop: reads the body, at most 30 s and 256 KiB
                                    | complete
                                    v
           writes               threads: Flask, signature, group commit --response--> granian
           reads                threads of their own

A counter whose Wi-Fi drops in the middle of a POST leaves a connection open and silent. A WSGI server that reads
bodies in its threads loses one thread to each such connection, and soon has none left. Here it costs one coroutine,
for 30 seconds.

Reads have their own threads, so that slow reads never delay a counter: while InfluxDB hangs, a page takes as long as
the read timeout.
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

from granian.rsgi import ProtocolClosed  # type: ignore[attr-defined]  # not in the __all__ of its module

log = logging.getLogger(__name__)

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Headers = list[tuple[str, str]]

BODY_TIMEOUT_S = 30.0
"""How long a body may take to arrive: 256 KiB at 70 kbit/s."""

READ_THREADS = 8
"""Threads for reads. Reads wait for a store or for the interpreter lock, so more threads would not be faster."""

_HEALTH_PATHS = frozenset({"/healthz", "/readyz"})
"""Handled with the writes: a balancer decides by them where counters send, so they must not wait for a page."""

_BODY_TOO_SLOW = (
    b'{"error": {"code": "body_too_slow", "message": "the body did not arrive in time; retry", "field": ""}}'
)


class Scope(Protocol):
    """A request as granian describes it (RSGI 1.5)."""

    method: str
    path: str
    query_string: str
    scheme: str
    server: str
    client: str
    headers: Any


class Exchange(Protocol):
    """Granian's protocol object for a request: call it for the whole body or iterate over chunks, then respond once."""

    def __call__(self) -> "asyncio.Future[bytes]":
        """Return an awaitable of the body."""

    def __aiter__(self) -> Any:
        """Iterate over the body's chunks."""

    def response_bytes(self, status: int, headers: Headers, body: bytes) -> None:
        """Send the response, from any thread."""


class _ReceivedRequest(NamedTuple):
    environ: dict[str, Any]
    exchange: Exchange
    answered: "asyncio.Future[None]"


class WsgiAdapter:
    """An RSGI application that runs a WSGI one in threads."""

    def __init__(self, app: Wsgi, *, threads: int, max_body_bytes: int) -> None:
        """Run *app* in *threads* for writes and READ_THREADS more for reads.

        Bodies are cut off one byte past *max_body_bytes*, which is enough for *app* to refuse them.
        """
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._writes: SimpleQueue[_ReceivedRequest] = SimpleQueue()
        self._reads: SimpleQueue[_ReceivedRequest] = SimpleQueue()
        self._answered: deque[asyncio.Future[None]] = deque()
        self._is_settling = False
        for name, number, requests in (
            ("write", threads, self._writes),
            ("read", READ_THREADS, self._reads),
        ):
            for index in range(number):
                threading.Thread(target=self._work, args=(requests,), name=f"{name}-{index}", daemon=True).start()

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        """Handle one request."""
        try:
            body = await self._read_body(scope, exchange)
        except TimeoutError:
            exchange.response_bytes(
                408, [("content-type", "application/json"), ("connection", "close")], _BODY_TOO_SLOW
            )
            return
        except ProtocolClosed:  # the client disconnected, so there is nothing to answer
            return
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        is_write = scope.method == "POST" or scope.path in _HEALTH_PATHS
        (self._writes if is_write else self._reads).put(_ReceivedRequest(_environ(scope, body), exchange, answered))
        await answered

    async def _read_body(self, scope: Scope, exchange: Exchange) -> bytes:
        """Return the body, cut off one byte past the limit. Raises TimeoutError."""
        length = scope.headers.get("content-length")
        if length is None and "transfer-encoding" not in scope.headers:
            return b""
        if length is not None and not (length.isdigit() and int(length) <= self._max_body_bytes):
            return bytes(self._max_body_bytes + 1)  # the app refuses it by its size, so do not read it
        async with asyncio.timeout(BODY_TIMEOUT_S):
            if length is not None:
                return await exchange()
            chunks = bytearray()
            async for chunk in exchange:
                chunks += chunk
                if len(chunks) > self._max_body_bytes:
                    break
            return bytes(chunks[: self._max_body_bytes + 1])

    def _work(self, requests: "SimpleQueue[_ReceivedRequest]") -> None:
        while True:
            environ, exchange, answered = requests.get()
            try:
                exchange.response_bytes(*self._answer(environ))
            except Exception:  # the thread must survive; granian answers 500
                log.exception("unexpected error in a request thread; please report it")
            self._answered.append(answered)
            if not self._is_settling:
                self._is_settling = True
                answered.get_loop().call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        """Resolve the futures of the requests that were answered, which lets granian release them."""
        self._is_settling = False  # cleared first: a thread that appends after the loop schedules a new call
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
    """Return the request as a WSGI environment (PEP 3333)."""
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
    for name in ("HTTP_CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"):  # the body is complete, so its length is known
        environ.pop(name, None)
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ
