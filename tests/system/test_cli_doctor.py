"""`footfall doctor` finds what is wrong, says what to do, and is quiet about the rest."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from cli import doctor, main
from footfall.errors import FootfallError
from footfall.finding import Finding
from footfall.model import Arrival, Count, Span
from footfall.store.journal import Journal
from harness.installation import PROFILE, Installation, install
from tests.support.influx_fixtures import InfluxDatabase
from tests.support.influx_stores import forwarded
from tests.support.sftp_server import SftpServer, make_key, public_line

SFTP = """
[destinations.client]
host = "127.0.0.1"
port = {port}
user = "footfall"
host_key = {keys}
"""


class Diagnosis(NamedTuple):
    """What doctor printed for each subject, the hints, and the exit status."""

    texts: dict[str, str]
    hints: dict[str, str]
    last: str
    status: int


def diagnose(here: Installation, *options: str, **variables: str) -> Diagnosis:
    done = here.run("doctor", *options, check=False, **variables)
    assert done.stderr == b""
    *lines, last = done.stdout.decode().splitlines()
    texts: dict[str, str] = {}
    hints: dict[str, str] = {}
    subject = ""
    for line in lines:
        if line[:4] in ("ok  ", "!!  "):
            subject, _, text = line[4:].partition(": ")
            texts[subject] = text
        else:  # what to do may take several lines
            hints[subject] = hints.get(subject, "") + line.removeprefix("    -> ") + "\n"
    assert len(hints) == sum(line.startswith("!!") for line in lines)
    return Diagnosis(texts, {one: hint.rstrip() for one, hint in hints.items()}, last, done.returncode)


def heard(here: Installation, counter: str, ago_s: float = 0, *, clashes: bool = False) -> None:
    """Store a batch of *counter* as received *ago_s* seconds ago, and one that *clashes* with it."""
    received_epoch_ms = int((time.time() - ago_s) * 1000)
    span = Span(received_epoch_ms - 60_000, received_epoch_ms)
    batches = [Arrival(counter, "s", (Count(1, span.from_epoch_ms, 1, 0),), span, received_epoch_ms)]
    if clashes:
        batches.append(Arrival(counter, "s", (Count(1, span.from_epoch_ms, 0, 1),), span, received_epoch_ms))
    with closing(Journal(here.journal)) as journal:
        journal.append(batches)


def test_all_is_well_where_it_is(tmp_path: Path) -> None:
    """Counters count, ingest runs, the share is there; a counter removed today is not a problem."""
    more = '[destinations.share]\nkind = "folder"\nfolder = "share"\n'
    here = install(tmp_path / "site", ("ALLI1", "ALLI2", "ALLI3"), profile=PROFILE + more)
    (here.folder / "share").mkdir()
    for counter in ("ALLI1", "ALLI2"):
        heard(here, counter)
    here.run("counter", "remove", "ALLI3")
    with here.serving():
        found = diagnose(here, "--deep")
    assert (found.hints, found.last, found.status) == ({}, "all is well", 0)
    assert found.texts["configuration"] == "footfall.toml: 1 site, 3 counters, 1 profile"
    assert found.texts["journal"].endswith(", sums equal crossings")
    assert found.texts["ingest"] == f"answers at {here.url} and can write to the journal"
    assert found.texts["counter ALLI1"] == found.texts["counter ALLI2"] == "is counting"
    assert found.texts["destination share"] == f"folder {here.folder / 'share'} exists and is writable"
    assert "counter ALLI3" not in found.texts


def test_exporter_on_a_machine_of_its_own_is_well_and_hears_of_counters(
    tmp_path: Path, influx_database: InfluxDatabase
) -> None:
    """Ingest and its journal are elsewhere, which is no problem. InfluxDB has the state of the counters."""
    now_ms = int(time.time() * 1000)
    with forwarded(tmp_path / "elsewhere.sqlite", influx_database) as ingest:
        span = Span(now_ms - 7_260_000, now_ms - 7_200_000)
        ingest.keep(Arrival("ALLI1", "s", (Count(1, span.from_epoch_ms, 1, 0),), span, now_ms))
        ingest.keep(Arrival("ALLI2", "s", (Count(1, span.from_epoch_ms, 1, 0),), span, now_ms - 7_200_000))
    here = install(tmp_path / "site")
    found = diagnose(
        here, FOOTFALL_STORE="influxdb", FOOTFALL_INFLUXDB_URL=influx_database.url,
        FOOTFALL_INFLUXDB_TOKEN=influx_database.token, FOOTFALL_INFLUXDB_ORG=influx_database.org,
        FOOTFALL_INFLUXDB_BUCKET=influx_database.influx_bucket,
    )  # fmt: skip
    assert found.texts["ingest"].startswith("runs on another machine")
    assert found.texts["counter ALLI1"] == "is counting"
    assert found.texts["counter ALLI2"].startswith("is silent since")
    assert set(found.hints) == {"counter ALLI2"}


def test_what_was_never_started_is_said_to_be_missing(tmp_path: Path) -> None:
    found = diagnose(install(tmp_path / "site", ()))
    assert found.hints == {
        "journal": "start ingest once: footfall up",
        "ingest": "start it: footfall up, or its service",
        "counters": "footfall counter add ID --name N --location L",
    }
    assert (found.last, found.status) == ("3 problems found", 1)


def test_every_counter_that_does_not_count_is_found(tmp_path: Path) -> None:
    here = install(tmp_path / "site", ("FINE1", "MUTE2", "NEW3", "TWIN4", "BARE5", "GONE6"))
    for counter, ago_s, clashes in (
        ("FINE1", 60, False),
        ("MUTE2", 3600, False),
        ("TWIN4", 0, True),
        ("GONE6", 0, False),
    ):
        heard(here, counter, ago_s, clashes=clashes)
    keys = here.data / "keys.toml"
    keys.write_text("\n".join(line for line in keys.read_text().splitlines() if "BARE5" not in line))
    config = (here.folder / "footfall.toml").read_text()
    (here.folder / "footfall.toml").write_text(
        config.replace("[counters.GONE6]", "[counters.GONE6]\nuntil = 2026-01-01")
    )
    last = datetime.fromtimestamp(time.time() - 3600, ZoneInfo("Europe/Paris"))
    found = diagnose(here)
    assert set(found.hints) == {"ingest", "counter MUTE2", "counter NEW3", "counter BARE5"}
    assert found.texts["counter MUTE2"].startswith(f"is silent since {last:%Y-%m-%d %H:}")
    assert found.texts["counter NEW3"] == "has never sent a batch"
    assert found.texts["counter TWIN4"] == "is counting; 1 conflict: do two devices use this id?"
    assert found.hints["counter BARE5"] == "footfall counter rotate-key BARE5"
    assert "counter GONE6" not in found.texts


def test_server_that_shows_another_key_is_found_and_one_without_a_key_has_its_key_shown(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with SftpServer(tmp_path / "in", password="secret") as server:
        hosts = {"right": server.host_key_line, "wrong": public_line(make_key("ssh-ed25519")), "none": ""}
        seen = {}
        for name, line in hosts.items():
            keys = f'["{line}"]' if line else "[]"
            more = PROFILE + SFTP.format(port=server.port, keys=keys)
            here = install(tmp_path / name, profile=more)
            seen[name] = diagnose(here, FOOTFALL_PASSWORD_CLIENT="secret")
    subject = "destination client"
    assert subject not in seen["right"].hints
    assert seen["right"].texts[subject].startswith(f"127.0.0.1:{server.port} host key matches, logged in as footfall")
    assert "host key" in seen["wrong"].texts[subject]
    assert subject in seen["wrong"].hints
    assert server.host_key_line in seen["none"].texts[subject] + seen["none"].hints[subject]
    assert list((tmp_path / "in").iterdir()) == []


def test_share_that_is_away_and_days_that_wait_are_found(tmp_path: Path) -> None:
    yesterday = datetime.now(ZoneInfo("Europe/Paris")).date() - timedelta(days=1)
    table = '[destinations.{0}]\nkind = "folder"\nfolder = "{0}"\n'
    profile = '[profiles.{0}]\nsite = "alliance"\ndestination = "{0}"\ndeliver_from = {1}\n'
    profiles = "".join((profile + table).format(name, yesterday) for name in ("away", "file"))
    here = install(tmp_path / "site", profile=profiles)
    (here.folder / "file").write_text("")
    for counter in ("ALLI1", "ALLI2"):
        heard(here, counter)
    for name in ("away", "file"):
        here.run("export", "--day", str(yesterday), "--profile", name, "--deliver", check=False)
    found = diagnose(here)
    assert "the folder does not exist" in found.texts["destination away"]
    assert "it is not a folder" in found.texts["destination file"]
    assert found.texts[f"away/{yesterday}"].startswith("failed: will be retried in ")
    assert found.hints[f"away/{yesterday}"] == "footfall deliveries"
    assert found.texts[f"file/{yesterday}"] == "blocked: needs action"
    assert found.hints[f"file/{yesterday}"] == (
        "correct the destination's folder in footfall.toml; then: footfall export --deliver"
    )


def test_clock_that_is_behind_the_batches_is_found(tmp_path: Path) -> None:
    here = install(tmp_path / "site", ("ALLI1",))
    heard(here, "ALLI1", -86_400)
    found = diagnose(here)
    assert "but a batch was received 23:59:" in found.texts["clock"]
    assert found.hints["clock"] == "set this machine's clock; use NTP"


def test_journal_whose_sums_are_not_its_crossings_is_found_by_a_deep_look(tmp_path: Path) -> None:
    here = install(tmp_path / "site", ("ALLI1",))
    heard(here, "ALLI1")
    with closing(sqlite3.connect(here.journal)) as other:
        other.execute("UPDATE quarter SET entries = entries + 1")
        other.commit()
    assert "journal" not in diagnose(here).hints
    found = diagnose(here, "--deep")
    assert "sums do not add up in 1 quarter hour" in found.texts["journal"]
    assert "Restore from a backup" in found.hints["journal"]


def test_data_folder_that_is_away_is_found(tmp_path: Path) -> None:
    here = install(tmp_path / "site", ("ALLI1",))
    found = diagnose(here, FOOTFALL_DATA="/nowhere/data")
    assert found.texts["disk"] == "/nowhere/data: No such file or directory"
    assert found.hints["disk"] == "create the folder: footfall init; or correct `data`"


def test_every_problem_counts_even_of_a_check_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = install(tmp_path / "site")

    def check() -> Iterator[Finding]:
        yield Finding("InfluxDB", "the token goes unencrypted", "use https")
        raise FootfallError("the forwarder's file cannot be read")

    monkeypatch.setattr(doctor, "exporter_checks", lambda _: ())
    for checks, last in (((), "all is well"), ((list,), "all is well"), ((check,), "2 problems found")):
        monkeypatch.setattr(doctor, "ingest_checks", lambda *_, checks=checks, **__: checks)
        done = CliRunner().invoke(main, ["--config", str(here.folder / "footfall.toml"), "doctor"])
        assert done.output.splitlines()[-1] == last
        assert done.exit_code == int(last != "all is well")
    assert "!!  the forwarder's file cannot be read\n    -> see docs/operate.md\n" in done.output
