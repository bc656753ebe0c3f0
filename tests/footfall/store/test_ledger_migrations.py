"""A ledger that an older Footfall wrote opens, and keeps everything."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest

from footfall.store.ledger import Ledger
from footfall.store.ledger_reader import LedgerReader
from footfall.store.ledger_schema import MIGRATIONS, Outcome, State

DELIVERED, FAILED, BLOCKED, RELEASED, DIED = (date(2026, 5, day) for day in range(4, 9))
AGAIN = date(2026, 5, 9)
NOON_MS = 1_777_888_800_000
OLD_VERSIONS = (1, 2, 3)
EVERY_DAY = (date.min, date.max)

STANDINGS = f"""
INSERT INTO standing (profile, day, delivered_sha256, delivered_epoch_ms, attempts, next_try_epoch_ms, waits_for) VALUES
    ('alliance', '{DELIVERED}', 'abc', {NOON_MS}, 0, 0, ''),
    ('alliance', '{FAILED}', NULL, NULL, 2, {NOON_MS + 60_000}, ''),
    ('alliance', '{BLOCKED}', NULL, NULL, 1, {NOON_MS + 30_000}, 'send the key'),
    ('alliance', '{RELEASED}', NULL, NULL, 1, 0, ''),
    ('alliance', '{DIED}', NULL, NULL, 1, {NOON_MS + 30_000}, ''),
    ('alliance', '{AGAIN}', 'def', {NOON_MS}, 1, {NOON_MS + 30_000}, '')
"""


def attempt(day: date, ok: int, message: str = "", hint: str = "") -> str:
    return (
        "INSERT INTO delivery (profile, day, destination, file_name, started_epoch_ms, took_ms, ok, message, hint,"
        " sha256, row_count, byte_count, gaps) VALUES"
        f" ('alliance', '{day}', 'client', '{day}.csv', {NOON_MS}, 5, {ok}, '{message}', '{hint}', 'abc', 44, 2700,"
        """ '["ALLI1 10:00-11:30 (90 min unknown)"]')"""
    )


ATTEMPTS = (
    attempt(DELIVERED, 0, "no answer", "wait"),
    attempt(DELIVERED, 1),
    attempt(FAILED, 0, "no answer", "wait"),
    attempt(FAILED, 0, "connection refused", "check host and port"),
    attempt(BLOCKED, 0, "host key unknown", "send the key"),
    attempt(RELEASED, 0, "host key unknown", "send the key"),
    attempt(AGAIN, 1),
    attempt(AGAIN, 0, "disk full", "free some"),
)


@pytest.fixture(params=OLD_VERSIONS)
def old(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[int, Path]:
    """Return a version, and the path of a ledger that it wrote."""
    path, version = tmp_path / "ledger.sqlite", int(request.param)
    with closing(sqlite3.connect(path)) as writer:
        for script in MIGRATIONS[:version]:
            writer.executescript(script)
        for statement in (STANDINGS, *ATTEMPTS):
            writer.execute(statement)
        if version >= 2:
            writer.execute("UPDATE told SET delivery = 3")
            writer.execute("UPDATE delivery SET site = 'alliance'")
        if version >= 3:
            writer.execute("UPDATE standing SET delivered_unknown_ms = 5400000 WHERE delivered_sha256 IS NOT NULL")
        writer.execute(f"PRAGMA user_version = {version}")
        writer.commit()
    return version, path


def test_every_outcome_is_kept_with_why_it_failed(old: tuple[int, Path]) -> None:
    version, path = old
    unknown_ms = 5_400_000 if version >= 3 else None
    with closing(Ledger(path)) as ledger:
        assert ledger.outcomes("alliance") == {
            DELIVERED: Outcome("abc", NOON_MS, delivered_unknown_ms=unknown_ms),
            FAILED: Outcome(None, None, 2, NOON_MS + 60_000, "connection refused", "check host and port"),
            BLOCKED: Outcome(None, None, 1, NOON_MS + 30_000, "host key unknown", "send the key", is_blocked=True),
            RELEASED: Outcome(None, None, 1, 0, "host key unknown", "send the key"),
            DIED: Outcome(None, None, 1, NOON_MS + 30_000),
            AGAIN: Outcome("def", NOON_MS, 1, NOON_MS + 30_000, "disk full", "free some", False, unknown_ms),
        }


def test_every_attempt_is_kept_and_what_was_reported_stays_reported(old: tuple[int, Path]) -> None:
    version, path = old
    with closing(Ledger(path)) as ledger:
        found = ledger.deliveries(99)
        assert [(one.day, one.ok, one.message) for one in reversed(found)][:2] == [
            (DELIVERED, False, "no answer"), (DELIVERED, True, "")
        ]  # fmt: skip
        assert len(found) == len(ATTEMPTS)
        assert {one.site for one in found} == {"alliance" if version >= 2 else ""}
        assert [one.id for one in ledger.unreported(99)] == list(range(4 if version >= 2 else 1, len(ATTEMPTS) + 1))


def test_reader_takes_it_for_a_ledger_of_an_exporter_that_has_not_run_here(old: tuple[int, Path]) -> None:
    """It neither fails nor migrates: that is for the exporter."""
    version, path = old
    before, reader = path.read_bytes(), LedgerReader(path)
    assert (reader.looked_epoch_ms(), reader.profiles(), reader.standings()) == (None, [], [])
    assert reader.days("alliance", *EVERY_DAY) == {}
    assert reader.sent_files("alliance", *EVERY_DAY) == []
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA user_version").fetchone() == (version,)
    assert path.read_bytes() == before


def test_reader_shows_its_delivered_days_once_the_exporter_has_opened_it(old: tuple[int, Path]) -> None:
    """Their bytes were not kept then."""
    _, path = old
    Ledger(path).close()
    days = LedgerReader(path).days("alliance", *EVERY_DAY)
    assert {day: (one.state, one.delivered_epoch_ms, one.is_kept) for day, one in days.items()} == {
        DELIVERED: (State.DELIVERED, NOON_MS, False),
        AGAIN: (State.DELIVERED, NOON_MS, False),
    }
