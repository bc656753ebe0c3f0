"""Between a counter and ingest: real HTTP, and the mishaps that may be laid over it.

    counter ──post──> UnreliableNetwork ──post──> HttpTransport ──> ingest
                      |  cut before: never sent                |
                      |  cut after:  stored, answer lost       |
                      |  copy:       sent twice, at once or late
                      |  outage:     nothing passes for minutes|

A counter cannot tell a request that was lost from one whose answer was lost. That is the whole difficulty.
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

CONNECT_TIMEOUT_S, ANSWER_TIMEOUT_S = 5.0, 15.0
DAY_MS = 24 * 60 * MINUTE_MS


class Answer(NamedTuple):
    """What came back for a request. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class NetworkCut(FootfallError):
    """No answer came back: the request may have arrived or not. ``staged`` is true where the simulator cut it."""

    def __init__(self, message: str, *, staged: bool) -> None:
        super().__init__(message, hint="is ingest running there? try: footfall doctor")
        self.staged = staged


class Transport(Protocol):
    """A way to ingest, used by one counter at a time."""

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the answer, of any status, to *body* sent with *headers*. Raises NetworkCut when none came."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class HttpTransport:
    """One connection to ingest, kept alive from request to request."""

    def __init__(self, url: str) -> None:
        """Send to the ingest service at *url*, ``http://127.0.0.1:8080``. Raises FootfallError if it is no such URL."""
        try:
            parts = urllib3.util.parse_url(url)
        except urllib3.exceptions.LocationParseError:
            parts = urllib3.util.Url()
        if parts.scheme not in {"http", "https"} or not parts.host:
            raise FootfallError(f"no counter can send to {url!r}", hint="write a URL like http://127.0.0.1:8080")
        self._url = url
        self._path = (parts.path or "").rstrip("/") + PATH
        self._pool = urllib3.connection_from_url(
            url, maxsize=1, timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT_S, read=ANSWER_TIMEOUT_S)
        )

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return ingest's answer. Redirects are not followed. Raises NetworkCut."""
        sent = {"content-type": "application/json", "user-agent": f"footfall-simulator/{__version__}", **headers}
        try:
            answer = self._pool.urlopen("POST", self._path, body=body, headers=sent, retries=False, redirect=False)
        except urllib3.exceptions.HTTPError as exc:
            raise NetworkCut(f"no answer from {self._url}: {exc}", staged=False) from exc
        return Answer(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.data)

    def close(self) -> None:
        """Close the connection."""
        self._pool.close()


@dataclass(frozen=True, slots=True)
class NetworkTrouble:
    """How unreliable a network is. The default is no trouble at all.

    The first three are the chances, 0 to 1, of each request to be cut before it arrives, after it arrived, and to be
    sent twice. ``outages`` is how many are expected a day, each up to ``longest_outage_min`` simulated minutes.
    """

    cut_before: float = 0.0
    cut_after: float = 0.0
    twice: float = 0.0
    outages: float = 0.0
    longest_outage_min: float = 90.0

    def __post_init__(self) -> None:
        """Raise ValueError for what is no chance, or no number of outages."""
        for name in ("cut_before", "cut_after", "twice"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is a chance, from 0 to 1, not {getattr(self, name)}")
        if self.outages < 0 or self.longest_outage_min <= 0:
            raise ValueError("there are 0 or more outages, each longer than 0 minutes")


NO_TROUBLE = NetworkTrouble()
ROUGH = NetworkTrouble(cut_before=0.02, cut_after=0.02, twice=0.02, outages=2.0, longest_outage_min=60.0)
"""A bad radio link: worse than a library's, so that a simulated day shows everything that can go wrong."""


class UnreliableNetwork:
    """A network that loses requests, answers and itself, as *trouble* says and *throws* decide."""

    def __init__(
        self,
        inner: Transport,
        trouble: NetworkTrouble,
        throws: random.Random,
        span: Span,
        now_epoch_ms: Callable[[], int],
    ) -> None:
        """Lay *trouble* over *inner*. Outages fall within *span*, in the simulated time of *now_epoch_ms*."""
        self._inner = inner
        self._trouble = trouble
        self._throws = throws
        self._now_epoch_ms = now_epoch_ms
        self.outages = _plan_outages(trouble, throws, span)
        self.copies = 0
        self._late: tuple[bytes, Mapping[str, str]] | None = None

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the answer to *body*, if it gets through. Raises NetworkCut."""
        now_epoch_ms = self._now_epoch_ms()
        if any(start <= now_epoch_ms < end for start, end in self.outages):
            raise NetworkCut("the network is down", staged=True)
        if self._throws.random() < self._trouble.cut_before:
            raise NetworkCut("cut before the request arrived", staged=True)
        answer = self._inner.post(body, headers)
        self._send_late_copy()
        if self._throws.random() < self._trouble.twice:
            answer = self._copy(body, headers, answer)
        if self._throws.random() < self._trouble.cut_after:
            raise NetworkCut("cut after the request arrived", staged=True)
        return answer

    def close(self) -> None:
        """Close the network below. A copy still on its way is lost."""
        self._inner.close()

    def _copy(self, body: bytes, headers: Mapping[str, str], answer: Answer) -> Answer:
        """Send *body* again at once and return that answer, or keep a copy to arrive behind a later request."""
        if self._throws.random() < 0.5:
            self._late = (body, headers)
            return answer
        self.copies += 1
        return self._inner.post(body, headers)

    def _send_late_copy(self) -> None:
        """Let the copy that was kept arrive, out of order. Nobody waits for its answer."""
        if self._late is not None:
            late, self._late = self._late, None
            self.copies += 1
            with suppress(NetworkCut):
                self._inner.post(*late)


def _plan_outages(trouble: NetworkTrouble, throws: random.Random, span: Span) -> tuple[Span, ...]:
    """Return the outages of *span*. Their number has the mean that *trouble* says; they may overlap and outlast it."""
    expected = trouble.outages * (span.to_epoch_ms - span.from_epoch_ms) / DAY_MS
    number = int(expected) + (throws.random() < expected % 1)
    starts = [throws.randint(span.from_epoch_ms, span.to_epoch_ms) for _ in range(number)]
    longest_ms = max(1, int(trouble.longest_outage_min * MINUTE_MS))
    return tuple(Span(start, start + throws.randint(longest_ms // 10, longest_ms)) for start in starts)
