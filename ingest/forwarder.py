"""The forwarder: copies the journal to InfluxDB, at least once, for as long as it takes.

    journal --Outbox--> chunk of points --PointWriter--> InfluxDB
                           |                                |
                           |     accepted: store the cursor, take the next chunk
                           |     down, slow, access denied: retry the same chunk later
                           +---- some points refused: quarantine those, write the others

A chunk that was written but not recorded is written again; a point that is written again replaces itself. The
forwarder runs in a process of its own and never delays ingest.
"""

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Protocol

from footfall.errors import StoreUnavailable
from footfall.registry import Registry
from footfall.store.forwarder_state import ForwarderProgress, ForwarderState
from footfall.store.influx_bisect import write_bisecting
from footfall.store.outbox import Cursor, Outbox
from footfall.store.points import MAX_POINTS_PER_WRITE, NS_PER_MS, Point, forwarder_point, site_point

log = logging.getLogger(__name__)

MAX_QUARANTINED = 10_000
"""With more refused points than this, the fault is not in the points, and the forwarder stops."""

REPORT_EVERY_S = 60
"""How often the forwarder writes the points about itself and the sites."""

MAX_RETRY_S = 60.0
MAX_RETRY_AFTER_S = 300.0
"""A Retry-After header is obeyed up to this."""

_REQUESTS_PER_CHUNK = 4  # with more, more requests overlap, but more is rewritten after a failure
_LOG_AGAIN_S = 600


class PointWriter(Protocol):
    """Accepts points: InfluxWriter, or the fake of a test."""

    def write(self, points: Sequence[Point]) -> None:
        """Return once all *points* are stored. Raises StoreUnavailable, PointsRefused or TooLarge."""


