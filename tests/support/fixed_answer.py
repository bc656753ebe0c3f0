"""An HTTP server with a fixed answer, for answers that no real server can be made to give."""

import http.server
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.http_serving import serving


@contextmanager
def answering(
    status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = (), promised: int | None = None
) -> Iterator[str]:
    """Yield the URL of a server that gives this answer to every request, and then hangs up.

    *promised* is its Content-Length, by default the length of *body*.
    """

    class FixedAnswer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            length = len(body) if promised is None else promised
            for name, value in (*headers, ("Content-Length", str(length))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), FixedAnswer) as server, serving(server) as url:
        yield url
