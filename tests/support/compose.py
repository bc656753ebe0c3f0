"""Compose files as the real Compose reads them. No Docker engine is needed."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MAIN, REPLICAS, ELSEWHERE = "docker-compose.yml", "compose.replicas.yml", "compose.elsewhere.yml"
PROFILES = ("demo", "tls", "tools")


def tool(name: str) -> str:
    """Return the path of the program *name* in this virtual environment."""
    return str(Path(sys.executable).with_name(name))


def resolved(*files: str, profiles: Sequence[str] = (), **variables: str) -> Any:
    """Return *files*, merged and with all variables filled in. *variables* are the environment."""
    command = [tool("docker-compose"), "--env-file", os.devnull]
    for file in files or (MAIN,):
        command += ["--file", str(ROOT / file)]
    for profile in profiles:
        command += ["--profile", profile]
    done = subprocess.run(
        [*command, "config", "--format", "json"],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **variables},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return json.loads(done.stdout)


def everything() -> Any:
    """Return the deployment with every profile and all replicas."""
    return resolved(MAIN, REPLICAS, profiles=PROFILES)
