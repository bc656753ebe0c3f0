"""One simulated counter: it queues crossings until ingest acknowledges them, and sends them in signed batches.

    response              what the counter does
    200                   drops everything up to `through`; the next span starts where this one ended
    401                   keeps everything, sets its clock from the Date header if it was wrong, resends
    429, 503              waits for Retry-After, resends
    400, 413, 415, 422    never resends this body: drops and counts its crossings, leaves a gap
    any other, or none    resends with exponential backoff

A resend has the same body and the same webhook-id, but a new timestamp and signature.
"""

import logging
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import msgspec

from footfall import __version__
from footfall.errors import FootfallError
from footfall.signing import signed_headers
from footfall.wire import Status, render_body
from simulator.backlog import Backlog, OutgoingBatch
from simulator.simulated_clock import Clock
from simulator.unreliable_network import NetworkFailure, Response, Transport

log = logging.getLogger(__name__)

FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 60.0
LONGEST_RETRY_AFTER_S = 3600.0
FINAL = frozenset({400, 413, 415, 422})
"""Statuses that reject the body itself. Any other 4xx may come from a proxy or be temporary."""

CLOCK_TOLERANCE_S = 5
"""A counter sets its clock only if the server's Date differs by more than this."""


@dataclass(frozen=True, slots=True)
class CounterOptions:
    """When a counter sends, and when it gives up. All times are simulated except ``give_up_after_s``.

    It sends a batch at least every ``heartbeat_ms``, at most ``linger_ms`` after a crossing, with at most
    ``batch_limit`` crossings. It gives up after ``give_up_after_s`` of failures that the simulator did not cause.
    """

    heartbeat_ms: int = 60_000
    linger_ms: int = 60_000
    batch_limit: int = 500
    give_up_after_s: float = 120.0


@dataclass
class Traffic:
    """What one counter has sent. ``resends`` counts attempts after a batch's first, ``lost`` missing responses."""

    batches: int = 0
    crossings: int = 0
    resends: int = 0
    lost: int = 0


@dataclass
class _UnansweredBatch:
    """A batch with its body and id, which stay the same until ingest answers."""

    batch: OutgoingBatch
    body: bytes
    message_id: str
    attempts: int = 0


class _Receipt(msgspec.Struct):
    through: int


