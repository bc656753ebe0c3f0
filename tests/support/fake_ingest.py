"""An in-memory ingest that stores each crossing once and checks every span a counter claims.

It has the ``post`` method of the simulator's transports. Given the true crossings, it records each acknowledged span
that lacks one of them: the false claim that would turn an unknown into a zero.
"""

import json
import threading
from bisect import bisect_left
from collections import Counter as Tallied
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import attrgetter
from typing import Literal

from footfall.errors import BadSignature, InvalidBatch
from footfall.model import Span
from footfall.signing import verify
from footfall.wire import MAX_BODY_BYTES, PATH, parse_arrival, parse_body
from simulator.people import Crossing, in_order
from simulator.unreliable_network import Response
from tests.support.http_serving import serving

TOLERANCE_S = 300
Fault = Callable[[int, bytes], Response | None]


class FakeIngest:
    """The fake itself. ``fault`` gets the number and body of each request and may answer in its place."""

    def __init__(
        self, keys: Mapping[str, bytes], wall: Callable[[], float], fault: Fault = lambda _number, _body: None
    ) -> None:
        self._keys = keys
        self._wall = wall
        self._fault = fault
        self._lock = threading.Lock()
        self._truth: dict[str, list[Crossing]] = {}
        self._counts: dict[tuple[str, str, int], Crossing] = {}
        self._kept: Tallied[Crossing] = Tallied()
        self._through: dict[tuple[str, str], int] = {}
        self.spans: defaultdict[str, list[Span]] = defaultdict(list)
        self.statuses: dict[str, dict[str, object]] = {}
        self.requests = self.duplicates = 0
        self.largest_batch = self.largest_body = 0
        self.messages: defaultdict[str, set[bytes]] = defaultdict(set)
        self.false_claims: list[str] = []
        self.ports: set[int] = set()

    def expect(self, truth: Iterable[Crossing]) -> None:
        """Check every later claim against *truth*."""
        self._truth = defaultdict(list)
        for crossing in in_order(truth):
            self._truth[crossing.counter].append(crossing)

    def stored(self) -> tuple[Crossing, ...]:
        """Return all stored crossings in the order they happened."""
        return in_order(self._counts.values())

    def covered_ms(self, counter: str) -> int:
        """Return the milliseconds that the spans of *counter* cover, overlaps counted once."""
        total, reached = 0, 0
        for start, end in sorted(self.spans[counter]):
            total += max(0, end - max(start, reached))
            reached = max(reached, end)
        return total

    def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        """Return the response that ingest would send to *body*."""
        with self._lock:
            self.requests += 1
            self.largest_body = max(self.largest_body, len(body))
            return self._fault(self.requests, body) or self._answer(body, headers)

    def close(self) -> None:
        """Do nothing; there is no connection."""

    def _answer(self, body: bytes, headers: Mapping[str, str]) -> Response:
        now_s = self._wall()
        if len(body) > MAX_BODY_BYTES:
            return self.refusal(413, "body_too_large", "the body is over 256 KiB")
        try:
            batch = parse_body(body)
            keys = [self._keys[batch.counter]] if batch.counter in self._keys else []
            verify(keys, headers, body, now_s=now_s, tolerance_s=TOLERANCE_S)
            arrival = parse_arrival(batch, now_epoch_ms=int(now_s * 1000), earliest_epoch_ms=0, ahead_ms=0)
        except InvalidBatch as exc:
            return self.refusal(400, "invalid_batch", exc.message)
        except BadSignature as exc:
            return self.refusal(401, "bad_signature", exc.message)
        self.messages[headers["webhook-id"]].add(body)
        fresh = sum(self._keep(batch.counter, batch.stream, crossing) for crossing in batch.crossings)
        self.duplicates += len(batch.crossings) - fresh
        self.largest_batch = max(self.largest_batch, len(batch.crossings))
        self.statuses[batch.counter] = json.loads(arrival.status or b"{}")
        self._check_claim(batch.counter, Span(batch.from_, batch.to))
        stream = (batch.counter, batch.stream)
        self._through[stream] = max([self._through.get(stream, -1), *(seq for seq, _, _ in batch.crossings)])
        through = max((seq for seq, _, _ in batch.crossings), default=self._through[stream])
        return self.answer(200, {"stored": fresh, "duplicates": len(batch.crossings) - fresh, "through": through})

    def _keep(self, counter: str, stream: str, crossing: tuple[int, int | None, Literal[1, -1]]) -> bool:
        """Store *crossing* unless it is already stored; return whether it was new. Fail on conflicting content."""
        seq, time_epoch_ms, direction = crossing
        assert time_epoch_ms is not None, "a simulated counter always knows the time"
        came = Crossing(counter, time_epoch_ms, direction)
        kept = self._counts.setdefault((counter, stream, seq), came)
        assert kept == came, f"{kept} was resent as {came}"
        if kept is not came:
            return False
        self._kept[came] += 1
        return True

    def _check_claim(self, counter: str, span: Span) -> None:
        self.spans[counter].append(span)
        truth = self._truth.get(counter, [])
        first, last = (bisect_left(truth, instant, key=attrgetter("time_epoch_ms")) for instant in span)
        claimed = Tallied(truth[first:last])
        missing = [crossing for crossing, number in claimed.items() if self._kept[crossing] < number]
        self.false_claims += [f"{span} was acknowledged without {crossing}" for crossing in missing]

    def refusal(self, status: int, code: str, message: str, **headers: str) -> Response:
        """Return an error response; an underscore in a header's name stands for a hyphen."""
        return self.answer(status, {"error": {"code": code, "message": message}}, **headers)

    def answer(self, status: int, body: object, **headers: str) -> Response:
        """Return a response with a Date header from this ingest's clock."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response(status, {"date": formatdate(self._wall(), usegmt=True), **named}, json.dumps(body).encode())


@contextmanager
def served(fake: FakeIngest) -> Iterator[str]:
    """Serve *fake* over real HTTP on loopback with keep-alive, and yield its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # one packet a response: two would cost 40 ms (Nagle, delayed ACK)

        def do_POST(self) -> None:
            fake.ports.add(self.client_address[1])
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path != PATH:
                answer = fake.refusal(404, "not_found", "no such path")
            else:
                answer = fake.post(body, {name.lower(): value for name, value in self.headers.items()})
            self.send_response_only(answer.status)
            for name, value in {**answer.headers, "content-length": str(len(answer.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.body)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, serving(server) as url:
        yield url
