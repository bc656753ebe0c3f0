"""Which day is delivered when: owed days, waiting days, and that a restart changes nothing."""

import hashlib
import logging
from datetime import date, timedelta
from pathlib import Path

import pytest

from exporter.standing import explain
from footfall.errors import FootfallError, StoreUnavailable
from footfall.model import epoch_ms
from footfall.store.ledger_schema import Delivery, State
from tests.support.exporter_rig import file_of, profile_table, rig
from tests.support.profiles import counter_table

WHOLE_DAY = 'hours = "00:00-24:00"'


def test_nothing_is_owed_before_it_is_due_and_then_it_goes_out_once(tmp_path: Path) -> None:
    with rig(tmp_path) as here:
        here.cover("2026-05-04", "2026-05-04")
        here.enter("2026-05-04", "08:31", 12)
        here.at("2026-05-04", "19:59")
        assert here.steps() == 0
        assert here.states() == {}
        here.at("2026-05-04", "20:00")
        assert here.states() == {"alliance/2026-05-04": "DUE"}
        assert here.steps() == 1
        assert here.steps() == 0
        assert here.client.attempts == ["04_05_2026_counterdata-1.csv"]
        content = (here.client.folder / "04_05_2026_counterdata-1.csv").read_text()
        assert content.splitlines()[2] == "2026-5-4,08:30:00,12,0,ALLI1,Counter A,RDCentre,Alliance,ALLI"
        assert here.states() == {}


