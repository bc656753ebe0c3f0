"""Reports deliveries and owed days to InfluxDB. Deliveries never wait for it.

The ledger has every attempt. The reporter sends those that InfluxDB lacks, oldest first. An attempt always gives the
same point, so reporting it twice does no harm, and a starting daemon reports all of them again.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from exporter.profile import Profile
from footfall.errors import PointsRefused, StoreUnavailable, TooLarge
from footfall.model import epoch_ms
from footfall.store.ledger import Ledger
from footfall.store.ledger_schema import RecordedDelivery, Standing, State
from footfall.store.points import NS_PER_MS, Point, Value, tags_of

log = logging.getLogger(__name__)

WritePoints = Callable[[Sequence[Point]], None]
"""Returns once InfluxDB has the points. Raises StoreUnavailable, PointsRefused, or TooLarge."""

CHUNK = 500
PAUSE_S = 60
LONGEST_PAUSE_S = 300
_LOG_AGAIN_S = 600
_LONGEST_ERROR = 500  # characters; the ledger has the full text


class DeliveryReporter:
    """Reports the ledger's attempts and the owed days. After a failure it pauses for at least a minute."""

    def __init__(self, ledger: Ledger, write: WritePoints, clock: Callable[[], datetime]) -> None:
        """*clock* returns the time, UTC."""
        self._ledger = ledger
        self._write = write
        self._clock = clock
        self._next_try_utc: datetime | None = None
        self._logged_utc: datetime | None = None

    def report_all_again(self) -> None:
        """Make the next report include every attempt: InfluxDB may have lost its data."""
        self._ledger.forget_reported()

    def report(self, owed: Callable[[], Sequence[Standing]], profiles: Mapping[str, Profile]) -> None:
        """Report each unreported attempt, and how many days each of *profiles* owes now.

        If the ledger or InfluxDB is unavailable, this logs the failure and a later call reports.
        """
        now_utc = self._clock()
        if self._next_try_utc and timedelta(0) < self._next_try_utc - now_utc <= timedelta(seconds=LONGEST_PAUSE_S):
            return
        try:
            while several := self._ledger.unreported(CHUNK):
                self._write_all([_delivery_point(one) for one in several])
                self._ledger.record_reported(several[-1].id)
            self._write_all(_exporter_points(owed(), profiles, self._clock()))
        except StoreUnavailable as exc:
            wait_s = max(PAUSE_S, min(exc.retry_after_s or 0, LONGEST_PAUSE_S))
            self._next_try_utc = now_utc + timedelta(seconds=wait_s)
            if self._logged_utc is None or not 0 <= (now_utc - self._logged_utc).total_seconds() < _LOG_AGAIN_S:
                self._logged_utc = now_utc
                log.warning("failed to report deliveries, will retry: %s; %s", exc.message, exc.hint)
        else:
            self._next_try_utc = self._logged_utc = None

    def _write_all(self, points: Sequence[Point]) -> None:
        """Write *points*. Refused points are logged and dropped: the ledger still has the deliveries."""
        try:
            self._write(points)
        except (PointsRefused, TooLarge) as exc:
            if len(points) > 1:
                middle = len(points) // 2
                self._write_all(points[:middle])
                self._write_all(points[middle:])
            else:
                log.error("InfluxDB refused a point about deliveries: %s; %s", exc.message, exc.hint)


def _delivery_point(recorded: RecordedDelivery) -> Point:
    one = recorded.delivery
    error = " ".join(f"{one.message} ({one.hint})".split()) if not one.ok else ""
    fields: dict[str, Value] = {
        "day": one.day.isoformat(),
        "destination": one.destination,
        "sha256": one.sha256,
        "error": error[:_LONGEST_ERROR],
        "ok": one.ok,
        "rows": one.rows,
        "bytes": one.bytes,
        "attempts": recorded.attempt,
        "gaps": len(one.gaps),
        "took_ms": one.took_ms,
    }
    time_ns = one.started_epoch_ms * NS_PER_MS + recorded.id % NS_PER_MS
    return Point("deliveries", tags_of(profile=one.profile, site=one.site), fields, time_ns)


def _exporter_points(owed: Iterable[Standing], profiles: Mapping[str, Profile], now_utc: datetime) -> list[Point]:
    """Return a point for each of *profiles* that is delivered, even if nothing is owed: silence is not zero."""
    days = Counter[str]()
    overdue = Counter[str]()
    blocked = Counter[str]()
    for one in owed:
        days[one.profile] += 1
        overdue[one.profile] += profiles[one.profile].give_up_utc(one.day) <= now_utc
        blocked[one.profile] += one.state is State.BLOCKED
    return [
        Point(
            "exporter",
            tags_of(profile=name, site=profile.site.id),
            {"owed": days[name], "overdue": overdue[name], "waiting": blocked[name]},
            epoch_ms(now_utc) * NS_PER_MS,
        )
        for name, profile in profiles.items()
        if profile.destination is not None and profile.deliver_from is not None
    ]
