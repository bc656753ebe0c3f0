"""The files around the code: the gate, the lock files, and what GitHub reads."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.compose import ROOT

RECORDER = '#!/bin/sh\necho "$0 $*" >>"$RECORD"\n'


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """Return a folder for PATH: bash, no Python, and an apt-get, make and sudo that only record their calls."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "dirname", "env", "id"):
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    for name in ("apt-get", "make", "sudo"):
        (folder / name).write_text(RECORDER, encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def test_gate_without_ci_names_missing_packages_and_changes_nothing(bare_path: Path, tmp_path: Path) -> None:
    """A developer's machine is the developer's: the gate stops before it installs or runs anything."""
    record = tmp_path / "record"
    done = subprocess.run(
        [shutil.which("bash") or "bash", str(ROOT / ".ci/run")],
        env={"PATH": str(bare_path), "RECORD": str(record)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert not record.exists(), record.read_text(encoding="utf-8")
    packages = done.stderr.splitlines()[0].removeprefix("missing packages: ")
    assert {"influxdb", "chromium", "python3-venv", "gcc-xtensa-lx106"} <= set(packages.split())
    assert done.stderr.splitlines()[1].endswith(f"apt-get install --no-install-recommends {packages}")
