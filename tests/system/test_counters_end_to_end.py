"""One morning with three counters, a network and an ingest, all of which fail.

    walkers -> beams -> counter (queue in a file) -> proxy (drops responses) -> ingest (killed) -> journal -> export

At the end the journal holds each crossing once, in order and at the right time, and the client's file is correct.
"""

import random
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bench.walkers.bodies import Carriage, adult
from bench.walkers.passages import random_way, turned_back, walker
from bench.walkers.sensor import BeamPair, watch
from bench.walkers.still import noise
from bench.walkers.trials import Trial, later, lines, together
from footfall import keys
from footfall.store.journal_check import check_journal
from harness.installation import Installation, install
from tests.support.counter_program import START_EPOCH_MS, CounterProgram
from tests.support.process_checks import MortalIngest, until
from tests.support.proxy import Proxy, proxy_to

COUNTERS = ("ALLI1", "ALLI2", "ALLI3")
DAY, TZ = date(2026, 5, 4), ZoneInfo("Europe/Paris")
MORNING_MS = 2 * 3_600_000
SPEED = 1200  # times real time: two hours in six seconds
SLOTS = 84  # in each a person passes or turns back, or there is only noise
DEATHS = 4  # at least, of each counter
STEP_MS = 3_000
TOLERANCE_MS = 600  # between a trunk's centre passing and the time the counter gives it
CLOCKS: Mapping[str, tuple[str, ...]] = {
    "ALLI1": ("--clock-step", f"2000000:{STEP_MS}", "--clock-step", f"4000000:-{STEP_MS}"),
    # No time source in the first 15 minutes: the counter dates those crossings afterwards.
    "ALLI2": ("--no-date", "--network-time-from", "900000"),
    "ALLI3": (),
}
# Near the end, network time is an hour ahead for five minutes. Only counters that read the server's Date, and that die
# no more, get it: nothing can correct a boot that knew only the wrong time and died before it reached the server.
WRONG_NETWORK_TIME = ("--clock-step", "6000000:3600000", "--clock-step", "6300000:-3600000")


@dataclass(frozen=True)
class TimedCrossing:
    """A crossing: time in epoch ms, +1 entry or -1 exit."""

    at_epoch_ms: float
    direction: int


@dataclass
class MortalCounter:
    """A counter at its door that is killed, or loses power while it writes, DEATHS times before it may finish.

    It is killed only once it knows the time: nothing can date the crossings of a boot that never knew it.
    """

    counter: CounterProgram
    stop: threading.Event
    trial: Trial
    deaths: int = 0
    finished: bool = False

    def run(self) -> None:
        (self.counter.folder / "trace.csv").write_text(lines(self.trial))
        chance = random.Random(f"deaths {self.counter.name}")
        while not self.stop.is_set() and not self.finished:
            torn = 0 < self.deaths < DEATHS and self.deaths % 2 == 1
            options: tuple[str, ...] = ()
            if self.deaths < DEATHS:
                # On a slow machine power fails before this thread kills the counter, so it cannot finish too early.
                latest = 5000 if self.deaths == 0 else 900  # bytes; a morning writes about 8700
                options = "--die-after", str(chance.randint(50, latest) if torn else latest)
            elif "--no-date" not in CLOCKS[self.counter.name]:
                options = WRONG_NETWORK_TIME
            with (self.counter.folder / f"counter-{self.deaths}.log").open("w") as log:
                process = subprocess.Popen(self._command(*options), stdout=log, stderr=log)
            if self.deaths < DEATHS and not torn:
                self._wait_for_the_time(process)
                self.stop.wait(chance.uniform(0.1, 0.6))
                process.send_signal(signal.SIGKILL)
            self.finished = process.wait() == 0
            self.deaths += not self.finished

    def _command(self, *options: str) -> list[str]:
        return self.counter.command(
            "--trace", str(self.counter.folder / "trace.csv"), "--speed", str(SPEED), "--resume-trace",
            "--heartbeat-s", "300", "--linger-ms", "60000", "--timeout-s", "2", *CLOCKS[self.counter.name], *options,
        )  # fmt: skip

    def _wait_for_the_time(self, process: "subprocess.Popen[bytes]") -> None:
        log = self.counter.folder / f"counter-{self.deaths}.log"
        until(lambda: process.poll() is not None or "clock set" in log.read_text(), "the counter knows the time")


@contextmanager
def running_ingest(installation: Installation) -> Iterator[MortalIngest]:
    ingest = MortalIngest(installation)
    try:
        yield ingest
    finally:
        ingest.kill()


def morning(counter: str) -> Trial:
    """Return a morning at one door: people one at a time, some of whom turn back, and some noise."""
    chance, beams = random.Random(f"morning {counter}"), BeamPair()
    slot_ms = (MORNING_MS - 60_000) / SLOTS
    trials: list[Trial] = []
    for number in range(SLOTS):
        if number % 7 == 3:
            trial = turned_back(chance, beams)
        elif number % 7 == 5:
            trial = noise(chance, beams)
        else:
            way, speed = random_way(chance), chance.uniform(0.7, 1.6)
            body = adult(chance, beams.height_m, chance.choice((Carriage.SWINGING, Carriage.STILL)), bag=False)
            trial = watch([walker(body, chance, way, speed).go(way * 1.3, speed)], beams, chance)
        trials.append(later(trial, 2_000 + number * slot_ms + chance.uniform(0, slot_ms - 30_000)))
    return together(trials)


