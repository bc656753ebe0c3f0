"""What the pages tell of deliveries is what the exporter did and will do: its own parts, on its own ledger."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cli.desk import ExporterDesk, open_desk
from footfall.calendar import day_bounds
from footfall.model import Arrival, Count, Span, epoch_ms
from footfall.store.ledger import FILE_NAME as LEDGER
from ingest.context import attach
from ingest.pages.desk import DayDelivery, Outcome, Reason
from tests.support.ingest_app import Ingest, ingest_in_process

ZONE = ZoneInfo(f"Etc/GMT{(datetime.now(UTC).hour - 2 + 12) % 24 - 12:+d}")
"""Where it is some time after two in the morning: yesterday is over, and late counters are still waited for."""

YESTERDAY = datetime.now(ZONE).date() - timedelta(days=1)
BEFORE, LONG_AGO = YESTERDAY - timedelta(days=1), YESTERDAY - timedelta(days=3)
SETTINGS = f"""
[profiles.alliance]
site = "alliance"
destination = "share"
deliver_from = {BEFORE}

[destinations.share]
kind = "folder"
folder = "share"
"""
SITE = f'\n[sites.alliance]\nname = "Alliance"\ncode = "ALLI"\ntimezone = "{ZONE.key}"\n'


@dataclass
class Office:
    ingest: Ingest
    desk: ExporterDesk

    def count(self, day: date, *counters: str, people: int = 0) -> None:
        """Let *counters* have counted all of *day*, and *people* come in at half past ten."""
        start, end = (epoch_ms(bound) for bound in day_bounds(day, ZONE))
        at = start + int(10.5 * 3_600_000)
        for counter in counters:
            counts = tuple(Count(at + number, at + number, 1, 0) for number in range(people))
            self.ingest.context.commit.append(Arrival(counter, "s", counts, Span(start, end), end))

    def export(self, *arguments: str, check: bool = True) -> bytes:
        return self.ingest.installation.run("export", *arguments, check=check).stdout

    def stands(self, day: date) -> DayDelivery:
        (found,) = self.desk.days("alliance", [day])
        assert found.day == day
        return found

    def let_an_hour_pass_since_deliveries(self) -> None:
        """Else a change that comes so soon waits for more of its kind: exporter.delivery_job.REDELIVERY_PAUSE_S."""
        with closing(sqlite3.connect(self.ingest.installation.data / LEDGER)) as ledger:
            ledger.execute("UPDATE standing SET delivered_epoch_ms = delivered_epoch_ms - 3600000")
            ledger.commit()

    def page(self, path: str) -> str:
        answer = self.ingest.client.get(path, headers={"Accept-Language": "en", "Accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return " ".join(answer.text.split())


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ingest_in_process(tmp_path / "footfall", site=SITE, profile=SETTINGS) as ingest:
        folder = ingest.installation.folder
        (folder / "share").mkdir()
        desk = open_desk(folder / "footfall.toml")
        ingest.clock.now_ms = int(datetime.now(UTC).timestamp() * 1000)
        attach(ingest.app, replace(ingest.context, desk=desk))
        yield Office(ingest, desk)
        desk._reader.close()  # type: ignore[attr-defined]  # it is a JournalReader
        if desk._ledger is not None:
            desk._ledger.close()


def test_nobody_knows_what_was_delivered_where_the_ledger_is_elsewhere(office: Office) -> None:
    assert not office.desk.has_ledger()
    assert "The exporter runs elsewhere" in office.page("/sites/alliance/deliveries")


def test_day_is_owed_then_delivered_then_owed_again_when_it_changes(office: Office) -> None:
    for day in (BEFORE, YESTERDAY):
        office.count(day, "ALLI1", "ALLI2", people=3)
    assert office.stands(BEFORE).outcome is Outcome.OWED
    assert office.stands(BEFORE).reason is Reason.NEXT_LOOK
    office.export("--day", str(BEFORE), "--deliver")
    delivered = office.stands(BEFORE)
    assert (delivered.outcome, delivered.reason) == (Outcome.DELIVERED, None)
    assert delivered.delivered_epoch_ms is not None
    assert 'class="delivered' in office.page(f"/sites/alliance/deliveries?day={BEFORE}")
    office.count(BEFORE, "ALLI1", people=5)
    office.let_an_hour_pass_since_deliveries()
    changed = office.stands(BEFORE)
    assert (changed.outcome, changed.reason) == (Outcome.OWED, Reason.CHANGED)
    assert "It has changed since it was delivered" in office.page(f"/sites/alliance/deliveries?day={BEFORE}")


def test_day_waits_for_a_counter_that_is_late_and_says_for_which(office: Office) -> None:
    office.count(YESTERDAY, "ALLI1")
    late = office.stands(YESTERDAY)
    assert (late.outcome, late.reason) == (Outcome.OWED, Reason.LATE)
    assert "ALLI2" in late.detail


def test_failed_delivery_says_what_somebody_has_to_do(office: Office) -> None:
    office.count(BEFORE, "ALLI1", "ALLI2", people=3)
    (office.ingest.installation.folder / "share").rmdir()
    office.export("--day", str(BEFORE), "--deliver", check=False)
    failed = office.stands(BEFORE)
    assert failed.reason in (Reason.WAITS, Reason.RETRIED)
    assert failed.outcome is (Outcome.FAILED if failed.reason is Reason.WAITS else Outcome.OWED)
    assert failed.attempts == 1
    assert failed.detail
    text = office.page(f"/sites/alliance/deliveries/alliance/{BEFORE}")
    assert f"footfall export --profile alliance --day {BEFORE} --deliver" in text


def test_day_to_come_and_day_before_the_first_are_of_no_concern(office: Office) -> None:
    office.export("--day", str(BEFORE), "--deliver")
    for day in (YESTERDAY + timedelta(days=1), LONG_AGO):
        assert office.stands(day).outcome is Outcome.AHEAD
    page = office.page(f"/sites/alliance/deliveries?day={YESTERDAY + timedelta(days=1)}")
    assert f"/deliveries/alliance/{YESTERDAY + timedelta(days=40)}" not in page
    last = (YESTERDAY + timedelta(days=1)).replace(day=28) + timedelta(days=3)
    assert f"/deliveries/alliance/{last}" not in page, "a day to come has no file to look at"


def test_file_on_the_page_is_the_file_of_the_exporter(office: Office) -> None:
    office.count(BEFORE, "ALLI1", people=3)
    wanted = office.export("--day", str(BEFORE), "--output", "-")
    assert office.desk.file("alliance", BEFORE).content == wanted
    answer = office.ingest.client.get(f"/sites/alliance/client.csv?day={BEFORE}")
    assert answer.data == wanted
    assert f"{BEFORE:%d_%m_%Y}_counterdata-1.csv" in answer.headers["Content-Disposition"]
    assert "Not known in it:" in office.page(f"/sites/alliance/deliveries/alliance/{BEFORE}"), "ALLI2 counted nothing"


def test_place_of_a_file_is_told_in_words(office: Office) -> None:
    assert office.desk.profiles("alliance") == {"alliance": str(office.ingest.installation.folder / "share")}
    assert office.desk.profiles("nowhere") == {}
