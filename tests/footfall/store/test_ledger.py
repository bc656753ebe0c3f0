"""The ledger: what it records survives any restart, and is never more than what happened."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from footfall.errors import ConfigError, StoreUnavailable
from footfall.store.ledger import LOOK_TIME_STEP_MS, Ledger
from footfall.store.ledger_schema import Delivery, Outcome, RecordedProfile, Standing, State

DAY, NEXT_DAY = date(2026, 5, 4), date(2026, 5, 5)
DELIVERED = Delivery(
    profile="alliance",
    day=DAY,
    destination="client",
    file_name="04_05_2026_counterdata-1.csv",
    started_epoch_ms=1_777_917_600_000,
    took_ms=700,
    ok=True,
    message="",
    hint="",
    sha256="a" * 64,
    rows=44,
    bytes=2700,
    gaps=("ALLI1 10:00-11:30 (90 min unknown)", "Entrée 18:30-19:00 (1 min unknown)"),
)
FAILED = replace(DELIVERED, ok=False, message="deliver it: no answer", hint="check the line", gaps=())
CONTENT = b"2026-5-4,08:00:00,12,9,ALLI1\n" * 44
NOON_MS = 1_777_888_800_000
PROFILES = [RecordedProfile("alliance", "alliance", "sftp.example.org"), RecordedProfile("other", "alliance", "")]
LATE = Standing("alliance", NEXT_DAY, State.LATE, NOON_MS, NOON_MS + 1, counters=("ALLI2", "Entrée"))
BLOCKED = Standing("alliance", DAY, State.BLOCKED, NOON_MS, attempts=1, error="refused", hint="send the key")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path)) as opened:
        yield opened


def deliver(ledger: Ledger, delivery: Delivery = DELIVERED) -> None:
    ledger.record_delivered(delivery, CONTENT, "utf-8", 0)


def test_all_that_was_recorded_is_there_after_reopening(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.record_start("alliance", DAY, 5)
        deliver(ledger)
        ledger.record_start("alliance", NEXT_DAY, 6)
        ledger.record_failed(replace(FAILED, day=NEXT_DAY), 7, is_blocked=True)
    with closing(Ledger(path)) as ledger:
        assert ledger.outcomes("alliance") == {
            DAY: Outcome("a" * 64, DELIVERED.started_epoch_ms + 700, delivered_unknown_ms=0),
            NEXT_DAY: Outcome(None, None, 1, 7, FAILED.message, FAILED.hint, is_blocked=True),
        }
        assert ledger.outcome("alliance", DAY) == ledger.outcomes("alliance")[DAY]
        assert ledger.deliveries(10) == [replace(FAILED, day=NEXT_DAY), DELIVERED]


def test_day_never_tried_has_no_outcome_and_each_profile_has_its_own(ledger: Ledger) -> None:
    ledger.record_start("other", DAY, 5)
    assert ledger.outcomes("alliance") == {}
    assert ledger.outcome("alliance", DAY) == Outcome()
    assert ledger.outcomes("other") == {DAY: Outcome(attempts=1, next_try_epoch_ms=5)}


def test_started_attempt_counts_though_it_never_ended(path: Path) -> None:
    """As when the process dies in it: the day is not delivered, and is retried after its pause."""
    for attempt in (1, 2, 3):
        with closing(Ledger(path)) as ledger:
            ledger.record_start("alliance", DAY, attempt * 100)
    with closing(Ledger(path)) as ledger:
        assert ledger.outcomes("alliance") == {DAY: Outcome(attempts=3, next_try_epoch_ms=300)}
        assert ledger.deliveries(10) == []


def test_redelivery_that_started_keeps_what_was_delivered_before(ledger: Ledger) -> None:
    ledger.record_start("alliance", DAY, 5)
    deliver(ledger)
    ledger.record_start("alliance", DAY, 9)
    outcome = ledger.outcome("alliance", DAY)
    assert (outcome.delivered_sha256, outcome.attempts, outcome.next_try_epoch_ms) == ("a" * 64, 1, 9)


def test_success_releases_the_blocked_days_of_its_profile_and_no_other(ledger: Ledger) -> None:
    for profile, day in (("alliance", DAY), ("alliance", NEXT_DAY), ("other", DAY)):
        ledger.record_start(profile, day, 5)
        ledger.record_failed(replace(FAILED, profile=profile, day=day), 10**15, is_blocked=True)
    ledger.record_start("alliance", DAY, 5)
    deliver(ledger)
    released = ledger.outcome("alliance", NEXT_DAY)
    assert (released.is_blocked, released.attempts, released.next_try_epoch_ms) == (False, 1, 0)
    assert ledger.outcome("other", DAY).is_blocked


def test_release_frees_every_blocked_day_and_leaves_pauses_alone(ledger: Ledger) -> None:
    for profile, is_blocked in (("alliance", True), ("other", True), ("third", False)):
        ledger.record_start(profile, DAY, 5)
        ledger.record_failed(replace(FAILED, profile=profile), 10**15, is_blocked=is_blocked)
    ledger.release()
    found = [ledger.outcome(profile, DAY) for profile in ("alliance", "other", "third")]
    assert [one.next_try_epoch_ms for one in found] == [0, 0, 10**15]
    assert not any(one.is_blocked for one in found)


def test_release_of_a_profile_leaves_the_others_blocked(ledger: Ledger) -> None:
    for profile in ("alliance", "other"):
        ledger.record_start(profile, DAY, 5)
        ledger.record_failed(replace(FAILED, profile=profile), 10**15, is_blocked=True)
    ledger.release("alliance")
    assert [ledger.outcome(profile, DAY).is_blocked for profile in ("alliance", "other")] == [False, True]


def test_unreported_attempts_come_oldest_first_each_with_its_number_at_its_day(ledger: Ledger) -> None:
    attempts = [FAILED, replace(FAILED, profile="other"), replace(FAILED, day=NEXT_DAY), DELIVERED]
    for delivery in attempts[:3]:
        ledger.record_failed(delivery, 7, is_blocked=False)
    deliver(ledger)
    numbers = [1, 1, 1, 2]
    found = ledger.unreported(10)
    assert [tuple(one) for one in found] == list(zip([1, 2, 3, 4], attempts, numbers, strict=True))
    assert ledger.unreported(2) == found[:2]
    ledger.record_reported(3)
    assert ledger.unreported(10) == found[3:]
    ledger.record_reported(2)
    assert ledger.unreported(10) == found[3:], "what InfluxDB has does not shrink by a late report"
    ledger.forget_reported()
    assert ledger.unreported(10) == found


def test_new_attempt_forgets_why_the_last_one_failed(ledger: Ledger) -> None:
    ledger.record_start("alliance", DAY, 5)
    ledger.record_failed(FAILED, 7, is_blocked=True)
    ledger.record_start("alliance", DAY, 9)
    assert ledger.outcome("alliance", DAY) == Outcome(attempts=2, next_try_epoch_ms=9)


def test_latest_attempts_come_first_and_only_as_many_as_asked_for(ledger: Ledger) -> None:
    for number in range(5):
        ledger.record_failed(replace(FAILED, profile="ab"[number % 2], started_epoch_ms=number), 0, is_blocked=False)
    assert [one.started_epoch_ms for one in ledger.deliveries(2)] == [4, 3]
    assert [one.started_epoch_ms for one in ledger.deliveries(9, "a")] == [4, 2, 0]
    assert ledger.deliveries(9, "c") == []


def test_two_connections_see_what_the_other_recorded(path: Path) -> None:
    with closing(Ledger(path)) as one, closing(Ledger(path)) as other:
        one.record_start("alliance", DAY, 5)
        assert other.outcomes("alliance")[DAY].attempts == 1
        deliver(other)
        assert one.outcomes("alliance")[DAY].delivered_sha256 == "a" * 64
        assert one.deliveries(10) == other.deliveries(10) == [DELIVERED]


def test_many_connections_at_once_lose_nothing(path: Path) -> None:
    def record() -> None:
        with closing(Ledger(path)) as ledger:
            for _ in range(5):
                ledger.record_start("alliance", DAY, 5)
                ledger.record_failed(FAILED, 5, is_blocked=False)

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(Ledger(path)) as ledger:
        assert ledger.outcomes("alliance")[DAY].attempts == 20
        assert len(ledger.deliveries(100)) == 20


@pytest.mark.parametrize(
    ("broken", "record"),
    [
        ("outcome", deliver),
        ("sent_file", deliver),
        ("outcome", lambda ledger: ledger.record_failed(FAILED, 5, is_blocked=False)),
    ],
    ids=["delivered", "delivered, its bytes", "failed"],
)
def test_record_is_kept_whole_or_not_at_all(path: Path, broken: str, record: Callable[[Ledger], None]) -> None:
    with closing(Ledger(path)) as ledger:
        with closing(sqlite3.connect(path)) as other:
            other.execute(f"DROP TABLE {broken}")
        with pytest.raises(StoreUnavailable, match=f"no such table: {broken}"):
            record(ledger)
        assert ledger.deliveries(10) == []


def look(ledger: Ledger) -> None:
    ledger.record_look(NOON_MS, PROFILES, [LATE])


@pytest.mark.parametrize(
    ("record", "statements"),
    [
        (lambda ledger: ledger.record_start("alliance", DAY, 5), ["INSERT INTO outcome"]),
        (
            deliver,
            [
                "INSERT INTO delivery",
                "UPDATE outcome",
                "REPLACE INTO sent_file",
                "DELETE FROM standing",
                "UPDATE outcome",
            ],
        ),
        (
            lambda ledger: ledger.record_failed(FAILED, 5, is_blocked=False),
            ["INSERT INTO delivery", "UPDATE outcome"],
        ),
        (look, ["REPLACE INTO profile", "REPLACE INTO profile", "REPLACE INTO standing", "REPLACE INTO look"]),
        (lambda ledger: ledger.record_look(NOON_MS, [], []), ["REPLACE INTO look"]),
        (lambda ledger: ledger.record_reported(1), ["UPDATE reported"]),
        (lambda ledger: ledger.forget_reported(), ["UPDATE reported"]),
        (lambda ledger: ledger.release(), ["UPDATE outcome"]),
    ],
    ids=["start", "delivered", "failed", "look", "empty look", "reported", "forget reported", "release"],
)
def test_each_record_is_one_transaction(
    ledger: Ledger, record: Callable[[Ledger], None], statements: list[str]
) -> None:
    executed: list[str] = []
    ledger._connection.set_trace_callback(executed.append)
    record(ledger)
    found = [one.split(" SET ")[0].split(" (")[0].split(" WHERE ")[0] for one in executed]
    assert [one for one in found if not one.startswith("SELECT ")] == ["BEGIN IMMEDIATE", *statements, "COMMIT"]


def test_look_that_drops_everything_is_one_transaction(ledger: Ledger) -> None:
    look(ledger)
    executed: list[str] = []
    ledger._connection.set_trace_callback(executed.append)
    ledger.record_look(NOON_MS + 1, [], [])
    found = [one.split(" WHERE ")[0].split(" (")[0] for one in executed if not one.startswith("SELECT ")]
    deletes = ["DELETE FROM profile", "DELETE FROM profile", "DELETE FROM standing"]
    assert found == ["BEGIN IMMEDIATE", *deletes, "REPLACE INTO look", "COMMIT"]


@pytest.mark.parametrize(
    "read", [lambda ledger: ledger.outcomes("alliance"), lambda ledger: ledger.outcome("alliance", DAY),
             lambda ledger: ledger.record_look(NOON_MS, [], []), lambda ledger: ledger.deliveries(9),
             lambda ledger: ledger.unreported(9)],
    ids=["outcomes", "outcome", "look", "deliveries", "unreported"],
)  # fmt: skip
def test_ledger_that_cannot_be_read_is_unavailable_and_named(path: Path, read: Callable[[Ledger], object]) -> None:
    with closing(Ledger(path)) as ledger, closing(sqlite3.connect(path)) as other:
        for table in ("outcome", "look", "sent_file", "delivery"):
            other.execute(f"DROP TABLE {table}")
        with pytest.raises(StoreUnavailable, match="no such table") as caught:
            read(ledger)
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    "write", [lambda ledger: ledger.record_start("alliance", DAY, 5), deliver,
              lambda ledger: ledger.record_failed(FAILED, 5, is_blocked=False), lambda ledger: ledger.release(),
              lambda ledger: ledger.record_look(NOON_MS, PROFILES, []), lambda ledger: ledger.record_reported(1),
              lambda ledger: ledger.forget_reported()],
    ids=["start", "delivered", "failed", "release", "look", "reported", "forget reported"],
)  # fmt: skip
def test_ledger_that_cannot_be_written_is_unavailable_and_named(
    ledger: Ledger, write: Callable[[Ledger], None]
) -> None:
    ledger._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StoreUnavailable, match="readonly") as caught:
        write(ledger)
    assert str(ledger.path) in caught.value.message


def test_look_that_changes_nothing_writes_its_time_only_and_that_now_and_then(ledger: Ledger) -> None:
    looks = [
        (NOON_MS, PROFILES, [LATE, BLOCKED], 5),
        (NOON_MS, PROFILES, [LATE, BLOCKED], 0),
        (NOON_MS + 1, PROFILES, [LATE, BLOCKED], 0),
        (NOON_MS + 2, PROFILES[::-1], [BLOCKED, replace(LATE, decided_epoch_ms=NOON_MS + 2)], 0),
        (NOON_MS + LOOK_TIME_STEP_MS, PROFILES, [LATE, BLOCKED], 1),
        (NOON_MS + LOOK_TIME_STEP_MS + 1, PROFILES, [replace(LATE, counters=("ALLI2",)), BLOCKED], 3),
        (NOON_MS, PROFILES, [replace(LATE, counters=("ALLI2",)), BLOCKED], 1),  # the clock was set back
    ]
    for looked_epoch_ms, profiles, standings, rows in looks:
        before = ledger._connection.total_changes
        ledger.record_look(looked_epoch_ms, profiles, standings)
        assert ledger._connection.total_changes - before == rows


def test_look_replaces_the_one_before(ledger: Ledger) -> None:
    """Neither a day that is no longer owed nor a profile that was removed keeps its standing."""
    ledger.record_look(NOON_MS, PROFILES, [LATE, BLOCKED])
    ledger.record_look(NOON_MS + 1, PROFILES[1:], [])
    (standings,) = ledger._connection.execute("SELECT count(*) FROM standing").fetchone()
    names = ledger._connection.execute("SELECT name FROM profile").fetchall()
    assert (standings, names) == (0, [("other",)])


def test_ledger_of_a_newer_footfall_is_refused_and_not_touched(path: Path) -> None:
    Ledger(path).close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="was written by a newer Footfall") as caught:
        Ledger(path)
    assert "install that version" in caught.value.hint
    assert path.read_bytes() == before


def test_ledger_that_cannot_be_opened_is_unavailable_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open") as missing:
        Ledger(tmp_path / "nowhere" / "ledger.sqlite")
    assert "footfall init" in missing.value.hint
    (tmp_path / "text").write_text("this is no ledger, it is a letter; " * 40)
    with pytest.raises(StoreUnavailable, match="not a database") as damaged:
        Ledger(tmp_path / "text")
    assert "Restore from a backup" in damaged.value.hint
