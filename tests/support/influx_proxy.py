"""A proxy before a real InfluxDB that a test makes slow, overloaded, or refuse some points."""

import gzip
import http.server
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import urllib3

from tests.support.http_serving import serving

FORWARDED_HEADERS = ("Authorization", "Content-Type", "Content-Encoding", "Accept", "Accept-Encoding")


@dataclass
class InfluxProxy:
    """The proxy's behaviour, which a test may change at any time. It drops the lines that *refuses* matches."""

    upstream: str
    url: str = ""
    delay_s: float = 0.0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    refuses: re.Pattern[bytes] | None = None
    refusal_status: int = 422

    def accepted(self, body: bytes) -> tuple[bytes, int]:
        """Return the accepted lines of *body*, and how many were dropped."""
        lines = body.split(b"\n")
        kept = [line for line in lines if not (self.refuses and self.refuses.search(line))]
        return b"\n".join(kept), len(lines) - len(kept)


class _Handler(http.server.BaseHTTPRequestHandler):
    """Forwards requests to InfluxDB, or fails them."""

    protocol_version = "HTTP/1.1"
    proxy: InfluxProxy
    pool: urllib3.PoolManager

    def do_GET(self) -> None:
        self.forward(b"", 0)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            lines, dropped = self.proxy.accepted(gzip.decompress(body))
            body = gzip.compress(lines, 1)
        else:
            body, dropped = self.proxy.accepted(body)
        self.forward(body, dropped)

    def forward(self, body: bytes, dropped: int) -> None:
        time.sleep(self.proxy.delay_s)
        if self.proxy.status:
            self.answer(self.proxy.status, self.proxy.headers, json.dumps({"message": "not now"}).encode())
            return
        headers = {name: self.headers[name] for name in FORWARDED_HEADERS if name in self.headers}
        url = self.proxy.upstream + self.path
        try:
            answer = self.pool.request(self.command, url, body=body, headers=headers, decode_content=False)
        except urllib3.exceptions.HTTPError:
            self.close_connection = True
            return
        if dropped and answer.status == 204:
            text = f"partial write: field type conflict dropped={dropped}"
            self.answer(self.proxy.refusal_status, {}, json.dumps({"message": text}).encode())
            return
        kept = {name: answer.headers[name] for name in ("Content-Type", "Content-Encoding") if name in answer.headers}
        self.answer(answer.status, kept, answer.data)

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
    """Yield a proxy before the InfluxDB at *upstream*."""
    proxy = InfluxProxy(upstream)
    pool = urllib3.PoolManager(retries=False, timeout=30)
    handler = type("Handler", (_Handler,), {"proxy": proxy, "pool": pool})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        try:
            with serving(server) as proxy.url:
                yield proxy
        finally:
            pool.clear()
