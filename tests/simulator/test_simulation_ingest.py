"""Simulated counters against the real ingest, as a process with a real journal: the truth is what was stored."""

import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from footfall.model import Counter, Hours, Site
from simulator.people import Crossing, in_order
from simulator.simulation import Progress, Scene, simulate_day, simulate_now
from simulator.unreliable_network import NO_TROUBLE, ROUGH, HttpTransport, NetworkTrouble
from tests.support.installation import Installation, install

SPRING = date(2026, 3, 29)
ALLIANCE = Site("alliance", "Alliance", "ALLI", ZoneInfo("Europe/Paris"), Hours(480, 1140), capacity=120, reset=240)
COUNTERS = [Counter(name, "alliance", name, "RDCentre") for name in ("ALLI1", "ALLI2")]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path / "footfall")


def scene_at(
    installation: Installation, *, doors: int = 2, people: int = 800, trouble: NetworkTrouble = NO_TROUBLE
) -> Scene:
    return Scene(
        [ALLIANCE], COUNTERS[:doors], installation.keys, lambda: HttpTransport(installation.url),
        people=people, seed=11, trouble=trouble, patience_s=30,
    )  # fmt: skip


def stored(installation: Installation) -> tuple[Crossing, ...]:
    """Return every crossing in the journal, in the order it happened."""
    with closing(sqlite3.connect(installation.journal)) as connection:
        rows = connection.execute(
            "SELECT counter.name, time_epoch_ms, entries - exits FROM crossing"
            " JOIN stream ON stream.id = crossing.stream JOIN counter ON counter.id = stream.counter"
        ).fetchall()
    return in_order(Crossing(*row) for row in rows)


def covered_hours(installation: Installation) -> list[tuple[str, float]]:
    """Return the length of each stretch the journal holds as covered."""
    with closing(sqlite3.connect(installation.journal)) as connection:
        return connection.execute(
            "SELECT name, (to_epoch_ms - from_epoch_ms) / 3600000.0 FROM coverage"
            " JOIN counter ON counter.id = coverage.counter ORDER BY name"
        ).fetchall()


def test_a_rough_spring_day_is_stored_once_and_covered_whole(installation: Installation) -> None:
    """23 hours, two counters, 800 people."""
    with installation.serving():
        result = simulate_day(scene_at(installation, trouble=ROUGH), SPRING)
    assert stored(installation) == result.truth
    assert len(result.truth) == 2 * 803
    assert covered_hours(installation) == [("ALLI1", 23.0), ("ALLI2", 23.0)]


def test_ingest_killed_in_the_middle_of_a_day_loses_nothing(installation: Installation) -> None:
    """SIGKILL to every process of it, then a new start: the counters wait and send again."""
    reached = threading.Event()

    def watch(progress: Progress) -> None:
        if progress.done > 0.2:
            reached.set()

    def kill_and_restart() -> None:
        with installation.serving() as first:
            ready.set()
            assert reached.wait(30)
            os.killpg(first.pid, signal.SIGKILL)
            first.wait(10)
        with installation.serving():
            assert finished.wait(60)

    ready, finished = threading.Event(), threading.Event()
    operator = threading.Thread(target=kill_and_restart)
    operator.start()
    try:
        assert ready.wait(30)
        result = simulate_day(scene_at(installation, doors=1), SPRING, speed=60_000, progress=watch)
    finally:
        reached.set()
        finished.set()
        operator.join()
    assert result.cuts > 0
    assert stored(installation) == result.truth
    assert covered_hours(installation) == [("ALLI1", 23.0)]


def test_a_counter_whose_clock_is_off_sets_it_by_the_date_of_the_real_ingest(installation: Installation) -> None:
    long_over = datetime.now(UTC).astimezone(ALLIANCE.tz).date() - timedelta(days=2)
    scene = replace(scene_at(installation, doors=1, people=20), wall=lambda: time.time() - 7200)
    with installation.serving():
        result = simulate_day(scene, long_over, speed=100_000)
    assert stored(installation) == result.truth
    assert result.resends == 1


def test_live_people_are_stored_as_they_cross(installation: Installation) -> None:
    """Within seconds, and never from the future: the live page shows them."""
    noon = ZoneInfo(f"Etc/GMT{datetime.now(UTC).hour - 12:+d}")  # where it is some minutes past noon now
    busy = replace(ALLIANCE, tz=noon, hours=Hours(690, 810))
    scene = replace(scene_at(installation, people=20_000), sites=[busy])
    stop = threading.Event()
    give_up_s = time.monotonic() + 30

    def stop_soon(progress: Progress) -> None:
        if progress.crossings >= 3 or time.monotonic() > give_up_s:
            stop.set()

    with installation.serving():
        result = simulate_now(scene, stop=stop, progress=stop_soon)
    assert result.stopped
    assert result.dropped == 0
    assert result.crossings >= 3
    assert set(stored(installation)) <= set(result.truth)
