"""`footfall up`: all of Footfall on one machine, from the doors to the client's file, and how it stops."""

import csv
import os
import signal
from collections import Counter as Tallied
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from footfall.store.ledger_schema import FILE_NAME as LEDGER
from harness.installation import STOP_TIMEOUT_S, Installation, free_port
from tests.support.process_checks import until
from tests.support.zones import zone_where_it_is_day

pytestmark = pytest.mark.slow

DELIVERY = """
[destinations.share]
kind = "folder"
folder = "share"

[exporter]
look_every_s = 1
"""
DOORS = {"DOOR1": ("Main door", "Hall"), "DOOR2": ("Garden door", "Court, left")}


def set_up(folder: Path, zone: ZoneInfo, yesterday: date) -> Installation:
    """Return an installation made as a technician makes it: with commands and an editor."""
    port = free_port()
    Installation(folder, port).run("init", "site", "--site", "alliance", "--name", "Alliance", "--timezone", zone.key)
    here = Installation(folder / "site", port)
    for counter, (name, location) in DOORS.items():
        here.run("counter", "add", counter, "--name", name, "--location", location)
    path = here.folder / "footfall.toml"
    lines = path.read_text().splitlines()
    edited = {
        '# listen = "127.0.0.1:8080"': f'listen = "127.0.0.1:{port}"',
        '# destination = "client"': 'destination = "share"',
        "deliver_from = ": f"deliver_from = {yesterday}",
        '# give_up_at = "12:00"': 'give_up_at = "19:30"',
    }
    for old, new in edited.items():
        (number,) = (number for number, line in enumerate(lines) if line.startswith(old))
        lines[number] = new
    path.write_text("\n".join(lines) + DELIVERY)
    (here.folder / "share").mkdir()
    return here


def expected_file(truth: Path, zone: ZoneInfo, day: date) -> bytes:
    """Return the client's file of *day* computed from *truth*."""
    people: Tallied[tuple[str, str, str]] = Tallied()
    with truth.open() as file:
        for row in csv.DictReader(file):
            local = datetime.fromtimestamp(int(row["time_epoch_ms"]) / 1000, zone)
            assert local.date() == day
            clock = f"{local:%H}:{'30' if local.minute >= 30 else '00'}:00"
            people[clock, row["counter"], row["direction"]] += 1
    assert people.total() > 100
    rows = []
    for half_hour in range(16, 38):
        clock = f"{half_hour // 2:02}:{half_hour % 2 * 30:02}:00"
        for counter, (name, location) in DOORS.items():
            both = f"{people[clock, counter, '1']},{people[clock, counter, '-1']}"
            written = f'"{location}"' if "," in location else location
            rows.append(f"{day.year}-{day.month}-{day.day},{clock},{both},{counter},{name},{written},Alliance,ALLI\n")
    return "".join(rows).encode()


def processes_of(session: int) -> dict[int, str]:
    """Return the command lines of the live processes of *session*, by pid."""
    found = {}
    for entry in Path("/proc").iterdir():
        try:
            state, _, _, of = (entry / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(of) == session and state not in "ZX":
                found[int(entry.name)] = (entry / "cmdline").read_text().replace("\0", " ")
        except (OSError, ValueError):
            continue  # no process, or it has just ended
    return found


def test_day_is_delivered_to_the_client_without_any_command(tmp_path: Path) -> None:
    zone = zone_where_it_is_day()
    yesterday = datetime.now(zone).date() - timedelta(days=1)
    here = set_up(tmp_path, zone, yesterday)
    share, name = here.folder / "share", f"{yesterday:%d_%m_%Y}_counterdata-1.csv"
    with here.serving("up"):
        printed = here.run("simulate", "--day", str(yesterday), "--people", "150", "--truth", "truth.csv").stdout
        assert b" crossings simulated: " in printed
        until((share / name).exists, "the file is delivered")
        assert (share / name).read_bytes() == expected_file(here.folder / "truth.csv", zone, yesterday)
        until(lambda: here.run("deliveries", "--owed").stdout == b"nothing is owed\n", "the delivery is recorded")
        assert here.run("deliveries").stdout.count(b" delivered ") == 1
    assert [path.name for path in share.iterdir()] == [name]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_no_process_survives_up_however_it_ends(tmp_path: Path, number: signal.Signals) -> None:
    """An orphan would hold the port and the journal, or deliver in parallel with the next exporter."""
    zone = zone_where_it_is_day()
    here = set_up(tmp_path, zone, datetime.now(zone).date())
    with here.serving("up") as up:
        until((here.data / LEDGER).exists, "the exporter runs")
        running = processes_of(up.pid)
        assert len(running) >= 3, "ingest's supervisor, its worker, and the exporter"
        assert sum(" exporter " in command for command in running.values()) == 1
        os.kill(up.pid, number)
        assert up.wait(STOP_TIMEOUT_S) == (-number if number == signal.SIGKILL else 0)
        until(lambda: not processes_of(up.pid), "all processes have ended")
    assert "Traceback" not in (here.folder / "up.log").read_text()
    with here.serving("up"):
        assert here.get("/api/v1/sites")["sites"][0]["id"] == "alliance"


def test_killed_exporter_is_restarted(tmp_path: Path) -> None:
    zone = zone_where_it_is_day()
    here = set_up(tmp_path, zone, datetime.now(zone).date())
    with here.serving("up") as up:

        def exporters() -> set[int]:
            return {pid for pid, command in processes_of(up.pid).items() if " exporter " in command}

        until(lambda: len(exporters()) == 1, "the exporter runs")
        (first,) = exporters()
        os.kill(first, signal.SIGKILL)
        until(lambda: bool(exporters() - {first}), "a new exporter runs")
        here.wait_ready()
    assert "exporter ended with status -9; restarting it" in (here.folder / "up.log").read_text()


def test_exporter_alone_stops_on_sigterm(tmp_path: Path) -> None:
    zone = zone_where_it_is_day()
    here = set_up(tmp_path, zone, datetime.now(zone).date())
    with here.serving("exporter") as exporter:
        until((here.data / LEDGER).exists, "the exporter runs")
        exporter.send_signal(signal.SIGTERM)
        assert exporter.wait(STOP_TIMEOUT_S) == 0
