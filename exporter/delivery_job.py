"""Finds owed days and delivers them, oldest first, one at a time.

    look      decide every due day's standing (standing.py), record it in the ledger
    deliver   lock --> render --> check those bytes --> record the start --> send those bytes --> record the outcome

Every look starts from the ledger. A missed evening, a restart, a clock change and late data all come down to the same
thing: an owed day. Every day since ``deliver_from`` is due, and so are earlier days that were delivered by hand. The
exporter retries each until it succeeds, and delivers it again when its file changes.
"""

import logging
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import filelock

from exporter.destinations.destination import Destination
from exporter.profile import Profile
from exporter.render import Export, export_buckets, render_export
from exporter.standing import (
    LONGEST_BACKOFF_S,
    REDELIVERY_PAUSE_S,
    Decision,
    StoreState,
    decide,
    due_days,
    explain,
    is_settled,
    sha256,
)
from footfall.calendar import day_bounds, fold
from footfall.errors import DeliveryError, FootfallError
from footfall.model import epoch_ms
from footfall.store.ledger import Ledger
from footfall.store.ledger_schema import Delivery, Outcome, RecordedProfile, Standing, State
from footfall.store.reader import Reader

log = logging.getLogger(__name__)

FIRST_BACKOFF_S = 30
LOCK_FILE = "delivery.lock"


