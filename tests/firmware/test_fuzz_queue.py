"""Torn and damaged queue files by the thousand, with ASan and UBSan (firmware/host/fuzz_queue.cpp)."""

import subprocess

import pytest

from tests.support.firmware import program


def fuzz(count: int, seed: int) -> "subprocess.CompletedProcess[str]":
    """Return how the fuzzer ended."""
    command = [str(program("fuzz_queue", sanitize=True)), str(count), str(seed)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_torn_queues_keep_every_promise(seed: int) -> None:
    """No crash, no sanitizer report, no seq repeated, nothing durable lost, no span over a missing crossing."""
    done = fuzz(5_000, seed)
    assert (done.returncode, done.stdout) == (0, "5000 torn queues, every promise kept\n"), done.stderr[-4000:]
