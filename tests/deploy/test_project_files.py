"""The files around the code: the gate, the lock files, and what GitHub reads."""

import json
import re
import shutil
import subprocess
import sys
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
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCHEMAS = {
    **{f".github/workflows/{path.name}": "vendor.github-workflows" for path in WORKFLOWS},
    ".github/ISSUE_TEMPLATE/bug.yml": "vendor.github-issue-forms",
    ".github/ISSUE_TEMPLATE/feature.yml": "vendor.github-issue-forms",
    ".github/ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
    ".github/dependabot.yml": "vendor.dependabot",
}
RECORDER = '#!/bin/sh\necho "$0 $*" >>"$RECORD"\n'


def run(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Return what *command* printed, whether or not it failed."""
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def workflow(name: str) -> Any:
    """Return the workflow *name*, parsed."""
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8"))


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
    done = run(tool("pre-commit"), "validate-config", ".pre-commit-config.yaml")
    assert not done.returncode, done.stdout
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    for hook in config["repos"][0]["hooks"]:
        program = hook["entry"].split()[0]
        assert Path(tool(program.removeprefix(".venv/bin/"))).exists(), program


def test_spelling_is_checked(tmp_path: Path) -> None:
    """A misspelt word in an identifier is found."""
    wrong = "received_batches = 1\n".replace("ei", "ie")
    (tmp_path / "wrong.py").write_text(wrong, encoding="utf-8")
    done = run(tool("typos"), "--config", "pyproject.toml", str(tmp_path))
    assert done.returncode == 2
    assert "received" in done.stdout


@pytest.mark.parametrize("file", SCHEMAS)
def test_file_that_github_reads_fits_its_schema(file: str) -> None:
    """GitHub ignores a file it cannot read, often silently."""
    for command in (["check-jsonschema", "--builtin-schema", SCHEMAS[file]], ["yamllint", "--strict"]):
        done = run(tool(command[0]), *command[1:], file)
        assert not done.returncode, done.stdout


def test_every_file_that_github_reads_is_checked() -> None:
    """A new form or workflow gets a schema above."""
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / ".github").rglob("*.yml")}
    assert found == set(SCHEMAS)


def test_workflows_are_clean() -> None:
    """Expressions, contexts, inputs of actions, and the shell scripts inside."""
    done = run(tool("actionlint"), "-shellcheck", tool("shellcheck"), *map(str, WORKFLOWS))
    assert not done.returncode, done.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflow_pins_actions_and_asks_for_little(path: Path) -> None:
    """A tag can be moved to other code, a commit cannot. Jobs read the repository unless they ask for more."""
    text = path.read_text(encoding="utf-8")
    for action, where in re.findall(r"uses: ([^./@][^@\n]*)@(.*)$", text, flags=re.MULTILINE):
        assert re.fullmatch(r"[0-9a-f]{40}   # v\d+\.\d+\.\d+", where), action
    parsed = yaml.safe_load(text)
    assert parsed["permissions"] == {"contents": "read"}
    for name, job in parsed["jobs"].items():
        assert "timeout-minutes" in job or "uses" in job, name


def test_ci_runs_the_gate_on_every_supported_python() -> None:
    """From the oldest that pyproject.toml allows to the newest that it names."""
    named = [
        found[1]
        for line in PYPROJECT["project"]["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line))
    ]
    assert PYPROJECT["project"]["requires-python"] == f">={named[0]}"
    gate = workflow("ci")["jobs"]["gate"]
    assert gate["strategy"]["matrix"]["python"] == named
    assert gate["steps"][-1] == {"run": ".ci/run"}


def test_image_is_built_for_both_architectures() -> None:
    """Before a release as in one."""
    platforms = workflow("image")["jobs"]["build"]["strategy"]["matrix"]["platform"]
    steps = workflow("release")["jobs"]["image"]["steps"]
    (released,) = [step["with"]["platforms"] for step in steps if "build-push" in step["uses"]]
    assert platforms == released.split(",") == ["linux/amd64", "linux/arm64"]


def test_private_reports_go_to_this_repository() -> None:
    """One address in the package, the issue chooser and SECURITY.md."""
    advisories = PYPROJECT["project"]["urls"]["Source"] + "/security/advisories/new"
    config = yaml.safe_load((ROOT / ".github/ISSUE_TEMPLATE/config.yml").read_text(encoding="utf-8"))
    assert config["contact_links"][0]["url"] == advisories
    assert f"]({advisories})" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_dev_container_sets_itself_up() -> None:
    """With the system packages and the packages of the tests."""
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container["postCreateCommand"] == ".ci/setup && make .venv/.for-dev"
    assert container["image"].endswith("-bookworm"), ".ci/setup installs packages of Debian 12"


RELEASED = "## [Unreleased]\n\n## [1.2.0] - 2026-12-01\n\n### Fixed\n\n- A.\n\n## [1.1.0] - 2026-11-01\n\n- B.\n"


def release_notes(folder: Path, tag: str, changelog: str) -> subprocess.CompletedProcess[str]:
    """Return what the release workflow's check says of *tag* in a project of version 1.2.0."""
    (folder / "pyproject.toml").write_text('[project]\nversion = "1.2.0"\n', encoding="utf-8")
    (folder / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    return run(sys.executable, str(ROOT / ".ci/release_notes.py"), tag, cwd=folder)


def test_release_notes_are_the_changelog_of_that_version(tmp_path: Path) -> None:
    """Neither the heading nor the version before."""
    done = release_notes(tmp_path, "v1.2.0", RELEASED)
    assert (done.returncode, done.stdout) == (0, "### Fixed\n\n- A.\n")


@pytest.mark.parametrize(
    ("tag", "changelog", "reason"),
    [
        ("v1.2.1", RELEASED, "tag v1.2.1 does not match version 1.2.0 in pyproject.toml: tag v1.2.0"),
        ("1.2.0", RELEASED, "tag 1.2.0 does not match version 1.2.0 in pyproject.toml: tag v1.2.0"),
        ("v1.2.0", RELEASED.replace("1.2.0", "Unreleased"), "CHANGELOG.md has no text under a heading"),
        ("v1.2.0", RELEASED.replace("### Fixed\n\n- A.\n", ""), "CHANGELOG.md has no text under a heading"),
    ],
)
def test_release_stops_when_tag_version_and_changelog_disagree(
    tmp_path: Path, tag: str, changelog: str, reason: str
) -> None:
    """The message says which."""
    done = release_notes(tmp_path, tag, changelog)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"release_notes: {reason}")
