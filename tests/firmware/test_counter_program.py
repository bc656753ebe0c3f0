"""The counter as a process, against a server that checks every claim."""

import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, pairwise
from pathlib import Path

import pytest

from simulator.unreliable_network import Response
from tests.support.counter_program import START_EPOCH_MS, CounterProgram, set_up_counter, truth, write_crossings
from tests.support.fake_ingest import FakeIngest, Fault, served

HOUR_MS = 3_600_000


def walk(count: int, seed: int, longest_ms: int = 60_000) -> list[tuple[int, int]]:
    """Return *count* crossings as (ms, direction)."""
    throws = random.Random(seed)
    found, t_ms = [], 5_000
    for _ in range(count):
        t_ms += throws.randint(600, longest_ms)
        found.append((t_ms, throws.choice((1, -1))))
    return found


@contextmanager
def ingest_for(folder: Path, fault: Fault = lambda _number, _body: None) -> Iterator[tuple[CounterProgram, FakeIngest]]:
    """Yield a counter and the server it sends to."""
    keys: dict[str, bytes] = {}
    fake = FakeIngest(keys, time.time, fault)
    with served(fake) as url:
        counter = set_up_counter(folder, url)
        keys[counter.name] = counter.raw_key
        yield counter, fake


def check_arrived(fake: FakeIngest, people: list[tuple[int, int]]) -> None:
    """Assert that the server has each of *people* once, with its time, and that every span was true."""
    assert fake.stored() == truth(people)
    assert fake.false_claims == []


def test_every_crossing_arrives_once_with_its_time(tmp_path: Path) -> None:
    """The counter exits with 0 once its trace has ended and everything is acknowledged."""
    people = walk(500, seed=1)
    with ingest_for(tmp_path) as (counter, fake):
        fake.expect(truth(people))
        done = counter.run("--crossings", str(write_crossings(tmp_path / "people.csv", people)), "--speed", "0")
        assert done.returncode == 0, done.stdout + done.stderr
        check_arrived(fake, people)
        assert fake.covered_ms(counter.name) == people[-1][0] + 1
        assert fake.duplicates == 0


def test_heartbeat_is_sent_at_least_once_a_minute(tmp_path: Path) -> None:
    """At least one batch a minute, empty if there are no crossings."""
    people = [(1_000, 1), (2 * HOUR_MS, -1)]
    with ingest_for(tmp_path) as (counter, fake):
        done = counter.run("--crossings", str(write_crossings(tmp_path / "people.csv", people)), "--speed", "0")
        assert done.returncode == 0, done.stdout + done.stderr
        ends = sorted(span.to_epoch_ms for span in fake.spans[counter.name])
        assert max(b - a for a, b in pairwise(ends)) <= 60_000


