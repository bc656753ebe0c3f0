"""Decides the standing of a day. Pure: delivery_job.py calls it for each due day, records the result and acts on it.

A day is due from deliver_at on, and again if its file would differ from the delivered one. The first state that applies
is the standing:

    blocked, retrying   the last attempt failed
    late                a counter has not reported the whole day, and give_up_at has not come
    store_behind        the same after give_up_at, but InfluxDB lacks data that ingest has received
    kept_back           the file would know less than the delivered one
    due, changed        none of these: it goes out at the next look
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from exporter.profile import Profile
from exporter.render import Export
from footfall.model import epoch_ms, from_epoch_ms
from footfall.store.ledger_schema import Outcome, Standing, State

LONGEST_BACKOFF_S = 3600
REDELIVERY_PAUSE_S = 900
"""A changed day is delivered again at most this often: a counter that was offline sends its backlog in pieces."""

STORE_GIVEN_UP_AFTER = timedelta(days=1)

IN_WORDS: Mapping[State, str] = {
    State.DELIVERED: "delivered",
    State.DUE: "owed: goes out at the next look",
    State.CHANGED: "owed: changed since delivery",
    State.LATE: "waiting for late counters",
    State.STORE_BEHIND: "waiting for InfluxDB to catch up",
    State.KEPT_BACK: "kept back: the store knows less than the delivered file",
    State.RETRYING: "failed: will be retried",
    State.BLOCKED: "blocked: needs action",
}


class Decision(NamedTuple):
    """A day's standing, and the file that was rendered to decide it, if any."""

    standing: Standing
    export: Export | None = None


@dataclass(frozen=True)
class StoreState:
    """What the store knows now. ``covered_to`` and ``complete_until`` are those of Reader."""

    now_utc: datetime
    covered_to: Mapping[str, datetime]
    complete_until: Callable[[], datetime | None]


def due_days(profile: Profile, first: date, outcomes: Mapping[date, Outcome], now_utc: datetime) -> Iterator[date]:
    """Yield the due days of *profile*, oldest first: all from *first* on, and earlier ones that were attempted.

    Delivered days that are certainly too old to be delivered again are left out.
    """
    last = now_utc.astimezone(profile.site.tz).date()
    while profile.due_utc(last) > now_utc:
        last -= timedelta(days=1)
    too_old = last - timedelta(days=profile.redeliver_days + 2)
    since = (first + timedelta(days=number) for number in range((last - first).days + 1))
    for day in (*sorted(day for day in outcomes if day < first and day <= last), *since):
        outcome = outcomes.get(day)
        if outcome is None or outcome.attempts or day >= too_old:
            yield day


def is_settled(profile: Profile, day: date, outcome: Outcome, now_utc: datetime) -> bool:
    """Return whether *day* is delivered and it is too late, or too soon, to look for changes in the store."""
    if outcome.delivered_sha256 is None or outcome.attempts:
        return False
    since_ms = epoch_ms(now_utc) - (outcome.delivered_epoch_ms or 0)
    is_over = now_utc >= profile.ends_utc(day) + timedelta(days=profile.redeliver_days)
    return is_over or 0 <= since_ms < REDELIVERY_PAUSE_S * 1000


def decide(
    profile: Profile, day: date, outcome: Outcome, store: StoreState, render: Callable[[], Export]
) -> Decision | None:
    """Return the standing of *day*, which is due; None if it is delivered and its file has not changed.

    *render* returns the file to compare with a delivered one. The Decision then holds that file: send those bytes,
    because rendering again could give others.
    """
    if outcome.delivered_sha256 is None:
        return Decision(_undelivered(profile, day, outcome, store))
    standing = Standing(profile.name, day, State.CHANGED, epoch_ms(store.now_utc))
    if outcome.attempts:
        standing = _undelivered(profile, day, outcome, store)
        if not standing.state.is_ready:
            return Decision(standing)
    export = render()
    if not outcome.attempts and sha256(export) == outcome.delivered_sha256:
        return None
    before_ms = outcome.delivered_unknown_ms
    if before_ms is not None and export.unknown_ms > before_ms:
        # A healthy store never knows less than before. InfluxDB lost its volume, or the journal was restored from a
        # backup. A gap or a zero must not replace a count.
        minutes = (export.unknown_ms - before_ms + 59_999) // 60_000
        return Decision(replace(standing, state=State.KEPT_BACK, minutes=minutes), export)
    return Decision(standing, export)