class SimulatedCounter:
    """A counter that sends its whole backlog. For one thread only, but any thread may read ``traffic``."""

    def __init__(
        self,
        name: str,
        stream: str,
        key: bytes,
        backlog: Backlog,
        transport: Transport,
        clock: Clock,
        rng: random.Random,
        *,
        wall: Callable[[], float],
        options: CounterOptions,
    ) -> None:
        """Send as the counter *name* in *stream*. *wall* returns real seconds since 1970."""
        self.name = name
        self.backlog = backlog
        self.traffic = Traffic()
        self._stream = stream
        self._key = key
        self._transport = transport
        self._clock = clock
        self._rng = rng
        self._wall = wall
        self._options = options
        self._started_epoch_ms = backlog.covered_to_epoch_ms
        self._request: _UnansweredBatch | None = None
        self._clock_offset_s = 0.0
        self._failures = 0
        self._failing_s = 0.0  # real time spent in consecutive failures that the simulator did not cause
        self._last_failure_s: float | None = None

    def run(self) -> None:
        """Send until the backlog is finished or the clock is stopped. Raises FootfallError when it gives up."""
        while not self.backlog.is_finished and not self._clock.stopped():
            self.step()

    def step(self) -> None:
        """Wait until a batch is due, and try once to send it."""
        request = self._request
        if request is None:
            self._clock.wait_until(self._due_epoch_ms())
            if self._clock.stopped():
                return
            request = self._request = self._next_request()
        try:
            response = self._send(request)
        except NetworkFailure as failure:
            self.traffic.lost += 1
            self._resend_later(failure.message, is_simulated=failure.is_simulated)
        else:
            self._handle(request, response)

    def _due_epoch_ms(self) -> int:
        due = self.backlog.covered_to_epoch_ms + self._options.heartbeat_ms
        oldest = self.backlog.oldest_epoch_ms()
        if oldest is not None:
            due = min(due, oldest + self._options.linger_ms)
        return min(due, self.backlog.end_epoch_ms)

    def _next_request(self) -> _UnansweredBatch:
        batch = self.backlog.next_batch(self._clock.now_epoch_ms())
        body = render_body(self.name, self._stream, batch.span, batch.crossings, self._status())
        return _UnansweredBatch(batch, body, f"msg_{secrets.token_hex(12)}")

    def _status(self) -> Status:
        return Status(
            firmware=f"simulator-{__version__}",
            uptime_s=(self._clock.now_epoch_ms() - self._started_epoch_ms) // 1000,
            rssi_dbm=self._rng.randint(-67, -58),
            heap_bytes=self._rng.randint(30_000, 32_000),
            queued=len(self.backlog),
            dropped=self.backlog.dropped,
            aborted=self.backlog.seen // 40,  # now and then someone turns back between the beams
            outer_blocked_s=0,
            inner_blocked_s=0,
        )

    def _send(self, request: _UnansweredBatch) -> Response:
        request.attempts += 1
        self.traffic.resends += request.attempts > 1
        timestamp_s = int(self._wall() + self._clock_offset_s)
        headers = signed_headers(self._key, request.message_id, timestamp_s, request.body)
        return self._transport.post(request.body, headers)

    def _handle(self, request: _UnansweredBatch, response: Response) -> None:
        """Act on *response* as the module's table says."""
        if response.status == 200:
            self._acknowledge(request, response)
        elif response.status == 401:
            was_wrong = self._set_clock(response)
            self._resend_later(
                "the clock was wrong" if was_wrong else f"ingest refused the signature: {_error_message(response)}"
            )
        elif response.status in {429, 503}:
            self._resend_later(
                f"ingest is busy ({response.status})",
                wait_s=_retry_after_s(response, self._wall() + self._clock_offset_s),
            )
        elif response.status in FINAL:
            self._drop(request, response)
        else:
            self._resend_later(f"ingest answered {response.status}: {_error_message(response)}")

    def _acknowledge(self, request: _UnansweredBatch, response: Response) -> None:
        try:
            through = msgspec.json.decode(response.body, type=_Receipt).through
        except msgspec.MsgspecError as exc:
            self._resend_later(f"ingest answered 200 without a receipt: {exc}")
            return
        before = len(self.backlog)
        is_complete = self.backlog.acknowledge(request.batch, through)
        self.traffic.crossings += before - len(self.backlog)
        self._request = None
        if not is_complete:
            self._resend_later(f"ingest acknowledged through {through}, but {request.batch.through} was sent")
            return
        self.traffic.batches += 1
        self._end_failures()

    def _drop(self, request: _UnansweredBatch, response: Response) -> None:
        log.error(
            "counter %s: %d crossings dropped, ingest refused the batch with %d: %s",
            self.name, len(request.batch.crossings), response.status, _error_message(response),
        )  # fmt: skip
        self.backlog.refuse(request.batch)
        self._request = None
        self._end_failures()

    def _set_clock(self, response: Response) -> bool:
        """Set the clock from the Date header, and return whether it was wrong by more than CLOCK_TOLERANCE_S."""
        server_s = _date_s(response.headers.get("date"))
        if server_s is None:
            return False
        offset_s = server_s - self._wall()
        if abs(offset_s - self._clock_offset_s) <= CLOCK_TOLERANCE_S:
            return False
        log.info("counter %s: clock set by %+.0f s", self.name, offset_s - self._clock_offset_s)
        self._clock_offset_s = offset_s
        return True

    def _resend_later(self, reason: str, *, is_simulated: bool = False, wait_s: float | None = None) -> None:
        """Wait *wait_s*, or by default with exponential backoff. Raises FootfallError when it is time to give up."""
        self._failures += 1
        backoff_s = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(self._failures - 1, 10))
        delay_s = backoff_s * self._rng.uniform(0.5, 1.0) if wait_s is None else wait_s
        if is_simulated:
            self._last_failure_s = None  # a failure that the simulator caused is no reason to give up
            self._clock.wait_until(self._clock.now_epoch_ms() + int(delay_s * 1000))
            return
        now_s = self._wall()
        if self._failing_s == 0 and self._last_failure_s is None:
            log.warning("counter %s: resending: %s", self.name, reason)
        self._failing_s += 0 if self._last_failure_s is None else now_s - self._last_failure_s
        self._last_failure_s = now_s
        if self._failing_s > self._options.give_up_after_s:
            raise FootfallError(
                f"counter {self.name} gave up after {self._options.give_up_after_s:g} s of failures: {reason}",
                hint="check that ingest runs at that URL and knows the counter's key: footfall doctor",
            )
        self._clock.pause(delay_s)

    def _end_failures(self) -> None:
        self._failures = 0
        self._failing_s = 0.0
        self._last_failure_s = None


def _error_message(response: Response) -> str:
    """Return the message of an error body, or the start of the body if it is not ours."""
    try:
        return str(msgspec.json.decode(response.body)["error"]["message"])
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError):
        return repr(response.body[:200])


def _retry_after_s(response: Response, now_s: float) -> float | None:
    """Return Retry-After in seconds (RFC 9110, section 10.2.3), an hour at most; None if missing or invalid."""
    text = response.headers.get("retry-after", "").strip()
    moment_s = _date_s(text)
    if text.isascii() and text.isdigit():
        wait_s = float(text)
    elif moment_s is not None:
        wait_s = max(0.0, moment_s - now_s)
    else:
        return None
    return min(wait_s, LONGEST_RETRY_AFTER_S)


def _date_s(text: str | None) -> float | None:
    """Return an HTTP date (RFC 9110, section 5.6.7) in seconds since 1970; None if missing or invalid."""
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
