"""The crossings of one counter that ingest has not acknowledged, and the span each batch may claim.

    covered_to          t0   t1   t2 | t3   t4         now
        |-- claimed --------------->) ^                 |
        [ the batch:   t0  t1  t2   ] first left behind

A span [from, to) says: every crossing in it is in this batch or an earlier one. So a span ends now only if the batch
holds the whole backlog. Otherwise it ends at the first crossing left behind, even if other crossings of the same
instant are in the batch. A refused batch is lost and its span is never claimed: unknown is not zero.
"""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Literal, NamedTuple

from footfall.model import Span
from simulator.people import Crossing

WireCrossing = tuple[int, int, Literal[1, -1]]
"""A crossing as a batch carries it: seq, time in epoch ms, direction."""


class OutgoingBatch(NamedTuple):
    """The content of one batch."""

    span: Span
    crossings: tuple[WireCrossing, ...]

    @property
    def through(self) -> int:
        """The highest seq in the batch; -1 for a heartbeat."""
        return self.crossings[-1][0] if self.crossings else -1


class Backlog:
    """The crossings of one counter during *span*, from the door to the acknowledgement. Seqs start at 1."""

    def __init__(self, crossings: Sequence[Crossing], span: Span, *, limit: int) -> None:
        """Replay *crossings*, which are sorted by time and lie in *span*. A batch holds at most *limit* crossings."""
        self._ahead = deque(crossings)
        self._waiting: deque[WireCrossing] = deque()
        self._limit = limit
        self.end_epoch_ms = span.to_epoch_ms
        self.covered_to_epoch_ms = span.from_epoch_ms
        self.seen = 0
        self.dropped = 0

    def __len__(self) -> int:
        """Return how many crossings are unacknowledged."""
        return len(self._waiting)

    @property
    def is_finished(self) -> bool:
        """True once the span is over and every crossing in it is acknowledged or dropped."""
        return not self._ahead and not self._waiting and self.covered_to_epoch_ms >= self.end_epoch_ms

    def oldest_epoch_ms(self) -> int | None:
        """Return the time of the first unacknowledged crossing, past or future; None if there is none."""
        if self._waiting:
            return self._waiting[0][1]
        return self._ahead[0].time_epoch_ms if self._ahead else None

    def next_batch(self, now_epoch_ms: int) -> OutgoingBatch:
        """Return the batch to send at *now_epoch_ms*: the oldest crossings and the longest span they allow."""
        until_epoch_ms = min(now_epoch_ms, self.end_epoch_ms)
        while self._ahead and self._ahead[0].time_epoch_ms < until_epoch_ms:
            crossing = self._ahead.popleft()
            self.seen += 1
            self._waiting.append((self.seen, crossing.time_epoch_ms, crossing.direction))
        crossings = tuple(islice(self._waiting, self._limit))
        if len(crossings) < len(self._waiting):
            until_epoch_ms = self._waiting[len(crossings)][1]
        # After a refusal, covered_to may lie behind crossings of its last instant that still wait.
        return OutgoingBatch(Span(self.covered_to_epoch_ms, max(self.covered_to_epoch_ms, until_epoch_ms)), crossings)

    def acknowledge(self, batch: OutgoingBatch, through: int) -> bool:
        """Drop every crossing up to *through*; return True, and cover the span, if that is all of *batch*."""
        known = min(through, batch.through)
        while self._waiting and self._waiting[0][0] <= known:
            self._waiting.popleft()
        if known < batch.through:
            return False
        self.covered_to_epoch_ms = batch.span.to_epoch_ms
        return True

    def refuse(self, batch: OutgoingBatch) -> None:
        """Drop the crossings of *batch* for good and leave a gap in their place."""
        after_epoch_ms = batch.span.to_epoch_ms
        for _, time_epoch_ms, _ in batch.crossings:
            self._waiting.popleft()
            self.dropped += 1
            after_epoch_ms = max(after_epoch_ms, time_epoch_ms + 1)
        self.covered_to_epoch_ms = after_epoch_ms
