"""One simulated counter: it sees crossings, keeps them until they are acknowledged, and sends them signed.

    answer                what the counter does
    200                   forgets what is <= through; the next span starts where this one ended
    401                   keeps everything; sets its clock by the Date header if that was off; sends again
    429, 503              waits as Retry-After says; sends again
    400, 413, 415, 422    never sends this body again: drops its crossings, counts them, leaves a gap
    anything else, a cut  sends again, later and later

A batch that is sent again has the same body and the same webhook-id, and a new signature of that moment.
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
from simulator.clock import Clock
from simulator.unreliable_network import Answer, NetworkCut, Transport

log = logging.getLogger(__name__)

FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 60.0
LONGEST_RETRY_AFTER_S = 3600.0
FINAL = frozenset({400, 413, 415, 422})
"""Answers that judge the body itself. Any other 4xx speaks of something else: a proxy, a path, a moment."""

STALE_S = 5
"""How far the server's Date may be from the counter's clock before the counter believes the server."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a counter behaves. Times are simulated, but for ``patience_s``.

    It sends at least every ``heartbeat_ms``, and ``linger_ms`` after a crossing; ``batch_limit`` crossings at most.
    It gives up after ``patience_s`` of nothing but failures that the simulator did not stage.
    """

    heartbeat_ms: int = 60_000
    linger_ms: int = 60_000
    batch_limit: int = 500
    patience_s: float = 120.0


@dataclass
class Traffic:
    """What one counter, or all, went through so far. ``resends`` are attempts after a batch's first."""

    batches: int = 0
    crossings: int = 0
    resends: int = 0
    cuts: int = 0


@dataclass
class _Batch:
    """A batch on its way: the same body and id until ingest has spoken."""

    portion: OutgoingBatch
    body: bytes
    message_id: str
    attempts: int = 0


class _Receipt(msgspec.Struct):
    through: int


