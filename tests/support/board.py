"""The counter's application as a process: firmware/src over firmware/host/arduino_check."""

import contextlib
import os
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock

from harness.installation import free_port
from tests.support.firmware import FIRMWARE, built
from tests.support.process_checks import until

HOST = FIRMWARE / "host" / "arduino_check"
BUILD = FIRMWARE / "build"
FLAGS = ["-std=c++17", "-O0", "-fno-exceptions", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
RESTART = 42
OUTER, INNER = 5, 4


def board_program() -> Path:
    """Build and return the application for this machine; skip the test without a compiler."""
    built()
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler: apt-get install g++")
    program = BUILD / "board"
    sources = [*FIRMWARE.glob("src/*.cpp"), *HOST.glob("*.cpp")]
    needed = [*sources, *FIRMWARE.glob("src/*.h"), *HOST.rglob("*.h"), *FIRMWARE.glob("lib/footfall/**/*.h")]
    with FileLock(BUILD / "board.lock"):
        if program.exists() and all(one.stat().st_mtime < program.stat().st_mtime for one in needed):
            return program
        objects = BUILD / "board-objects"
        objects.mkdir(exist_ok=True)
        includes = ["-isystem", str(HOST), *(f"-I{FIRMWARE / part}" for part in ("lib/footfall", "host", "src"))]

        def compiled(source: Path) -> str:
            target = str(objects / f"{source.stem}.o")
            run([compiler, *FLAGS, *includes, "-c", str(source), "-o", target])
            return target

        with ThreadPoolExecutor(2) as pool:
            made = list(pool.map(compiled, sources))
        linked = BUILD / "board.new"
        run([compiler, *made, f"-L{BUILD}", "-lfootfall", f"-Wl,-rpath,{BUILD}", "-lpthread", "-o", str(linked)])
        linked.replace(program)
    return program


def run(command: list[str]) -> None:
    """Run a compiler; if it fails, fail the test with its messages."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@dataclass
class Person:
    """A person who walked through: direction, and when they were midway, in epoch ms."""

    direction: int
    at_ms: int


class Board:
    """A board in *folder*. Orders set its pins and WiFi; its serial output is in ``lines``."""

    def __init__(self, folder: Path, *, first_micros: int = 0) -> None:
        (folder / "files").mkdir(parents=True, exist_ok=True)
        self.folder, self.first_micros = folder, first_micros
        self.portal_port = free_port()
        self.lines: list[str] = []
        self.process: subprocess.Popen[str] | None = None
        self.walked: list[Person] = []

    def switch_on(self) -> None:
        """Start the program with idle pins and without WiFi."""
        variables = {
            "BOARD_FOLDER": str(self.folder),
            "BOARD_PORTAL_PORT": str(self.portal_port),
            "BOARD_MICROS": str(self.first_micros),
        }
        self.process = subprocess.Popen(
            [str(board_program())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | variables
        )
        self._reader = threading.Thread(target=self._read, args=(self.process,), daemon=True)
        self._reader.start()

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line.rstrip("\n"))

    def order(self, *orders: str) -> None:
        """Send orders to the world around the board."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write("".join(f"{order}\n" for order in orders))
        self.process.stdin.flush()

    def type(self, *lines: str) -> None:
        """Type *lines* into the serial console."""
        self.order(*(f"serial {line}" for line in lines))

    def wait_for(self, text: str, times: int = 1) -> None:
        """Wait until *text* is in *times* lines of the serial output."""
        until(lambda: sum(text in line for line in self.lines) >= times, f"{text!r} in {self.lines[-12:]}", 30)

    def wait_for_restart(self) -> None:
        """Wait until the board restarts itself, and switch it on again."""
        assert self.process is not None
        assert self.process.wait(30) == RESTART
        self._release()
        self.switch_on()

    def walk(self, direction: int = 1) -> None:
        """Let a person walk through in 0.4 s of real time."""
        first, second = (OUTER, INNER) if direction == 1 else (INNER, OUTER)
        start_s = time.time()
        for after_s, pin, level in ((0, first, 0), (0.1, second, 0), (0.3, first, 1), (0.4, second, 1)):
            time.sleep(max(0.0, start_s + after_s - time.time()))
            self.order(f"pin {pin} {level}")
        self.walked.append(Person(direction, round((start_s + 0.2) * 1000)))

    def unplug(self) -> None:
        """Kill the process, like a power cut."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self._release()

    def _release(self) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self._reader.join(30)
        self.process = None
