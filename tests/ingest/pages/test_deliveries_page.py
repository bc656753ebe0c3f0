"""The pages show what the exporter did and decided, as its own commands recorded it in the ledger."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from footfall.calendar import day_bounds
from footfall.model import Arrival, Count, Span, epoch_ms
from footfall.store.journal_reader import JournalReader
from footfall.store.ledger_schema import FILE_NAME as LEDGER
from footfall.store.ledger_schema import MIGRATIONS
from ingest.pages.deliveries_page import SILENT_AFTER
from tests.support.ingest_app import Ingest, ingest_in_process

ZONE = ZoneInfo(f"Etc/GMT{(datetime.now(UTC).hour - 2 + 12) % 24 - 12:+d}")
"""A zone where it is past two in the morning: yesterday is over, and the exporter still waits for counters."""

TODAY = datetime.now(ZONE).date()
YESTERDAY, BEFORE, LONG_AGO = (TODAY - timedelta(days=number) for number in (1, 2, 4))
SETTINGS = f"""
[profiles.alliance]
site = "alliance"
destination = "share"
deliver_from = {BEFORE}
file_name = "{{day:%d_%m_%Y}}_comptage_été.csv"
encoding = "cp1252"

[profiles.spreadsheet]
site = "alliance"

[destinations.share]
kind = "folder"
folder = "share"
"""
SITE = f'\n[sites.alliance]\nname = "Médiathèque"\ncode = "ALLI"\ntimezone = "{ZONE.key}"\n'


@dataclass
class DeliveriesRig:
    ingest: Ingest

    @property
    def share(self) -> Path:
        return self.ingest.installation.folder / "share"

    @property
    def ledger(self) -> Path:
        return self.ingest.installation.data / LEDGER

    def count(self, day: date, *counters: str, people: int = 0) -> None:
        """Report that *counters* counted all of *day*, and that *people* entered at half past ten."""
        start, end = (epoch_ms(bound) for bound in day_bounds(day, ZONE))
        at = start + int(10.5 * 3_600_000)
        for counter in counters:
            counts = tuple(Count(at + number, at + number, 1, 0) for number in range(people))
            self.ingest.context.commit.append(Arrival(counter, "s", counts, Span(start, end), end))

    def count_both_days(self) -> None:
        for day in (BEFORE, YESTERDAY):
            self.count(day, "ALLI1", "ALLI2", people=3)

    def export(self, *arguments: str, check: bool = True) -> bytes:
        return self.ingest.installation.run("export", "--profile", "alliance", *arguments, check=check).stdout

    def delivered(self, day: date) -> bytes:
        """Return what the client has of *day*."""
        return (self.share / file_of(day)).read_bytes()

    def let_an_hour_pass_since_deliveries(self) -> None:
        """A change that comes sooner waits for more of its kind: exporter.standing.REDELIVERY_PAUSE_S."""
        with closing(sqlite3.connect(self.ledger)) as ledger:
            ledger.execute("UPDATE outcome SET delivered_epoch_ms = delivered_epoch_ms - 3600000")
            ledger.commit()

    def page(self, path: str) -> str:
        answer = self.ingest.client.get(path, headers={"Accept-Language": "en", "Accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return " ".join(answer.text.split())

    def month(self, day: date) -> str:
        return self.page(f"/sites/alliance/deliveries?day={day}")

    def day(self, day: date) -> str:
        return self.page(f"/sites/alliance/deliveries/alliance/{day}")


def file_of(day: date) -> str:
    return f"{day:%d_%m_%Y}_comptage_été.csv"


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[DeliveriesRig]:
    with ingest_in_process(tmp_path / "footfall", site=SITE, profile=SETTINGS) as ingest:
        ingest.clock.now_ms = int(datetime.now(UTC).timestamp() * 1000)
        found = DeliveriesRig(ingest)
        found.share.mkdir()
        yield found


def test_page_says_so_where_the_exporter_has_not_run_and_creates_no_ledger(rig: DeliveriesRig) -> None:
    assert "The exporter has not run here yet." in rig.month(TODAY)
    assert "/client.csv" not in rig.page("/sites/alliance/history")
    assert not rig.ledger.exists()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_page_says_the_same_of_a_ledger_that_the_exporter_has_not_brought_up_to_date(
    rig: DeliveriesRig, version: int
) -> None:
    with closing(sqlite3.connect(rig.ledger)) as old:
        for script in MIGRATIONS[:version]:
            old.executescript(script)
        old.execute(f"PRAGMA user_version = {version}")
    assert "The exporter has not run here yet." in rig.month(TODAY)


def test_ledger_that_cannot_be_read_takes_no_page_of_counts_along(rig: DeliveriesRig) -> None:
    rig.ledger.write_text("this is no ledger, it is a letter; " * 40)
    answer = rig.ingest.client.get("/sites/alliance/deliveries")
    assert answer.status_code == 503
    assert "Download" in rig.page("/sites/alliance/history")


def test_file_on_the_page_is_the_one_that_was_delivered_to_the_byte(rig: DeliveriesRig) -> None:
    rig.count(BEFORE, "ALLI1", people=3)
    rig.export("--day", str(BEFORE), "--deliver")
    assert 'class="delivered' in rig.month(BEFORE)
    before = rig.delivered(BEFORE)
    rig.count(BEFORE, "ALLI1", people=8)
    answer = rig.ingest.client.get(f"/sites/alliance/client.csv?day={BEFORE}")
    assert answer.data == before
    page = rig.day(BEFORE)
    assert before.decode("cp1252").splitlines()[5] in page
    assert "Delivered" in page
    assert "44 rows, as delivered." in page
    assert "Gaps: ALLI2" in page, "ALLI2 counted nothing"


def test_day_that_changed_keeps_the_delivered_file_until_it_is_delivered_again(rig: DeliveriesRig) -> None:
    rig.count_both_days()
    rig.export("--day", str(BEFORE), "--deliver")
    before = rig.delivered(BEFORE)
    rig.count(BEFORE, "ALLI1", people=5)
    rig.let_an_hour_pass_since_deliveries()
    rig.export("--day", str(YESTERDAY), "--deliver")
    assert "The file has changed since it was delivered. It goes out again." in rig.month(BEFORE)
    page = rig.day(BEFORE)
    assert "Last delivered:" in page
    assert before.decode("cp1252").splitlines()[5] in page
    rig.export("--deliver")
    assert 'class="owed' not in rig.month(BEFORE)
    after = rig.ingest.client.get(f"/sites/alliance/client.csv?day={BEFORE}").data
    assert before != after == rig.delivered(BEFORE)


def test_day_waits_for_a_late_counter_and_the_page_names_it(rig: DeliveriesRig) -> None:
    rig.count(BEFORE, "ALLI1", "ALLI2")
    rig.count(YESTERDAY, "ALLI1")
    rig.export("--deliver")
    assert "Waiting for late counters: ALLI2. Goes out anyway:" in rig.month(YESTERDAY)
    page = rig.day(YESTERDAY)
    assert "No file has been delivered for this day." in page
    assert rig.ingest.client.get(f"/sites/alliance/client.csv?day={YESTERDAY}").status_code == 404


@pytest.mark.parametrize("is_blocked", [True, False])
def test_failed_delivery_says_why_and_what_to_do(rig: DeliveriesRig, is_blocked: bool) -> None:
    rig.count_both_days()
    rig.share.rmdir()
    if is_blocked:
        rig.share.write_text("no folder")
    rig.export("--day", str(BEFORE), "--deliver", check=False)
    month, day = rig.month(BEFORE), rig.day(BEFORE)
    for page in (month, day):
        if is_blocked:
            assert "The last attempt failed. Action is needed:" in page
            assert "it is not a folder; correct the destination" in page
        else:
            assert "The last attempt failed. Next attempt:" in page
            assert "the folder does not exist; check that the share is mounted" in page
    assert ('class="blocked' in month) is is_blocked
    assert f"footfall export --profile alliance --day {BEFORE} --deliver" in day


def test_day_to_come_and_day_before_the_first_have_nothing_due(rig: DeliveriesRig) -> None:
    rig.count_both_days()
    rig.export("--deliver")
    assert "Nothing due" in rig.day(LONG_AGO)
    assert f"/deliveries/alliance/{TODAY}" in rig.month(TODAY)
    last = (TODAY + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    assert last == TODAY or f"/deliveries/alliance/{last}" not in rig.month(TODAY), "a day to come has no file"


def test_page_shows_what_was_recorded_while_the_store_is_away(rig: DeliveriesRig) -> None:
    """It renders nothing, so it asks for no counts."""
    rig.count_both_days()
    rig.export("--deliver")
    reader = rig.ingest.context.reader
    assert isinstance(reader, JournalReader)
    reader.close()
    rig.ingest.installation.journal.rename(rig.ingest.installation.data / "away")
    assert 'class="delivered' in rig.month(BEFORE)
    assert "44 rows, as delivered." in rig.day(BEFORE)


def test_page_says_as_of_when_and_when_the_exporter_seems_not_to_run(rig: DeliveriesRig) -> None:
    rig.export("--deliver")
    assert "As of" in rig.month(TODAY)
    assert "has not looked since" not in rig.month(TODAY)
    rig.ingest.clock.now_ms += int(SILENT_AFTER.total_seconds() * 1000) + 60_000
    assert "The exporter has not looked since" in rig.month(TODAY)
    assert "As of" not in rig.month(TODAY)


def test_page_names_every_profile_and_where_its_files_go(rig: DeliveriesRig) -> None:
    rig.export("--deliver")
    page = rig.month(TODAY)
    assert f"alliance <small>to {rig.share}</small>" in page
    assert "spreadsheet <small>no destination</small>" in page


def test_files_of_a_period_are_those_that_were_delivered_one_after_the_other(rig: DeliveriesRig) -> None:
    rig.count_both_days()
    history = f"/sites/alliance/history?period=week&day={YESTERDAY}"
    rig.export("--day", str(YESTERDAY), "--deliver")
    page = rig.page(history)
    assert "The client's CSV, as delivered (profile alliance)" in page.replace("&#39;", "'")
    assert "profile spreadsheet" not in page
    answer = rig.ingest.client.get(f"/sites/alliance/client.csv?profile=alliance&period=week&day={YESTERDAY}")
    assert answer.data == rig.delivered(YESTERDAY)
    rig.export("--day", str(BEFORE), "--deliver")
    answer = rig.ingest.client.get(f"/sites/alliance/client.csv?profile=alliance&period=month&day={YESTERDAY}")
    both = [rig.delivered(day) for day in (BEFORE, YESTERDAY) if day.month == YESTERDAY.month]
    assert answer.data == b"".join(both)


def test_download_has_the_name_that_the_client_s_file_has(rig: DeliveriesRig) -> None:
    """RFC 6266: a name that is not ASCII is sent in UTF-8."""
    rig.export("--day", str(BEFORE), "--deliver")
    answer = rig.ingest.client.get(f"/sites/alliance/client.csv?day={BEFORE}")
    assert f"filename*=UTF-8''{BEFORE:%d_%m_%Y}_comptage_%C3%A9t%C3%A9.csv" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Type"] == "text/csv; charset=cp1252"
