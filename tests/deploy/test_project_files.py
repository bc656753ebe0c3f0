"""The files around the code: the gate, the lock files, and what GitHub reads."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.compose import ROOT, tool

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
REQUIREMENTS: dict[str, list[str]] = {
    "product": PYPROJECT["project"]["dependencies"],
    **PYPROJECT["project"]["optional-dependencies"],
    **PYPROJECT["dependency-groups"],
}
RECORDER = '#!/bin/sh\necho "$0 $*" >>"$RECORD"\n'


def pins(name: str) -> dict[str, str]:
    """Return the version of each package that requirements/*name*.txt locks."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", text, flags=re.MULTILINE))


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


@pytest.mark.parametrize("name", ["product", "demo", "dev", "build", "firmware"])
def test_lock_has_every_dependency_within_its_range(name: str) -> None:
    """A range changed in pyproject.toml without `make lock` would install what the range forbids."""
    locked = pins(name)
    for requirement in map(Requirement, REQUIREMENTS[name]):
        if requirement.name != "footfall":  # footfall[demo]: Footfall's own
            assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)]), str(requirement)


@pytest.mark.parametrize("name", ["product", "demo", "build"])
def test_locks_agree_on_versions(name: str) -> None:
    """The tests run with what the image and the demo install."""
    tested = {**pins("build"), **pins("dev")}
    assert pins(name).items() <= tested.items()


def test_pre_commit_runs_programs_of_the_environment() -> None:
    """The configuration is valid, and each hook is installed with the tests."""
    done = subprocess.run(
        [tool("pre-commit"), "validate-config", str(ROOT / ".pre-commit-config.yaml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stdout
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    for hook in config["repos"][0]["hooks"]:
        program = hook["entry"].split()[0]
        assert Path(tool(program.removeprefix(".venv/bin/"))).exists(), program


def test_spelling_is_checked(tmp_path: Path) -> None:
    """A misspelt word in an identifier is found."""
    (tmp_path / "wrong.py").write_text("_".join(["reci" + "eved", "batches"]) + " = 1\n", encoding="utf-8")
    command = [tool("typos"), "--config", str(ROOT / "pyproject.toml"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "received" in done.stdout
