"""The counter as a process, against a server that holds every claim against the truth."""

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from footfall.simulator.network import Answer
from tests.support.counter_program import Door, hang_up, truth, write_crossings
from tests.support.fake_ingest import FakeIngest, Fault, served


HOUR_MS = 3_600_000


def walk(count: int, seed: int, longest_ms: int = 60_000) -> list[tuple[int, int]]:
    """Return *count* crossings as (ms, direction)."""
    throws = random.Random(seed)  # noqa: S311 - people, not secrets
    found, t_ms = [], 5_000
    for _ in range(count):
        t_ms += throws.randint(600, longest_ms)
        found.append((t_ms, throws.choice((1, -1))))
    return found


@contextmanager
def ingest_for(folder: Path, fault: Fault = lambda _number, _body: None) -> Iterator[tuple[Door, FakeIngest]]:
    """Yield a counter and the server it sends to."""
    keys: dict[str, bytes] = {}
    fake = FakeIngest(keys, time.time, fault)
    with served(fake) as url:
        door = hang_up(folder, url)
        keys[door.name] = door.raw_key
        yield door, fake


def check_arrived(fake: FakeIngest, people: list[tuple[int, int]]) -> None:
    """Hold what the server has against *people*: each once, with its time, and no claim that was not true."""
    assert fake.stored() == truth(people)
    assert fake.false_claims == []


def test_every_crossing_arrives_once_with_its_time(tmp_path: Path) -> None:
    """The counter exits with 0 when its trace is over and all was acknowledged."""
    people = walk(500, seed=1)
    with ingest_for(tmp_path) as (door, fake):
        fake.expect(truth(people))
        done = door.run("--crossings", str(write_crossings(tmp_path / "people.csv", people)), "--speed", "0")
        assert done.returncode == 0, done.stdout + done.stderr
        check_arrived(fake, people)
        assert fake.covered_ms(door.name) == people[-1][0] + 1
        assert fake.duplicates == 0


def test_silence_is_told_at_least_once_a_minute(tmp_path: Path) -> None:
    """At least one batch a minute, with no crossings if there are none."""
    people = [(1_000, 1), (2 * HOUR_MS, -1)]
    with ingest_for(tmp_path) as (door, fake):
        done = door.run("--crossings", str(write_crossings(tmp_path / "people.csv", people)), "--speed", "0")
        assert done.returncode == 0, done.stdout + done.stderr
        ends = sorted(span.to_epoch_ms for span in fake.spans[door.name])
        assert max(b - a for a, b in zip(ends, ends[1:], strict=False)) <= 60_000


def test_batches_survive_cuts_errors_and_busy_answers(tmp_path: Path) -> None:
    """A cut connection or a 5xx says nothing about the body: it is sent again, the same, and stored once."""
    people = walk(300, seed=2)
    throws = random.Random(3)  # noqa: S311

    def fault(_number: int, _body: bytes) -> Answer | None:
        what = throws.random()
        if what < 0.1:
            return FakeIngest.answer(fake, 503, {"error": {}}, retry_after="0")
        if what < 0.2:
            return FakeIngest.answer(fake, 500, "not JSON")
        if what < 0.3:
            return FakeIngest.answer(fake, 200, "<html>a captive portal</html>")
        return None

    with ingest_for(tmp_path, fault) as (door, fake):
        fake.expect(truth(people))
        done = door.run(
            "--crossings", str(write_crossings(tmp_path / "people.csv", people)), "--speed", "0", "--batch-limit", "7"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        check_arrived(fake, people)


def test_killed_at_any_moment_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """Killed with -9 and started again with the same queue, it neither loses nor doubles a crossing."""
    people = walk(2_000, seed=4, longest_ms=4_000)
    path = str(write_crossings(tmp_path / "people.csv", people))
    throws = random.Random(5)  # noqa: S311
    with ingest_for(tmp_path) as (door, fake):
        fake.expect(truth(people))
        kills = 0
        while True:
            process = door.start("--crossings", path, "--speed", "3000", "--resume-trace", "--heartbeat-s", "60")
            try:
                process.communicate(timeout=throws.uniform(0.05, 0.4))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                kills += 1
                continue
            break
        assert process.returncode == 0
        assert kills >= 3
        check_arrived(fake, people)
