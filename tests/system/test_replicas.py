"""Three ingests behind the deployment's load balancer, with one InfluxDB: one is killed under load and comes back."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from demo.expected_file import expected_file
from footfall import keys
from footfall.model import Counter, Hours, Site
from harness.influx_server import TOKEN, InfluxDatabase
from harness.installation import Installation, free_port, install
from simulator.counter_plans import SimulationSetup
from simulator.simulation import SimulationResult, simulate_day
from simulator.truth_file import write_truth
from simulator.unreliable_network import ROUGH, Response
from tests.support.balancer import TransportFrom, balancer
from tests.support.influx_fixtures import running_influx_server
from tests.support.process_checks import MortalIngest, is_forwarded, until

MONDAY = date(2026, 5, 4)
PARIS = ZoneInfo("Europe/Paris")
ALLIANCE = Site("alliance", "Alliance", "ALLI", PARIS, Hours(480, 1140), capacity=120, reset=240)
DOORS = tuple(f"ALLI{number}" for number in range(1, 7))


GATE = 6000
"""Before this request of about 9000 a simulated day waits, until a test opens the gate: visitors are still coming."""


class Replica(MortalIngest):
    """One of several ingests, with a journal of its own."""

    def stored(self) -> int:
        """Return how many crossings its journal holds."""
        with closing(sqlite3.connect(f"file:{self.installation.journal}?mode=ro", uri=True)) as connection:
            (number,) = connection.execute("SELECT count(*) FROM crossing").fetchone()
        return int(number)


class GatedTransport(TransportFrom):
    """A counter's connection that waits at request GATE of all counters until *gate* is set."""

    def __init__(self, url: str, address: str, requests: Iterator[int], gate: threading.Event) -> None:
        super().__init__(url, address)
        self._requests = requests
        self._gate = gate

    def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        if next(self._requests) >= GATE:
            self._gate.wait()
        return super().post(body, headers)


@dataclass(frozen=True)
class Cluster:
    """Three replicas that share settings, keys and an InfluxDB, and the address of their load balancer."""

    replicas: list[Replica]
    url: str
    database: InfluxDatabase
    gate: threading.Event = field(default_factory=threading.Event)

    def simulate(self) -> SimulationResult:
        """Simulate a day of six doors over a bad network. Each counter has an IP address of its own."""
        addresses, requests = count(1), count(1)
        setup = SimulationSetup(
            [ALLIANCE], [Counter(name, "alliance", f"Counter {name[-1]}", "RDCentre") for name in DOORS],
            self.replicas[0].installation.keys,
            lambda: GatedTransport(self.url, f"10.0.0.{next(addresses)}", requests, self.gate),
            people=900, seed=11, trouble=ROUGH, give_up_after_s=300,
        )  # fmt: skip
        return simulate_day(setup, MONDAY)

    def busiest(self) -> Replica:
        return max(self.replicas, key=Replica.stored)

    def wait_until_forwarded(self) -> None:
        for replica in self.replicas:
            until(partial(is_forwarded, replica.installation), "everything is forwarded")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_influx_server() as server, ExitStack() as stack:
        database = server.create("footfall")
        influxdb = f'reads = "influxdb"\n[influxdb]\nurl = "{database.url}"\ntoken_file = "token"\n'
        first = install(tmp_path / "1", DOORS, more=influxdb)
        installations = [first, replica_of(first, tmp_path / "2"), replica_of(first, tmp_path / "3")]
        replicas: list[Replica] = []
        for one in installations:
            (one.folder / "token").write_text(TOKEN + "\n")
            replicas.append(Replica(one))
            stack.callback(replicas[-1].kill)
        ports = [one.port for one in installations]
        yield Cluster(replicas, stack.enter_context(balancer(tmp_path / "balancer", ports)), database)


def replica_of(first: Installation, folder: Path) -> Installation:
    """Return an installation with the settings of *first*, a link to its keys, and a journal of its own."""
    (folder / "data").mkdir(parents=True)
    port = free_port()
    settings = (first.folder / "footfall.toml").read_text()
    (folder / "footfall.toml").write_text(settings.replace(f":{first.port}", f":{port}"))
    (folder / "data" / keys.FILE_NAME).symlink_to(first.data / keys.FILE_NAME)
    return Installation(folder, port, first.keys)


@pytest.mark.slow
def test_replica_killed_under_load_loses_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """InfluxDB holds each crossing once, and the client's file is right."""
    with ThreadPoolExecutor() as pool:
        simulation = pool.submit(cluster.simulate)
        try:
            until(lambda: cluster.busiest().stored() > 300, "one replica has stored 300 crossings")
            victim = cluster.busiest()
            victim.kill()
            others = [one for one in cluster.replicas if one is not victim]
            then = sum(one.stored() for one in others)
            until(lambda: sum(one.stored() for one in others) > then + 300, "the others have stored 300 more")
            victim.start()
            assert not simulation.done()
        finally:
            cluster.gate.set()
        result = simulation.result()
    assert result.resends > 0
    cluster.wait_until_forwarded()

    points = cluster.database.query("SELECT counter, entries, exits FROM crossings")
    kept = sorted((one["counter"], one["time"] // 1_000_000, one["entries"] - one["exits"]) for one in points)
    assert kept == sorted((one.counter, one.time_epoch_ms, one.direction) for one in result.truth)
    assert {one["entries"] + one["exits"] for one in points} == {1}

    write_truth(tmp_path / "truth.csv", result.truth)
    doors = {name: (f"Counter {name[-1]}", "RDCentre") for name in DOORS}
    expected = expected_file(tmp_path / "truth.csv", MONDAY, PARIS, doors, "Alliance", "ALLI")
    exporter = replica_of(cluster.replicas[0].installation, tmp_path / "exporter")
    (exporter.folder / "token").write_text(TOKEN + "\n")
    printed = exporter.run("export", "--day", str(MONDAY), "--output", "-", FOOTFALL_STORE="influxdb")
    assert printed.stdout == expected


@pytest.mark.slow
def test_every_replica_answers_with_the_counts_of_all(cluster: Cluster) -> None:
    """With `reads = "influxdb"`, the API of each replica includes the crossings that the others stored."""
    cluster.gate.set()
    result = cluster.simulate()
    cluster.wait_until_forwarded()
    entries = sum(one.direction > 0 for one in result.truth)
    for one in cluster.replicas:
        buckets = one.installation.get(f"/api/v1/sites/alliance/buckets?day={MONDAY}")["buckets"]
        assert sum(bucket["entries"] or 0 for bucket in buckets) == entries
    assert min(one.stored() for one in cluster.replicas) < len(result.truth), "no replica stored only a part"
