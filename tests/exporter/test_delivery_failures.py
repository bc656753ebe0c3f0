"""Deliveries that fail: when they are retried, what blocks them, and that they delay no other day or profile."""

import contextlib
import logging
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from exporter.delivery_job import FIRST_BACKOFF_S, DeliveryJob
from exporter.standing import LONGEST_BACKOFF_S, explain
from footfall.errors import DeliveryError
from footfall.model import epoch_ms
from footfall.store.ledger_schema import State
from tests.support.exporter_rig import ExporterRig, file_of, profile_table, rig

DAY = date(2026, 5, 4)


def evening(here: ExporterRig, day: str = "2026-05-04") -> None:
    """Set the clock to the evening of *day*, with every day up to it covered."""
    here.cover("2026-05-04", day)
    here.at(day, "20:00")


def pause_s(here: ExporterRig) -> float:
    """Return the seconds from now until the only day of the profile is retried."""
    return (here.ledger.outcomes("alliance")[DAY].next_try_epoch_ms - epoch_ms(here.now_utc)) / 1000


def test_transient_failure_is_retried_and_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with rig(tmp_path) as here:
        evening(here)
        here.client.fault = "transient"
        job = here.job()
        assert here.steps(job) == 1
        (owed,) = job.owed()
        assert owed.state is State.RETRYING
        details = explain(owed, here.profiles["alliance"], here.now_utc)
        assert details == f"in {int(pause_s(here))} s, attempt 2"
        (failed,) = here.ledger.deliveries(9)
        assert (failed.ok, failed.message, failed.hint) == (
            False,
            "deliver 04_05_2026_counterdata-1.csv to client: failed on demand",
            "the exporter retries",
        )
        assert caplog.records[-1].levelno == logging.WARNING
        assert caplog.messages[-1] == (
            "failed to deliver alliance/2026-05-04, will retry: deliver 04_05_2026_counterdata-1.csv to client: "
            "failed on demand; the exporter retries"
        )
        here.client.fault = "none"
        here.wait(seconds=pause_s(here) - 1)
        assert here.steps(job) == 0
        here.wait(seconds=FIRST_BACKOFF_S)
        assert here.steps(job) == 1
        assert here.ledger.outcomes("alliance")[DAY].attempts == 0
        assert here.states() == {}


def test_backoff_doubles_up_to_an_hour_with_jitter_of_a_half_either_way(tmp_path: Path) -> None:
    with rig(tmp_path) as here:
        evening(here)
        here.client.fault = "transient"
        pauses = []
        for attempt in range(14):
            assert here.steps(here.job(seed=attempt)) == 1
            pauses.append(pause_s(here))
            here.wait(seconds=pauses[-1])
        planned = [min(FIRST_BACKOFF_S * 2**attempt, LONGEST_BACKOFF_S) for attempt in range(14)]
        shares = [pause / plan for pause, plan in zip(pauses, planned, strict=True)]
        assert all(0.499 < share <= 1.5 for share in shares)
        assert max(shares) - min(shares) > 0.3
        assert planned[-1] == LONGEST_BACKOFF_S
        assert len(here.ledger.deliveries(99)) == 14


class _Extreme(random.Random):
    """Always draws the least, or always the most."""

    def __init__(self, pick: Callable[[float, float], float]) -> None:
        super().__init__(0)
        self._pick = pick

    def uniform(self, a: float, b: float) -> float:
        """Return one end of the interval."""
        return self._pick(a, b)


@pytest.mark.parametrize(("pick", "share"), [(min, 0.5), (max, 1.5)])
def test_shortest_and_longest_pauses_are_a_half_off_the_planned_ones(
    tmp_path: Path, pick: Callable[[float, float], float], share: float
) -> None:
    with rig(tmp_path) as here:
        evening(here)
        here.client.fault = "transient"
        job, pauses = here.job(), []
        job._chance = _Extreme(pick)
        for _ in range(9):
            with pytest.raises(DeliveryError):
                job.deliver(here.profiles["alliance"], DAY)
            pauses.append(pause_s(here) / share)
        assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_backoff_starts_when_the_attempt_has_ended(tmp_path: Path) -> None:
    """An attempt at a server that hangs takes longer than the first pause."""
    with rig(tmp_path) as here:
        evening(here)
        here.client.fault = "transient"
        here.client.during = lambda: here.wait(seconds=120)
        here.steps()
        assert pause_s(here) >= FIRST_BACKOFF_S / 2


