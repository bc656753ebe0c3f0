"""`footfall ingest` is killed twenty times under load: what was acknowledged is stored once, and nothing else is."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
import urllib3

from footfall import wire
from footfall.model import QUARTER_MS
from footfall.store.journal_check import check_journal
from tests.support.installation import Installation, batch, install
from tests.support.processes import holders_of, require_proc, until

ROUNDS = 20
SENDERS = 6
Victim = Literal["everything", "supervisor", "worker"]
VICTIMS: tuple[Victim, ...] = ("everything", "supervisor", "worker")
Story = tuple[str, str, int, int, int]
"""A crossing: counter, stream, seq, time, direction."""


class Service:
    """`footfall ingest`, started again on the same port each time it was killed."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._log = (installation.folder / "ingest.log").open("ab")
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cli", "ingest"],
            cwd=self._installation.folder, stdout=self._log, stderr=self._log, start_new_session=True,
        )  # fmt: skip
        self._installation.wait_ready(60)

    def kill(self, victim: Victim) -> None:
        """Kill *victim* with SIGKILL, and start the service again unless that is its supervisor's business."""
        if victim == "worker":
            for worker in holders_of(self._installation.journal):
                os.kill(worker, signal.SIGKILL)
            return
        if victim == "everything":
            os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait(30)
        self.start()

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait(60)

    def close(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)
        self._log.close()


@dataclass
class Sender:
    """A counter's stream: it sends each batch, the same seqs again and again, until that is acknowledged."""

    installation: Installation
    counter: str
    stream: str
    stop: threading.Event
    sent: set[Story] = field(default_factory=set)
    acknowledged: set[Story] = field(default_factory=set)
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
                story = {(self.counter, self.stream, *crossing) for crossing in crossings}
                self.sent |= story
                body = batch(*crossings, counter=self.counter, stream=self.stream)
                while not self._post(pool, body, size):
                    if self.stop.wait(0.02):
                        return
                    self.resends += 1
                self.acknowledged |= story
                seq += size

    def _post(self, pool: urllib3.PoolManager, body: bytes, size: int) -> bool:
        """Return whether *body* was acknowledged."""
        headers = self.installation.signed(body, self.counter)
        try:
            answer = pool.request("POST", self.installation.url + wire.PATH, body=body, headers=headers)
        except urllib3.exceptions.HTTPError:
            return False
        if answer.status != 200:
            if answer.status != 503:
                self.complaints.append(f"{answer.status}: {answer.data!r}")
            return False
        receipt = answer.json()
        if receipt["stored"] + receipt["duplicates"] != size:
            self.complaints.append(f"of {size}: {receipt}")
        return True


def stored_in(journal: Path) -> list[Story]:
    with closing(sqlite3.connect(journal)) as connection:
        return connection.execute(
            "SELECT counter.name, stream.name, seq, time_epoch_ms, entries - exits FROM crossing"
            " JOIN stream ON stream.id = crossing.stream JOIN counter ON counter.id = stream.counter"
        ).fetchall()


def rolled_up_in(journal: Path) -> dict[tuple[str, int], tuple[int, int]]:
    with closing(sqlite3.connect(journal)) as connection:
        rows = connection.execute(
            "SELECT name, start_epoch_ms, entries, exits FROM quarter JOIN counter ON counter.id = quarter.counter"
        )
        return {(name, start): (entries, exits) for name, start, entries, exits in rows}


def summed(stories: set[Story]) -> dict[tuple[str, int], tuple[int, int]]:
    sums: Counter[tuple[str, int, int]] = Counter()
    for counter, _, _, at_ms, direction in stories:
        sums[counter, at_ms // QUARTER_MS * QUARTER_MS, direction] += 1
    return {(counter, start): (sums[counter, start, 1], sums[counter, start, -1]) for counter, start, _ in sums}


def until_more_are_acknowledged(senders: list[Sender], number: int) -> None:
    wanted = sum(len(sender.acknowledged) for sender in senders) + number
    until(lambda: sum(len(sender.acknowledged) for sender in senders) >= wanted, "crossings are acknowledged")


@pytest.mark.slow
def test_ingest_killed_twenty_times_under_load_keeps_what_it_acknowledged_exactly_once(tmp_path: Path) -> None:
    require_proc()
    installation = install(tmp_path / "footfall")
    stop = threading.Event()
    senders = [Sender(installation, f"ALLI{n % 2 + 1}", f"s{n}", stop) for n in range(SENDERS)]
    threads = [threading.Thread(target=sender.run) for sender in senders]
    chance = random.Random(7)
    service = Service(installation)
    try:
        for thread in threads:
            thread.start()
        for number in range(ROUNDS):
            until_more_are_acknowledged(senders, chance.randint(20, 300))
            service.kill(VICTIMS[number % len(VICTIMS)])
        until_more_are_acknowledged(senders, 50)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert service.stop() == 0
    finally:
        stop.set()
        service.close()

    stored = stored_in(installation.journal)
    sent = set[Story]().union(*(sender.sent for sender in senders))
    acknowledged = set[Story]().union(*(sender.acknowledged for sender in senders))
    assert [complaint for sender in senders for complaint in sender.complaints] == []
    assert sum(sender.resends for sender in senders) > 0, "the kills were noticed"
    assert len(stored) == len(set(stored)), "a crossing is stored twice"
    assert acknowledged <= set(stored), "an acknowledged crossing is lost"
    assert set(stored) <= sent, "a crossing is stored that nobody sent"
    assert rolled_up_in(installation.journal) == summed(set(stored))
    assert check_journal(installation.journal, deep=True) == []