def test_delivery_is_recorded_as_it_was(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with rig(tmp_path) as here:
        here.cover("2026-05-04", "2026-05-04")
        here.at("2026-05-04", "20:00")
        here.client.during = lambda: here.wait(seconds=0.7009)
        here.steps()
        (delivery,) = here.ledger.deliveries(10)
        content = (here.client.folder / delivery.file_name).read_bytes()
        assert delivery == Delivery(
            "alliance", date(2026, 5, 4), "client", "04_05_2026_counterdata-1.csv",
            epoch_ms(here.instant("2026-05-04", "20:00")), 700, True, "", "", hashlib.sha256(content).hexdigest(),
            44, len(content), (), "alliance",
        )  # fmt: skip
    assert "delivered alliance/2026-05-04 to client: file=04_05_2026_counterdata-1.csv rows=44" in caplog.messages


def test_file_of_a_whole_day_has_its_first_and_its_last_half_hour(tmp_path: Path) -> None:
    with rig(tmp_path, profile_table("alliance", WHOLE_DAY)) as here:
        here.enter("2026-05-04", "00:10", 2)
        here.enter("2026-05-04", "23:50", 3)
        assert here.job().render(here.profiles["alliance"], date(2026, 5, 4)).entries == 5


def test_missed_evenings_go_out_oldest_first(tmp_path: Path) -> None:
    """It does not matter whether Footfall or the whole machine was off."""
    days = [f"2026-05-{day:02}" for day in range(4, 9)]
    with rig(tmp_path) as here:
        here.cover(days[0], days[-1])
        here.at("2026-05-08", "21:00")
        assert here.steps() == 5
        assert here.client.attempts == [file_of(day) for day in days]


def test_restart_after_every_step_delivers_the_same_in_the_same_order(tmp_path: Path) -> None:
    with rig(tmp_path, profile_table(), profile_table("other", to="mirror", since="2026-05-05")) as here:
        here.cover("2026-05-04", "2026-05-06")
        here.at("2026-05-06", "21:00")
        while here.job().step():
            pass
        order = [f"{one.profile}/{one.day}" for one in reversed(here.ledger.deliveries(99))]
        assert order == [
            "alliance/2026-05-04",
            "alliance/2026-05-05",
            "other/2026-05-05",
            "alliance/2026-05-06",
            "other/2026-05-06",
        ]


def test_days_before_deliver_from_and_profiles_without_destination_are_never_owed(tmp_path: Path) -> None:
    alone = '[profiles.alone]\nsite = "alliance"\ndeliver_from = 2026-01-01\n'
    with rig(tmp_path, profile_table(since="2026-05-06"), alone) as here:
        here.cover("2026-05-01", "2026-05-06")
        here.at("2026-05-06", "22:00")
        assert here.states() == {"alliance/2026-05-06": "DUE"}


def test_day_not_covered_to_its_end_waits_and_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with rig(tmp_path) as here:
        here.cover("2026-05-04", "2026-05-04", "ALLI1")
        here.cover_until("2026-05-04", timedelta(hours=18, minutes=59), "ALLI2")
        here.at("2026-05-04", "20:00")
        job = here.job()
        assert here.steps(job) == here.steps(job) == 0
        (owed,) = job.owed()
        assert owed.state is State.LATE
        details = "ALLI2; goes out anyway at 2026-05-05 12:00"
        assert explain(owed, here.profiles["alliance"], here.now_utc) == details
        assert [record.getMessage() for record in caplog.records] == [
            f"waiting for late counters before delivering alliance/2026-05-04: {details}"
        ]
        here.cover_until("2026-05-04", timedelta(hours=19), "ALLI2")
        assert here.steps(job) == 1
        assert here.ledger.deliveries(1)[0].gaps == ()


def test_each_late_day_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with rig(tmp_path, profile_table("alliance", 'give_up_at = "19:59"')) as here:
        here.at("2026-05-05", "19:58")
        job = here.job()
        assert here.steps(job) == 0
        here.at("2026-05-06", "19:58")
        here.steps(job)
        late = [one.split(":")[0] for one in caplog.messages if one.startswith("waiting for late counters")]
        assert late == [f"waiting for late counters before delivering alliance/2026-05-0{day}" for day in (4, 5)]


def test_late_day_lets_the_next_one_pass(tmp_path: Path) -> None:
    """A counter sends in order: a span of the next day means that it has sent all it has of the day before."""
    with rig(tmp_path) as here:
        here.cover("2026-05-04", "2026-05-04", "ALLI1")
        here.cover("2026-05-05", "2026-05-05")
        here.at("2026-05-05", "20:00")
        assert here.steps() == 2
        assert here.ledger.deliveries(9)[1].gaps == ("ALLI2 08:00-19:00 (660 min unknown)",)


def test_day_goes_out_at_give_up_at_with_its_gap_recorded_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with rig(tmp_path) as here:
        here.cover("2026-05-04", "2026-05-04", "ALLI1")
        here.cover_until("2026-05-04", timedelta(hours=14), "ALLI2")
        here.cover_between("2026-05-04", timedelta(hours=15), timedelta(hours=15, minutes=30), "ALLI2")
        here.at("2026-05-05", "11:59")
        assert here.steps() == 0
        here.at("2026-05-05", "12:00")
        caplog.clear()
        assert here.steps() == 1
        gaps = "ALLI2 14:00-15:00 (60 min unknown)", "ALLI2 15:30-19:00 (210 min unknown)"
        assert here.ledger.deliveries(1)[0].gaps == gaps
        assert caplog.messages == [f"delivered alliance/2026-05-04 with gaps: {gaps[0]}; {gaps[1]}"]


@pytest.mark.parametrize("days", ["until = 2026-05-03", "since = 2026-05-05"])
def test_day_does_not_wait_for_a_counter_that_was_not_in_service(tmp_path: Path, days: str) -> None:
    with rig(tmp_path, counters=counter_table(1) + counter_table(2, days)) as here:
        here.cover("2026-05-04", "2026-05-04", "ALLI1")
        here.at("2026-05-04", "20:00")
        assert here.steps() == 1
        assert b"ALLI2" not in (here.client.folder / file_of("2026-05-04")).read_bytes()


def test_day_does_not_wait_for_a_counter_that_was_removed_on_it(tmp_path: Path) -> None:
    """It was removed at noon (`footfall counter remove`). What it had sent is in the file."""
    with rig(tmp_path, counters=counter_table(1) + counter_table(2, "until = 2026-05-04")) as here:
        here.cover("2026-05-04", "2026-05-04", "ALLI1")
        here.cover_until("2026-05-04", timedelta(hours=12), "ALLI2")
        here.enter("2026-05-04", "11:10", 5, counter="ALLI2")
        here.at("2026-05-04", "20:00")
        assert here.steps() == 1
        assert b",11:00:00,5,0,ALLI2," in (here.client.folder / file_of("2026-05-04")).read_bytes()
        assert here.ledger.deliveries(1)[0].gaps == ("ALLI2 12:00-19:00 (420 min unknown)",)


@pytest.mark.parametrize("first", [date(2026, 3, 27), date(2026, 10, 23)])
def test_every_day_around_a_clock_change_goes_out_once_with_every_entry(tmp_path: Path, first: date) -> None:
    """One person enters every hour. The exporter looks every four hours, day and night."""
    with rig(tmp_path, profile_table("alliance", WHOLE_DAY, since=str(first))) as here:
        days = [first + timedelta(days=number) for number in range(5)]
        here.cover(str(days[0]), str(days[-1]))
        here.at(str(first), "00:00")
        while (local := here.now_utc.astimezone(here.tz)).date() <= days[-1]:
            here.enter(str(local.date()), f"{local:%H:%M}")
            here.wait(hours=1)
        people = (here.now_utc - here.instant(str(first), "00:00")) // timedelta(hours=1)
        here.at(str(first), "00:00")
        for _ in range(7 * 6):
            here.steps()
            here.wait(hours=4)
        assert here.client.attempts == [file_of(str(day)) for day in days]
        rows = "".join(path.read_text() for path in here.client.folder.iterdir()).splitlines()
        assert sum(int(row.split(",")[2]) for row in rows) == people != 5 * 24


def test_unavailable_store_is_an_error_and_never_a_day_of_zeros(tmp_path: Path) -> None:
    with rig(tmp_path) as here:
        here.at("2026-05-05", "20:00")
        here.reader.close()
        here.journal.path.rename(tmp_path / "away")
        job = here.job()
        for act in (job.step, job.owed, lambda: job.deliver(here.profiles["alliance"], date(2026, 5, 4))):
            with pytest.raises(StoreUnavailable, match="there is no journal"):
                act()
        assert here.client.attempts == []
        assert here.ledger.outcomes("alliance") == {}


def test_any_finished_day_can_be_delivered_by_hand(tmp_path: Path) -> None:
    with rig(tmp_path) as here:
        here.at("2026-05-04", "18:59")
        job, profile = here.job(), here.profiles["alliance"]
        with pytest.raises(FootfallError, match="alliance/2026-05-04 is not over yet") as caught:
            job.deliver(profile, date(2026, 5, 4))
        assert caught.value.hint == "wait until 08:00-19:00 has ended"
        assert job.deliver(profile, date(2026, 4, 1)).ok
        here.at("2026-05-04", "19:00")
        assert job.deliver(profile, date(2026, 5, 4)).ok
        assert here.client.attempts == [file_of("2026-04-01"), file_of("2026-05-04")]


def test_profile_without_a_destination_cannot_be_delivered(tmp_path: Path) -> None:
    with rig(tmp_path, '[profiles.alone]\nsite = "alliance"\n') as here:
        here.at("2026-05-04", "20:00")
        with pytest.raises(FootfallError, match=r"^profile alone has no destination") as caught:
            here.job().deliver(here.profiles["alone"], date(2026, 5, 4))
        assert caught.value.hint == "set `destination` in footfall.toml"
