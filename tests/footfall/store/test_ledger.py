"""The ledger: what it knows survives any restart, and is never more than what happened."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from footfall.errors import ConfigError, StoreUnavailable
from footfall.store.ledger import Delivery, Ledger, Standing

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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path)) as opened:
        yield opened


def test_all_that_was_recorded_is_there_after_reopening(path: Path) -> None:
    with closing(Ledger(path)) as ledger:
        ledger.record_start("alliance", DAY, 5)
        ledger.record_delivered(DELIVERED)
        ledger.record_start("alliance", NEXT_DAY, 6)
        ledger.record_failed(replace(FAILED, day=NEXT_DAY), 7, waits_for="a new key")
    with closing(Ledger(path)) as ledger:
        assert ledger.standings("alliance") == {
            DAY: Standing("a" * 64, DELIVERED.started_epoch_ms + 700, 0, 0, ""),
            NEXT_DAY: Standing(None, None, 1, 7, "a new key"),
        }
        assert ledger.deliveries(10) == [replace(FAILED, day=NEXT_DAY), DELIVERED]


def test_day_never_tried_has_no_standing_and_each_profile_has_its_own(ledger: Ledger) -> None:
    assert ledger.standings("alliance") == {}
    ledger.record_start("other", DAY, 5)
    assert ledger.standings("alliance") == {}
    assert ledger.standings("other") == {DAY: Standing(attempts=1, next_try_epoch_ms=5)}


def test_started_attempt_counts_though_it_never_ended(path: Path) -> None:
    """As when the process dies in it: the day is tried again, after its pause, and was not delivered."""
    for attempt in (1, 2, 3):
        with closing(Ledger(path)) as ledger:
            ledger.record_start("alliance", DAY, attempt * 100)
    with closing(Ledger(path)) as ledger:
        assert ledger.standings("alliance") == {DAY: Standing(attempts=3, next_try_epoch_ms=300)}
        assert ledger.deliveries(10) == []


def test_redelivery_that_started_keeps_what_was_delivered_before(ledger: Ledger) -> None:
    ledger.record_start("alliance", DAY, 5)
    ledger.record_delivered(DELIVERED)
    ledger.record_start("alliance", DAY, 9)
    standing = ledger.standings("alliance")[DAY]
    assert (standing.delivered_sha256, standing.attempts, standing.next_try_epoch_ms) == ("a" * 64, 1, 9)


def test_success_releases_the_waiting_days_of_its_profile_and_no_other(ledger: Ledger) -> None:
    for profile, day in (("alliance", DAY), ("alliance", NEXT_DAY), ("other", DAY)):
        ledger.record_start(profile, day, 5)
        ledger.record_failed(replace(FAILED, profile=profile, day=day), 10**15, waits_for="a new key")
    ledger.record_start("alliance", DAY, 5)
    ledger.record_delivered(DELIVERED)
    assert ledger.standings("alliance")[NEXT_DAY] == Standing(attempts=1, next_try_epoch_ms=0)
    assert ledger.standings("other")[DAY].waits_for == "a new key"


def test_release_lets_every_waiting_day_go_and_leaves_pauses_alone(ledger: Ledger) -> None:
    for profile, waits_for in (("alliance", "a new key"), ("other", "space"), ("third", "")):
        ledger.record_start(profile, DAY, 5)
        ledger.record_failed(replace(FAILED, profile=profile), 10**15, waits_for)
    ledger.release()
    assert [ledger.standings(profile)[DAY].next_try_epoch_ms for profile in ("alliance", "other", "third")] == [
        0,
        0,
        10**15,
    ]
    assert {ledger.standings(profile)[DAY].waits_for for profile in ("alliance", "other")} == {""}


def test_latest_attempts_come_first_and_only_as_many_as_asked_for(ledger: Ledger) -> None:
    for number in range(5):
        ledger.record_failed(replace(FAILED, profile="ab"[number % 2], started_epoch_ms=number), 0, "")
    assert [one.started_epoch_ms for one in ledger.deliveries(2)] == [4, 3]
    assert [one.started_epoch_ms for one in ledger.deliveries(9, "a")] == [4, 2, 0]
    assert ledger.deliveries(9, "c") == []


def test_two_connections_see_what_the_other_recorded(path: Path) -> None:
    with closing(Ledger(path)) as one, closing(Ledger(path)) as other:
        one.record_start("alliance", DAY, 5)
        assert other.standings("alliance")[DAY].attempts == 1
        other.record_delivered(DELIVERED)
        assert one.standings("alliance")[DAY].delivered_sha256 == "a" * 64
        assert one.deliveries(10) == other.deliveries(10) == [DELIVERED]


def test_many_connections_at_once_lose_nothing(path: Path) -> None:
    def record() -> None:
        with closing(Ledger(path)) as ledger:
            for _ in range(5):
                ledger.record_start("alliance", DAY, 5)
                ledger.record_failed(FAILED, 5, "")

    threads = [threading.Thread(target=record) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with closing(Ledger(path)) as ledger:
        assert ledger.standings("alliance")[DAY].attempts == 20
        assert len(ledger.deliveries(100)) == 20


@pytest.mark.parametrize(
    ("broken", "record"),
    [
        ("standing", lambda ledger: ledger.record_delivered(DELIVERED)),
        ("standing", lambda ledger: ledger.record_failed(FAILED, 5, "")),
    ],
    ids=["delivered", "failed"],
)
def test_record_is_kept_whole_or_not_at_all(path: Path, broken: str, record: Callable[[Ledger], None]) -> None:
    with closing(Ledger(path)) as ledger:
        with closing(sqlite3.connect(path)) as other:
            other.execute(f"DROP TABLE {broken}")
        with pytest.raises(StoreUnavailable, match=f"no such table: {broken}"):
            record(ledger)
        assert ledger.deliveries(10) == []


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