def walked(trial: Trial) -> list[TimedCrossing]:
    return [TimedCrossing(START_EPOCH_MS + each.at_ms, each.direction) for each in trial.truth]


def stored_in(journal: Path) -> dict[str, list[TimedCrossing]]:
    """Return the crossings in the journal by counter, ordered by stream and seq."""
    found: dict[str, list[TimedCrossing]] = defaultdict(list)
    with closing(sqlite3.connect(journal)) as connection:
        for counter, at_epoch_ms, direction in connection.execute(
            "SELECT counter.name, time_epoch_ms, entries - exits FROM crossing"
            " JOIN stream ON stream.id = crossing.stream JOIN counter ON counter.id = stream.counter"
            " ORDER BY counter.name, stream.id, seq"
        ):
            found[counter].append(TimedCrossing(at_epoch_ms, direction))
    return dict(found)


def streams_in(journal: Path) -> int:
    with closing(sqlite3.connect(journal)) as connection:
        found: int = connection.execute("SELECT count(DISTINCT stream) FROM crossing").fetchone()[0]
        return found


def file_of(people: Mapping[str, list[TimedCrossing]]) -> bytes:
    """Return the client's file for *people*, built from the documented format: 22 half hours, sorted by counter."""
    sums = Counter(
        (counter, local.hour * 60 + local.minute // 30 * 30, person.direction)
        for counter, each in people.items()
        for person in each
        for local in [datetime.fromtimestamp(person.at_epoch_ms / 1000, UTC).astimezone(TZ)]
    )
    rows = [
        f"{DAY.year}-{DAY.month}-{DAY.day},{minute // 60:02}:{minute % 60:02}:00,{sums[counter, minute, 1]},"
        f"{sums[counter, minute, -1]},{counter},Counter {counter[-1]},RDCentre,Alliance,ALLI\n"
        for minute in range(8 * 60, 19 * 60, 30)
        for counter in COUNTERS
    ]
    return "".join(rows).encode()


def install_counters(installation: Installation, proxy: Proxy, stop: threading.Event) -> list[MortalCounter]:
    written = keys.read_keys(installation.data / keys.FILE_NAME)
    counters = []
    for counter in COUNTERS:
        folder = installation.folder / counter
        folder.mkdir()
        (folder / "key").write_text(f"{written[counter][0]}\n")
        counters.append(
            MortalCounter(CounterProgram(counter, folder, proxy.url, written[counter][0]), stop, morning(counter))
        )
    return counters


def make_trouble(proxy: Proxy, ingest: MortalIngest, chance: random.Random, counters: list[MortalCounter]) -> None:
    """Drop responses and kill ingest at random, until all counters have died often enough."""
    stop, give_up_s = threading.Event(), time.monotonic() + 600
    while any(counter.deaths < DEATHS and not counter.finished for counter in counters) or ingest.deaths < 2:
        assert time.monotonic() < give_up_s, "the counters never died"
        stop.wait(chance.uniform(0.2, 0.8))
        if chance.random() < 0.7:
            proxy.cut_the_next_answer(timeout_s=5)
            stop.wait(chance.uniform(0.1, 0.8))
            proxy.mend()
        elif ingest.deaths < 3:
            ingest.kill()
            ingest.start()


@pytest.mark.slow
def test_everyone_is_in_the_clients_file_once_whatever_fails(tmp_path: Path) -> None:
    """Responses dropped, ingest and counters killed, flash torn, clocks stepped: each crossing once, in order."""
    installation = install(tmp_path / "footfall", COUNTERS)
    stop = threading.Event()
    with running_ingest(installation) as ingest, proxy_to(installation.port) as proxy:
        counters = install_counters(installation, proxy, stop)
        threads = [threading.Thread(target=counter.run) for counter in counters]
        try:
            for thread in threads:
                thread.start()
            make_trouble(proxy, ingest, random.Random("trouble"), counters)
            until(lambda: all(counter.finished for counter in counters), "every counter has sent its backlog")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    people = {counter.counter.name: walked(counter.trial) for counter in counters}
    stored = stored_in(installation.journal)

    assert ingest.deaths >= 3
    assert all(counter.deaths >= DEATHS for counter in counters)
    assert proxy.lost_answers > 0, "no response was dropped"
    assert streams_in(installation.journal) == len(COUNTERS), "a torn queue was formatted instead of repaired"
    for counter in COUNTERS:
        directions = [person.direction for person in people[counter]]
        assert [person.direction for person in stored[counter]] == directions, counter
        assert all(now.at_epoch_ms <= then.at_epoch_ms for now, then in pairwise(stored[counter])), counter
        off_ms = TOLERANCE_MS + (STEP_MS if counter == "ALLI1" else 0)
        for true, kept in zip(people[counter], stored[counter], strict=True):
            assert abs(true.at_epoch_ms - kept.at_epoch_ms) < off_ms, f"{counter}: {true}, {kept}"
    assert check_journal(installation.journal, deep=True) == []
    written = installation.run("export", "--day", str(DAY), "--output", "-").stdout
    assert written == file_of(people)
    assert sum(b",0,0," not in line for line in written.splitlines()) == len(COUNTERS) * MORNING_MS // 1_800_000
