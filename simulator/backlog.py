"""What a counter saw and ingest has not acknowledged yet, and which span may be claimed for it.

    covered_to          t0   t1   t2 | t3   t4         now
        |-- claimed --------------->) ^                 |
        [ the portion: t0 t1 t2     ] first left behind

A span [from, to) says: every crossing in it is in this batch or an earlier one. So it ends now only when the whole
backlog is in the portion; otherwise at the first crossing left behind, which is not in [from, to) even if others of
the same instant went along. A portion that was refused is lost, and its span is never claimed: unknown is not zero.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Literal, NamedTuple

from footfall.model import Span
from simulator.people import Crossing

Entry = tuple[int, int, Literal[1, -1]]
"""A crossing as it is sent: seq, time in epoch ms, direction."""


class OutgoingBatch(NamedTuple):
    """What one batch tells."""

    span: Span
    crossings: tuple[Entry, ...]

    @property
    def through(self) -> int:
        """The highest seq in it; -1 for a heartbeat."""
        return self.crossings[-1][0] if self.crossings else -1


class Backlog:
    """The crossings of one counter over *span*, from the door to the acknowledgement. Seqs start at 1."""

    def __init__(self, crossings: Sequence[Crossing], span: Span, *, limit: int) -> None:
        """See *crossings*, which are in order of time and inside *span*, as they happen; send *limit* at a time."""
        self._ahead = deque(crossings)
        self._waiting: deque[Entry] = deque()
        self._limit = limit
        self.end_epoch_ms = span.to_epoch_ms
        self.covered_to_epoch_ms = span.from_epoch_ms
        self.seen = 0
        self.dropped = 0

    def __len__(self) -> int:
        """Return how many crossings wait to be acknowledged."""
        return len(self._waiting)

    @property
    def is_finished(self) -> bool:
        """True when the span is over and everything in it was acknowledged or dropped."""
        return not self._ahead and not self._waiting and self.covered_to_epoch_ms >= self.end_epoch_ms

    def oldest_epoch_ms(self) -> int | None:
        """Return when the first crossing happened, or will happen, that is not acknowledged; None if none is left."""
        if self._waiting:
            return self._waiting[0][1]
        return self._ahead[0].time_epoch_ms if self._ahead else None

    def portion(self, now_epoch_ms: int) -> OutgoingBatch:
        """Return what to send at *now_epoch_ms*: the oldest crossings, and as much span as is true of them."""
        until_epoch_ms = min(now_epoch_ms, self.end_epoch_ms)
        while self._ahead and self._ahead[0].time_epoch_ms < until_epoch_ms:
            crossing = self._ahead.popleft()
            self.seen += 1
            self._waiting.append((self.seen, crossing.time_epoch_ms, crossing.direction))
        sent = tuple(islice(self._waiting, self._limit))
        if len(sent) < len(self._waiting):
            until_epoch_ms = self._waiting[len(sent)][1]
        # After a refusal the last span may end behind crossings of its last instant that still wait.
        return OutgoingBatch(Span(self.covered_to_epoch_ms, max(self.covered_to_epoch_ms, until_epoch_ms)), sent)

    def acknowledge(self, portion: OutgoingBatch, through: int) -> bool:
        """Forget what is <= *through*, and return whether that is all of *portion*: only then its span is covered."""
        known = min(through, portion.through)
        while self._waiting and self._waiting[0][0] <= known:
            self._waiting.popleft()
        if known < portion.through:
            return False
        self.covered_to_epoch_ms = portion.span.to_epoch_ms
        return True

    def refuse(self, portion: OutgoingBatch) -> None:
        """Drop the crossings of *portion* for ever, and leave a gap where they were."""
        after_epoch_ms = portion.span.to_epoch_ms
        for _, time_epoch_ms, _ in portion.crossings:
            self._waiting.popleft()
            self.dropped += 1
            after_epoch_ms = max(after_epoch_ms, time_epoch_ms + 1)
        self.covered_to_epoch_ms = after_epoch_ms
