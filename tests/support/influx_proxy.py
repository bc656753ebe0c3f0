"""A proxy before a real InfluxDB that makes trouble as it is told: slow, overloaded, refusing some points."""

import gzip
import http.server
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import urllib3

PASSED_ON = ("Authorization", "Content-Type", "Content-Encoding", "Accept", "Accept-Encoding")


@dataclass
class InfluxProxy:
    """What it does; a test changes it at any time. Lines that *refuses* matches are left out of what is passed on."""

    upstream: str
    url: str = ""
    delay_s: float = 0.0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    refuses: re.Pattern[bytes] | None = None
    refusal_status: int = 422

    def sift(self, body: bytes) -> tuple[bytes, int]:
        """Return the lines of *body* that are taken, and how many are not."""
        lines = body.split(b"\n")
        taken = [line for line in lines if not (self.refuses and self.refuses.search(line))]
        return b"\n".join(taken), len(lines) - len(taken)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Passes requests on to the proxy's InfluxDB, or not."""

    protocol_version = "HTTP/1.1"
    proxy: InfluxProxy
    pool: urllib3.PoolManager

    def do_GET(self) -> None:
        self.pass_on(b"", 0)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            taken, dropped = self.proxy.sift(gzip.decompress(body))
            body = gzip.compress(taken, 1)
        else:
            body, dropped = self.proxy.sift(body)
        self.pass_on(body, dropped)

    def pass_on(self, body: bytes, dropped: int) -> None:
        time.sleep(self.proxy.delay_s)
        if self.proxy.status:
            self.answer(self.proxy.status, self.proxy.headers, json.dumps({"message": "not now"}).encode())
            return
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        url = self.proxy.upstream + self.path
        try:
            told = self.pool.request(self.command, url, body=body, headers=headers, decode_content=False)
        except urllib3.exceptions.HTTPError:
            self.close_connection = True
            return
        if dropped and told.status == 204:
            text = f"partial write: field type conflict dropped={dropped}"
            self.answer(self.proxy.refusal_status, {}, json.dumps({"message": text}).encode())
            return
        kept = {name: told.headers[name] for name in ("Content-Type", "Content-Encoding") if name in told.headers}
        self.answer(told.status, kept, told.data)

    def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def influx_proxy(upstream: str) -> Iterator[InfluxProxy]:
    """Give a proxy before the InfluxDB at *upstream*."""
    proxy = InfluxProxy(upstream)
    pool = urllib3.PoolManager(retries=False, timeout=30)
    handler = type("Handler", (_Handler,), {"proxy": proxy, "pool": pool})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        proxy.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield proxy
        finally:
            server.shutdown()
            thread.join()
            pool.clear()
