"""The systemd units, for installations without Docker."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from cli import COMMANDS
from tests.support.compose import ROOT

FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(path.name for path in FOLDER.glob("footfall-*.*"))


def read_unit(name: str) -> configparser.ConfigParser:
    """Return the unit *name*."""
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names in units have capitals
    unit.read_string((FOLDER / name).read_text(encoding="utf-8"))
    return unit


def test_units_pass_systemd_itself(tmp_path: Path) -> None:
    """With /bin/true in place of /opt/footfall/bin/footfall, which must exist."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    for name in UNITS:
        text = (FOLDER / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("/opt/footfall/bin/footfall", "/bin/true"))
    command = ["systemd-analyze", "verify", *(str(tmp_path / name) for name in UNITS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    assert not [line for line in done.stderr.splitlines() if "footfall" in line]


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_unit_runs_a_command_as_its_own_user_in_its_own_folder(name: str) -> None:
    service = read_unit(name)["Service"]
    start = service["ExecStart"].split()
    assert (start[0], start[1] in {command.name for command in COMMANDS}) == ("/opt/footfall/bin/footfall", True)
    assert (service["User"], service["Group"]) == ("footfall", "footfall")
    assert service["ReadWritePaths"] == service["WorkingDirectory"] == "/srv/footfall"
    assert (service["ProtectSystem"], service["NoNewPrivileges"]) == ("strict", "true")


def test_timer_catches_up_after_the_machine_was_off() -> None:
    """One start delivers all owed days, because the ledger knows them."""
    timer = read_unit("footfall-deliver.timer")["Timer"]
    assert timer["Persistent"] == "true"
    service = read_unit("footfall-deliver.service")["Service"]
    assert service["Type"] == "oneshot"
    assert re.search(r"footfall export --deliver$", service["ExecStart"])
