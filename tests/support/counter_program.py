"""Runs firmware/build/counter: the core as a process, with a file as flash and sockets as network."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from footfall.signing import new_key, parse_key
from simulator.people import Crossing
from tests.support.firmware import program

START_EPOCH_MS = 1_777_874_400_000  # 2026-05-04T06:00:00Z


class CounterProgram(NamedTuple):
    """The files and settings of one counter, in its own folder."""

    name: str
    folder: Path
    url: str
    key: str

    @property
    def queue(self) -> Path:
        """The file used as flash."""
        return self.folder / "queue.bin"

    @property
    def raw_key(self) -> bytes:
        """The key's bytes."""
        return parse_key(self.key)

    def command(self, *options: str, sanitize: bool = False) -> list[str]:
        """Return the command that runs it, with *options* added."""
        return [
            str(program("counter", sanitize=sanitize)), "--counter", self.name, "--key-file", str(self.folder / "key"),
            "--url", self.url, "--queue", str(self.queue), "--start", str(START_EPOCH_MS), *options,
        ]  # fmt: skip

    def run(self, *options: str, timeout_s: float = 60) -> "subprocess.CompletedProcess[str]":
        """Run it to its end and return the result."""
        return subprocess.run(
            self.command(*options), capture_output=True, text=True, timeout=timeout_s, check=False
        )  # fmt: skip

    def start(self, *options: str) -> "subprocess.Popen[str]":
        """Start it; the caller waits for it or kills it."""
        return subprocess.Popen(self.command(*options), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def set_up_counter(folder: Path, url: str, name: str = "DOOR1") -> CounterProgram:
    """Return a new counter *name* in *folder* that sends to *url*."""
    folder.mkdir(parents=True, exist_ok=True)
    key = new_key()
    (folder / "key").write_text(f"{key}\n")
    return CounterProgram(name, folder, url, key)


def write_crossings(path: Path, crossings: Sequence[tuple[int, int]]) -> Path:
    """Write (ms on the trace's clock, direction) in the program's format and return *path*."""
    path.write_text("".join(f"{t_ms},{'entry' if direction > 0 else 'exit'}\n" for t_ms, direction in crossings))
    return path


def truth(crossings: Sequence[tuple[int, int]], name: str = "DOOR1") -> tuple[Crossing, ...]:
    """Return the crossings that the server should have."""
    return tuple(Crossing(name, START_EPOCH_MS + t_ms, 1 if direction > 0 else -1) for t_ms, direction in crossings)
