"""Group commit: requests that arrive together share one transaction and one fsync.

    thread A  append ── leads: commits A ────────── hands on to B, wakes nobody else
    thread B      append ── waits ................. leads: commits B, C, D ── wakes C and D at once
    thread C          append ── waits ....................................... has its receipt
    thread D            append ── waits ..................................... has its receipt

There is no thread of its own to start, stop or lose: one of those who wait commits for all of them. They are woken
together, not one by one through a lock, which at 32 connections is half of the throughput.
"""

import threading
import time
from collections.abc import Callable, Sequence

from footfall.errors import StoreUnavailable
from footfall.model import Arrival, Receipt
from footfall.store.historical_counts import HalfHour, HistoryReceipt, Source, keep_history
from footfall.store.journal import Journal


class _Waiting:
    """An arrival on its way to the disk. ``gate`` opens when there is an outcome, or when it is its turn to lead."""

    __slots__ = ("arrival", "gate", "outcome")

    def __init__(self, arrival: Arrival) -> None:
        self.arrival = arrival
        self.gate = threading.Lock()
        self.gate.acquire()
        self.outcome: Receipt | StoreUnavailable | None = None


class GroupCommit:
    """A journal many threads may append to at once."""

    def __init__(self, journal: Journal, observe: Callable[[int, float], None] = lambda _size, _seconds: None) -> None:
        """Write to *journal*. *observe* is told (arrivals, seconds) of every commit."""
        self._journal = journal
        self._observe = observe
        self._queue_lock = threading.Lock()  # guards the two below; held for a moment only
        self._pending: list[_Waiting] = []
        self._is_led = False
        self._journal_lock = threading.Lock()  # one at a time at the journal

    def append(self, arrival: Arrival) -> Receipt:
        """Return the receipt of *arrival* once it is on disk. Raises StoreUnavailable: it was not kept."""
        waiting = _Waiting(arrival)
        with self._queue_lock:
            self._pending.append(waiting)
            leads, self._is_led = not self._is_led, True
        if not leads:
            waiting.gate.acquire()
        if waiting.outcome is None:
            self._lead()
        outcome = waiting.outcome
        if isinstance(outcome, Receipt):
            return outcome
        if outcome is None:
            raise AssertionError("who leads commits everyone who waited, itself included")
        raise StoreUnavailable(outcome.message, hint=outcome.hint) from outcome

    def append_history(self, half_hours: Sequence[HalfHour], source: Source, received_epoch_ms: int) -> HistoryReceipt:
        """Keep *half_hours* as keep_history does, between two groups. Raises StoreUnavailable: nothing was kept."""
        with self._journal_lock:
            return keep_history(self._journal, half_hours, source=source, received_epoch_ms=received_epoch_ms)

    def probe(self, now_epoch_ms: int) -> None:
        """Raise StoreUnavailable when an append would fail now."""
        with self._journal_lock:
            self._journal.probe(now_epoch_ms)

    def close(self) -> None:
        """Close the journal after the commit in progress."""
        with self._journal_lock:
            self._journal.close()

    def _lead(self) -> None:
        """Commit all who wait by now, wake them, and hand on to the first who came meanwhile."""
        group: list[_Waiting] = []
        try:
            with self._journal_lock:
                with self._queue_lock:
                    group, self._pending = self._pending, []
                self._commit(group)
        finally:
            with self._queue_lock:
                self._is_led = bool(self._pending)
                if self._pending:
                    self._pending[0].gate.release()
            for waiting in group:
                if waiting.outcome is None:
                    waiting.outcome = StoreUnavailable("the commit failed for a reason nobody foresaw; see the log")
                waiting.gate.release()

    def _commit(self, group: Sequence[_Waiting]) -> None:
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
