"""Group commit: requests that arrive together share one transaction and one fsync.

    thread A  append ──┐ waits for the lock ... leads: takes A, B, C ── one commit ── receipts
    thread B  append ──┤ waits for the lock ...................................... finds its receipt
    thread C  append ──┘ waits for the lock ...................................... finds its receipt

There is no thread of its own to start, stop or lose: whoever gets the lock first commits for all who wait.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

from footfall.errors import StoreUnavailable
from footfall.model import Arrival, Receipt
from footfall.store.history import HalfHour, HistoryReceipt, Source, keep_history
from footfall.store.journal import Journal


class _Waiting:
    """An arrival on its way to the disk, and what became of it."""

    __slots__ = ("arrival", "outcome")

    def __init__(self, arrival: Arrival) -> None:
        self.arrival = arrival
        self.outcome: Receipt | StoreUnavailable | None = None


class GroupCommit:
    """A journal many threads may append to at once."""

    def __init__(self, journal: Journal, observe: Callable[[int, float], None] = lambda _size, _seconds: None) -> None:
        """Write to *journal*. *observe* is told (arrivals, seconds) of every commit."""
        self._journal = journal
        self._observe = observe
        self._lock = threading.Lock()
        self._pending: deque[_Waiting] = deque()

    def append(self, arrival: Arrival) -> Receipt:
        """Return the receipt of *arrival* once it is on disk. Raises StoreUnavailable: it was not kept."""
        waiting = _Waiting(arrival)
        self._pending.append(waiting)
        with self._lock:
            if waiting.outcome is None:
                self._commit_pending()
        outcome = waiting.outcome
        if isinstance(outcome, Receipt):
            return outcome
        if outcome is None:
            raise AssertionError("the leader commits everyone who waited")
        raise StoreUnavailable(outcome.message, hint=outcome.hint) from outcome

    def append_history(self, half_hours: Sequence[HalfHour], source: Source, received_epoch_ms: int) -> HistoryReceipt:
        """Keep *half_hours* as keep_history does, between two groups. Raises StoreUnavailable: nothing was kept."""
        with self._lock:
            return keep_history(self._journal, half_hours, source=source, received_epoch_ms=received_epoch_ms)

    def probe(self, now_epoch_ms: int) -> None:
        """Raise StoreUnavailable when an append would fail now."""
        with self._lock:
            self._journal.probe(now_epoch_ms)

    def close(self) -> None:
        """Close the journal after the commit in progress."""
        with self._lock:
            self._journal.close()

    def _commit_pending(self) -> None:
        group = [self._pending.popleft() for _ in range(len(self._pending))]
        started_s = time.perf_counter()
        try:
            receipts = self._journal.append([waiting.arrival for waiting in group])
        except StoreUnavailable as exc:
            for waiting in group:
                waiting.outcome = exc
        else:
            for waiting, receipt in zip(group, receipts, strict=True):
                waiting.outcome = receipt
            self._observe(len(group), time.perf_counter() - started_s)
