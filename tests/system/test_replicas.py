"""Three ingests behind the deployment's balancer, one InfluxDB: one of them is killed under load, and comes back."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path
from subprocess import Popen
from zoneinfo import ZoneInfo

import pytest

from demo.truth import expected_file
from footfall import keys
from footfall.model import Counter, Hours, Site
from simulator.counter_plans import SimulationSetup
from simulator.simulation import SimulationResult, simulate_day
from simulator.truth_file import write_truth
from simulator.unreliable_network import ROUGH
from tests.support.balancer import TransportFrom, balancer
from tests.support.influx_server import TOKEN, InfluxDatabase, running_influx_server
from tests.support.installation import Installation, free_port, install
from tests.support.processes import until

MONDAY = date(2026, 5, 4)
PARIS = ZoneInfo("Europe/Paris")
ALLIANCE = Site("alliance", "Alliance", "ALLI", PARIS, Hours(480, 1140), capacity=120, reset=240)
DOORS = tuple(f"ALLI{number}" for number in range(1, 7))


@dataclass
class Replica:
    """An ingest with a journal of its own, and its process while it runs."""

    installation: Installation
    _running: ExitStack = field(default_factory=ExitStack)
    _process: "Popen[bytes] | None" = None

    def start(self) -> None:
        self._process = self._running.enter_context(self.installation.serving())

    def kill(self) -> None:
        """End ingest, its worker and its forwarder at once, as a power cut would."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(10)

    def stop(self) -> None:
        self._running.close()

    def stored(self) -> int:
        """Return how many crossings its journal holds."""
        with closing(sqlite3.connect(f"file:{self.installation.journal}?mode=ro", uri=True)) as connection:
            (number,) = connection.execute("SELECT count(*) FROM crossing").fetchone()
        return int(number)

    def is_told(self) -> bool:
        told = self.installation.get("/api/v1/forwarder")
        return bool(told["waiting"] == 0 and told["last_error"] is None)


@dataclass(frozen=True)
class Office:
    """Three replicas that share settings, keys and an InfluxDB, and the address of their balancer."""

    replicas: list[Replica]
    url: str
    database: InfluxDatabase

    def simulate(self) -> SimulationResult:
        """Let people walk through six doors for a day, over a bad network, each counter at an address of its own."""
        addresses = count(1)
        scene = SimulationSetup(
            [ALLIANCE], [Counter(name, "alliance", f"Counter {name[-1]}", "RDCentre") for name in DOORS],
            self.replicas[0].installation.keys, lambda: TransportFrom(self.url, f"10.0.0.{next(addresses)}"),
            people=900, seed=11, trouble=ROUGH, give_up_after_s=60,
        )  # fmt: skip
        return simulate_day(scene, MONDAY)

    def busiest(self) -> Replica:
        return max(self.replicas, key=Replica.stored)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with running_influx_server() as server, ExitStack() as stack:
        database = server.create("footfall")
        influxdb = f'reads = "influxdb"\n[influxdb]\nurl = "{database.url}"\ntoken_file = "token"\n'
        first = install(tmp_path / "1", DOORS, more=influxdb)
        replicas = [Replica(one) for one in (first, beside(first, tmp_path / "2"), beside(first, tmp_path / "3"))]
        for one in replicas:
            (one.installation.folder / "token").write_text(TOKEN + "\n")
            stack.callback(one.stop)
            one.start()
        ports = [one.installation.port for one in replicas]
        yield Office(replicas, stack.enter_context(balancer(tmp_path / "balancer", ports)), database)


def beside(first: Installation, folder: Path) -> Installation:
    """Return an installation with the settings of *first*, a journal of its own, and a link to the same keys."""
    (folder / "data").mkdir(parents=True)
    port = free_port()
    settings = (first.folder / "footfall.toml").read_text()
    (folder / "footfall.toml").write_text(settings.replace(f":{first.port}", f":{port}"))
    (folder / "data" / keys.FILE_NAME).symlink_to(first.data / keys.FILE_NAME)
    return Installation(folder, port, first.keys)


@pytest.mark.slow
def test_replica_killed_under_load_costs_nothing(office: Office, tmp_path: Path) -> None:
    """Nothing lost, nothing twice: InfluxDB holds each crossing of each person once, and the client's file is right."""
    with ThreadPoolExecutor() as pool:
        simulation = pool.submit(office.simulate)
        until(lambda: office.busiest().stored() > 300, "people walk", 60)
        victim = office.busiest()
        victim.kill()
        had = victim.stored()
        others = [one for one in office.replicas if one is not victim]
        then = sum(one.stored() for one in others)
        until(lambda: sum(one.stored() for one in others) > then + 300, "others take what it would have", 60)
        assert not simulation.done(), "it was killed under load, and comes back under load"
        victim.start()
        result = simulation.result(timeout=120)
    assert had > 0
    assert result.resends > 0
    for one in office.replicas:
        until(one.is_told, "all is forwarded", 60)

    points = office.database.query("SELECT counter, entries, exits FROM crossings")
    kept = sorted((one["counter"], one["time"] // 1_000_000, one["entries"] - one["exits"]) for one in points)
    assert kept == sorted((one.counter, one.time_epoch_ms, one.direction) for one in result.truth)
    assert {one["entries"] + one["exits"] for one in points} == {1}

    write_truth(tmp_path / "truth.csv", result.truth)
    doors = {name: (f"Counter {name[-1]}", "RDCentre") for name in DOORS}
    expected = expected_file(tmp_path / "truth.csv", MONDAY, PARIS, doors, "Alliance", "ALLI")
    exporter = beside(office.replicas[0].installation, tmp_path / "exporter")
    (exporter.folder / "token").write_text(TOKEN + "\n")
    told = exporter.run("export", "--day", str(MONDAY), "--output", "-", FOOTFALL_STORE="influxdb")
    assert told.stdout == expected


@pytest.mark.slow
def test_every_replica_tells_the_whole(office: Office) -> None:
    """With `reads = "influxdb"`, the API of each knows what the others took."""
    result = office.simulate()
    for one in office.replicas:
        until(one.is_told, "all is forwarded", 60)
    entries = sum(one.direction > 0 for one in result.truth)
    for one in office.replicas:
        buckets = one.installation.get(f"/api/v1/sites/alliance/buckets?day={MONDAY}")["buckets"]
        assert sum(bucket["entries"] or 0 for bucket in buckets) == entries
    assert min(one.stored() for one in office.replicas) < len(result.truth), "one of them, at least, took only a part"