def test_exporters_that_fail_together_do_not_retry_together(tmp_path: Path) -> None:
    pauses = set()
    for seed in range(5):
        (tmp_path / str(seed)).mkdir()
        with rig(tmp_path / str(seed)) as here:
            evening(here)
            here.client.fault = "transient"
            here.steps(here.job(seed))
            pauses.add(pause_s(here))
    assert len(pauses) == 5


def test_permanent_failure_blocks_the_day_until_it_is_released(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with rig(tmp_path) as here:
        evening(here)
        here.client.fault = "permanent"
        assert here.steps() == 1
        assert caplog.records[-1].levelno == logging.ERROR
        assert caplog.messages[-1] == (
            "blocked alliance/2026-05-04: deliver 04_05_2026_counterdata-1.csv to client: failed on demand; "
            "clear the fault; then: footfall export --deliver"
        )
        here.client.fault = "none"
        here.wait(hours=20)  # not yet the next evening
        (owed,) = here.job().owed()
        assert owed.state is State.BLOCKED
        details = explain(owed, here.profiles["alliance"], here.now_utc)
        assert details == "clear the fault; then: footfall export --deliver"
        assert here.steps() == 0
        here.ledger.release()
        assert here.steps() == 1
        assert here.states() == {}


def test_next_success_of_a_profile_releases_its_blocked_days(tmp_path: Path) -> None:
    with rig(tmp_path, profile_table(), profile_table("other", to="mirror")) as here:
        evening(here)
        here.client.fault = here.mirror.fault = "permanent"
        assert here.steps() == 2
        here.client.fault = "none"
        evening(here, "2026-05-05")
        assert here.steps() == 3
        assert here.client.attempts == [file_of(day) for day in ("2026-05-04", "2026-05-05", "2026-05-04")]
        assert here.states() == {"other/2026-05-04": "BLOCKED", "other/2026-05-05": "BLOCKED"}


def test_delivery_by_hand_unblocks_the_day(tmp_path: Path) -> None:
    with rig(tmp_path) as here:
        evening(here)
        here.client.fault = "permanent"
        job = here.job()
        here.steps(job)
        with pytest.raises(DeliveryError, match="failed on demand"):
            job.deliver(here.profiles["alliance"], DAY)
        here.client.fault = "none"
        job.deliver(here.profiles["alliance"], DAY)
        assert here.states() == {}
        assert [one.ok for one in here.ledger.deliveries(9)] == [True, False, False]


def test_day_before_deliver_from_that_failed_by_hand_is_retried_as_its_log_says(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with rig(tmp_path, profile_table(since="2026-05-06")) as here:
        evening(here, "2026-05-06")
        here.client.fault = "transient"
        with pytest.raises(DeliveryError):
            here.job().deliver(here.profiles["alliance"], DAY)
        assert "will retry" in caplog.messages[-1]
        here.client.fault = "none"
        here.wait(minutes=1)
        assert here.states() == {"alliance/2026-05-04": "DUE", "alliance/2026-05-06": "DUE"}
        here.steps()
        assert here.client.attempts == [file_of(day) for day in ("2026-05-04", "2026-05-04", "2026-05-06")]
        assert here.states() == {}


def test_owed_days_of_many_years_are_listed_in_order(tmp_path: Path) -> None:
    """Days that were delivered long ago are left out; those that failed then are not."""
    with rig(tmp_path, profile_table(since="2021-05-04")) as here:
        here.at("2021-05-08", "21:00")
        here.cover("2021-05-04", "2026-05-04")
        job, profile = here.job(), here.profiles["alliance"]
        for number in range(5):
            here.client.fault = "transient" if number == 2 else "none"
            with contextlib.suppress(DeliveryError):
                job.deliver(profile, date(2021, 5, 4 + number))
        here.client.fault = "transient"
        with pytest.raises(DeliveryError):
            job.deliver(profile, date(2020, 1, 1))
        here.at("2026-05-04", "20:00")
        owed = [one.day for one in job.owed()]
        assert owed[:3] == [date(2020, 1, 1), date(2021, 5, 6), date(2021, 5, 9)]
        assert owed[-1] == date(2026, 5, 4)
        assert len(owed) == 2 + (date(2026, 5, 4) - date(2021, 5, 8)).days


def test_profile_that_fails_slowly_delays_others_by_one_attempt(tmp_path: Path) -> None:
    """A month is owed to a server that hangs for two minutes an attempt; the other client's day is the newest."""
    with rig(tmp_path, profile_table(), profile_table("other", to="mirror", since="2026-06-03")) as here:
        evening(here, "2026-06-03")
        here.client.fault = "transient"
        here.client.during = lambda: here.wait(seconds=120)
        job = here.job()
        for _ in range(2):
            job.step()
        assert len(here.client.attempts) == 1
        assert here.mirror.attempts == [file_of("2026-06-03")]


@pytest.mark.parametrize(("since_s", "attempts"), [(0, 1), (FIRST_BACKOFF_S - 1, 1), (FIRST_BACKOFF_S, 2), (-1, 2)])
def test_profile_rests_after_a_failure_and_its_next_day_follows(tmp_path: Path, since_s: int, attempts: int) -> None:
    """The other days of the profile would fail too, unless the clock was set back meanwhile."""
    with rig(tmp_path) as here:
        evening(here, "2026-05-05")
        here.wait(minutes=1)
        here.client.fault = "transient"
        job = here.job()
        assert job.step()
        here.wait(seconds=since_s)
        job.step()
        assert len(here.client.attempts) == attempts


def test_day_that_fails_alone_does_not_delay_later_days(tmp_path: Path) -> None:
    """The client may keep that one file open."""
    with rig(tmp_path) as here:
        evening(here, "2026-05-07")
        (here.client.folder / file_of("2026-05-04")).mkdir()
        job = here.job()
        _look_for(here, job, minutes=5)
        assert {path.name for path in here.client.folder.iterdir() if path.is_file()} == {
            file_of(day) for day in ("2026-05-05", "2026-05-06", "2026-05-07")
        }
        (here.client.folder / file_of("2026-05-04")).rmdir()
        evening(here, "2026-05-08")
        _look_for(here, job, minutes=1)
        assert here.states() == {}


def test_server_that_was_down_all_night_has_every_file_in_the_morning(tmp_path: Path) -> None:
    with rig(tmp_path) as here:
        evening(here, "2026-05-06")
        here.client.fault = "transient"
        job = here.job()
        _look_for(here, job, minutes=10 * 60)
        assert 3 < len(here.client.attempts) < 60
        assert set(here.states().values()) <= {"RETRYING", "DUE"}
        here.client.fault = "none"
        _look_for(here, job, minutes=90)
        assert here.states() == {}
        assert len(list(here.client.folder.iterdir())) == 3


def test_clock_that_was_ahead_and_is_set_back_delays_nothing(tmp_path: Path) -> None:
    """An attempt failed while the clock was ten years ahead: its next try would be then."""
    with rig(tmp_path) as here:
        evening(here)
        job = here.job()
        here.client.fault = "transient"
        here.wait(hours=87_600)
        with pytest.raises(DeliveryError):
            job.deliver(here.profiles["alliance"], DAY)
        here.at("2026-05-04", "20:01")
        here.client.fault = "none"
        assert here.steps(job) == 1
        assert here.states() == {}


def _look_for(here: ExporterRig, job: DeliveryJob, minutes: int) -> None:
    """Let *job* look every half minute, as the scheduler does, for *minutes*."""
    for _ in range(minutes * 2):
        here.steps(job)
        here.wait(seconds=30)
