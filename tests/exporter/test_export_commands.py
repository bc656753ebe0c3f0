"""`footfall export` and `deliveries`: which days go out, output neither doubled nor cut, and files replaced whole."""

import os
import pty
import stat
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import click
import pytest

from footfall.store.journal import Journal
from footfall.store.ledger_reader import LedgerReader
from footfall.store.ledger_schema import FILE_NAME as LEDGER
from footfall.store.ledger_schema import State
from harness.installation import Installation, free_port, install
from tests.support.exporter_rig import file_of

DAYS = [date.today() - timedelta(days=number) for number in (3, 2)]  # noqa: DTZ011 - over in every zone
PROFILE = """
[profiles.{name}]
site = "alliance"
destination = "{name}"
deliver_from = {since}
file_name = "{{day:%d_%m_%Y}}_[bold]counter[x]data-1.csv"
[destinations.{name}]
kind = "folder"
folder = "{name} [door]"
"""


def name_of(day: date) -> str:
    return file_of(str(day)).replace("counterdata", "[bold]counter[x]data")


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    """Return two profiles with two owed days each, past give_up_at. No counter ever reported."""
    profiles = "".join(PROFILE.format(name=name, since=DAYS[0]) for name in ("east", "west"))
    installed = install(tmp_path / "site", profile=profiles)
    for name in ("east", "west"):
        (installed.folder / f"{name} [door]").mkdir()
    Journal(installed.journal).close()
    return installed


def files_of(here: Installation, name: str) -> set[str]:
    return {path.name for path in (here.folder / f"{name} [door]").iterdir()}


def test_only_the_named_profile_is_delivered(here: Installation) -> None:
    here.run("export", "--deliver", "--profile", "west")
    assert {name_of(day) for day in DAYS} <= files_of(here, "west")
    assert files_of(here, "east") == set()
    assert b"west" not in here.run("deliveries", "--owed", "--profile", "east").stdout
    for command in (["export", "--deliver"], ["deliveries", "--owed"]):
        refused = here.run(*command, "--profile", "nobody", check=False)
        assert refused.stderr == b"footfall: footfall.toml: unknown profile 'nobody'; known: east, west\n"


def test_failed_delivery_is_recorded_as_blocked_while_influxdb_is_down(here: Installation) -> None:
    """If a timer runs `export --deliver`, no daemon looks afterwards: pages must not call a blocked day due."""
    (here.folder / "token").write_text("token\n")
    with (here.folder / "footfall.toml").open("a") as file:
        file.write(f'[influxdb]\nurl = "http://127.0.0.1:{free_port()}"\ntoken_file = "token"\n')
    (here.folder / "west [door]").rmdir()
    (here.folder / "west [door]").write_text("no folder")
    here.run("export", "--deliver", "--profile", "west", check=False)
    states = {(one.profile, one.day): one.state for one in LedgerReader(here.data / LEDGER).standings()}
    assert {states["west", day] for day in DAYS} == {State.BLOCKED}


def test_blocked_days_of_another_profile_stay_blocked(here: Installation) -> None:
    for name in ("east", "west"):
        (here.folder / f"{name} [door]").rmdir()
        (here.folder / f"{name} [door]").write_text("no folder")
    here.run("export", "--deliver", check=False)
    for name in ("east", "west"):
        (here.folder / f"{name} [door]").unlink()
        (here.folder / f"{name} [door]").mkdir()
    here.run("export", "--deliver", "--profile", "west")
    lines = here.run("deliveries", "--owed").stdout.decode().splitlines()
    owed = [line for line in lines if line.startswith(tuple(map(str, DAYS)))]
    assert len(owed) == len(DAYS)
    assert all("  east     blocked: needs action  " in line for line in owed)
    assert all(line.endswith("; then: footfall export --deliver") for line in owed)


@pytest.mark.parametrize("days", [["--day", str(DAYS[0])], []])
def test_output_and_deliver_together_are_refused(here: Installation, days: list[str]) -> None:
    done = here.run("export", *days, "--profile", "east", "--deliver", "--output", "a.csv", check=False)
    assert (done.returncode, done.stderr) == (
        2, b"footfall: --output and --deliver cannot be combined (write a file, or deliver: choose one)\n",
    )  # fmt: skip
    assert files_of(here, "east") == set()


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "9999-12-31"])
def test_day_outside_the_supported_years_is_refused(here: Installation, day: str) -> None:
    done = here.run("export", "--day", day, "--profile", "east", "--output", "-", check=False)
    assert done.stderr == b"footfall: files exist only for days from 2000-01-01 to 2999-12-31 (check the year)\n"