def test_batches_survive_cuts_errors_and_busy_answers(tmp_path: Path) -> None:
    """After a lost connection or a 5xx the same body is resent, and stored once."""
    people = walk(80, seed=2)
    throws = random.Random(3)

    def fault(_number: int, _body: bytes) -> Response | None:
        what = throws.random()
        if what < 0.1:
            return FakeIngest.answer(fake, 503, {"error": {}}, retry_after="0")
        if what < 0.2:
            return FakeIngest.answer(fake, 500, "not JSON")
        if what < 0.3:
            return FakeIngest.answer(fake, 200, "<html>a captive portal</html>")
        return None

    with ingest_for(tmp_path, fault) as (counter, fake):
        fake.expect(truth(people))
        done = counter.run(
            "--crossings", str(write_crossings(tmp_path / "people.csv", people)), "--speed", "0", "--batch-limit", "7"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        check_arrived(fake, people)


def test_killed_at_any_moment_it_continues_where_it_was(tmp_path: Path) -> None:
    """After kill -9 and a restart with the same queue, no crossing is lost or doubled."""
    people = walk(2_000, seed=4, longest_ms=4_000)
    path = str(write_crossings(tmp_path / "people.csv", people))
    throws = random.Random(5)
    with ingest_for(tmp_path) as (counter, fake):
        fake.expect(truth(people))
        kills = 0
        finished = False
        while not finished:
            with counter.start(
                "--crossings", path, "--speed", "3000", "--resume-trace", "--heartbeat-s", "60"
            ) as process:
                assert process.stdout is not None
                lines = list(islice(process.stdout, throws.randint(2, 600)))
                finished = lines[-1].startswith("done:")
                process.kill()  # in the middle of whatever it does by now
            kills += not finished
        assert kills >= 3
        check_arrived(fake, people)


def passages(people: list[tuple[int, int]]) -> str:
    """Return the beam trace of *people*: bodies of 25 cm at 1.2 m/s through beams 10 cm apart."""
    changes = []
    for t_ms, direction in people:
        first, second = (1, 2) if direction > 0 else (2, 1)
        changes += [(t_ms - 146, first, 1), (t_ms - 63, second, 1), (t_ms + 63, first, 0), (t_ms + 146, second, 0)]
    levels = {1: 0, 2: 0}
    lines = []
    for t_ms, beam, level in sorted(changes):
        levels[beam] = level
        lines.append(f"{t_ms},{levels[1]},{levels[2]}\n")
    return "".join(lines)


def test_a_beam_trace_is_counted_as_the_detector_counts_it(tmp_path: Path) -> None:
    """The same core as the board's: edges, detector, queue, sender."""
    people = [(t_ms * 2, direction) for t_ms, direction in walk(200, seed=6)]
    (tmp_path / "trace.csv").write_text(passages(people))
    with ingest_for(tmp_path) as (counter, fake):
        done = counter.run("--trace", str(tmp_path / "trace.csv"), "--speed", "0")
        assert done.returncode == 0, done.stdout + done.stderr
        arrived = [(one.time_epoch_ms - START_EPOCH_MS, one.direction) for one in fake.stored()]
        assert [direction for _, direction in arrived] == [direction for _, direction in people]
        assert all(abs(seen - real) <= 60 for (seen, _), (real, _) in zip(arrived, people, strict=True))


def test_power_that_fails_in_the_middle_of_a_byte_loses_nothing(tmp_path: Path) -> None:
    """The process dies in the middle of a write and continues with the torn queue file."""
    people = walk(60, seed=7)
    path = str(write_crossings(tmp_path / "people.csv", people))
    throws = random.Random(8)
    with ingest_for(tmp_path) as (counter, fake):
        fake.expect(truth(people))
        deaths = 0
        for _ in range(500):
            options = ["--crossings", path, "--speed", "0", "--resume-trace", "--sectors", "4"]
            budget = throws.randrange(throws.choice((400, 400, 400, 9000)))  # a new sector takes more than 4096 bytes
            done = counter.run(*options, "--die-after", str(budget))
            if done.returncode == 0:
                break
            assert done.returncode == 137, done.stdout + done.stderr
            deaths += 1
        assert done.returncode == 0
        assert deaths >= 5
        check_arrived(fake, people)


def test_a_step_of_the_clock_changes_no_time(tmp_path: Path) -> None:
    """The server's Date exposes a wrong network time, and crossings keep the right time."""
    people = walk(300, seed=9)
    with ingest_for(tmp_path) as (counter, fake):
        fake.expect(truth(people))
        path = str(write_crossings(tmp_path / "people.csv", people))
        steps = [
            "--clock-step",
            "600000:3600000",
            "--clock-step",
            "1200000:-3600000",
            "--clock-step",
            "1800000:-7200000",
        ]
        done = counter.run("--crossings", path, "--speed", "0", *steps)
        assert done.returncode == 0, done.stdout + done.stderr
        check_arrived(fake, people)


def test_crossings_before_the_first_sync_arrive_with_their_time(tmp_path: Path) -> None:
    people = walk(50, seed=10)
    path = str(write_crossings(tmp_path / "people.csv", people))
    with ingest_for(tmp_path) as (counter, fake):
        done = counter.run("--crossings", path, "--speed", "0", "--network-time-from", "200000", "--no-date")
        assert done.returncode == 0, done.stdout + done.stderr
        check_arrived(fake, people)


def test_only_one_process_can_use_a_queue(tmp_path: Path) -> None:
    path = str(write_crossings(tmp_path / "people.csv", [(10_000_000, 1)]))
    counter = set_up_counter(tmp_path, "http://127.0.0.1:9")
    first = counter.start("--crossings", path)
    try:
        assert first.stdout is not None
        assert first.stdout.readline().startswith("queue formatted")
        second = counter.run("--crossings", path)
        assert (second.returncode, "another process uses it" in second.stderr) == (1, True)
    finally:
        first.kill()
        first.communicate()


@pytest.mark.parametrize(
    "options",
    [[], ["--speed", "x"], ["--crossings"], ["--nonsense", "1"], ["--crossings", "missing.csv"],
     ["--trace", "a", "--crossings", "b"]],
)  # fmt: skip
def test_usage_error_is_explained(tmp_path: Path, options: list[str]) -> None:
    done = set_up_counter(tmp_path, "http://127.0.0.1:9").run(*options)
    assert done.returncode == 2
    assert done.stderr.startswith("counter: ")
