"""Builds the firmware for the tests that ask for it, and loads it: programs by name, the core through ctypes.

Building is incremental and locked (firmware/build.py), so each test process asks once and pays only for what changed.
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
    """Return how firmware/build.py ended; it runs once for each set of *options*."""
    command = [sys.executable, str(FIRMWARE / "build.py"), "--no-install", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def built(*options: str) -> str:
    """Return what the build printed; skip the test without a compiler, fail it where the code does not compile."""
    build = run_build(*options)
    if build.returncode == NO_COMPILER:
        pytest.skip(build.stderr.strip())
    if build.returncode != 0:
        pytest.fail(f"the firmware does not build:\n{build.stdout}{build.stderr}", pytrace=False)
    return build.stdout


def program(name: str, *, sanitize: bool = False) -> Path:
    """Return the path of the host program *name*, built; with ASan and UBSan when *sanitize*."""
    built(*(["--sanitize"] if sanitize else []))
    return FIRMWARE / "build" / ("sanitize" if sanitize else "") / name


@functools.cache
def library() -> ctypes.CDLL:
    """Return the core with its extern "C" functions (firmware/host/*_shim.cpp); argument types are the caller's."""
    built()
    return ctypes.CDLL(str(FIRMWARE / "build" / "libfootfall.so"))
