"""Counters, ingest, forwarder, InfluxDB, and an exporter that has no journal and reads only InfluxDB."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from footfall.store.journal_check import check_journal
from footfall.store.journal_reader import JournalReader
from harness.influx_server import TOKEN, InfluxDatabase
from harness.installation import PROFILE, SITE, Installation, batch, install
from tests.support.influx_fixtures import running_influx_server
from tests.support.influx_stores import reading
from tests.support.journals import END, EPOCH
from tests.support.process_checks import is_forwarded, until
from tests.support.zones import zone_where_it_is_day
from tests.system import test_calit2 as calit2

pytestmark = pytest.mark.slow

COUNTERS = ("ALLI1", "ALLI2")


@contextmanager
def influx_table() -> Iterator[tuple[str, InfluxDatabase]]:
    """Yield an [influxdb] table for a new InfluxDB, and its database."""
    with running_influx_server() as server:
        database = server.create("footfall")
        yield f'\n[influxdb]\nurl = "{server.url}"\ntoken_file = "token"\n', database


def with_token(here: Installation) -> Installation:
    (here.folder / "token").write_text(TOKEN + "\n")
    return here


def wait_until_forwarded(here: Installation) -> None:
    """Return once InfluxDB has everything that ingest stored."""
    until(lambda: is_forwarded(here), "everything is forwarded")


def elsewhere(here: Installation, *more: str) -> Installation:
    """Return an installation with the same settings and *more*, but no journal: it can only read InfluxDB."""
    there = Installation(here.folder.with_name("elsewhere"), 0)
    there.data.mkdir(parents=True)
    shutil.copy(here.folder / "token", there.folder)
    text = (here.folder / "footfall.toml").read_text()
    (there.folder / "footfall.toml").write_text('store = "influxdb"\n' + text + "".join(more))
    return there


def files_of(here: Installation, folder: str, first: str, last: str, *profile: str) -> dict[str, bytes]:
    """Export the days from *first* to *last*, and return the files by name."""
    here.run("export", "--from", first, "--to", last, *profile, "--output", str(here.folder / folder))
    return {path.name: path.read_bytes() for path in (here.folder / folder).iterdir()}


def _last_owed(database: InfluxDatabase) -> list[int]:
    return [row["last"] for row in database.query("SELECT last(owed) FROM exporter")]


def door(folder: Path, table: str) -> Installation:
    """Return a new installation with the CalIt2 counter."""
    more = f"earliest = 2005-01-01\n{table}"
    return with_token(install(folder, (calit2.COUNTER,), site=calit2.SITE, profile=calit2.PROFILES, more=more))


def test_simulated_week_makes_the_same_files_from_journal_and_influxdb(tmp_path: Path) -> None:
    """Seven equal files; then the exporter delivers them and reports that to InfluxDB."""
    zone = zone_where_it_is_day()  # elsewhere today's file might be due
    today = datetime.now(zone).date()
    week = [today - timedelta(days=back) for back in range(7, 0, -1)]
    delivered = f'destination = "share"\ndeliver_from = {week[0]}\ngive_up_at = "19:30"\n'
    share = '\n[destinations.share]\nkind = "folder"\nfolder = "share"\n[exporter]\nlook_every_s = 1\n'
    with influx_table() as (table, database):
        site = SITE.replace("Europe/Paris", zone.key)
        profile = PROFILE + delivered + share
        here = with_token(install(tmp_path / "here", COUNTERS, site=site, more=table, profile=profile))
        with here.serving():
            for number, day in enumerate(week):
                here.run("simulate", "--day", str(day), "--people", "120", "--seed", str(number))
            wait_until_forwarded(here)
        there = elsewhere(here)
        days = str(week[0]), str(week[-1])
        expected = files_of(here, "out", *days)
        assert len(expected) == 7
        assert all(content.count(b",0,0,") < 44 for content in expected.values()), "each day has visitors"
        assert files_of(there, "out", *days) == expected
        assert not there.journal.exists()

        (there.folder / "share").mkdir()
        with there.serving("exporter"):
            until(lambda: len(list((there.folder / "share").glob("*.csv"))) == 7, "all files are delivered")
            until(lambda: len(database.query("SELECT * FROM deliveries")) == 7, "InfluxDB has all deliveries")
            until(lambda: _last_owed(database) == [0], "nothing is owed")
        assert {path.name: path.read_bytes() for path in (there.folder / "share").iterdir()} == expected
        assert {row["ok"] for row in database.query("SELECT * FROM deliveries")} == {True}
        with reading(database, lambda: datetime.now(UTC)) as reader:
            assert set(reader.covered_to(COUNTERS)) == set(COUNTERS)


def test_doctor_without_a_journal_checks_influxdb(tmp_path: Path) -> None:
    with influx_table() as (table, database):
        here = with_token(install(tmp_path / "here", COUNTERS, more=table))
        there = elsewhere(here)
        printed = there.run("doctor", check=False).stdout.decode()
        assert f"ok  InfluxDB: the exporter reads {database.url}, footfall, which knows 0 counters" in printed
        assert "ok  journal: there is none at" in printed
    printed = there.run("doctor", check=False).stdout.decode()
    assert f"!!  InfluxDB at {database.url}: " in printed
    assert "-> start InfluxDB, or correct influxdb.url" in printed


def test_resend_of_pruned_crossings_is_still_a_duplicate(tmp_path: Path) -> None:
    """With keep_days old crossings are deleted; their sums and seqs stay, and InfluxDB has them all."""
    long_ago_ms = int(datetime.now(UTC).timestamp() * 1000) - 30 * 24 * 3_600_000
    body = batch(*((seq, long_ago_ms + seq * 1000, 1) for seq in range(100)))
    with influx_table() as (table, database):
        here = with_token(install(tmp_path / "here", COUNTERS, more=f"keep_days = 7\n{table}"))
        with here.serving():
            assert here.post(body).json()["stored"] == 100
            wait_until_forwarded(here)
        with here.serving():
            until(lambda: _crossings_in(here) == 1, "all but the crossing at the forwarder's cursor are pruned")
            assert here.post(body).json() == {"stored": 0, "duplicates": 100, "through": 99}
        assert database.query("SELECT sum(entries) FROM crossings")[0]["sum"] == 100
    assert check_journal(here.journal, deep=True) == []
    with closing(JournalReader(here.journal)) as reader:
        assert sum(one.entries for one in reader.quarters(["ALLI1"], EPOCH, END)) == 100


def _crossings_in(here: Installation) -> int:
    with closing(sqlite3.connect(here.journal)) as connection:
        return int(connection.execute("SELECT count(*) FROM crossing").fetchone()[0])


def test_crossings_of_calit2_make_the_same_105_files_through_influxdb(tmp_path: Path) -> None:
    """Sent one by one over HTTP, forwarded, and read back: every half hour of 105 days is right."""
    expected = calit2.files()
    with influx_table() as (table, _):
        here = door(tmp_path / "here", table)
        with here.serving():
            for body in calit2.batches():
                assert here.post(body, counter=calit2.COUNTER).status == 200
            wait_until_forwarded(here)
        there = elsewhere(here)
        assert files_of(there, "out", calit2.FIRST, calit2.LAST, "--profile", "client") == expected
        strict = "--profile", "strict"
        days = calit2.FIRST, calit2.LAST
        assert files_of(there, "gaps", *days, *strict) == files_of(here, "gaps", *days, *strict)
    assert len(expected) == 105


def test_history_of_calit2_makes_the_same_105_files_through_influxdb(tmp_path: Path) -> None:
    """Imported from 105 files, forwarded, and read back byte for byte."""
    expected = calit2.files()
    with influx_table() as (table, _):
        here = door(tmp_path / "here", table)
        for name, content in expected.items():
            (here.folder / name).write_bytes(content)
        with here.serving():
            here.run("import", "--profile", "client", *expected)
            wait_until_forwarded(here)
        assert files_of(elsewhere(here), "out", calit2.FIRST, calit2.LAST, "--profile", "client") == expected
