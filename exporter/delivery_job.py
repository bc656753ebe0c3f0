"""What is owed, and delivering it: the oldest day first, one at a time.

    finished day --due--> covered to its end? --yes, or given up--> render --> deliver --> ledger
                               | no: wait for late counters              | failed
                               v                                         v
                          asked again at the next step       try again later, or wait for a person

Every run asks the ledger afresh. A missed evening, a restart, a clock change and a day whose data came late are
all the same thing: a day that is owed. Every day since ``deliver_from`` is, and of the days before it those that
somebody delivered by hand: tried again until they are there, and delivered again when they change.
"""

import hashlib
import logging
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import filelock

from exporter.destinations.destination import Destination
from exporter.due_days import Owed, Why, due_days
from exporter.profile import Profile
from exporter.render import Export, export_buckets, render_export
from footfall.calendar import day_bounds, fold
from footfall.errors import DeliveryError, FootfallError
from footfall.model import epoch_ms
from footfall.store import Reader
from footfall.store.ledger import Delivery, Ledger, Standing

log = logging.getLogger(__name__)

FIRST_BACKOFF_S = 30
LONGEST_BACKOFF_S = 3600
REDELIVERY_PAUSE_S = 900
"""A day that changed is delivered again at most this often: a counter that comes back sends its backlog in pieces.

One that did not is rendered at most this often by a job, which would otherwise have nothing else to do all day.
"""
STORE_GIVEN_UP_AFTER = timedelta(days=1)
BEHIND = "InfluxDB was not told yet of all that was received; goes out then, or a day after give_up_at"
THEN = "then: footfall export --deliver"
"""What sets a day going again once a person has done what it waits for."""

LOCK_FILE = "delivery.lock"


