"""Days whose data changed after delivery, and deliveries that were interrupted."""

import hashlib
import logging
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import filelock
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.delivery_job import LOCK_FILE, DeliveryJob
from exporter.standing import REDELIVERY_PAUSE_S, explain
from footfall.errors import StoreUnavailable
from footfall.model import Arrival, Quarter, Span, epoch_ms
from footfall.store.journal import Journal
from footfall.store.journal_reader import JournalReader
from footfall.store.ledger_schema import State
from tests.support.destinations import Fault
from tests.support.exporter_rig import ExporterRig, file_of, profile_table, rig
from tests.support.properties import UNHURRIED

DAY = date(2026, 5, 4)
NAME = file_of("2026-05-04")


@contextmanager
def delivered(folder: Path, *settings: str) -> Iterator[ExporterRig]:
    """Yield a rig where 2026-05-04 was delivered on its evening."""
    with rig(folder, profile_table("alliance", *settings)) as here:
        here.cover("2026-05-04", "2026-05-04")
        here.at("2026-05-04", "20:00")
        assert here.steps() == 1
        yield here


def test_day_that_changed_is_delivered_again_under_the_same_name(tmp_path: Path) -> None:
    with delivered(tmp_path) as here:
        here.enter("2026-05-04", "10:10", 5)
        here.wait(seconds=REDELIVERY_PAUSE_S)
        assert here.states() == {"alliance/2026-05-04": "CHANGED"}
        assert here.steps() == 1
        assert here.client.attempts == [NAME, NAME]
        assert b",10:00:00,5,0,ALLI1," in (here.client.folder / NAME).read_bytes()
        assert here.states() == {}


def test_day_whose_file_would_be_the_same_is_not_delivered_again(tmp_path: Path) -> None:
    """More coverage, crossings outside the hours, and a crossing sent twice leave the bytes as they are."""
    with delivered(tmp_path) as here:
        here.enter("2026-05-04", "07:59", 5)
        here.enter("2026-05-04", "19:00", 5)
        here.cover("2026-05-04", "2026-05-04")
        here.wait(seconds=REDELIVERY_PAUSE_S)
        assert here.steps() == 0


def test_day_that_the_store_knows_less_of_than_the_delivered_file_is_kept_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A journal restored from a backup of noon does not replace the evening's file, not even in a retry."""
    with delivered(tmp_path, 'gap = "blank"') as here, closing(Journal(tmp_path / "backup.sqlite")) as backup:
        whole = here.reader
        here.reader = JournalReader(backup.path)
        noon = Span(epoch_ms(here.instant("2026-05-04", "00:00")), epoch_ms(here.instant("2026-05-04", "12:00")))
        backup.append([Arrival(name, "s", (), noon, epoch_ms(here.now_utc)) for name in ("ALLI1", "ALLI2")])
        here.wait(days=1)
        job = here.job()
        assert here.steps(job) == 0
        (owed,) = [one for one in job.owed() if one.day == DAY]
        assert owed.state is State.KEPT_BACK
        assert owed.minutes == 840
        logged = [one for one in caplog.messages if one.startswith("kept back")]
        assert logged == [f"kept back alliance/2026-05-04: {explain(owed, here.profiles['alliance'], here.now_utc)}"]
        here.ledger.record_start("alliance", DAY, 0)
        assert here.steps() == 0
        assert here.client.attempts == [NAME]
        here.reader.close()
        here.reader = whole
        here.enter("2026-05-04", "10:10", 5)
        assert here.steps() == 1


def test_backlog_that_arrives_in_pieces_is_delivered_at_most_once_a_pause(tmp_path: Path) -> None:
    with delivered(tmp_path) as here:
        started = here.now_utc
        for _ in range(4 * 60):
            here.enter("2026-05-04", "10:10")
            here.steps()
            here.wait(minutes=1)
        times = [one.started_epoch_ms - epoch_ms(started) for one in reversed(here.ledger.deliveries(99))]
        assert len(times) == 4 * 3600 // REDELIVERY_PAUSE_S
        assert all(later - earlier >= REDELIVERY_PAUSE_S * 1000 for earlier, later in pairwise(times))


@pytest.mark.parametrize(("days", "again"), [(1, True), (6, True), (7, False), (30, False)])
def test_change_counts_until_redeliver_days_after_the_day_s_end(tmp_path: Path, days: int, again: bool) -> None:
    with delivered(tmp_path) as here:
        here.at("2026-05-04", "19:00")
        here.wait(days=days)
        here.cover("2026-05-04", str(here.now_utc.date()))
        here.enter("2026-05-04", "10:10", 5)
        before = list(here.client.attempts)
        here.steps()
        assert (NAME in here.client.attempts[len(before) :]) is again


