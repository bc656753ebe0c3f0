"""Group commit: requests that arrive together share one transaction and one fsync.

    thread A  append -- leads, commits A ---------- makes B the leader
    thread B      append -- follows ............... leads, commits B, C and D -- wakes C and D
    thread C          append -- follows ...................................... has its receipt
    thread D            append -- follows .................................... has its receipt

There is no committer thread to start, stop or lose: one of the waiting threads leads and commits for all. The leader
wakes its followers together; waking them one after another through a lock halves the throughput of 32 connections.
"""

import threading
import time
from collections.abc import Callable, Sequence

from footfall.errors import StoreUnavailable
from footfall.model import Arrival, Receipt
from footfall.store.historical_counts import ImportedHalfHour, ImportReceipt, Source, append_half_hours
from footfall.store.journal import Journal

_UNEXPECTED = StoreUnavailable("the commit failed unexpectedly; see the log")


class _PendingAppend:
    """An arrival that is not on disk yet. ``gate`` opens once it has its outcome, or once its thread ``leads``."""

    __slots__ = ("arrival", "gate", "leads", "outcome")

    def __init__(self, arrival: Arrival, *, leads: bool) -> None:
        self.arrival = arrival
        self.leads = leads
        self.gate = threading.Lock()
        self.gate.acquire()
        self.outcome: Receipt | StoreUnavailable = _UNEXPECTED


class GroupCommit:
    """A journal that many threads may append to at once."""

    def __init__(self, journal: Journal, observe: Callable[[int, float], None] = lambda _size, _seconds: None) -> None:
        """Write to *journal*. *observe* is called with (arrivals, seconds) after each commit."""
        self._journal = journal
        self._observe = observe
        self._queue_lock = threading.Lock()  # guards _pending and _has_leader; held for a moment only
        self._pending: list[_PendingAppend] = []
        self._has_leader = False
        self._journal_lock = threading.Lock()  # held by the one thread that uses the journal

    def append(self, arrival: Arrival) -> Receipt:
        """Return the receipt of *arrival* once it is on disk. Raises StoreUnavailable if it was not stored."""
        with self._queue_lock:
            mine = _PendingAppend(arrival, leads=not self._has_leader)
            self._pending.append(mine)
            self._has_leader = True
        if not mine.leads:
            mine.gate.acquire()
        if mine.leads:
            self._lead()
        outcome = mine.outcome
        if isinstance(outcome, Receipt):
            return outcome
        raise StoreUnavailable(outcome.message, hint=outcome.hint) from outcome

    def append_half_hours(
        self, half_hours: Sequence[ImportedHalfHour], source: Source, received_epoch_ms: int
    ) -> ImportReceipt:
        """Store *half_hours* between two groups; see historical_counts.append_half_hours."""
        with self._journal_lock:
            return append_half_hours(self._journal, half_hours, source=source, received_epoch_ms=received_epoch_ms)

    def probe(self, now_epoch_ms: int) -> None:
        """Raise StoreUnavailable if an append would fail now."""
        with self._journal_lock:
            self._journal.probe(now_epoch_ms)

    def close(self) -> None:
        """Close the journal, after the commit in progress."""
        with self._journal_lock:
            self._journal.close()

    def _lead(self) -> None:
        """Commit all pending appends, wake their threads, and make the first that came meanwhile the next leader."""
        group: list[_PendingAppend] = []
        try:
            with self._journal_lock:
                with self._queue_lock:
                    group, self._pending = self._pending, []
                self._commit(group)
        finally:
            with self._queue_lock:
                self._has_leader = bool(self._pending)
                if self._pending:
                    self._pending[0].leads = True
                    self._pending[0].gate.release()
            for one in group:
                one.gate.release()

    def _commit(self, group: Sequence[_PendingAppend]) -> None:
        started_s = time.perf_counter()
        try:
            receipts = self._journal.append([one.arrival for one in group])
        except StoreUnavailable as exc:
            for one in group:
                one.outcome = exc
        else:
            for one, receipt in zip(group, receipts, strict=True):
                one.outcome = receipt
            self._observe(len(group), time.perf_counter() - started_s)
