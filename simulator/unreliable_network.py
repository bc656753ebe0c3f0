"""The network between a simulated counter and ingest: real HTTP, with failures on purpose.

    counter ──post──> UnreliableNetwork ──post──> HttpTransport ──> ingest
                      |  lost request:  never arrives            |
                      |  lost response: stored, but unanswered   |
                      |  duplicate:     delivered twice, at once or late
                      |  outage:        nothing passes for minutes |

A counter cannot tell a lost request from a lost response. That is why it resends, and why ingest deduplicates.
"""

import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import urllib3

from footfall import __version__
from footfall.errors import FootfallError
from footfall.model import Span
from footfall.wire import PATH
from simulator.people import MINUTE_MS

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 5.0, 15.0
DAY_MS = 24 * 60 * MINUTE_MS


class Response(NamedTuple):
    """An HTTP response. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NetworkFailure(FootfallError):
    """No response: the request may have arrived or not. ``is_simulated``: the simulator caused it."""

    def __init__(self, message: str, *, is_simulated: bool) -> None:
        super().__init__(message, hint="check that ingest runs there: footfall doctor")
        self.is_simulated = is_simulated


class Transport(Protocol):
    """A connection to ingest, used by one counter at a time."""

    def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        """Send *body* with *headers*, and return the response, whatever its status. Raises NetworkFailure."""
        ...

    def close(self) -> None:
        """Close the connection."""
        ...


class HttpTransport:
    """One keep-alive connection to ingest."""

    def __init__(self, url: str) -> None:
        """Send to the ingest at *url*, such as ``http://127.0.0.1:8080``. Raises FootfallError if it is no HTTP URL."""
        try:
            parsed = urllib3.util.parse_url(url)
        except urllib3.exceptions.LocationParseError:
            parsed = urllib3.util.Url()
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise FootfallError(f"{url!r} is not an HTTP URL", hint="write a URL like http://127.0.0.1:8080")
        self._url = url
        self._path = (parsed.path or "").rstrip("/") + PATH
        self._pool = urllib3.connection_from_url(
            url, maxsize=1, timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=READ_TIMEOUT_S)
        )

    def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        """Send *body*, and return the response. Redirects are not followed. Raises NetworkFailure."""
        sent = {"content-type": "application/json", "user-agent": f"footfall-simulator/{__version__}", **headers}
        try:
            answer = self._pool.urlopen("POST", self._path, body=body, headers=sent, retries=False, redirect=False)
        except urllib3.exceptions.HTTPError as exc:
            raise NetworkFailure(f"no response from {self._url}: {exc}", is_simulated=False) from exc
        return Response(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


@dataclass(frozen=True, slots=True)
class NetworkTrouble:
    """How unreliable a network is. By default it is perfect.

    The first three are probabilities for each request, 0 to 1. ``outages`` is the expected number a day; an outage
    lasts up to ``longest_outage_min`` simulated minutes.
    """

    lost_request: float = 0.0
    lost_response: float = 0.0
    duplicate: float = 0.0
    outages: float = 0.0
    longest_outage_min: float = 90.0

    def __post_init__(self) -> None:
        """Raise ValueError if a probability or the outages are out of range."""
        for name in ("lost_request", "lost_response", "duplicate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a probability, 0 to 1, not {getattr(self, name)}")
        if self.outages < 0 or self.longest_outage_min <= 0:
            raise ValueError("outages must be 0 or more, longest_outage_min above 0")


NO_TROUBLE = NetworkTrouble()
ROUGH = NetworkTrouble(lost_request=0.02, lost_response=0.02, duplicate=0.02, outages=2.0, longest_outage_min=60.0)
"""A bad Wi-Fi link, worse than a library's, so that one simulated day exercises every failure."""


class UnreliableNetwork:
    """A network that loses requests and responses, duplicates requests, and has outages."""

    def __init__(
        self,
        inner: Transport,
        trouble: NetworkTrouble,
        rng: random.Random,
        span: Span,
        now_epoch_ms: Callable[[], int],
    ) -> None:
        """Apply *trouble* to *inner*. Outages lie in *span*, by the simulated clock *now_epoch_ms*."""
        self._inner = inner
        self._trouble = trouble
        self._rng = rng
        self._now_epoch_ms = now_epoch_ms
        self.outages = _plan_outages(trouble, rng, span)
        self.duplicates = 0
        self._delayed: tuple[bytes, Mapping[str, str]] | None = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        """Return the response to *body*, if it gets through. Raises NetworkFailure."""
        now_epoch_ms = self._now_epoch_ms()
        if any(start <= now_epoch_ms < end for start, end in self.outages):
            raise NetworkFailure("the network is down", is_simulated=True)
        if self._rng.random() < self._trouble.lost_request:
            raise NetworkFailure("the request was lost", is_simulated=True)
        response = self._inner.post(body, headers)
        self._send_delayed()
        if self._rng.random() < self._trouble.duplicate:
            response = self._duplicate(body, headers, response)
        if self._rng.random() < self._trouble.lost_response:
            raise NetworkFailure("the response was lost", is_simulated=True)
        return response

    def close(self) -> None:
        """Close the inner transport. A delayed duplicate is lost."""
        self._inner.close()

    def _duplicate(self, body: bytes, headers: Mapping[str, str], response: Response) -> Response:
        """Send *body* again now and return the new response, or keep a copy to arrive after a later request."""
        if self._rng.random() < 0.5:
            self._delayed = (body, headers)
            return response
        self.duplicates += 1
        return self._inner.post(body, headers)

    def _send_delayed(self) -> None:
        """Send the delayed duplicate, out of order. Its response is ignored."""
        if self._delayed is not None:
            delayed, self._delayed = self._delayed, None
            self.duplicates += 1
            with suppress(NetworkFailure):
                self._inner.post(*delayed)


def _plan_outages(trouble: NetworkTrouble, rng: random.Random, span: Span) -> tuple[Span, ...]:
    """Return the outages of *span*. They may overlap and outlast it."""
    expected = trouble.outages * (span.to_epoch_ms - span.from_epoch_ms) / DAY_MS
    number = int(expected) + (rng.random() < expected % 1)
    starts = [rng.randint(span.from_epoch_ms, span.to_epoch_ms) for _ in range(number)]
    longest_ms = max(1, int(trouble.longest_outage_min * MINUTE_MS))
    return tuple(Span(start, start + rng.randint(longest_ms // 10, longest_ms)) for start in starts)