@pytest.mark.parametrize(("days", "again"), [(0, True), (6, True), (7, False)])
def test_change_counts_for_a_day_before_deliver_from_that_was_delivered_by_hand(
    tmp_path: Path, days: int, again: bool
) -> None:
    with rig(tmp_path, profile_table(since="2027-01-01")) as here:
        here.cover("2026-05-04", "2026-05-04")
        here.at("2026-05-04", "20:00")
        here.job().deliver(here.profiles["alliance"], DAY)
        here.enter("2026-05-04", "10:10", 5)
        here.wait(days=days, seconds=REDELIVERY_PAUSE_S)
        assert here.states() == ({"alliance/2026-05-04": "CHANGED"} if again else {})
        assert here.steps() == again


def test_unchanged_day_is_rendered_once_a_pause_by_looks_and_each_time_by_owed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rendering a week of a hundred counters every half minute would keep a Raspberry Pi busy."""
    with delivered(tmp_path) as here:
        asked: list[date] = []
        quarters = here.reader.quarters

        def count(counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> list[Quarter]:
            asked.append(start_utc.astimezone(here.tz).date())
            return quarters(counters, start_utc, end_utc)

        monkeypatch.setattr(here.reader, "quarters", count)
        here.wait(seconds=REDELIVERY_PAUSE_S)
        job = here.job()
        for _ in range(REDELIVERY_PAUSE_S // 30):
            assert here.steps(job) == 0
            here.wait(seconds=30)
        assert asked == [DAY]
        here.enter("2026-05-04", "10:10", 5)
        assert here.steps(job) == 1
        assert asked == [DAY] * 3
        here.wait(seconds=REDELIVERY_PAUSE_S)
        for number in range(1, 4):
            assert here.steps(job) == len(job.owed()) == 0
            assert asked == [DAY] * (4 + number)
        here.enter("2026-05-04", "10:10", 5)
        assert here.states() == {"alliance/2026-05-04": "CHANGED"}
        assert here.steps(job) == 0
        assert here.steps(here.job()) == 1  # as after a change of footfall.toml


def test_unchanged_day_does_not_delay_the_next(tmp_path: Path) -> None:
    with delivered(tmp_path) as here:
        here.cover("2026-05-05", "2026-05-05")
        job = here.job()
        here.at("2026-05-05", "19:50")
        assert here.steps(job) == 0
        here.at("2026-05-05", "20:00")
        assert here.steps(job) == 1
        assert here.client.attempts == [NAME, file_of("2026-05-05")]


def test_clock_that_is_set_back_delays_no_redelivery(tmp_path: Path) -> None:
    with delivered(tmp_path) as here:
        job = here.job()
        here.wait(days=3)
        here.steps(job)
        here.at("2026-05-04", "20:30")
        here.enter("2026-05-04", "10:10", 5)
        assert here.steps(job) == 1


def test_profile_may_turn_redelivery_off(tmp_path: Path) -> None:
    with delivered(tmp_path, "redeliver_days = 0") as here:
        here.enter("2026-05-04", "10:10", 5)
        here.wait(seconds=REDELIVERY_PAUSE_S)
        assert here.steps() == 0


def test_failed_redelivery_is_retried_even_after_redeliver_days(tmp_path: Path) -> None:
    """The client's file is known to be out of date, and stays so until the retry succeeds."""
    with delivered(tmp_path, "redeliver_days = 1") as here:
        here.enter("2026-05-04", "10:10", 5)
        here.wait(seconds=REDELIVERY_PAUSE_S)
        here.client.fault = "transient"
        here.steps()
        assert here.states() == {"alliance/2026-05-04": "RETRYING"}
        here.wait(hours=23)
        here.client.fault = "none"
        here.steps()
        assert b",10:00:00,5,0," in (here.client.folder / NAME).read_bytes()


def test_file_stored_by_a_failed_attempt_is_delivered_again(tmp_path: Path) -> None:
    """The answer was lost. Delivering the same file twice is harmless; calling a lost one delivered is not."""
    with rig(tmp_path) as here:
        here.cover("2026-05-04", "2026-05-04")
        here.at("2026-05-04", "20:00")
        here.client.fault = "after storing"
        here.steps()
        assert here.ledger.outcomes("alliance")[DAY].delivered_sha256 is None
        here.client.fault = "none"
        here.wait(minutes=1)
        here.steps()
        assert [one.ok for one in here.ledger.deliveries(9)] == [True, False]


def test_nothing_is_sent_while_the_ledger_cannot_be_written(tmp_path: Path) -> None:
    with rig(tmp_path) as here:
        here.cover("2026-05-04", "2026-05-04")
        here.at("2026-05-04", "20:00")
        _refuse_writes(here, True)
        with pytest.raises(StoreUnavailable, match="readonly"):
            here.job().step()
        assert here.client.attempts == []
        _refuse_writes(here, False)
        assert here.steps() == 1


