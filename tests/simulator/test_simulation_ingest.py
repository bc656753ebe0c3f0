"""Simulated counters against the real ingest, a process with a real journal: it stores what happened."""

import os
import signal
import sqlite3
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from subprocess import Popen
from zoneinfo import ZoneInfo

import pytest

from footfall.model import Counter, Hours, Site
from harness.installation import Installation, install
from simulator.counter_plans import SimulationSetup
from simulator.people import Crossing, in_order
from simulator.simulation import SimulationProgress, simulate_day, simulate_today
from simulator.unreliable_network import NO_TROUBLE, ROUGH, HttpTransport, NetworkTrouble, Response
from tests.support.process_checks import until

SPRING = date(2026, 3, 29)
ALLIANCE = Site("alliance", "Alliance", "ALLI", ZoneInfo("Europe/Paris"), Hours(480, 1140), capacity=120, reset=240)
COUNTERS = [Counter(name, "alliance", name, "RDCentre") for name in ("ALLI1", "ALLI2")]


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path / "footfall")


def setup_at(
    installation: Installation, *, doors: int = 2, people: int = 800, trouble: NetworkTrouble = NO_TROUBLE
) -> SimulationSetup:
    return SimulationSetup(
        [ALLIANCE], COUNTERS[:doors], installation.keys, lambda: HttpTransport(installation.url),
        people=people, seed=11, trouble=trouble, give_up_after_s=300,
    )  # fmt: skip


def stored(installation: Installation) -> tuple[Crossing, ...]:
    """Return every crossing in the journal, in order."""
    with closing(sqlite3.connect(installation.journal)) as connection:
        rows = connection.execute(
            "SELECT counter.name, time_epoch_ms, entries - exits FROM crossing"
            " JOIN stream ON stream.id = crossing.stream JOIN counter ON counter.id = stream.counter"
        ).fetchall()
    return in_order(Crossing(*row) for row in rows)


def covered_hours(installation: Installation) -> list[tuple[str, float]]:
    """Return (counter, hours) of each covered stretch in the journal."""
    with closing(sqlite3.connect(installation.journal)) as connection:
        return connection.execute(
            "SELECT name, (to_epoch_ms - from_epoch_ms) / 3600000.0 FROM coverage"
            " JOIN counter ON counter.id = coverage.counter ORDER BY name"
        ).fetchall()


def test_rough_spring_day_is_stored_once_and_covered_whole(installation: Installation) -> None:
    """23 hours, two counters, 800 people."""
    with installation.serving():
        result = simulate_day(setup_at(installation, trouble=ROUGH), SPRING)
    assert stored(installation) == result.truth
    assert len(result.truth) == 2 * 803
    assert covered_hours(installation) == [("ALLI1", 23.0), ("ALLI2", 23.0)]


class KillingTransport(HttpTransport):
    """A connection that kills ingest, all its processes, before it sends its request number *at*."""

    def __init__(self, url: str, ingest: "Popen[bytes]", at: int) -> None:
        super().__init__(url)
        self.killed = threading.Event()
        self._ingest = ingest
        self._left = at

    def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        self._left -= 1
        if self._left == 0:
            os.killpg(self._ingest.pid, signal.SIGKILL)
            self._ingest.wait()
            self.killed.set()
        return super().post(body, headers)


def test_ingest_killed_in_the_middle_of_a_day_loses_nothing(installation: Installation) -> None:
    """The counter resends until ingest runs again."""
    with installation.serving() as first, ThreadPoolExecutor() as pool:
        transport = KillingTransport(installation.url, first, at=700)
        setup = replace(setup_at(installation, doors=1), connect=lambda: transport)
        simulation = pool.submit(simulate_day, setup, SPRING)
        until(transport.killed.is_set, "ingest is killed")
        with installation.serving():
            result = simulation.result()
    assert result.lost > 0
    assert stored(installation) == result.truth
    assert covered_hours(installation) == [("ALLI1", 23.0)]


def test_wrong_clock_is_set_from_the_date_header_of_the_real_ingest(installation: Installation) -> None:
    long_over = datetime.now(UTC).astimezone(ALLIANCE.tz).date() - timedelta(days=2)
    setup = replace(setup_at(installation, doors=1, people=20), wall=lambda: time.time() - 7200)
    with installation.serving():
        result = simulate_day(setup, long_over, speed=100_000)
    assert stored(installation) == result.truth
    assert result.resends == 1


def test_live_people_are_stored_as_they_cross(installation: Installation) -> None:
    """Never in the future, which ingest would refuse: the live page shows them."""
    noon = ZoneInfo(f"Etc/GMT{datetime.now(UTC).hour - 12:+d}")  # a zone in which it is now between 12:00 and 13:00
    busy = replace(ALLIANCE, tz=noon, hours=Hours(690, 810))
    setup = replace(setup_at(installation, people=20_000), sites=[busy])
    stop = threading.Event()

    def stop_soon(progress: SimulationProgress) -> None:
        if progress.crossings >= 3:
            stop.set()

    with installation.serving():
        result = simulate_today(setup, stop=stop, progress=stop_soon)
    assert result.stopped
    assert result.dropped == 0
    assert result.crossings >= 3
    assert set(stored(installation)) <= set(result.truth)
