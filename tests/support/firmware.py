"""Builds the firmware for tests and loads it: programs by name, the core through ctypes.

firmware/build.py is incremental and locked, so each test process starts it once and rebuilds only what changed.
"""

import ctypes
import functools
import subprocess
import sys
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
NO_COMPILER = 3  # firmware/build.py's exit status


@functools.cache
def run_build(*options: str) -> subprocess.CompletedProcess[str]:
    """Run firmware/build.py once for each set of *options* and return the result."""
    command = [sys.executable, str(FIRMWARE / "build.py"), "--no-install", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def built(*options: str) -> str:
    """Return the build's output; skip the test without a compiler, fail it if the code does not compile."""
    build = run_build(*options)
    if build.returncode == NO_COMPILER:
        pytest.skip(build.stderr.strip())
    if build.returncode != 0:
        pytest.fail(f"the firmware does not build:\n{build.stdout}{build.stderr}", pytrace=False)
    return build.stdout


def program(name: str, *, sanitize: bool = False) -> Path:
    """Build the host program *name* and return its path; with ASan and UBSan if *sanitize*."""
    built(*(["--sanitize"] if sanitize else []))
    return FIRMWARE / "build" / ("sanitize" if sanitize else "") / name


@functools.cache
def library() -> ctypes.CDLL:
    """Return the core with its extern "C" functions (firmware/host/*_shim.cpp); the caller declares argument types."""
    built()
    return ctypes.CDLL(str(FIRMWARE / "build" / "libfootfall.so"))
