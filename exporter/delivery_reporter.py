"""Tells InfluxDB what was delivered and what is owed. Deliveries come first, and never wait for it.

Every attempt stands in the ledger. What InfluxDB has not been told is told later, the oldest first, always under the
same names: so it may be told twice, and is, from the beginning, whenever a daemon starts.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from exporter.due_days import Owed, Why
from exporter.profile import Profile
from footfall.errors import PointsRefused, StoreUnavailable, TooLarge
from footfall.model import epoch_ms
from footfall.store.ledger import Ledger, Recorded
from footfall.store.points import NS_PER_MS, Point, Value, tags_of

log = logging.getLogger(__name__)

Tell = Callable[[Sequence[Point]], None]
"""Returns once InfluxDB has the points. Raises StoreUnavailable, PointsRefused, or TooLarge."""

MOST_TOLD = 500
PAUSE_S = 60
LONGEST_PAUSE_S = 300
_SAY_AGAIN_S = 600
_MOST_ERROR = 500  # characters; the ledger has all of it


class DeliveryReporter:
    """Tells, through *tell*, what the ledger has, and what is owed, once a minute at most while that fails."""

    def __init__(self, ledger: Ledger, tell: Tell, clock: Callable[[], datetime]) -> None:
        """*clock* tells the time, UTC."""
        self._ledger = ledger
        self._tell = tell
        self._clock = clock
        self._next_try_utc: datetime | None = None
        self._said_utc: datetime | None = None

    def tell_again(self) -> None:
        """Have every attempt told again: InfluxDB may have lost what it had."""
        self._ledger.forget_told()

    def look(self, owed: Callable[[], Sequence[Owed]], profiles: Mapping[str, Profile]) -> None:
        """Tell each attempt not told yet, and how much is *owed* of each of *profiles* now.

        Nothing is raised when InfluxDB does not take it: the log says so, and the next look tries again.
        """
        now_utc = self._clock()
        if self._next_try_utc and timedelta(0) < self._next_try_utc - now_utc <= timedelta(seconds=LONGEST_PAUSE_S):
            return
        try:
            while several := self._ledger.untold(MOST_TOLD):
                self._tell_all([_delivery_point(one) for one in several])
                self._ledger.record_told(several[-1].id)
            self._tell_all(_exporter_points(owed(), profiles, self._clock()))
        except StoreUnavailable as exc:
            wait_s = max(PAUSE_S, min(exc.retry_after_s or 0, LONGEST_PAUSE_S))
            self._next_try_utc = now_utc + timedelta(seconds=wait_s)
            if self._said_utc is None or not 0 <= (now_utc - self._said_utc).total_seconds() < _SAY_AGAIN_S:
                self._said_utc = now_utc
                log.warning("could not tell what was delivered, tried again: %s; %s", exc.message, exc.hint)
        else:
            self._next_try_utc = self._said_utc = None

    def _tell_all(self, points: Sequence[Point]) -> None:
        """Tell *points*. One that is refused is told by the log: the ledger has it, and a person can look there."""
        try:
            self._tell(points)
        except (PointsRefused, TooLarge) as exc:
            if len(points) > 1:
                middle = len(points) // 2
                self._tell_all(points[:middle])
                self._tell_all(points[middle:])
            else:
                log.error("InfluxDB refused what was to be told of a delivery: %s; %s", exc.message, exc.hint)


def _delivery_point(recorded: Recorded) -> Point:
    one = recorded.delivery
    error = " ".join(f"{one.message} ({one.hint})".split()) if not one.ok else ""
    fields: dict[str, Value] = {
        "day": one.day.isoformat(),
        "destination": one.destination,
        "sha256": one.sha256,
        "error": error[:_MOST_ERROR],
        "ok": one.ok,
        "rows": one.rows,
        "bytes": one.bytes,
        "attempts": recorded.attempt,
        "gaps": len(one.gaps),
        "took_ms": one.took_ms,
    }
    time_ns = one.started_epoch_ms * NS_PER_MS + recorded.id % NS_PER_MS
    return Point("deliveries", tags_of(profile=one.profile, site=one.site), fields, time_ns)


def _exporter_points(owed: Iterable[Owed], profiles: Mapping[str, Profile], now_utc: datetime) -> list[Point]:
    """Return a point for each of *profiles* that is delivered. Zero is told too: silence says nothing."""
    days = Counter[str]()
    overdue = Counter[str]()
    waiting = Counter[str]()
    for one in owed:
        days[one.profile.name] += 1
        overdue[one.profile.name] += one.profile.give_up_utc(one.day) <= now_utc
        waiting[one.profile.name] += one.why is Why.PERSON
    return [
        Point(
            "exporter",
            tags_of(profile=name, site=profile.site.id),
            {"owed": days[name], "overdue": overdue[name], "waiting": waiting[name]},
            epoch_ms(now_utc) * NS_PER_MS,
        )
        for name, profile in profiles.items()
        if profile.destination is not None and profile.deliver_from is not None
    ]
