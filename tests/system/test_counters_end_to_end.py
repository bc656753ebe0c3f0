"""Three counters, an ingest and a network, and everything that can go wrong with them, on one morning.

    walkers -> beams -> counter (queue in a file) -> proxy (cut now and then) -> ingest (killed) -> journal -> export

At the end the journal holds each person once, in order and at the right time, and the client's file is what walked.
"""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bench.walkers.bodies import Carriage, adult
from bench.walkers.passages import turned_back, walker, way_of
from bench.walkers.sensor import Door as Beams
from bench.walkers.sensor import watch
from bench.walkers.still import noise
from bench.walkers.trials import Trial, later, lines, together
from footfall import keys
from footfall.store.journal_check import check_journal
from tests.support.counter_program import START_EPOCH_MS, CounterProgram
from tests.support.installation import Installation, install
from tests.support.processes import until
from tests.support.proxy import Proxy, proxy_to

COUNTERS = ("ALLI1", "ALLI2", "ALLI3")
DAY, TZ = date(2026, 5, 4), ZoneInfo("Europe/Paris")
MORNING_MS = 2 * 3_600_000
SPEED = 1200  # two hours in six seconds
SLOTS = 84  # in each somebody passes, turns back, or something flickers
DEATHS = 4  # of each counter, at least
STEP_MS = 3_000
TOLERANCE_MS = 600  # between the middle of a trunk and the time that two beams give it
CLOCKS: Mapping[str, tuple[str, ...]] = {
    "ALLI1": ("--clock-step", f"2000000:{STEP_MS}", "--clock-step", f"4000000:-{STEP_MS}"),
    # Nobody tells the time in the first quarter of an hour: what passed until then is dated afterwards.
    "ALLI2": ("--no-date", "--network-time-from", "900000"),
    "ALLI3": (),
}
# Near the end the network claims for five minutes to be an hour ahead. Told only to counters that hear the server's
# Date, and live on: a boot that heard nothing but a lie, and died before it could ask the server, is dated wrongly for
# ever, and nobody could know.
LIE = ("--clock-step", "6000000:3600000", "--clock-step", "6300000:-3600000")


@dataclass(frozen=True)
class Person:
    """Somebody who crossed: (time in epoch ms, +1 or -1)."""

    at_epoch_ms: float
    direction: int


@dataclass
class Post:
    """A counter at its door: it is killed, or its power fails while it writes, again and again; then it may finish.

    It dies only after it was told the time: what passed in a boot that never knew the time can be dated by nobody.
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
            with (self.counter.folder / f"counter-{self.deaths}.log").open("w") as log:
                options = ["--die-after", str(chance.randint(50, 900))] if torn else []
                process = subprocess.Popen(self._command(*options), stdout=log, stderr=log)
            if self.deaths < DEATHS and not torn:
                self._wait_for_the_time(process)
                self.stop.wait(chance.uniform(0.1, 0.6))
                process.send_signal(signal.SIGKILL)
            self.finished = process.wait(90) == 0
            self.deaths += not self.finished

    def _command(self, *options: str) -> list[str]:
        return self.counter.command(
            "--trace", str(self.counter.folder / "trace.csv"), "--speed", str(SPEED), "--resume-trace",
            "--heartbeat-s", "300", "--linger-ms", "60000", "--timeout-s", "2", *CLOCKS[self.counter.name],
            *(LIE if self.deaths >= DEATHS and "--no-date" not in CLOCKS[self.counter.name] else ()), *options,
        )  # fmt: skip

    def _wait_for_the_time(self, process: "subprocess.Popen[bytes]") -> None:
        log = self.counter.folder / f"counter-{self.deaths}.log"
        until(lambda: process.poll() is not None or "clock set" in log.read_text(), "the counter is told the time")


class Ingest:
    """`footfall ingest`, killed with all its processes and started again."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self.deaths = 0

    def start(self) -> None:
        with (self._installation.folder / "ingest.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli", "ingest"],
                cwd=self._installation.folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._installation.wait_ready(60)

    def kill(self) -> None:
        self.deaths += 1
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)


@contextmanager
def running(ingest: Ingest) -> Iterator[None]:
    ingest.start()
    try:
        yield
    finally:
        ingest.kill()