def test_file_is_replaced_whole_and_keeps_its_mode_and_link(here: Installation) -> None:
    (here.folder / "kept").write_text("old")
    (here.folder / "kept").chmod(0o600)
    (here.folder / "link").symlink_to("kept")
    reader = (here.folder / "kept").open()
    here.run("export", "--day", str(DAYS[0]), "--profile", "east", "--output", "link")
    with reader:
        assert reader.read() == "old"
    assert (here.folder / "link").is_symlink()
    assert (here.folder / "kept").read_text().count("\n") == 44
    assert stat.S_IMODE((here.folder / "kept").stat().st_mode) == 0o600
    assert not list(here.folder.glob("*.part"))


def test_device_that_cannot_be_written_is_left_alone(here: Installation) -> None:
    done = here.run("export", "--day", str(DAYS[0]), "--profile", "east", "--output", "/dev/full", check=False)
    assert done.stderr.splitlines()[-1] == (
        b"footfall: cannot write /dev/full: No space left on device (choose another --output)"
    )
    assert not Path("/dev/full").is_file()


def test_failure_is_printed_once_and_names_are_not_taken_for_markup(here: Installation) -> None:
    for name in ("east", "west"):
        (here.folder / f"{name} [door]").rmdir()
    day = str(DAYS[0])
    done = here.run("export", "--day", day, "--profile", "east", "--deliver", check=False)
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(
        f"footfall: deliver {name_of(DAYS[0])} to {here.folder}/east [door]: the folder does not exist"
    )
    (here.folder / "east [door]").mkdir()
    done = here.run("export", "--day", day, "--profile", "east", "--deliver")
    printed, gaps = done.stderr.decode().splitlines()
    assert printed == f"delivered {name_of(DAYS[0])} to east: 44 rows"
    assert gaps.startswith("  with gaps: ALLI1 08:00-19:00")


def test_late_day_is_printed_by_the_command_and_not_logged_too(here: Installation) -> None:
    config = here.folder / "footfall.toml"
    later = 'deliver_at = "19:00"\ngive_up_at = "18:59"\n'
    text = config.read_text().replace(f"deliver_from = {DAYS[0]}\n", f"deliver_from = {DAYS[0]}\n{later}")
    config.write_text(text.replace('"Europe/Paris"', '"Etc/GMT+12"'))
    for command in (["deliveries"], ["deliveries", "--owed"], ["doctor"]):
        done = here.run(*command, check=False)
        assert done.stderr == b""
        lines = [line.split() for line in done.stdout.decode().splitlines() if "  waiting for late counters  " in line]
        assert command == ["doctor"] or {" ".join(line[6:10]) for line in lines} == {"ALLI1, ALLI2; goes out"}


def test_pipe_gets_every_line_whole(here: Installation) -> None:
    for name in ("east", "west"):
        (here.folder / f"{name} [door]").rmdir()
    here.run("export", "--deliver", check=False)
    shown = here.run("deliveries", COLUMNS="80").stdout.decode()
    failed = [line for line in shown.splitlines() if "  failed: deliver" in line]
    assert len(failed) >= 2 * len(DAYS)
    assert f"failed: deliver {name_of(DAYS[0])} to {here.folder}/east [door]: the folder does not exist (check" in shown
    assert all(line.count("  ") >= 4 and line == line.rstrip() for line in failed)


def test_terminal_wraps_long_cells_and_cuts_nothing(here: Installation) -> None:
    for name in ("east", "west"):
        (here.folder / f"{name} [door]").rmdir()
    here.run("export", "--deliver", check=False)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "cli", "deliveries"]
    with subprocess.Popen(
        command, cwd=here.folder, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "xterm"},
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # how Linux says that the other end is closed
            pass
        process.wait()
    os.close(ours)
    lines = click.unstyle(shown.decode()).splitlines()
    assert max(map(len, lines)) <= 80
    start, end = lines[0].index("result"), lines[0].index("rows")
    results = "".join(line[start:end].strip() for line in lines).replace(" ", "")
    wanted = (
        f"failed: deliver {name_of(DAYS[0])} to {here.folder}/east [door]: the folder does not exist (check that the"
    )
    assert wanted.replace(" ", "") in results
