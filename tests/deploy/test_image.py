"""The Dockerfile, what goes into the image, the scripts, and the settings mounted into other images."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.compose import ROOT, tool

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SCRIPTS = [".ci/run", ".ci/setup", *sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("deploy/**/*.sh"))]


def test_dockerfile_is_clean() -> None:
    done = subprocess.run([tool("hadolint"), str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout


def test_image_can_be_made_without_fetching_a_builder_and_from_one_pinned_base() -> None:
    """A `# syntax=` line would be another image to fetch."""
    assert "syntax=" not in DOCKERFILE
    assert re.findall(r"^ARG PYTHON_IMAGE=(.*)$", DOCKERFILE, re.MULTILINE) == ["python:3.13.14-slim-trixie"]
    bases = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert bases == {"${PYTHON_IMAGE}", "build", "base"}


def test_every_package_of_the_image_is_locked_by_hash() -> None:
    """Only Footfall's own wheel has no hash; it is built in the image and installed without an index."""
    installs = re.findall(r"pip (?:--python \S+ )?install (.*?)(?: \\)?$", DOCKERFILE, re.MULTILINE)
    locked = [options for options in installs if options.startswith("--require-hashes --requirement requirements/")]
    assert [options for options in installs if options not in locked] == ["--no-deps --no-index dist/*.whl"]
    assert len(locked) == 3
    assert "pip wheel --no-deps --no-build-isolation" in DOCKERFILE


def test_last_stage_is_the_product_and_nobody_there_is_root() -> None:
    assert DOCKERFILE.rstrip().endswith("FROM base AS footfall")
    base = DOCKERFILE.partition(" AS base\n")[2].partition("\nFROM ")[0]
    assert re.findall(r"^USER (.*)$", base, re.MULTILINE) == ["10001:10001"]
    assert "uninstall --quiet --yes --break-system-packages --root-user-action=ignore pip" in base
    assert "demo" not in base


def test_what_is_copied_is_there_and_nothing_else_reaches_the_builder() -> None:
    """A key or a journal left in the folder cannot get into an image."""
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    }
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    for source in copied:
        assert (ROOT / source).exists()


@pytest.mark.parametrize("script", SCRIPTS)
def test_script_is_clean_and_can_be_run(script: str) -> None:
    """InfluxDB's image runs only executable scripts."""
    done = subprocess.run([tool("shellcheck"), str(ROOT / script)], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout
    assert (ROOT / script).stat().st_mode & 0o111 == 0o111


@pytest.mark.parametrize("name", ["Caddyfile", "balancer.Caddyfile"])
def test_caddy_takes_its_settings(name: str, tmp_path: Path) -> None:
    """By the Caddy of the image's version."""
    command = [tool("caddy"), "validate", "--adapter", "caddyfile", "--config", str(ROOT / "deploy" / "caddy" / name)]
    environment = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert not done.returncode, done.stderr


def test_caddy_that_was_tried_is_the_one_that_is_pinned() -> None:
    printed = subprocess.run([tool("caddy"), "version"], capture_output=True, text=True, check=True).stdout
    version = printed.removeprefix("v").split()[0]
    for file in ("docker-compose.yml", "compose.replicas.yml"):
        assert f"image: caddy:{version}-alpine" in (ROOT / file).read_text(encoding="utf-8")