def morning(counter: str) -> Trial:
    """Return a morning at one door: people one at a time, some who turn back, some noise."""
    chance, beams = random.Random(f"morning {counter}"), Beams()
    slot_ms = (MORNING_MS - 60_000) / SLOTS
    trials: list[Trial] = []
    for number in range(SLOTS):
        if number % 7 == 3:
            trial = turned_back(chance, beams)
        elif number % 7 == 5:
            trial = noise(chance, beams)
        else:
            way, speed = way_of(chance), chance.uniform(0.7, 1.6)
            body = adult(chance, beams.height_m, chance.choice((Carriage.SWINGING, Carriage.STILL)), bag=False)
            trial = watch([walker(body, chance, way, speed).go(way * 1.3, speed)], beams, chance)
        trials.append(later(trial, 2_000 + number * slot_ms + chance.uniform(0, slot_ms - 30_000)))
    return together(trials)


def walked(trial: Trial) -> list[Person]:
    return [Person(START_EPOCH_MS + each.at_ms, each.direction) for each in trial.truth]


def stored_in(journal: Path) -> dict[str, list[Person]]:
    """Return who stands in the journal, by counter, in the order of stream and seq."""
    found: dict[str, list[Person]] = defaultdict(list)
    with closing(sqlite3.connect(journal)) as connection:
        for counter, at_epoch_ms, direction in connection.execute(
            "SELECT counter.name, time_epoch_ms, entries - exits FROM crossing"
            " JOIN stream ON stream.id = crossing.stream JOIN counter ON counter.id = stream.counter"
            " ORDER BY counter.name, stream.id, seq"
        ):
            found[counter].append(Person(at_epoch_ms, direction))
    return dict(found)


def streams_in(journal: Path) -> int:
    with closing(sqlite3.connect(journal)) as connection:
        found: int = connection.execute("SELECT count(DISTINCT stream) FROM crossing").fetchone()[0]
        return found


def file_of(people: Mapping[str, list[Person]]) -> bytes:
    """Return the client's file for *people*, made here from the contract alone: 22 half hours, counters in order."""
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


def hang_up_all(installation: Installation, proxy: Proxy, stop: threading.Event) -> list[Post]:
    written = keys.read_keys(installation.data / keys.FILE_NAME)
    posts = []
    for counter in COUNTERS:
        folder = installation.folder / counter
        folder.mkdir()
        (folder / "key").write_text(f"{written[counter][0]}\n")
        posts.append(Post(CounterProgram(counter, folder, proxy.url, written[counter][0]), stop, morning(counter)))
    return posts


def make_trouble(proxy: Proxy, ingest: Ingest, chance: random.Random, posts: list[Post]) -> None:
    """Cut the network and kill ingest in turn, as long as counters die; at the end everything is well."""
    stop, give_up_s = threading.Event(), time.monotonic() + 60
    while any(post.deaths < DEATHS and not post.finished for post in posts) or ingest.deaths < 2:
        assert time.monotonic() < give_up_s, "counters should have died by now"
        stop.wait(chance.uniform(0.2, 0.8))
        if chance.random() < 0.7:
            proxy.cut_the_next_answer(timeout_s=1)
            stop.wait(chance.uniform(0.1, 0.8))
            proxy.mend()
        elif ingest.deaths < 3:
            ingest.kill()
            ingest.start()


@pytest.mark.slow
def test_everybody_who_walked_is_in_the_clients_file_once_whatever_fails(tmp_path: Path) -> None:
    """Network cut, ingest killed, counters killed and torn, clocks stepped: each crossing once, in order, in time."""
    installation = install(tmp_path / "footfall", COUNTERS)
    stop, ingest = threading.Event(), Ingest(installation)
    with running(ingest), proxy_to(installation.port) as proxy:
        posts = hang_up_all(installation, proxy, stop)
        threads = [threading.Thread(target=post.run) for post in posts]
        try:
            for thread in threads:
                thread.start()
            make_trouble(proxy, ingest, random.Random("trouble"), posts)
            until(lambda: all(post.finished for post in posts), "every counter has sent everything")
        finally:
            stop.set()
            for thread in threads:
                thread.join(90)
    people = {post.counter.name: walked(post.trial) for post in posts}
    stored = stored_in(installation.journal)

    assert ingest.deaths >= 3
    assert all(post.deaths >= DEATHS for post in posts)
    assert proxy.lost_answers > 0, "the network was never cut between a request and its answer"
    assert streams_in(installation.journal) == len(COUNTERS), "a queue was formatted, though only torn"
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
