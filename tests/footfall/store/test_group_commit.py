"""Many threads append at once: each count is stored once, and appends that wait together share one fsync."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from footfall.errors import StoreUnavailable
from footfall.model import Arrival, Receipt
from footfall.store.group_commit import GroupCommit
from footfall.store.historical_counts import HALF_HOUR_MS, ImportedHalfHour
from footfall.store.journal import Journal
from tests.support.journals import START_MS, arrival, contents, entry, problems_of, quarters_of


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    with closing(Journal(tmp_path / "journal.sqlite", lock_timeout_s=0)) as opened:
        yield opened


def wait_until(happened: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline_s
        time.sleep(0.001)


def append_while_locked(commit: GroupCommit, arrivals: list[Arrival]) -> list[Future[Receipt]]:
    """Append each of *arrivals* in a thread of its own while the journal is in use; return their outcomes."""
    with ThreadPoolExecutor(len(arrivals)) as threads:
        with commit._journal_lock:
            outcomes = [threads.submit(commit.append, one) for one in arrivals]
            wait_until(lambda: len(commit._pending) == len(arrivals))
        return outcomes


@pytest.mark.parametrize("times", [1, 2, 50])
def test_batches_sent_any_number_of_times_from_eight_threads_are_stored_once(journal: Journal, times: int) -> None:
    commit = GroupCommit(journal)
    batches = [arrival(*(entry(seq) for seq in range(first, first + 4))) for first in range(0, 40, 4)]
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(commit.append, batches * times))
    assert sum(receipt.stored for receipt in receipts) == 40
    assert sum(receipt.duplicates for receipt in receipts) == 40 * (times - 1)
    assert sum(quarter.entries for quarter in quarters_of(journal)) == 40
    assert problems_of(journal) == []


def test_each_thread_gets_the_receipt_of_its_own_batch(journal: Journal) -> None:
    batches = [arrival(*(entry(seq) for seq in range(size)), stream=f"s{size}") for size in range(1, 13)]
    outcomes = append_while_locked(GroupCommit(journal), batches)
    assert [one.result() for one in outcomes] == [(size, 0, size - 1, 0) for size in range(1, 13)]


def test_batches_that_wait_together_share_one_commit(journal: Journal) -> None:
    commits: list[int] = []
    commit = GroupCommit(journal, lambda size, _seconds: commits.append(size))
    append_while_locked(commit, [arrival(entry(seq)) for seq in range(16)])
    assert commits == [16]
    commit.append(arrival(entry(16)))
    assert commits == [16, 1]


def test_batches_that_arrive_during_a_commit_share_the_next(tmp_path: Path) -> None:
    commits: list[int] = []
    with (
        closing(Journal(tmp_path / "journal.sqlite", lock_timeout_s=60)) as journal,
        closing(sqlite3.connect(journal.path, isolation_level=None)) as other,
        ThreadPoolExecutor(9) as threads,
    ):
        commit = GroupCommit(journal, lambda size, _seconds: commits.append(size))
        other.execute("BEGIN IMMEDIATE")
        first = threads.submit(commit.append, arrival(entry(0)))
        wait_until(lambda: commit._journal_lock.locked() and not commit._pending)
        others = [threads.submit(commit.append, arrival(entry(seq))) for seq in range(1, 9)]
        wait_until(lambda: len(commit._pending) == 8)
        other.execute("ROLLBACK")
        assert [one.result().stored for one in (first, *others)] == [1] * 9
    assert commits == [1, 8]


def test_every_batch_is_committed_exactly_once_however_groups_form(journal: Journal) -> None:
    commits: list[int] = []
    commit = GroupCommit(journal, lambda size, _seconds: commits.append(size))
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(commit.append, [arrival(entry(seq)) for seq in range(200)]))
    assert sum(commits) == 200


def test_failed_commit_fails_all_its_appends_and_stores_nothing(journal: Journal) -> None:
    commit = GroupCommit(journal)
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outcomes = append_while_locked(commit, [arrival(entry(seq)) for seq in range(4)])
        failures = [one.exception() for one in outcomes]
        other.execute("ROLLBACK")
    assert [type(failure) for failure in failures] == [StoreUnavailable] * 4
    assert contents(journal.path) == []
    assert commit.append(arrival(entry(0))) == (1, 0, 0, 0)


def test_failed_commit_tells_each_of_its_appends_what_to_do(journal: Journal) -> None:
    commit = GroupCommit(journal)
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        outcomes = append_while_locked(commit, [arrival(entry(seq)) for seq in range(2)])
        failures = [one.exception() for one in outcomes]
        other.execute("ROLLBACK")
    for failure in failures:
        assert isinstance(failure, StoreUnavailable)
        assert "locked" in failure.message
        assert "another process" in failure.hint


def test_unexpected_error_reaches_one_thread_and_the_others_learn_that_nothing_is_stored(journal: Journal) -> None:
    """A status that is not UTF-8 never comes out of the wire format; here it breaks the commit."""
    commit = GroupCommit(journal)
    outcomes = append_while_locked(commit, [arrival(entry(1), status=b"\xff"), arrival(entry(2)), arrival(entry(3))])
    failures = [one.exception() for one in outcomes]
    assert sorted(type(failure).__name__ for failure in failures) == ["StoreUnavailable"] * 2 + ["UnicodeDecodeError"]
    told = {failure.message for failure in failures if isinstance(failure, StoreUnavailable)}
    assert told == {"the commit failed unexpectedly; see the log"}
    assert contents(journal.path) == []
    assert commit.append(arrival(entry(2))).stored == 1


def test_failed_commit_is_not_observed_and_a_successful_one_with_the_time_it_took(journal: Journal) -> None:
    observed: list[tuple[int, float]] = []
    commit = GroupCommit(journal, lambda size, seconds: observed.append((size, seconds)))
    started_s = time.perf_counter()
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable):
            commit.append(arrival(entry(1)))
        other.execute("ROLLBACK")
    commit.append(arrival(entry(1)))
    ((size, seconds),) = observed
    assert size == 1
    assert 0 < seconds <= time.perf_counter() - started_s


def test_probe_fails_when_an_append_would_and_stores_nothing(journal: Journal) -> None:
    commit = GroupCommit(journal)
    commit.probe(START_MS)
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="locked"):
            commit.probe(START_MS)
        other.execute("ROLLBACK")
    commit.probe(START_MS)
    assert contents(journal.path) == []


def test_half_hours_and_probes_run_between_groups(journal: Journal) -> None:
    commit = GroupCommit(journal)
    half_hours = [ImportedHalfHour("ALLI2", START_MS + number * HALF_HOUR_MS, 1, 0) for number in range(40)]

    def use(number: int) -> None:
        commit.append(arrival(entry(number)))
        commit.append_half_hours([half_hours[number]], "import", START_MS)
        commit.probe(START_MS)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(40)))
    assert sum(quarter.entries for quarter in quarters_of(journal, "ALLI1")) == 40
    assert sum(quarter.entries for quarter in quarters_of(journal, "ALLI2")) == 40


def test_half_hours_keep_their_source_and_their_time_of_receipt(journal: Journal) -> None:
    commit = GroupCommit(journal)
    receipt = commit.append_half_hours([ImportedHalfHour("ALLI2", START_MS, 3, 1)], "legacy", START_MS + 5)
    assert (receipt.stored, receipt.duplicates) == (1, 0)
    rows = contents(journal.path)
    assert [row[3] for row in rows if row[0] == "stream"] == ["@legacy"]
    assert [row[2] for row in rows if row[0] == "counter_state"] == [START_MS + 5]


def test_close_waits_for_the_commit_in_progress(tmp_path: Path) -> None:
    """``observe`` runs at the end of a commit, inside it: a close that does not wait would close the journal there."""
    order: list[str] = []

    class RecordingJournal(Journal):
        def close(self) -> None:
            order.append("closed")
            super().close()

    def close_meanwhile(_size: int, _seconds: float) -> None:
        closer.start()
        closer.join(0.5)
        order.append("committed")

    journal = RecordingJournal(tmp_path / "journal.sqlite")
    commit = GroupCommit(journal, close_meanwhile)
    closer = threading.Thread(target=commit.close)
    assert commit.append(arrival(entry(1))).stored == 1
    closer.join()
    assert order == ["committed", "closed"]
    assert len(contents(journal.path)) > 0