def test_crash_between_delivery_and_record_delivers_again_after_a_pause(tmp_path: Path) -> None:
    with rig(tmp_path) as here:
        here.cover("2026-05-04", "2026-05-04")
        here.at("2026-05-04", "20:00")
        here.client.during = lambda: _refuse_writes(here, True)
        with pytest.raises(StoreUnavailable):
            here.job().step()
        assert (here.client.folder / NAME).exists()
        _refuse_writes(here, False)
        here.client.during = lambda: None
        assert here.ledger.outcomes("alliance")[DAY].delivered_sha256 is None
        assert here.ledger.deliveries(9) == []
        assert here.states() == {"alliance/2026-05-04": "RETRYING"}
        here.wait(minutes=1)
        assert here.steps() == 1
        assert here.client.attempts == [NAME, NAME]
        assert here.states() == {}


def _refuse_writes(here: ExporterRig, refused: bool) -> None:
    """Make SQLite refuse every write to the ledger, as on a read-only disk, or allow them again."""
    here.ledger._connection.execute(f"PRAGMA query_only = {'ON' if refused else 'OFF'}")


def test_delivery_is_left_to_a_process_that_is_already_delivering(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    hold = "import filelock, sys\nwith filelock.FileLock(sys.argv[1]):\n print('held', flush=True)\n input()"
    with rig(tmp_path) as here:
        here.cover("2026-05-04", "2026-05-04")
        here.at("2026-05-04", "20:00")
        command = [sys.executable, "-c", hold, str(tmp_path / LOCK_FILE)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            assert other.stdout is not None
            assert other.stdout.readline() == "held\n"
            job = here.job()
            assert job.step() is False
            assert caplog.messages[-1] == "another process is delivering; leaving it to that process"
            with pytest.raises(filelock.Timeout):
                job.deliver(here.profiles["alliance"], DAY, wait_s=0)
            assert here.client.attempts == []
            assert here.ledger.outcomes("alliance") == {}
            other.kill()  # however it ends, the lock is free
            other.wait()
        assert here.steps(job) == 1


EVENTS = ["look", "look", "restart", "hours", "people", "fault", "crash"]
FAULTS: list[Fault] = ["none", "none", "transient", "permanent", "after storing"]


@given(st.integers(0, 2**32))
@settings(UNHURRIED, max_examples=15)
def test_whatever_happens_no_day_is_called_delivered_before_it_is_and_all_are_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    chance = random.Random(seed)
    with rig(tmp_path_factory.mktemp("rig")) as here:
        job = here.job(seed)
        here.at("2026-05-04", "10:00")
        for _ in range(60):
            job = _happen(here, job, chance)
            _check_claims(here)
        here.client.fault = "none"
        last = here.now_utc.date()
        here.cover("2026-05-04", str(last))
        here.ledger.release()
        for _ in range(3):
            here.wait(hours=2)
            here.steps(job)
        _check_claims(here)
        assert not [one for one in job.owed() if one.day < last]
        for path in here.client.folder.iterdir():
            day = date.fromisoformat("-".join(reversed(path.name[:10].split("_"))))
            if here.now_utc < here.profiles["alliance"].ends_utc(day) + timedelta(days=7):
                assert path.read_bytes() == job.render(here.profiles["alliance"], day).content


def _happen(here: ExporterRig, job: DeliveryJob, chance: random.Random) -> DeliveryJob:
    """Let one random event happen, and return the job that carries on."""
    match chance.choice(EVENTS):
        case "look":
            here.steps(job)
        case "restart":
            return here.job(chance.randrange(99))
        case "hours":
            here.wait(hours=chance.uniform(0, 9))
            if chance.random() < 0.5:
                here.cover("2026-05-04", str(here.now_utc.date() - timedelta(days=1)))
        case "people":
            here.enter(str(here.now_utc.date() - timedelta(days=chance.randrange(3))), "10:10", chance.randrange(9))
        case "fault":
            here.client.fault = chance.choice(FAULTS)
        case _:
            here.client.during = lambda: _refuse_writes(here, True)
            try:
                here.steps(job)
            except StoreUnavailable:
                pass
            finally:
                here.client.during = lambda: None
                _refuse_writes(here, False)
            return here.job(chance.randrange(99))
    return job


def _check_claims(here: ExporterRig) -> None:
    for day, outcome in here.ledger.outcomes("alliance").items():
        if outcome.delivered_sha256 is not None and not outcome.attempts:
            there = (here.client.folder / file_of(str(day))).read_bytes()
            assert hashlib.sha256(there).hexdigest() == outcome.delivered_sha256
