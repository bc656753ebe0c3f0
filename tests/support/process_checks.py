"""Waits for a state, and inspects processes through /proc."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.installation import Installation, kill_session


def require_proc() -> None:
    """Skip the test on a system without /proc."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc: run it on Linux")


def until(happened: Callable[[], bool], what: str, timeout_s: float = 300) -> None:
    """Return once *happened*. Fail the test, naming *what*, after a time that no working machine needs."""
    give_up_s = time.monotonic() + timeout_s
    while not happened():
        if time.monotonic() > give_up_s:
            pytest.fail(f"still waiting after {timeout_s:.0f} s: {what}")
        time.sleep(0.01)


class MortalIngest:
    """`footfall ingest`, to kill and start again on the same port."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.deaths = 0
        self.process = installation.start()

    def kill(self) -> None:
        """Kill ingest and all its processes, as a power cut would."""
        self.deaths += 1
        kill_session(self.process)

    def start(self) -> None:
        """Start ingest again, and return once it is ready."""
        self.process = self.installation.start()


def is_forwarded(installation: Installation) -> bool:
    """Return whether InfluxDB has everything that *installation* stored."""
    progress = installation.get("/api/v1/forwarder")
    return progress["waiting"] == 0 and progress["last_error"] is None


def holders_of(path: Path) -> set[int]:
    """Return the pids of the processes that have *path* open."""
    found = set()
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            targets = {descriptor.readlink() for descriptor in (process / "fd").iterdir()}
        except OSError:  # ended, or not ours
            continue
        if path in targets:
            found.add(int(process.name))
    return found