def _undelivered(profile: Profile, day: date, outcome: Outcome, store: StoreState) -> Standing:
    """Return the standing of a *day* that was never delivered, or whose last attempt failed."""
    now_epoch_ms = epoch_ms(store.now_utc)
    standing = Standing(
        profile.name, day, State.DUE, now_epoch_ms, attempts=outcome.attempts, error=outcome.error,
        hint=outcome.hint,
    )  # fmt: skip
    if outcome.is_blocked:
        return replace(standing, state=State.BLOCKED)
    wait_ms = outcome.next_try_epoch_ms - now_epoch_ms
    if 0 < wait_ms <= LONGEST_BACKOFF_S * 1500:  # a longer wait: the clock was ahead, and was set back
        return replace(standing, state=State.RETRYING, next_try_epoch_ms=outcome.next_try_epoch_ms)
    late = _late_counters(profile, day, store)
    give_up_utc = profile.give_up_utc(day)
    if late and store.now_utc < give_up_utc:
        return replace(standing, state=State.LATE, counters=late, next_try_epoch_ms=epoch_ms(give_up_utc))
    if late and not _is_complete(store, give_up_utc):
        given_up_utc = give_up_utc + STORE_GIVEN_UP_AFTER
        return replace(standing, state=State.STORE_BEHIND, counters=late, next_try_epoch_ms=epoch_ms(given_up_utc))
    return standing


def _late_counters(profile: Profile, day: date, store: StoreState) -> tuple[str, ...]:
    """Return the counters that have not reported *day* to its end. On its last day a counter may be removed at noon."""
    ends_utc = profile.ends_utc(day)
    return tuple(
        counter.id
        for counter in profile.counters
        if counter.counts_on(day)
        and day != counter.until
        and (counter.id not in store.covered_to or store.covered_to[counter.id] < ends_utc)
    )


def _is_complete(store: StoreState, instant_utc: datetime) -> bool:
    """Return whether the store has everything received before *instant_utc*, or has had a day to catch up.

    After an outage, InfluxDB lacks data for a while. That does not make a counter late.
    """
    complete = store.complete_until()
    return complete is None or complete >= instant_utc or store.now_utc >= instant_utc + STORE_GIVEN_UP_AFTER


def sha256(export: Export) -> str:
    """Return the hash that identifies the bytes of *export* in the ledger."""
    return hashlib.sha256(export.content).hexdigest()


def explain(standing: Standing, profile: Profile, now_utc: datetime) -> str:
    """Return the details of *standing* for people: what it waits for, until when, what to do."""
    late = ", ".join(standing.counters)
    next_try_utc = from_epoch_ms(standing.next_try_epoch_ms or 0)
    match standing.state:
        case State.LATE:
            return f"{late}; goes out anyway at {next_try_utc.astimezone(profile.site.tz):%Y-%m-%d %H:%M}"
        case State.STORE_BEHIND:
            return f"{late}; goes out once InfluxDB has all that ingest received, or a day after give_up_at"
        case State.KEPT_BACK:
            return (
                f"{standing.minutes} min of counting missing; goes out once the store has it again. "
                f"If the file is right: footfall export --profile {standing.profile} --day {standing.day} --deliver"
            )
        case State.RETRYING:
            return f"in {int((next_try_utc - now_utc).total_seconds())} s, attempt {standing.attempts + 1}"
        case State.BLOCKED:
            return f"{standing.hint}; then: footfall export --deliver"
        case _:
            return ""