class DeliveryJob:
    """Finds and delivers what is owed. One process delivers at a time: a lock file in the data folder sees to it."""

    def __init__(
        self,
        profiles: Mapping[str, Profile],
        destinations: Mapping[str, Destination],
        reader: Reader,
        ledger: Ledger,
        clock: Callable[[], datetime],
        chance: random.Random,
    ) -> None:
        """*clock* tells the time, UTC; *chance* spreads retries."""
        self._profiles = profiles
        self._destinations = destinations
        self._reader = reader
        self._ledger = ledger
        self._clock = clock
        self._chance = chance
        self._lock_path: Path = ledger.path.with_name(LOCK_FILE)
        self._told: set[tuple[str, date, Why]] = set()
        self._failed_utc: dict[str, datetime] = {}
        self._unchanged_utc: dict[tuple[str, date], datetime] = {}

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """The profiles it delivers, by name."""
        return self._profiles

    def step(self) -> bool:
        """Deliver the oldest day that is owed now. Returns whether there was one: call again until there is none.

        A failure to deliver is recorded and logged, not raised. Raises StoreUnavailable.
        """
        found = self.report()
        ready = next((owed for owed in found if owed.is_ready and not self._rests(owed.profile)), None)
        if ready is None:
            return False
        try:
            self.deliver_owed(ready.profile, ready.day, wait_s=0)
        except DeliveryError:
            # Recorded and logged where it happened. Now it is the turn of others: a server that hangs takes minutes.
            self._failed_utc[ready.profile.name] = self._clock()
        except filelock.Timeout:
            log.info("another process is delivering; it is left to it")
            return False
        return True

    def owed(self) -> list[Owed]:
        """Return all that is owed, the oldest day first, whether it can go out now or waits for something."""
        return self._find_owed(seen_for=timedelta(0))

    def report(self) -> list[Owed]:
        """Return what is owed, as owed() does, but without a second look at days that did not change a moment ago."""
        return self._find_owed(seen_for=timedelta(seconds=REDELIVERY_PAUSE_S))

    def render(self, profile: Profile, day: date) -> Export:
        """Return the file of *day* as the store tells it now."""
        return read_export(self._reader, profile, day)

    def deliver(self, profile: Profile, day: date, *, wait_s: float = 60) -> Delivery:
        """Deliver *day* now, whatever the ledger says of it, and return the attempt as recorded.

        Raises DeliveryError after recording it, FootfallError when the day is not over or the profile has no
        destination, and filelock.Timeout when another process is still delivering after *wait_s*.
        """
        if profile.ends_utc(day) > self._clock():
            raise FootfallError(f"{profile.name}/{day} is not over yet", hint=f"wait until {profile.hours} has ended")
        if profile.destination is None:
            raise FootfallError(f"profile {profile.name} has no destination", hint="write one in footfall.toml")
        with filelock.FileLock(self._lock_path, timeout=wait_s):
            export = self.render(profile, day)
            return self._attempt(profile, export, self._destinations[profile.destination])

    def deliver_owed(self, profile: Profile, day: date, *, wait_s: float = 60) -> Delivery | None:
        """Deliver *day* if it still is to be delivered now, and return the attempt as recorded; None if it is not.

        The bytes that are checked are the bytes that are sent: the store may have changed since *day* was found to be
        owed, and so may the ledger. Raises what deliver() does, and StoreUnavailable.
        """
        with filelock.FileLock(self._lock_path, timeout=wait_s):
            standing = self._ledger.standings(profile.name).get(day, Standing())
            found = self._examine(profile, day, standing, self._covered_to(profile), timedelta(0))
            if found is None or not found[0].is_ready:
                return None
            export = found[1] or self.render(profile, day)
            return self._attempt(profile, export, self._destinations[profile.destination or ""])

    def _attempt(self, profile: Profile, export: Export, destination: Destination) -> Delivery:
        standing = self._ledger.standings(profile.name).get(export.day, Standing())
        backoff_ms = self._backoff_ms(standing.attempts)
        started_utc = self._clock()
        # First the ledger: where it cannot be written, nothing is sent, else the day would be sent for ever.
        self._ledger.record_start(profile.name, export.day, epoch_ms(started_utc) + backoff_ms)
        what = f"{profile.name}/{export.day}"
        try:
            delivered = destination.deliver(export.file_name, export.content)
        except DeliveryError as exc:
            self._ledger.record_failed(
                self._delivery(export, destination.name, started_utc, failure=exc),
                epoch_ms(self._clock()) + backoff_ms,
                exc.hint if exc.permanent else "",
            )
            level = logging.ERROR if exc.permanent else logging.WARNING
            then = "it waits for a person" if exc.permanent else "it will be tried again"
            hint = f"{exc.hint}; {THEN}" if exc.permanent else exc.hint
            log.log(level, "%s was not delivered, %s: %s; %s", what, then, exc.message, hint)
            raise
        delivery = self._delivery(export, destination.name, started_utc, note=delivered.note)
        self._ledger.record_delivered(delivery)
        log.info("%s was delivered to %s as %s, %d rows", what, destination.name, export.file_name, export.rows)
        if export.gaps:
            log.warning("%s went out with gaps: %s", what, "; ".join(export.gaps))
        return delivery

    def _delivery(
        self,
        export: Export,
        destination: str,
        started_utc: datetime,
        *,
        failure: DeliveryError | None = None,
        note: str = "",
    ) -> Delivery:
        return Delivery(
            profile=export.profile,
            day=export.day,
            destination=destination,
            file_name=export.file_name,
            started_epoch_ms=epoch_ms(started_utc),
            took_ms=(self._clock() - started_utc) // timedelta(milliseconds=1),
            ok=failure is None,
            message=failure.message if failure else note,
            hint=failure.hint if failure else "",
            sha256=_sha256(export),
            site=self._profiles[export.profile].site.id,
            unknown_ms=export.unknown_ms,
            rows=export.rows,
            bytes=len(export.content),
            gaps=export.gaps,
        )

    def _find_owed(self, *, seen_for: timedelta) -> list[Owed]:
        """Return all that is owed. Days that had not changed when they were seen *seen_for* ago are not looked at."""
        found = [owed for profile in self._profiles.values() for owed in self._owed_of(profile, seen_for)]
        return sorted(found, key=lambda owed: (owed.day, owed.profile.name))

    def _owed_of(self, profile: Profile, seen_for: timedelta) -> Iterator[Owed]:
        """Yield what is owed of *profile*, oldest first."""
        if profile.destination is None or profile.deliver_from is None:
            return
        standings = self._ledger.standings(profile.name)
        covered_to = self._covered_to(profile)
        for day in due_days(profile, profile.deliver_from, standings, self._clock()):
            found = self._examine(profile, day, standings.get(day, Standing()), covered_to, seen_for)
            if found is not None:
                yield found[0]

    def _covered_to(self, profile: Profile) -> Mapping[str, datetime]:
        return self._reader.covered_to([counter.id for counter in profile.counters])

    def _examine(
        self, profile: Profile, day: date, standing: Standing, covered_to: Mapping[str, datetime], seen_for: timedelta
    ) -> tuple[Owed, Export | None] | None:
        """Return why *day* is owed, and the file that was looked at to tell, if one was; None: it is not owed."""
        if standing.delivered_sha256 is None:
            return self._undelivered(profile, day, standing, covered_to), None
        if standing.attempts:
            found = self._undelivered(profile, day, standing, covered_to)
            export = self.render(profile, day) if found.is_ready else None
        else:
            found = Owed(profile, day, Why.CHANGED)
            export = self._changed(profile, day, standing, seen_for)
            if export is None:
                return None
        return (self._unless_less_is_known(found, standing, export) if export else found), export

    def _undelivered(self, profile: Profile, day: date, standing: Standing, covered_to: Mapping[str, datetime]) -> Owed:
        now_utc = self._clock()
        if standing.waits_for:
            return Owed(profile, day, Why.PERSON, f"{standing.waits_for}; {THEN}")
        wait_s = (standing.next_try_epoch_ms - epoch_ms(now_utc)) / 1000
        if 0 < wait_s <= LONGEST_BACKOFF_S * 1.5:  # longer: the clock was ahead, and has been set back
            return Owed(profile, day, Why.LATER, f"in {int(wait_s)} s, attempt {standing.attempts + 1}")
        # On its last day a counter is unscrewed some time, and never tells of the rest of it.
        late = [counter.id for counter in profile.counters
                if counter.counts_on(day) and day != counter.until
                and (counter.id not in covered_to or covered_to[counter.id] < profile.ends_utc(day))]  # fmt: skip
        give_up_utc = profile.give_up_utc(day)
        if late and now_utc < give_up_utc:
            detail = f"{', '.join(late)}; goes out anyway at {give_up_utc.astimezone(profile.site.tz):%Y-%m-%d %H:%M}"
            if self._is_news(profile, day, Why.LATE):
                log.warning("%s/%s waits for counters that are late: %s", profile.name, day, detail)
            return Owed(profile, day, Why.LATE, detail)
        if late and not self._is_told(give_up_utc):
            return Owed(profile, day, Why.LATE, f"{', '.join(late)}; {BEHIND}")
        return Owed(profile, day, Why.NOW)

    def _is_told(self, instant_utc: datetime) -> bool:
        """Return whether the store has what was received before *instant_utc*, or had a day to hear of it.

        An InfluxDB that comes back lacks what ingest received meanwhile, for seconds or minutes: no counter is late.
        """
        complete = self._reader.complete_until()
        return complete is None or complete >= instant_utc or self._clock() >= instant_utc + STORE_GIVEN_UP_AFTER

    def _unless_less_is_known(self, owed: Owed, standing: Standing, export: Export) -> Owed:
        """Return *owed*, or that *export* is kept back, since less is known in it than when the day was delivered.

        Nothing that was known is ever forgotten, so the store lacks it. An InfluxDB that lost its volume is told all
        of it again, a journal may have been restored from a backup. Meanwhile a good file must not be replaced by one
        in which what was counted is a gap, or a zero.
        """
        profile, day, before_ms = owed.profile, owed.day, standing.delivered_unknown_ms
        if before_ms is None or export.unknown_ms <= before_ms:
            return owed
        minutes = (export.unknown_ms - before_ms + 59_999) // 60_000
        detail = f"{minutes} min of counters' time are missing; goes on once the store has them again; or, should it"
        detail += f" be right: footfall export --profile {profile.name} --day {day} --deliver"
        if self._is_news(profile, day, Why.LESS):
            log.error("%s/%s is not delivered again: %s", profile.name, day, detail)
        return Owed(profile, day, Why.LESS, detail)

    def _is_news(self, profile: Profile, day: date, why: Why) -> bool:
        """Return whether this job has not told of it yet, and remember that it has."""
        is_news = (profile.name, day, why) not in self._told
        self._told.add((profile.name, day, why))
        return is_news

    def _changed(self, profile: Profile, day: date, standing: Standing, seen_for: timedelta) -> Export | None:
        """Return the file of a delivered *day* if it would be another now, while it still may be delivered again.

        None without a look if it had not changed when this job saw it less than *seen_for* ago.
        """
        now_utc = self._clock()
        if now_utc >= profile.ends_utc(day) + timedelta(days=profile.redeliver_days):
            return None
        if 0 <= epoch_ms(now_utc) - (standing.delivered_epoch_ms or 0) < REDELIVERY_PAUSE_S * 1000:
            return None
        seen_utc = self._unchanged_utc.get((profile.name, day))
        if seen_utc is not None and timedelta(0) <= now_utc - seen_utc < seen_for:
            return None
        export = self.render(profile, day)
        if _sha256(export) != standing.delivered_sha256:
            return export
        self._unchanged_utc[profile.name, day] = now_utc
        return None

    def _rests(self, profile: Profile) -> bool:
        """Return whether a day of *profile* failed a moment ago: its other days would fail too, and take as long."""
        since = self._clock() - self._failed_utc.get(profile.name, datetime.min.replace(tzinfo=UTC))
        return timedelta(0) <= since < timedelta(seconds=FIRST_BACKOFF_S)

    def _backoff_ms(self, attempts: int) -> int:
        """Return how long to wait after attempt number *attempts* + 1: doubling, with jitter of a half either way."""
        seconds = min(FIRST_BACKOFF_S * 2 ** min(attempts, 20), LONGEST_BACKOFF_S)
        return int(seconds * 1000 * self._chance.uniform(0.5, 1.5))


def read_export(reader: Reader, profile: Profile, day: date) -> Export:
    """Return the file of *day* as the store tells it now. Raises StoreUnavailable."""
    buckets = export_buckets(profile, day)
    start_utc, end_utc = day_bounds(day, profile.site.tz)
    quarters = reader.quarters([counter.id for counter in profile.counters], start_utc, end_utc)
    return render_export(profile, day, fold(quarters, buckets))


def _sha256(export: Export) -> str:
    return hashlib.sha256(export.content).hexdigest()