class Forwarder:
    """Copies an outbox to a writer, one step() at a time. ``clock`` returns seconds since 1970 UTC."""

    def __init__(
        self,
        outbox: Outbox,
        state: ForwarderState,
        writer: PointWriter,
        registry: Callable[[], Registry],
        clock: Callable[[], float],
        chance: random.Random,
        *,
        has_point: Callable[[Point], bool | None] = lambda _: None,
        max_points: int = MAX_POINTS_PER_WRITE,
        max_quarantined: int = MAX_QUARANTINED,
    ) -> None:
        """Forward *outbox* to *writer*, remembering the progress in *state*.

        *has_point* returns whether InfluxDB has a point; None if it may not be queried.
        """
        self._outbox = outbox
        self._state = state
        self._writer = writer
        self._registry = registry
        self._clock = clock
        self._chance = chance
        self._has_point = has_point
        self._max_points = self._request_points = max_points
        self._max_quarantined = max_quarantined
        self._sender = ThreadPoolExecutor(1, "forwarder-sender")
        self._high_water_mark = Cursor()
        self._recorded_registry: Registry | None = None
        self._reported_s = 0.0
        self._reported_quarantined = 0
        self._unseen_canary_ns: int | None = None
        self._failures = 0
        self._may_have_failure = True  # an earlier process may have recorded one
        self._has_expired = False
        self._logged_refusal_s = 0.0
        self._next_try_s = 0.0
        self._logged_failure = (0.0, "")

    def step(self) -> bool:
        """Do one piece of work if it is time; return whether there may be more to do at once."""
        with suppress(StoreUnavailable):  # the next step tries again
            self._record_sites()
        if 0 < self._next_try_s - self._clock() <= MAX_RETRY_AFTER_S:  # a longer wait: the clock was set back
            return False
        try:
            return self._work()
        except StoreUnavailable as exc:
            self._fail(exc)
            return False

    def _record_sites(self) -> None:
        """Record in the journal when a counter changes its site, even while InfluxDB is down for days."""
        registry = self._registry()
        if registry is self._recorded_registry:
            return
        if self._recorded_registry is not None:
            self._outbox.record_sites(_sites_of(self._recorded_registry))  # for counters first heard from since then
        self._outbox.record_sites(_sites_of(registry))
        self._recorded_registry = registry

    def _work(self) -> bool:
        progress = self._state.progress()
        if self._must_resend(progress) or self._report(progress):
            return True
        rows = _REQUESTS_PER_CHUNK * self._request_points
        chunk = self._outbox.next_chunk(progress.cursor, self._high_water_mark, rows)
        if chunk is None:
            self._high_water_mark = self._outbox.high_water_mark(_sites_of(self._registry()))
            chunk = self._outbox.next_chunk(progress.cursor, self._high_water_mark, rows)
        if chunk is None:
            self._outbox.trim(progress.cursor)
            return False
        written = self._write_all(chunk.points, self._quarantine)
        self._state.advance(chunk.cursor, chunk.fingerprint, written)
        self._request_points = min(self._max_points, 2 * self._request_points)
        return True

    def _must_resend(self, progress: ForwarderProgress) -> bool:
        """Rewind if an operator asked for it, or if this is another journal than before; return whether it did."""
        if progress.resend_requested:
            log.info("resending the whole journal to InfluxDB")
            self._outbox.refill(self._now_epoch_ms())
        elif not self._outbox.matches(progress.cursor, progress.fingerprint):
            log.warning("the journal changed (restored from a backup?); resending all of it to InfluxDB")
        else:
            return False
        self._rewind()
        return True

    def _rewind(self) -> None:
        self._state.rewind()
        self._high_water_mark = Cursor()
        self._reported_s = 0.0
        self._unseen_canary_ns = None

    def _report(self, progress: ForwarderProgress) -> bool:
        """Once a minute, check whether InfluxDB lost its data, and write the points about forwarder and sites.

        Also whenever the quarantine changed: a reader must learn that a crossing is missing before it sees the span
        that covers it. Return whether everything must be resent.
        """
        now_s = self._clock()
        quarantined = self._state.quarantine_size()
        is_news = self._failures or quarantined != self._reported_quarantined
        if 0 <= now_s - self._reported_s < REPORT_EVERY_S and not is_news:
            return False
        ingest, now_epoch_ms = self._outbox.ingest_id(), self._now_epoch_ms()
        waiting, lag_s = self._outbox.backlog(progress.cursor, now_epoch_ms)
        now_ns = now_epoch_ms * NS_PER_MS
        point = forwarder_point(ingest, waiting, lag_s, quarantined, now_ns)
        is_lost = self._is_lost(point, progress.canary_ns)
        if not is_lost:
            self._write_all((site_point(site, now_ns) for site in self._registry().sites.values()), self._discard)
            self._unseen_canary_ns = now_ns if self._write_all([point], self._discard) else None
            self._reported_s, self._reported_quarantined = now_s, quarantined
            # Again, before the new canary replaces the old one: the data may have been lost since the first check.
            is_lost = self._is_lost(point, progress.canary_ns)
        if is_lost:
            log.warning("InfluxDB lost its data (a new volume?); resending the whole journal")
            self._outbox.refill(now_epoch_ms)
            self._rewind()
        return is_lost

    def _is_lost(self, point: Point, canary_ns: int | None) -> bool:
        """Return whether InfluxDB no longer has the canary, a point like *point* that it once had.

        If it has a newer one too, that becomes the canary. A canary that was written but never seen proves nothing:
        queries may be forbidden, or go elsewhere. InfluxDB 3 and clusters may take a minute to show it.
        """
        if canary_ns is not None and self._has_point(point._replace(time_ns=canary_ns)) is False:
            return True
        if self._unseen_canary_ns is not None and self._has_point(point._replace(time_ns=self._unseen_canary_ns)):
            self._state.record_canary(self._unseen_canary_ns)
            self._unseen_canary_ns = None
        return False

    def _write_all(self, points: Iterable[Point], on_refused: Callable[[Point, str], None]) -> int:
        """Write *points* in requests; return how many InfluxDB accepted. *on_refused* gets the others.

        The points of the next request are built while InfluxDB handles this one.
        """
        rest, written = iter(points), 0
        request = list(islice(rest, self._request_points))
        while request:
            sent = self._sender.submit(write_bisecting, self._writer.write, request, on_refused, self._expire)
            request = list(islice(rest, self._request_points))
            written += sent.result()
            if self._may_have_failure:
                self._recover()
        return written

    def _quarantine(self, point: Point, reason: str) -> None:
        if self._state.quarantine_size() >= self._max_quarantined:
            raise StoreUnavailable(
                f"InfluxDB refused {self._max_quarantined} points, most recently: {reason}",
                hint="the quarantine is full and the forwarder has stopped; see footfall quarantine",
            )
        log.error("InfluxDB refused a point, see footfall quarantine: measurement=%s: %s", point.measurement, reason)
        self._state.quarantine(point, reason, self._now_epoch_ms())

    def _discard(self, point: Point, reason: str) -> None:
        """Log *point* and drop it: a newer one follows within a minute, and in quarantine they would pile up."""
        now_s = self._clock()
        if not 0 <= now_s - self._logged_refusal_s < _LOG_AGAIN_S:
            self._logged_refusal_s = now_s
            hint = "another program may write to that bucket; see docs/operate.md, Forwarding"
            log.error("InfluxDB refused a status point: measurement=%s: %s; %s", point.measurement, reason, hint)

    def _expire(self, number: int) -> None:
        if not self._has_expired:
            log.warning("some points are older than InfluxDB's retention; only the journal keeps them")
        self._has_expired = True
        self._state.add_expired(number)

    def _fail(self, error: StoreUnavailable) -> None:
        wait_s = min(MAX_RETRY_S, 2.0**self._failures) * self._chance.uniform(0.5, 1)
        wait_s = max(wait_s, min(error.retry_after_s or 0, MAX_RETRY_AFTER_S))
        if error.status is None:  # perhaps a time-out: fewer points may get through
            self._request_points = max(1, self._request_points // 2)
        now_s = self._clock()
        self._failures, self._may_have_failure = min(self._failures + 1, 16), True
        self._next_try_s = now_s + wait_s
        logged_s, logged = self._logged_failure
        kind = f"{error.status} {error.hint}"
        if kind != logged or not 0 <= now_s - logged_s < _LOG_AGAIN_S:
            self._logged_failure = now_s, kind
            level = logging.ERROR if error.status in (401, 403, 404) else logging.WARNING
            log.log(level, "forwarding failed, the journal keeps everything: %s; %s", error.message, error.hint)
        with suppress(StoreUnavailable):  # the state may be what failed; the log has the error
            next_try_epoch_ms = int(self._next_try_s * 1000)
            self._state.record_failure(error.message, error.hint, self._now_epoch_ms(), next_try_epoch_ms)

    def _recover(self) -> None:
        self._state.record_recovery()
        if self._failures:
            log.info("InfluxDB accepts points again")
        self._may_have_failure, self._failures, self._logged_failure = False, 0, (0.0, "")

    def _now_epoch_ms(self) -> int:
        return int(self._clock() * 1000)


def _sites_of(registry: Registry) -> dict[str, str]:
    return {one.id: one.site for one in registry.counters.values()}
