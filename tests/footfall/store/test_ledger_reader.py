"""The ledger as pages and metrics read it, while the exporter writes it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from footfall.errors import StoreUnavailable
from footfall.store.ledger import Ledger
from footfall.store.ledger_reader import _OUTCOMES, DayStanding, LedgerReader
from footfall.store.ledger_schema import MIGRATIONS, Delivery, RecordedProfile, SentFile, Standing, State

DAY, NEXT_DAY = date(2026, 5, 4), date(2026, 5, 5)
NOON_MS = 1_777_888_800_000
CONTENT = "2026-5-4,08:00:00,12,9,ALLI1,Entrée\r\n".encode("cp1252") * 44
GAPS = ("ALLI1 10:00-11:30 (90 min unknown)",)
DELIVERY = Delivery("alliance", DAY, "client", "04_05.csv", NOON_MS, 700, True, "", "", "abc", 44, len(CONTENT), GAPS)
CHANGED = Standing("alliance", DAY, State.CHANGED, NOON_MS + 5)
LATE = Standing("alliance", NEXT_DAY, State.LATE, NOON_MS, NOON_MS + 1, counters=("ALLI2", "Entrée"))
PROFILES = [RecordedProfile("other", "annex", ""), RecordedProfile("alliance", "alliance", "sftp.example.org")]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with closing(Ledger(tmp_path / "ledger.sqlite")) as opened:
        yield opened


@pytest.fixture
def reader(tmp_path: Path) -> LedgerReader:
    return LedgerReader(tmp_path / "ledger.sqlite")


def deliver(ledger: Ledger, day: date = DAY, content: bytes = CONTENT) -> None:
    ledger.record_start("alliance", day, 5)
    ledger.record_delivered(replace(DELIVERY, day=day), content, "cp1252", 0)


def test_ledger_that_is_not_there_reads_as_empty_and_is_not_created(reader: LedgerReader) -> None:
    assert (reader.looked_epoch_ms(), reader.profiles(), reader.standings()) == (None, [], [])
    assert reader.days("alliance", DAY, DAY) == {}
    assert reader.sent_files("alliance", DAY, DAY) == []
    assert not reader.path.exists()


def test_look_is_read_as_it_was_recorded(ledger: Ledger, reader: LedgerReader) -> None:
    assert reader.looked_epoch_ms() is None
    ledger.record_look(NOON_MS, PROFILES, [LATE, CHANGED])
    assert reader.looked_epoch_ms() == NOON_MS
    assert reader.profiles() == PROFILES[::-1]
    assert reader.standings() == [CHANGED, LATE]
    assert [one.decided_epoch_ms for one in reader.standings()] == [NOON_MS + 5, NOON_MS]


def test_day_is_delivered_until_the_exporter_decides_otherwise(ledger: Ledger, reader: LedgerReader) -> None:
    deliver(ledger)
    delivered = DayStanding(DAY, State.DELIVERED, None, NOON_MS + 700, is_kept=True)
    assert reader.days("alliance", DAY, NEXT_DAY) == {DAY: delivered}
    ledger.record_look(NOON_MS, PROFILES, [CHANGED, LATE])
    assert reader.days("alliance", DAY, NEXT_DAY) == {
        DAY: delivered._replace(state=State.CHANGED, standing=CHANGED),
        NEXT_DAY: DayStanding(NEXT_DAY, State.LATE, LATE),
    }
    assert reader.days("alliance", NEXT_DAY, NEXT_DAY).keys() == {NEXT_DAY}
    assert reader.days("other", DAY, NEXT_DAY) == {}
    deliver(ledger)
    assert reader.days("alliance", DAY, DAY) == {DAY: delivered}


def test_day_that_was_tried_and_never_delivered_is_not_called_delivered(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.record_start("alliance", DAY, 5)
    assert reader.days("alliance", DAY, DAY) == {}


def test_sent_file_is_the_last_one_delivered_to_the_byte(ledger: Ledger, reader: LedgerReader) -> None:
    for content in (b"", CONTENT[:40], CONTENT):
        deliver(ledger, content=content)
    deliver(ledger, NEXT_DAY, b"")
    sent = SentFile(DAY, "04_05.csv", CONTENT, "cp1252", 44, GAPS)
    assert reader.sent_files("alliance", DAY, DAY) == [sent]
    assert reader.sent_files("alliance", DAY, NEXT_DAY) == [sent, sent._replace(day=NEXT_DAY, content=b"")]
    assert reader.sent_files("other", DAY, NEXT_DAY) == []


def test_sent_files_are_kept_compressed(ledger: Ledger) -> None:
    deliver(ledger)
    (size,) = ledger._connection.execute("SELECT length(content) FROM sent_file").fetchone()
    assert size < len(CONTENT) / 10


def test_failed_attempt_leaves_the_bytes_that_were_delivered(ledger: Ledger, reader: LedgerReader) -> None:
    deliver(ledger)
    ledger.record_start("alliance", DAY, 5)
    ledger.record_failed(replace(DELIVERY, ok=False, file_name="other.csv"), 5, is_blocked=True)
    assert [(one.name, one.content) for one in reader.sent_files("alliance", DAY, DAY)] == [("04_05.csv", CONTENT)]


def test_reader_is_not_held_up_by_a_writer(ledger: Ledger, reader: LedgerReader) -> None:
    ledger.record_look(NOON_MS, PROFILES, [LATE])
    ledger._connection.execute("BEGIN IMMEDIATE")
    ledger._connection.execute("DELETE FROM standing")
    assert reader.standings() == [LATE]
    ledger._connection.execute("ROLLBACK")


def test_ledger_of_a_newer_footfall_is_unavailable(ledger: Ledger, reader: LedgerReader) -> None:
    ledger._connection.execute("PRAGMA user_version = 99")
    with pytest.raises(StoreUnavailable, match=f"newer Footfall: schema 99, this Footfall knows {len(MIGRATIONS)}"):
        reader.looked_epoch_ms()


def test_file_that_is_no_ledger_is_unavailable(reader: LedgerReader) -> None:
    reader.path.write_text("this is no ledger, it is a letter; " * 40)
    with pytest.raises(StoreUnavailable, match="not a database"):
        reader.days("alliance", DAY, DAY)


def test_file_that_a_ledger_is_being_made_in_reads_as_empty(reader: LedgerReader) -> None:
    sqlite3.connect(reader.path).close()
    reader.path.touch()
    assert reader.looked_epoch_ms() is None


def test_years_of_days_are_read_by_month(ledger: Ledger, reader: LedgerReader) -> None:
    """The plan must not walk the whole ledger for a page that shows a month."""
    first = date(2016, 1, 1)
    rows = [("alliance", str(first + timedelta(days=number))) for number in range(3650)]
    ledger._connection.executemany(
        "INSERT INTO outcome (profile, day, delivered_sha256, attempts, next_try_epoch_ms, hint)"
        " VALUES (?, ?, 'abc', 0, 0, '')", rows,
    )  # fmt: skip
    with closing(sqlite3.connect(reader.path)) as other:
        steps = 0

        def count() -> None:
            nonlocal steps
            steps += 1

        other.set_progress_handler(count, 100)
        window = ("alliance", "2024-05-01", "2024-05-31")
        assert len(other.execute(_OUTCOMES, window).fetchall()) == 31
        assert steps < 20
