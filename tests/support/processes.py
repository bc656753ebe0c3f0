"""Looks at real processes, through /proc."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest


def require_proc() -> None:
    """Skip the test where there is no /proc."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc: run it on Linux")


def until(happened: Callable[[], bool], what: str, timeout_s: float = 60) -> None:
    """Return once *happened*; fail the test, naming *what*, when it takes longer than any machine would."""
    give_up_s = time.monotonic() + timeout_s
    while not happened():
        if time.monotonic() > give_up_s:
            pytest.fail(f"never came true: {what}")
        time.sleep(0.01)


def holders_of(path: Path) -> set[int]:
    """Return the pids of the processes that have the file at *path* open now."""
    found = set()
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            targets = {descriptor.readlink() for descriptor in (process / "fd").iterdir()}
        except OSError:  # it ended, or is not ours
            continue
        if path in targets:
            found.add(int(process.name))
    return found
