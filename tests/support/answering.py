"""An HTTP server that answers as it is told, for what no real server can be made to say."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def answering(
    status: int, body: bytes = b"", headers: tuple[tuple[str, str], ...] = (), promised: int | None = None
) -> Iterator[str]:
    """Give the URL of a server that answers every request like that.

    It promises *promised* bytes, those of *body* unless given, and hangs up after it.
    """

    class Answer(http.server.BaseHTTPRequestHandler):
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

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
