"""Where a finished day stands, from what the ledger and the store say at an instant."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from exporter.profile import Profile
from exporter.render import Export
from exporter.standing import (
    LONGEST_BACKOFF_S,
    REDELIVERY_PAUSE_S,
    STORE_GIVEN_UP_AFTER,
    Decision,
    StoreState,
    decide,
    due_days,
    explain,
    is_settled,
    sha256,
)
from footfall.calendar import local_instant
from footfall.model import epoch_ms
from footfall.store.ledger_schema import Outcome, Standing, State
from tests.support.profiles import counter_table, read_profile

DAY = date(2026, 5, 4)
PROFILE = read_profile()
EXPORT = Export("alliance", DAY, "04.csv", b"2026-5-4,08:00:00,12,9,ALLI1\n", 1, 12, 9, (), 600_000)
SENT = Outcome(sha256(EXPORT), 0, delivered_unknown_ms=EXPORT.unknown_ms)
FAILED = Outcome(attempts=2, error="refused", hint="send the key")
OTHER_BYTES = "0" * 64


def at(clock: str, day: date = DAY) -> datetime:
    return local_instant(day, int(clock[:2]) * 60 + int(clock[3:]), PROFILE.site.tz)


EVENING_UTC, CLOSING_UTC, GIVE_UP_UTC = at("20:00"), at("19:00"), at("12:00", DAY + timedelta(days=1))
COVERED = {"ALLI1": CLOSING_UTC, "ALLI2": CLOSING_UTC}
NO_ALLI2: Mapping[str, datetime | None] = {"ALLI2": None}


def store(
    now_utc: datetime = EVENING_UTC,
    covered_to: Mapping[str, datetime | None] = {},
    complete_until: datetime | None = None,
) -> StoreState:
    """Return a store that has every counter to closing time, except as *covered_to* says; None: nothing at all."""
    covered = {name: to_utc for name, to_utc in {**COVERED, **covered_to}.items() if to_utc is not None}
    return StoreState(now_utc, covered, lambda: complete_until)


def decided(outcome: Outcome, store: StoreState) -> Decision | None:
    """Return where a day stands whose file is EXPORT now."""
    return decide(PROFILE, DAY, outcome, store, lambda: EXPORT)


def standing_of(outcome: Outcome, store: StoreState, profile: Profile = PROFILE) -> Standing:
    """Return where a day stands for which nothing is rendered."""

    def render() -> Export:
        raise AssertionError("nothing is compared")

    decision = decide(profile, DAY, outcome, store, render)
    assert decision is not None
    assert decision.export is None
    return decision.standing


def test_day_never_tried_is_due_and_says_since_when() -> None:
    standing = standing_of(Outcome(), store())
    assert standing == Standing("alliance", DAY, State.DUE)
    assert standing.decided_epoch_ms == epoch_ms(EVENING_UTC)


def test_failed_day_is_due_again_with_its_attempts_and_why_the_last_one_failed() -> None:
    expected = Standing("alliance", DAY, State.DUE, attempts=2, error="refused", hint="send the key")
    assert standing_of(FAILED, store()) == expected


def test_blocked_day_stays_blocked_however_long_its_pause_is_over() -> None:
    expected = Standing("alliance", DAY, State.BLOCKED, attempts=2, error="refused", hint="send the key")
    assert standing_of(FAILED._replace(is_blocked=True), store(GIVE_UP_UTC)) == expected


@pytest.mark.parametrize(
    ("wait_ms", "state"),
    [
        (-1, State.DUE),
        (0, State.DUE),
        (1, State.RETRYING),
        (LONGEST_BACKOFF_S * 1500, State.RETRYING),
        (LONGEST_BACKOFF_S * 1500 + 1, State.DUE),  # the clock was ahead, and has been set back
    ],
)
def test_failed_day_waits_for_its_next_try_and_no_longer_than_any_pause(wait_ms: int, state: State) -> None:
    next_try = epoch_ms(EVENING_UTC) + wait_ms
    standing = standing_of(FAILED._replace(next_try_epoch_ms=next_try), store())
    assert (standing.state, standing.next_try_epoch_ms) == (state, next_try if state is State.RETRYING else None)
    assert (standing.attempts, standing.error, standing.hint) == (2, "refused", "send the key")


@pytest.mark.parametrize(
    ("covered_to", "late"),
    [
        ({}, ()),
        ({"ALLI1": CLOSING_UTC - timedelta(seconds=1)}, ("ALLI1",)),
        ({"ALLI2": CLOSING_UTC + timedelta(hours=9)}, ()),
        ({"ALLI1": None, "ALLI2": EVENING_UTC - timedelta(days=1)}, ("ALLI1", "ALLI2")),
    ],
)
def test_counter_is_late_until_it_has_reported_the_day_to_its_end(
    covered_to: dict[str, datetime | None], late: tuple[str, ...]
) -> None:
    standing = standing_of(Outcome(), store(covered_to=covered_to))
    until = epoch_ms(GIVE_UP_UTC) if late else None
    expected = Standing(
        "alliance", DAY, State.LATE if late else State.DUE, next_try_epoch_ms=until, counters=late
    )  # fmt: skip
    assert standing == expected


@pytest.mark.parametrize(
    ("days", "is_late"),
    [
        ("since = 2026-05-04", True),
        ("since = 2026-05-05", False),
        ("until = 2026-05-05", True),
        ("until = 2026-05-04", False),  # on its last day a counter may be removed at noon
        ("until = 2026-05-03", False),
    ],
)
def test_only_a_counter_in_service_to_the_end_of_the_day_is_late(days: str, is_late: bool) -> None:
    profile = read_profile(counters=counter_table(1) + counter_table(2, days))
    standing = standing_of(Outcome(), store(covered_to=NO_ALLI2), profile=profile)
    assert (standing.state is State.LATE) is is_late
    assert standing.counters == (("ALLI2",) if is_late else ())


LAGS_UTC = GIVE_UP_UTC - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now_utc", "complete_until", "state"),
    [
        (LAGS_UTC, None, State.LATE),
        (GIVE_UP_UTC, None, State.DUE),
        (GIVE_UP_UTC, GIVE_UP_UTC, State.DUE),
        (GIVE_UP_UTC, LAGS_UTC, State.STORE_BEHIND),
        (GIVE_UP_UTC + STORE_GIVEN_UP_AFTER - timedelta(seconds=1), LAGS_UTC, State.STORE_BEHIND),
        (GIVE_UP_UTC + STORE_GIVEN_UP_AFTER, LAGS_UTC, State.DUE),
    ],
)
def test_late_day_goes_out_at_its_deadline_unless_the_store_is_behind_and_a_day_later_anyway(
    now_utc: datetime, complete_until: datetime | None, state: State
) -> None:
    standing = standing_of(Outcome(), store(now_utc, NO_ALLI2, complete_until))
    deadlines = {State.LATE: GIVE_UP_UTC, State.STORE_BEHIND: GIVE_UP_UTC + timedelta(days=1)}
    waits = state in deadlines
    assert standing == Standing(
        "alliance", DAY, state,
        next_try_epoch_ms=epoch_ms(deadlines[state]) if waits else None, counters=("ALLI2",) if waits else (),
    )  # fmt: skip


def test_whole_day_goes_out_although_the_store_is_behind() -> None:
    assert standing_of(Outcome(), store(GIVE_UP_UTC, complete_until=LAGS_UTC)).state is State.DUE


def test_delivered_day_whose_file_is_the_same_stands_nowhere() -> None:
    assert decided(SENT, store()) is None


def test_delivered_day_whose_file_differs_is_changed_and_its_decision_has_the_file() -> None:
    decision = decided(SENT._replace(delivered_sha256=OTHER_BYTES), store())
    assert decision == Decision(Standing("alliance", DAY, State.CHANGED), EXPORT)
    assert decision is not None
    assert decision.standing.decided_epoch_ms == epoch_ms(EVENING_UTC)


def test_failed_redelivery_is_sent_again_even_if_the_file_is_the_delivered_one() -> None:
    """The failed attempt may have stored other bytes at the client."""
    outcome = SENT._replace(attempts=1, error="refused", hint="send the key")
    expected = Standing("alliance", DAY, State.DUE, attempts=1, error="refused", hint="send the key")
    assert decided(outcome, store()) == Decision(expected, EXPORT)


def test_failed_redelivery_waits_as_a_first_delivery_does_and_renders_nothing() -> None:
    next_try = epoch_ms(EVENING_UTC) + 1
    assert standing_of(SENT._replace(attempts=1, next_try_epoch_ms=next_try), store()).state is State.RETRYING
    assert standing_of(SENT._replace(attempts=1), store(covered_to=NO_ALLI2)).state is State.LATE


@pytest.mark.parametrize(
    ("before_ms", "minutes"),
    [(600_000, None), (600_001, None), (599_999, 1), (540_000, 1), (539_999, 2), (0, 10), (None, None)],
)
@pytest.mark.parametrize("attempts", [0, 1])
def test_file_that_knows_less_than_the_delivered_one_is_kept_back_with_the_minutes_missing(
    before_ms: int | None, minutes: int | None, attempts: int
) -> None:
    outcome = Outcome(OTHER_BYTES, 0, attempts, delivered_unknown_ms=before_ms)
    state = State.KEPT_BACK if minutes else State.DUE if attempts else State.CHANGED
    expected = Standing("alliance", DAY, state, minutes=minutes or 0, attempts=attempts)
    assert decided(outcome, store()) == Decision(expected, EXPORT)


@pytest.mark.parametrize(
    ("since_delivery_s", "settled"),
    [(-1, False), (0, True), (REDELIVERY_PAUSE_S - 0.001, True), (REDELIVERY_PAUSE_S, False)],
)
def test_delivered_day_is_settled_for_a_pause(since_delivery_s: float, settled: bool) -> None:
    delivered = SENT._replace(delivered_epoch_ms=epoch_ms(EVENING_UTC - timedelta(seconds=since_delivery_s)))
    assert is_settled(PROFILE, DAY, delivered, EVENING_UTC) is settled


@pytest.mark.parametrize(("before_s", "settled"), [(1, False), (0, True), (-1, True)])
def test_delivered_day_is_settled_for_good_redeliver_days_after_its_end(before_s: int, settled: bool) -> None:
    now_utc = CLOSING_UTC + timedelta(days=7) - timedelta(seconds=before_s)
    assert is_settled(PROFILE, DAY, SENT, now_utc) is settled
    assert not is_settled(PROFILE, DAY, SENT._replace(attempts=1), now_utc)
    assert not is_settled(PROFILE, DAY, FAILED, now_utc)


def test_delivery_of_unknown_time_settles_nothing_by_its_pause() -> None:
    """1970 is long ago."""
    assert not is_settled(PROFILE, DAY, SENT._replace(delivered_epoch_ms=None), EVENING_UTC)
    long_ago_utc = datetime(1970, 1, 1, 0, 10, tzinfo=UTC)
    assert is_settled(PROFILE, DAY, SENT._replace(delivered_epoch_ms=None), long_ago_utc)


def days_due(first: str, now_utc: datetime, outcomes: dict[str, Outcome] | None = None) -> list[str]:
    tried = {date.fromisoformat(day): outcome for day, outcome in (outcomes or {}).items()}
    return [str(day) for day in due_days(PROFILE, date.fromisoformat(first), tried, now_utc)]


def test_day_is_due_from_deliver_at_on() -> None:
    assert days_due("2026-05-03", EVENING_UTC - timedelta(seconds=1)) == ["2026-05-03"]
    assert days_due("2026-05-03", EVENING_UTC) == ["2026-05-03", "2026-05-04"]
    assert days_due("2026-05-05", EVENING_UTC) == []


def test_day_is_due_the_day_it_ends_although_it_is_already_tomorrow_at_the_site() -> None:
    profile = read_profile('deliver_at = "00:30"')
    now_utc = at("00:30", DAY + timedelta(days=1))
    assert list(due_days(profile, DAY, {}, now_utc - timedelta(seconds=1))) == []
    assert list(due_days(profile, DAY, {}, now_utc)) == [DAY]


def test_day_may_be_due_before_it_begins_in_utc() -> None:
    profile = read_profile('hours = "00:00-01:00"', 'deliver_at = "01:00"')
    now_utc = at("01:00")
    assert now_utc.date() < DAY
    assert list(due_days(profile, DAY, {}, now_utc)) == [DAY]
    assert list(due_days(profile, DAY, {}, now_utc - timedelta(seconds=1))) == []


def test_earlier_days_are_due_if_they_were_tried() -> None:
    outcomes = {"2026-05-01": FAILED, "2026-04-01": FAILED, "2026-05-04": SENT, "2026-05-06": FAILED}
    assert days_due("2026-05-03", EVENING_UTC, outcomes) == ["2026-04-01", "2026-05-01", "2026-05-03", "2026-05-04"]


def test_tried_day_in_the_future_is_not_due() -> None:
    """`deliver_from` is far ahead, and the clock was too when the day was delivered by hand."""
    assert days_due("2027-01-01", EVENING_UTC, {"2026-05-04": FAILED, "2026-05-05": FAILED}) == ["2026-05-04"]


def test_delivered_days_too_old_to_change_are_left_out_unless_a_redelivery_failed() -> None:
    """Two days of margin on redeliver_days: is_settled decides to the second."""
    delivered = {f"2026-04-{day}": SENT for day in range(20, 30)} | {"2026-04-21": SENT._replace(attempts=1)}
    found = days_due("2026-04-20", EVENING_UTC, delivered)
    assert found[:3] == ["2026-04-21", "2026-04-25", "2026-04-26"]


def explained(state: State, **details: object) -> str:
    standing = replace(Standing("alliance", DAY, state), **details)  # type: ignore[arg-type]  # its own fields
    return explain(standing, PROFILE, EVENING_UTC)


def test_standings_are_explained_to_people() -> None:
    give_up = epoch_ms(GIVE_UP_UTC)
    late = ("ALLI1", "ALLI2")
    assert explained(State.LATE, counters=late, next_try_epoch_ms=give_up) == (
        "ALLI1, ALLI2; goes out anyway at 2026-05-05 12:00"
    )
    assert explained(State.STORE_BEHIND, counters=late, next_try_epoch_ms=give_up) == (
        "ALLI1, ALLI2; goes out once InfluxDB has all that ingest received, or a day after give_up_at"
    )
    assert explained(State.KEPT_BACK, minutes=840) == (
        "840 min of counting missing; goes out once the store has it again. "
        "If the file is right: footfall export --profile alliance --day 2026-05-04 --deliver"
    )
    next_try = epoch_ms(EVENING_UTC + timedelta(seconds=90, milliseconds=700))
    assert explained(State.RETRYING, attempts=1, next_try_epoch_ms=next_try) == "in 90 s, attempt 2"
    assert explained(State.BLOCKED, hint="send the key") == "send the key; then: footfall export --deliver"
    assert explained(State.DUE) == explained(State.CHANGED) == ""
