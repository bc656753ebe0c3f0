"""`footfall ingest`, killed twenty times under load, stores every acknowledged crossing exactly once."""

import os
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import urllib3

from footfall import wire
from footfall.model import QUARTER_MS
from footfall.store.journal_check import check_journal
from harness.installation import STOP_TIMEOUT_S, Installation, batch, install
from tests.support.process_checks import MortalIngest, holders_of, require_proc, until

ROUNDS = 20
STREAMS = 6
Victim = Literal["everything", "supervisor", "worker"]
VICTIMS: tuple[Victim, ...] = ("everything", "supervisor", "worker")
CrossingRow = tuple[str, str, int, int, int]
"""A crossing: counter, stream, seq, time in epoch ms, direction."""


def kill(victim: Victim, ingest: MortalIngest) -> None:
    """Kill *victim* with SIGKILL, and restart the ingest unless its supervisor does."""
    if victim == "worker":
        for worker in holders_of(ingest.installation.journal):
            os.kill(worker, signal.SIGKILL)
        return
    if victim == "everything":
        ingest.kill()
    else:
        ingest.process.kill()
        ingest.process.wait()
    ingest.start()


@dataclass
class StreamClient:
    """Sends the batches of one stream, and resends each until it is acknowledged."""

    installation: Installation
    counter: str
    stream: str
    stop: threading.Event
    sent: set[CrossingRow] = field(default_factory=set)
    acknowledged: set[CrossingRow] = field(default_factory=set)
    resends: int = 0
    complaints: list[str] = field(default_factory=list)

    def run(self) -> None:
        chance = random.Random(self.stream)
        base_ms = int(time.time() * 1000) - 4 * QUARTER_MS
        seq = 0
        with urllib3.PoolManager(retries=False, timeout=10) as pool:
            while not self.stop.is_set():
                size = chance.randint(1, 5)
                crossings = [(seq + n, base_ms + chance.randrange(4 * QUARTER_MS), chance.choice((1, -1)))
                             for n in range(size)]  # fmt: skip
                rows = {(self.counter, self.stream, *crossing) for crossing in crossings}
                self.sent |= rows
                body = batch(*crossings, counter=self.counter, stream=self.stream)
                while not self._post(pool, body, size):
                    if self.stop.wait(0.02):
                        return
                    self.resends += 1
                self.acknowledged |= rows
                seq += size

    def _post(self, pool: urllib3.PoolManager, body: bytes, size: int) -> bool:
        """Return whether *body* was acknowledged."""
        headers = self.installation.signed(body, self.counter)
        try:
            response = pool.request("POST", self.installation.url + wire.PATH, body=body, headers=headers)
        except urllib3.exceptions.HTTPError:
            return False
        if response.status != 200:
            if response.status != 503:
                self.complaints.append(f"{response.status}: {response.data!r}")
            return False
        receipt = response.json()
        if receipt["stored"] + receipt["duplicates"] != size:
            self.complaints.append(f"of {size}: {receipt}")
        return True


def stored_in(journal: Path) -> list[CrossingRow]:
    with closing(sqlite3.connect(journal)) as connection:
        return connection.execute(
            "SELECT counter.name, stream.name, seq, time_epoch_ms, entries - exits FROM crossing"
            " JOIN stream ON stream.id = crossing.stream JOIN counter ON counter.id = stream.counter"
        ).fetchall()


def quarters_in(journal: Path) -> dict[tuple[str, int], tuple[int, int]]:
    with closing(sqlite3.connect(journal)) as connection:
        rows = connection.execute(
            "SELECT name, start_epoch_ms, entries, exits FROM quarter JOIN counter ON counter.id = quarter.counter"
        )
        return {(name, start): (entries, exits) for name, start, entries, exits in rows}


def summed(rows: set[CrossingRow]) -> dict[tuple[str, int], tuple[int, int]]:
    sums: Counter[tuple[str, int, int]] = Counter()
    for counter, _, _, at_ms, direction in rows:
        sums[counter, at_ms // QUARTER_MS * QUARTER_MS, direction] += 1
    return {(counter, start): (sums[counter, start, 1], sums[counter, start, -1]) for counter, start, _ in sums}


def wait_for_acknowledged(clients: list[StreamClient], number: int) -> None:
    wanted = sum(len(client.acknowledged) for client in clients) + number
    until(
        lambda: sum(len(client.acknowledged) for client in clients) >= wanted,
        f"{number} more crossings are acknowledged",
    )


@pytest.mark.slow
def test_ingest_killed_twenty_times_under_load_stores_acknowledged_crossings_exactly_once(tmp_path: Path) -> None:
    require_proc()
    installation = install(tmp_path / "footfall")
    stop = threading.Event()
    clients = [StreamClient(installation, f"ALLI{n % 2 + 1}", f"s{n}", stop) for n in range(STREAMS)]
    threads = [threading.Thread(target=client.run) for client in clients]
    chance = random.Random(7)
    ingest = MortalIngest(installation)
    try:
        for thread in threads:
            thread.start()
        for number in range(ROUNDS):
            wait_for_acknowledged(clients, chance.randint(20, 300))
            kill(VICTIMS[number % len(VICTIMS)], ingest)
        wait_for_acknowledged(clients, 50)
        stop.set()
        for thread in threads:
            thread.join()
        ingest.process.terminate()
        assert ingest.process.wait(STOP_TIMEOUT_S) == 0
    finally:
        stop.set()
        ingest.kill()

    stored = stored_in(installation.journal)
    sent = set[CrossingRow]().union(*(client.sent for client in clients))
    acknowledged = set[CrossingRow]().union(*(client.acknowledged for client in clients))
    assert [complaint for client in clients for complaint in client.complaints] == []
    assert sum(client.resends for client in clients) > 0, "no kill interrupted a client"
    assert len(stored) == len(set(stored)), "a crossing is stored twice"
    assert acknowledged <= set(stored), "an acknowledged crossing is lost"
    assert set(stored) <= sent, "a crossing was invented"
    assert quarters_in(installation.journal) == summed(set(stored))
    assert check_journal(installation.journal, deep=True) == []