class DeliveryJob:
    """Finds and delivers owed days. A lock file in the data folder lets one process deliver at a time."""

    def __init__(
        self,
        profiles: Mapping[str, Profile],
        destinations: Mapping[str, Destination],
        reader: Reader,
        ledger: Ledger,
        clock: Callable[[], datetime],
        chance: random.Random,
    ) -> None:
        """*clock* returns the time, UTC; *chance* spreads retries."""
        self._profiles = profiles
        self._destinations = destinations
        self._reader = reader
        self._ledger = ledger
        self._clock = clock
        self._chance = chance
        self._lock_path: Path = ledger.path.with_name(LOCK_FILE)
        self._logged: set[tuple[str, date, State]] = set()
        self._failed_utc: dict[str, datetime] = {}
        self._unchanged_utc: dict[tuple[str, date], datetime] = {}

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """The profiles it delivers, by name."""
        return self._profiles

    def step(self) -> bool:
        """Deliver the oldest day that is ready. Returns whether there was one: call again until there is none.

        A failed delivery is recorded and logged, not raised. Raises StoreUnavailable.
        """
        ready = (one for one in self.look() if one.state.is_ready and not self._has_just_failed(one.profile))
        found = next(ready, None)
        if found is None:
            return False
        try:
            self.deliver_owed(self._profiles[found.profile], found.day, wait_s=0)
        except DeliveryError:
            # Already recorded and logged. Other profiles go first now: a hanging server takes minutes.
            self._failed_utc[found.profile] = self._clock()
        except filelock.Timeout:
            log.info("another process is delivering; leaving it to that process")
            return False
        return True

    def look(self) -> list[Standing]:
        """Decide every due day's standing, record it in the ledger, and return those of owed days, oldest first.

        A delivered day that had not changed is not rendered again for REDELIVERY_PAUSE_S. Raises StoreUnavailable.
        """
        looked_epoch_ms = epoch_ms(self._clock())
        found = self._find_owed(unchanged_for=timedelta(seconds=REDELIVERY_PAUSE_S))
        self._ledger.record_look(looked_epoch_ms, map(self._record_of, self._profiles.values()), found)
        return found

    def owed(self) -> list[Standing]:
        """Return the standings of the days owed now, oldest first, without recording them. Raises StoreUnavailable."""
        return self._find_owed(unchanged_for=timedelta(0))

    def render(self, profile: Profile, day: date) -> Export:
        """Return the file of *day*, rendered from the store's current data. Raises StoreUnavailable."""
        buckets = export_buckets(profile, day)
        start_utc, end_utc = day_bounds(day, profile.site.tz)
        quarters = self._reader.quarters([counter.id for counter in profile.counters], start_utc, end_utc)
        return render_export(profile, day, fold(quarters, buckets))

    def deliver(self, profile: Profile, day: date, *, wait_s: float = 60) -> Delivery:
        """Deliver *day* now, whatever the ledger says, and return the attempt as recorded.

        Raises DeliveryError after recording it, FootfallError if the day is not over or the profile has no
        destination, filelock.Timeout if another process is still delivering after *wait_s*, and StoreUnavailable.
        """
        if profile.ends_utc(day) > self._clock():
            raise FootfallError(f"{profile.name}/{day} is not over yet", hint=f"wait until {profile.hours} has ended")
        if profile.destination is None:
            raise FootfallError(f"profile {profile.name} has no destination", hint="set `destination` in footfall.toml")
        with filelock.FileLock(self._lock_path, timeout=wait_s):
            return self._attempt(profile, self.render(profile, day), self._ledger.outcome(profile.name, day).attempts)

    def deliver_owed(self, profile: Profile, day: date, *, wait_s: float = 60) -> Delivery | None:
        """Deliver *day* if it is still ready, and return the attempt; None if it is not.

        The store and the ledger may have changed since the look that found it. So this decides again, under the lock,
        and sends exactly the bytes it checked. Raises as deliver() does.
        """
        with filelock.FileLock(self._lock_path, timeout=wait_s):
            outcome = self._ledger.outcome(profile.name, day)
            if is_settled(profile, day, outcome, self._clock()):
                return None
            decision = self._decide(profile, day, outcome, self._read_store(profile))
            if decision is None or not decision.standing.state.is_ready:
                return None
            return self._attempt(profile, decision.export or self.render(profile, day), outcome.attempts)

    def _attempt(self, profile: Profile, export: Export, attempts: int) -> Delivery:
        destination = self._destinations[profile.destination or ""]
        backoff_ms = self._backoff_ms(attempts)
        started_utc = self._clock()
        # If the ledger cannot be written, nothing is sent: the same file would be sent again at every look.
        self._ledger.record_start(profile.name, export.day, epoch_ms(started_utc) + backoff_ms)
        what = f"{profile.name}/{export.day}"
        try:
            delivered = destination.deliver(export.file_name, export.content)
        except DeliveryError as exc:
            self._ledger.record_failed(
                self._delivery(export, destination.name, started_utc, exc.message, exc.hint, ok=False),
                epoch_ms(self._clock()) + backoff_ms,
                is_blocked=exc.permanent,
            )
            if exc.permanent:
                log.error("blocked %s: %s; %s; then: footfall export --deliver", what, exc.message, exc.hint)
            else:
                log.warning("failed to deliver %s, will retry: %s; %s", what, exc.message, exc.hint)
            raise
        delivery = self._delivery(export, destination.name, started_utc, delivered.note, ok=True)
        self._ledger.record_delivered(delivery, export.content, profile.encoding, export.unknown_ms)
        log.info("delivered %s to %s: file=%s rows=%d", what, destination.name, export.file_name, export.rows)
        if export.gaps:
            log.warning("delivered %s with gaps: %s", what, "; ".join(export.gaps))
        return delivery

    def _delivery(
        self, export: Export, destination: str, started_utc: datetime, message: str, hint: str = "", *, ok: bool
    ) -> Delivery:
        return Delivery(
            profile=export.profile,
            day=export.day,
            destination=destination,
            file_name=export.file_name,
            started_epoch_ms=epoch_ms(started_utc),
            took_ms=(self._clock() - started_utc) // timedelta(milliseconds=1),
            ok=ok,
            message=message,
            hint=hint,
            sha256=sha256(export),
            site=self._profiles[export.profile].site.id,
            rows=export.rows,
            bytes=len(export.content),
            gaps=export.gaps,
        )

    def _find_owed(self, *, unchanged_for: timedelta) -> list[Standing]:
        found = [one for profile in self._profiles.values() for one in self._owed_of(profile, unchanged_for)]
        return sorted(found, key=lambda standing: (standing.day, standing.profile))

    def _owed_of(self, profile: Profile, unchanged_for: timedelta) -> Iterator[Standing]:
        """Yield the standings of the owed days of *profile*, oldest first.

        Skips days that were rendered less than *unchanged_for* ago and had not changed.
        """
        if profile.destination is None or profile.deliver_from is None:
            return
        outcomes, store = self._ledger.outcomes(profile.name), self._read_store(profile)
        for day in due_days(profile, profile.deliver_from, outcomes, store.now_utc):
            outcome = outcomes.get(day, Outcome())
            if is_settled(profile, day, outcome, store.now_utc):
                continue
            unchanged_utc = self._unchanged_utc.get((profile.name, day))
            if unchanged_utc and not outcome.attempts and timedelta(0) <= store.now_utc - unchanged_utc < unchanged_for:
                continue
            decision = self._decide(profile, day, outcome, store)
            if decision is None:
                self._unchanged_utc[profile.name, day] = store.now_utc
            else:
                self._log_news(profile, decision.standing)
                yield decision.standing

    def _decide(self, profile: Profile, day: date, outcome: Outcome, store: StoreState) -> Decision | None:
        return decide(profile, day, outcome, store, lambda: self.render(profile, day))

    def _read_store(self, profile: Profile) -> StoreState:
        covered_to = self._reader.covered_to([counter.id for counter in profile.counters])
        return StoreState(self._clock(), covered_to, self._reader.complete_until)

    def _log_news(self, profile: Profile, standing: Standing) -> None:
        """Log once that a day waits for late counters, or is kept back."""
        key = (standing.profile, standing.day, standing.state)
        if standing.state not in (State.LATE, State.KEPT_BACK) or key in self._logged:
            return
        self._logged.add(key)
        what, details = f"{standing.profile}/{standing.day}", explain(standing, profile, self._clock())
        if standing.state is State.LATE:
            log.warning("waiting for late counters before delivering %s: %s", what, details)
        else:
            log.error("kept back %s: %s", what, details)

    def _record_of(self, profile: Profile) -> RecordedProfile:
        place = self._destinations[profile.destination].place if profile.destination else ""
        return RecordedProfile(profile.name, profile.site.id, place)

    def _has_just_failed(self, name: str) -> bool:
        """Return whether a day of the profile has just failed: its other days would fail too, and take as long."""
        since = self._clock() - self._failed_utc.get(name, datetime.min.replace(tzinfo=UTC))
        return timedelta(0) <= since < timedelta(seconds=FIRST_BACKOFF_S)

    def _backoff_ms(self, attempts: int) -> int:
        """Return the pause before the next attempt after *attempts* + 1: doubling, with jitter of a half either way."""
        seconds = min(FIRST_BACKOFF_S * 2 ** min(attempts, 20), LONGEST_BACKOFF_S)
        return int(seconds * 1000 * self._chance.uniform(0.5, 1.5))