class SimulatedCounter:
    """A counter that works until its backlog is finished. Used by one thread; ``traffic`` may be read by others."""

    def __init__(
        self,
        name: str,
        stream: str,
        key: bytes,
        backlog: Backlog,
        transport: Transport,
        clock: Clock,
        throws: random.Random,
        *,
        wall: Callable[[], float],
        habits: Habits,
    ) -> None:
        """Be the counter *name*, whose queue was formatted as *stream*. *wall* gives real seconds since 1970."""
        self.name = name
        self.backlog = backlog
        self.traffic = Traffic()
        self._stream = stream
        self._key = key
        self._transport = transport
        self._clock = clock
        self._throws = throws
        self._wall = wall
        self._habits = habits
        self._started_epoch_ms = backlog.covered_to_epoch_ms
        self._batch: _Batch | None = None
        self._clock_offset_s = 0.0
        self._failures = 0
        self._failing_s = 0.0  # real time between failures in a row that were not staged
        self._failed_last_s: float | None = None

    def run(self) -> None:
        """Count until the backlog is finished or the clock is stopped.

        Raises FootfallError when nothing but failures came for longer than its patience.
        """
        while not self.backlog.is_finished and not self._clock.stopped():
            self.step()

    def step(self) -> None:
        """Make one attempt to send one batch, waiting first until it is due."""
        batch = self._batch
        if batch is None:
            self._clock.wait_until(self._due_epoch_ms())
            if self._clock.stopped():
                return
            batch = self._batch = self._next_batch()
        try:
            answer = self._send(batch)
        except NetworkCut as cut:
            self.traffic.cuts += 1
            self._send_later(cut.message, staged=cut.staged)
        else:
            self._take(batch, answer)

    def _due_epoch_ms(self) -> int:
        due = self.backlog.covered_to_epoch_ms + self._habits.heartbeat_ms
        oldest = self.backlog.oldest_epoch_ms()
        if oldest is not None:
            due = min(due, oldest + self._habits.linger_ms)
        return min(due, self.backlog.end_epoch_ms)

    def _next_batch(self) -> _Batch:
        portion = self.backlog.portion(self._clock.now_epoch_ms())
        body = render_body(self.name, self._stream, portion.span, portion.crossings, self._status())
        return _Batch(portion, body, f"msg_{secrets.token_hex(12)}")

    def _status(self) -> Status:
        return Status(
            firmware=f"simulator-{__version__}",
            uptime_s=(self._clock.now_epoch_ms() - self._started_epoch_ms) // 1000,
            rssi_dbm=self._throws.randint(-67, -58),
            heap_bytes=self._throws.randint(30_000, 32_000),
            queued=len(self.backlog),
            dropped=self.backlog.dropped,
            aborted=self.backlog.seen // 40,  # now and then somebody turns round between the beams
            outer_blocked_s=0,
            inner_blocked_s=0,
        )

    def _send(self, batch: _Batch) -> Answer:
        batch.attempts += 1
        self.traffic.resends += batch.attempts > 1
        timestamp_s = int(self._wall() + self._clock_offset_s)
        return self._transport.post(batch.body, signed_headers(self._key, batch.message_id, timestamp_s, batch.body))

    def _take(self, batch: _Batch, answer: Answer) -> None:
        """Do what the table at the top says about *answer*."""
        if answer.status == 200:
            self._forget(batch, answer)
        elif answer.status == 401:
            stale = self._set_clock(answer)
            self._send_later("the clock was off" if stale else f"its signature is refused: {_told(answer)}")
        elif answer.status in {429, 503}:
            self._send_later(
                f"ingest is busy, {answer.status}", wait_s=_retry_after_s(answer, self._wall() + self._clock_offset_s)
            )
        elif answer.status in FINAL:
            self._drop(batch, answer)
        else:
            self._send_later(f"ingest failed, {answer.status}: {_told(answer)}")

    def _forget(self, batch: _Batch, answer: Answer) -> None:
        try:
            through = msgspec.json.decode(answer.body, type=_Receipt).through
        except msgspec.MsgspecError as exc:
            self._send_later(f"200 without a receipt: {exc}")
            return
        before = len(self.backlog)
        whole = self.backlog.acknowledge(batch.portion, through)
        self.traffic.crossings += before - len(self.backlog)
        self._batch = None
        if not whole:
            self._send_later(f"200 through {through}, but {batch.portion.through} was sent")
            return
        self.traffic.batches += 1
        self._end_failures()

    def _drop(self, batch: _Batch, answer: Answer) -> None:
        log.error(
            "counter %s drops %d crossings, never to be sent again: ingest refused them, %d: %s",
            self.name, len(batch.portion.crossings), answer.status, _told(answer),
        )  # fmt: skip
        self.backlog.refuse(batch.portion)
        self._batch = None
        self._end_failures()

    def _set_clock(self, answer: Answer) -> bool:
        """Set the clock by the Date header of *answer* and return True, if it was off by more than STALE_S."""
        server_s = _date_s(answer.headers.get("date"))
        if server_s is None:
            return False
        offset_s = server_s - self._wall()
        if abs(offset_s - self._clock_offset_s) <= STALE_S:
            return False
        log.info("counter %s sets its clock by %.0f s", self.name, offset_s - self._clock_offset_s)
        self._clock_offset_s = offset_s
        return True

    def _send_later(self, reason: str, *, staged: bool = False, wait_s: float | None = None) -> None:
        """Wait *wait_s*, or longer with every failure in a row. Raises FootfallError when patience is at its end."""
        self._failures += 1
        backoff_s = min(LONGEST_BACKOFF_S, FIRST_BACKOFF_S * 2 ** min(self._failures - 1, 10))
        delay_s = backoff_s * self._throws.uniform(0.5, 1.0) if wait_s is None else wait_s
        if staged:
            self._failed_last_s = None  # what the simulator itself cut does not wear patience out
            self._clock.wait_until(self._clock.now_epoch_ms() + int(delay_s * 1000))
            return
        now_s = self._wall()
        if self._failing_s == 0 and self._failed_last_s is None:
            log.warning("counter %s will send again: %s", self.name, reason)
        self._failing_s += 0 if self._failed_last_s is None else now_s - self._failed_last_s
        self._failed_last_s = now_s
        if self._failing_s > self._habits.patience_s:
            raise FootfallError(
                f"counter {self.name} gave up after {self._habits.patience_s:g} s of nothing but failures: {reason}",
                hint="check that ingest runs at that URL and knows the counter's key: footfall doctor",
            )
        self._clock.pause(delay_s)

    def _end_failures(self) -> None:
        self._failures = 0
        self._failing_s = 0.0
        self._failed_last_s = None


def _told(answer: Answer) -> str:
    """Return the message of an error body, or the start of whatever was there instead."""
    try:
        return str(msgspec.json.decode(answer.body)["error"]["message"])
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError):
        return repr(answer.body[:200])


def _retry_after_s(answer: Answer, now_s: float) -> float | None:
    """Return the seconds of Retry-After (RFC 9110, section 10.2.3), an hour at most; None where it cannot be read."""
    text = answer.headers.get("retry-after", "").strip()
    moment_s = _date_s(text)
    if text.isascii() and text.isdigit():
        wait_s = float(text)
    elif moment_s is not None:
        wait_s = max(0.0, moment_s - now_s)
    else:
        return None
    return min(wait_s, LONGEST_RETRY_AFTER_S)


def _date_s(text: str | None) -> float | None:
    """Return an HTTP date (RFC 9110, section 5.6.7) in seconds since 1970; None if *text* is none."""
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
