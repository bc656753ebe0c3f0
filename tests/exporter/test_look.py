"""Every look records where each day stands, so pages and metrics only read it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import pytest

from exporter.standing import REDELIVERY_PAUSE_S
from footfall.errors import StoreUnavailable
from footfall.model import Arrival, epoch_ms
from footfall.store.journal import Journal
from footfall.store.journal_reader import JournalReader
from footfall.store.ledger import LOOK_TIME_STEP_MS, Ledger
from footfall.store.ledger_reader import LedgerReader
from footfall.store.ledger_schema import RecordedProfile, Standing, State
from tests.support.exporter_rig import ExporterRig, file_of, profile_table, rig

DAY, NEXT_DAY = date(2026, 5, 4), date(2026, 5, 5)
FOREVER = (date.min, date.max)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ExporterRig]:
    """Yield a rig on the evening of a day that is wholly covered."""
    with rig(tmp_path) as opened:
        opened.cover("2026-05-04", "2026-05-04")
        opened.at("2026-05-04", "20:00")
        yield opened


def recorded(here: ExporterRig) -> list[Standing]:
    return LedgerReader(here.ledger.path).standings()


def standing(here: ExporterRig, state: State, **details: object) -> Standing:
    return Standing("alliance", DAY, state, epoch_ms(here.now_utc), **details)  # type: ignore[arg-type]  # its own fields


def test_look_records_what_it_found_and_when(here: ExporterRig) -> None:
    here.job().look()
    assert recorded(here) == [standing(here, State.DUE)]
    assert recorded(here)[0].decided_epoch_ms == epoch_ms(here.now_utc)
    assert LedgerReader(here.ledger.path).looked_epoch_ms() == epoch_ms(here.now_utc)


def test_look_records_the_profiles_and_where_their_files_go(tmp_path: Path) -> None:
    alone = '[profiles.alone]\nsite = "alliance"\n'
    with rig(tmp_path, profile_table(), alone) as here:
        here.job().look()
        assert LedgerReader(here.ledger.path).profiles() == [
            RecordedProfile("alliance", "alliance", str(here.client.folder)),
            RecordedProfile("alone", "alliance", ""),
        ]


def test_delivery_ends_the_standing_and_keeps_the_bytes_that_were_sent(here: ExporterRig) -> None:
    here.enter("2026-05-04", "10:10", 5)
    here.steps()
    reader = LedgerReader(here.ledger.path)
    assert reader.standings() == []
    assert reader.days("alliance", *FOREVER)[DAY].state is State.DELIVERED
    (sent,) = reader.sent_files("alliance", *FOREVER)
    there = (here.client.folder / file_of("2026-05-04")).read_bytes()
    assert (sent.name, sent.content, sent.encoding, sent.rows) == (file_of("2026-05-04"), there, "utf-8", 44)
    here.enter("2026-05-04", "11:10", 1)
    assert reader.sent_files("alliance", *FOREVER) == [sent]
    here.wait(seconds=REDELIVERY_PAUSE_S)
    here.job().look()
    assert recorded(here) == [standing(here, State.CHANGED)]


def test_day_that_waits_says_for_which_counters_and_until_when(tmp_path: Path) -> None:
    with rig(tmp_path) as here:
        here.cover("2026-05-04", "2026-05-04", "ALLI1")
        here.at("2026-05-04", "20:00")
        here.steps()
        until = epoch_ms(here.instant("2026-05-05", "12:00"))
        assert recorded(here) == [standing(here, State.LATE, counters=("ALLI2",), next_try_epoch_ms=until)]


@pytest.mark.parametrize(
    ("fault", "state", "hint"),
    [("transient", State.RETRYING, "the exporter retries"), ("permanent", State.BLOCKED, "clear the fault")],
)
def test_day_that_failed_says_why_and_when_it_is_retried(
    here: ExporterRig, fault: str, state: State, hint: str
) -> None:
    here.client.fault = fault  # type: ignore[assignment]  # one of its own
    here.steps()
    outcome = here.ledger.outcome("alliance", DAY)
    error = f"deliver {file_of('2026-05-04')} to client: failed on demand"
    next_try = outcome.next_try_epoch_ms if state is State.RETRYING else None
    assert recorded(here) == [
        standing(here, state, next_try_epoch_ms=next_try, attempts=1, error=error, hint=hint)
    ]  # fmt: skip
    decided = recorded(here)[0].decided_epoch_ms
    here.wait(seconds=1)
    here.job().look()
    assert recorded(here)[0].decided_epoch_ms == decided, "nothing has changed since"


def test_day_kept_back_says_how_much_is_missing(here: ExporterRig, tmp_path: Path) -> None:
    here.enter("2026-05-04", "10:10", 5)
    here.steps()
    whole = here.reader
    with closing(Journal(tmp_path / "backup.sqlite")) as backup:
        here.reader = JournalReader(backup.path)
        backup.append([Arrival("ALLI1", "s", (), None, epoch_ms(here.now_utc))])
        here.wait(seconds=REDELIVERY_PAUSE_S)
        here.job().look()
        here.reader.close()
    here.reader = whole
    assert recorded(here) == [standing(here, State.KEPT_BACK, minutes=2 * 11 * 60)]
    assert LedgerReader(here.ledger.path).days("alliance", *FOREVER)[DAY].delivered_epoch_ms is not None


def test_removed_profile_loses_its_standings(tmp_path: Path) -> None:
    with rig(tmp_path, profile_table(), profile_table("other", to="mirror")) as here:
        here.at("2026-05-04", "20:00")
        here.job().look()
        assert {one.profile for one in recorded(here)} == {"alliance", "other"}
        del here.profiles["other"]
        here.job().look()
        assert {one.profile for one in recorded(here)} == {"alliance"}
        assert [one.name for one in LedgerReader(here.ledger.path).profiles()] == ["alliance"]


def test_day_that_is_no_longer_owed_loses_its_standing(tmp_path: Path) -> None:
    """`deliver_from` was set to a later day."""
    with rig(tmp_path) as here:
        here.at("2026-05-05", "20:00")
        here.job().look()
        assert [one.day for one in recorded(here)] == [DAY, NEXT_DAY]
    (tmp_path / "again").mkdir()
    with rig(tmp_path / "again", profile_table(since="2026-05-05")) as later:
        later.ledger.close()
        later.ledger = Ledger(here.ledger.path)
        later.at("2026-05-05", "20:00")
        later.job().look()
        assert [one.day for one in recorded(later)] == [NEXT_DAY]


def test_look_at_years_of_delivered_days_writes_its_time_and_nothing_else(here: ExporterRig) -> None:
    here.steps()
    first = date(2016, 1, 1)
    here.ledger._connection.executemany(
        "INSERT INTO outcome (profile, day, delivered_sha256, delivered_epoch_ms, attempts, next_try_epoch_ms, hint)"
        " VALUES ('alliance', ?, 'abc', 0, 0, 0, '')",
        [(str(first + timedelta(days=number)),) for number in range(3650)],
    )
    job = here.job()
    job.look()
    for rows in (1, 1, 0):
        here.wait(milliseconds=LOOK_TIME_STEP_MS if rows else 5)
        before = here.ledger._connection.total_changes
        job.look()
        assert here.ledger._connection.total_changes - before == rows


def test_unavailable_store_leaves_the_last_look_as_it_was(here: ExporterRig, tmp_path: Path) -> None:
    here.job().look()
    looked, found = LedgerReader(here.ledger.path).looked_epoch_ms(), recorded(here)
    here.reader.close()
    here.journal.path.rename(tmp_path / "away")
    here.wait(hours=1)
    with pytest.raises(StoreUnavailable):
        here.job().look()
    assert (LedgerReader(here.ledger.path).looked_epoch_ms(), recorded(here)) == (looked, found)
