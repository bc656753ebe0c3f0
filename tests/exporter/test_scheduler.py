"""The exporter's daemon looks, delivers all that is owed, survives any error, and stops when asked."""

import logging
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from exporter.delivery_job import DeliveryJob
from exporter.delivery_reporter import DeliveryReporter
from exporter.scheduler import look, run
from footfall.errors import FootfallError, StoreUnavailable
from footfall.store.points import Point
from tests.support.exporter_rig import file_of, rig

DAYS = ["2026-05-04", "2026-05-05", "2026-05-06"]
SOON_S = 20
"""An upper bound for anything the daemon does at once."""


def test_one_look_delivers_all_that_is_owed(tmp_path: Path) -> None:
    with rig(tmp_path) as here:
        here.cover(DAYS[0], DAYS[-1])
        here.at(DAYS[-1], "20:00")
        look(here.job, threading.Event())
        assert here.client.attempts == [file_of(day) for day in DAYS]


def test_look_stops_after_the_delivery_in_progress(tmp_path: Path) -> None:
    stop = threading.Event()
    with rig(tmp_path) as here:
        here.cover(DAYS[0], DAYS[-1])
        here.at(DAYS[-1], "20:00")
        here.client.during = stop.set
        look(here.job, stop)
        assert here.client.attempts == [file_of(DAYS[0])]
        look(here.job, stop)
        assert here.client.attempts == [file_of(DAYS[0])]


def test_look_gets_the_current_job_before_every_delivery(tmp_path: Path) -> None:
    """footfall.toml may change while days are delivered."""
    with rig(tmp_path) as here:
        here.cover(DAYS[0], DAYS[-1])
        here.at(DAYS[-1], "20:00")
        asked: list[int] = []

        def job() -> DeliveryJob:
            asked.append(len(here.client.attempts))
            return here.job()

        look(job, threading.Event())
        assert asked == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("error", "level", "logged"),
    [
        (StoreUnavailable("the disk is full", hint="free some"), logging.WARNING, "the disk is full; free some"),
        (
            FootfallError("something"),
            logging.ERROR,
            "unexpected error while looking for owed days, will retry; please report it",
        ),
        (
            ZeroDivisionError("a bug"),
            logging.ERROR,
            "unexpected error while looking for owed days, will retry; please report it",
        ),
    ],
)
def test_look_survives_any_error_and_logs_it(
    caplog: pytest.LogCaptureFixture, error: Exception, level: int, logged: str
) -> None:
    def job() -> DeliveryJob:
        raise error

    look(job, threading.Event())
    (record,) = caplog.records
    assert (record.levelno, logged in record.getMessage()) == (level, True)
    assert (record.exc_info is not None) is (level == logging.ERROR)


def test_daemon_looks_at_once_and_again_after_any_error_and_stops_when_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    stop = threading.Event()
    looks: list[str] = []
    with rig(tmp_path) as here:
        here.cover(DAYS[0], DAYS[0])
        here.at(DAYS[0], "20:00")

        def job() -> DeliveryJob:
            looks.append("look")
            if len(looks) == 1:
                raise ZeroDivisionError("a bug")
            here.client.during = stop.set
            return here.job()

        def serve() -> None:
            run(job, 1, stop)
            here.reader.close()  # each thread its own

        daemon = threading.Thread(target=serve)
        daemon.start()
        daemon.join(SOON_S)
        assert not daemon.is_alive()
        assert looks == ["look"] * 2
        assert here.client.attempts == [file_of(DAYS[0])]
    assert "please report it" in caplog.text


def test_daemon_that_waits_an_hour_for_its_next_look_stops_at_once() -> None:
    stop, looked = threading.Event(), threading.Event()

    def job() -> DeliveryJob:
        looked.set()
        raise StoreUnavailable("not now")

    daemon = threading.Thread(target=run, args=(job, 3600, stop))
    daemon.start()
    assert looked.wait(SOON_S)
    stop.set()
    daemon.join(SOON_S)
    assert not daemon.is_alive()


def test_daemon_that_is_stopped_before_it_starts_does_nothing() -> None:
    stop = threading.Event()
    stop.set()

    def job() -> DeliveryJob:
        raise AssertionError("the job must not be asked for")

    run(job, 1, stop)


def test_daemon_reports_all_it_delivered_and_again_when_it_starts(tmp_path: Path) -> None:
    """InfluxDB may have lost its data: a daemon that starts reports everything once more, as the same points."""
    with rig(tmp_path) as here:
        here.cover(DAYS[0], DAYS[-1])
        here.at(DAYS[-1], "20:00")
        for _ in range(2):
            stop = threading.Event()
            written: list[Point] = []

            def write(points: Sequence[Point], written: list[Point] = written, stop: threading.Event = stop) -> None:
                written.extend(points)
                if points[0].measurement == "exporter":
                    stop.set()

            run(here.job, 3600, stop, DeliveryReporter(here.ledger, write, lambda: here.now_utc))
            assert [one.measurement for one in written] == ["deliveries"] * 3 + ["exporter"]
