"""The forwarder: tells InfluxDB what the journal has, at least once, always the same, as long as it takes.

    journal --Outbox--> chunk of points --Writer--> InfluxDB
                           |                            |
                           |     taken: the place is reached, on to the next chunk
                           |     down, slow, not letting us in: the same chunk again, later
                           +---- some refused for ever: those into quarantine, the others written

A chunk that was written and not recorded is written again: a point that is repeated replaces itself. Nothing here
holds up ingest, which runs in another process.
"""

import logging
import random
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from typing import Protocol

from footfall.errors import PointsRefused, StoreUnavailable, TooLarge
from footfall.registry import Registry
from footfall.store.forwarder_state import ForwarderState, Progress
from footfall.store.outbox import Cursor, Outbox
from footfall.store.points import NS_PER_MS, Point, forwarder_point, site_point

log = logging.getLogger(__name__)

MOST_POINTS = 5000
"""In one request. InfluxData advises 5,000 (docs.influxdata.com, InfluxDB 2.x, Optimize writes)."""

MOST_QUARANTINED = 10_000
"""When so many were refused, it is not about points: a person must look before more is set aside."""

LOOK_EVERY_S = 60
"""How often the forwarder writes about itself and the sites."""

LONGEST_WAIT_S = 60.0
LONGEST_ASKED_S = 300.0
"""A Retry-After beyond it is not believed."""

_REQUESTS = 4  # of a chunk: more overlap better, and take longer to write again
_SAY_AGAIN_S = 600
_EXPIRED = re.compile(r"(?:beyond|outside) retention policy(?!.*points outside write window)", re.IGNORECASE)
"""How 1.x and 2.x say that points are older than they keep any, and that the rest of the request was kept.

"points beyond retention policy", or since 2025 "dropped 4 points outside retention policy of duration 24h0m0s"
(influxdata/influxdb pull 26257). That one may tell of points outside a write window too, which need not be old.
"""
_DROPPED = re.compile(r"\bdropped[= ](\d+)")


class Writer(Protocol):
    """What takes points: InfluxWriter, or a test's."""

    def write(self, points: Sequence[Point]) -> None:
        """Return once all of *points* are kept. Raises StoreUnavailable, PointsRefused or TooLarge."""


class Forwarder:
    """Call step() for ever. ``clock`` tells seconds since 1970 UTC."""

    def __init__(
        self,
        outbox: Outbox,
        shipments: ForwarderState,
        writer: Writer,
        registry: Callable[[], Registry],
        clock: Callable[[], float],
        chance: random.Random,
        *,
        holds: Callable[[Point], bool | None] = lambda _: None,
        most_points: int = MOST_POINTS,
        most_quarantined: int = MOST_QUARANTINED,
    ) -> None:
        """Forward *outbox* to *writer*, remembering in *shipments*.

        *holds* tells whether InfluxDB has a point of the forwarder's own, None where it may not look.
        """
        self._outbox = outbox
        self._shipments = shipments
        self._writer = writer
        self._registry = registry
        self._clock = clock
        self._chance = chance
        self._holds = holds
        self._most_points = self._most_now = most_points
        self._most_quarantined = most_quarantined
        self._lane = ThreadPoolExecutor(1, "forwarder-lane")
        self._horizon = Cursor()
        self._placed: Registry | None = None
        self._looked_s = 0.0
        self._told_quarantined = 0
        self._candidate_ns: int | None = None
        self._failures = 0
        self._has_failed = True  # perhaps, before this process; the file would still say so
        self._has_expired = False
        self._said_refused_s = 0.0
        self._next_try_s = 0.0
        self._said = (0.0, "")

    def step(self) -> bool:
        """Do one piece of work, if there is any and it is time; return whether there may be more at once."""
        with suppress(StoreUnavailable):  # then at the next step
            self._place_counters()
        if 0 < self._next_try_s - self._clock() <= LONGEST_ASKED_S:  # more: the clock was set back
            return False
        try:
            return self._work()
        except StoreUnavailable as exc:
            self._fail(exc)
            return False

    def _place_counters(self) -> None:
        """Note in the journal where counters are when that changes: also while InfluxDB is down, perhaps for days."""
        registry = self._registry()
        if registry is self._placed:
            return
        if self._placed is not None:
            self._outbox.place(_sites_of(self._placed))  # of counters that were first heard of since it was taken
        self._outbox.place(_sites_of(registry))
        self._placed = registry

    def _work(self) -> bool:
        progress = self._shipments.progress()
        if self._must_begin_again(progress) or self._look(progress):
            return True
        most = _REQUESTS * self._most_now
        chunk = self._outbox.next_chunk(progress.place, self._horizon, most)
        if chunk is None:
            self._horizon = self._outbox.high_water_mark(_sites_of(self._registry()))
            chunk = self._outbox.next_chunk(progress.place, self._horizon, most)
        if chunk is None:
            self._outbox.trim(progress.place)
            return False
        written = self._write_all(chunk.points, self._refuse)
        self._shipments.reach(chunk.place, chunk.mark, written)
        self._most_now = min(self._most_points, 2 * self._most_now)
        return True

    def _must_begin_again(self, progress: Progress) -> bool:
        """Go back to the beginning where InfluxDB, or the journal, is not the one of before; return whether so."""
        if progress.is_again:
            log.info("everything in the journal is written to InfluxDB, from the beginning")
            self._outbox.tell_again(self._now_epoch_ms())
        elif not self._outbox.is_known(progress.place, progress.mark):
            log.warning("this is not the journal of before (a backup that was restored?): all of it is written again")
        else:
            return False
        self._begin_again()
        return True

    def _begin_again(self) -> None:
        self._shipments.begin_again()
        self._horizon = Cursor()
        self._looked_s = 0.0
        self._candidate_ns = None

    def _look(self, progress: Progress) -> bool:
        """Once a minute, see whether InfluxDB has lost everything, and write about the forwarder and the sites.

        Also whenever points went into quarantine or left it: readers must hear of one that is missing before they see
        the span that would cover it. Return whether everything must be written again.
        """
        now_s = self._clock()
        quarantined = self._shipments.quarantined()
        is_news = self._failures or quarantined != self._told_quarantined
        if 0 <= now_s - self._looked_s < LOOK_EVERY_S and not is_news:
            return False
        ingest, now_epoch_ms = self._outbox.ingest(), self._now_epoch_ms()
        waiting, lag_s = self._outbox.waiting(progress.place, now_epoch_ms)
        now_ns = now_epoch_ms * NS_PER_MS
        point = forwarder_point(ingest, waiting, lag_s, quarantined, now_ns)
        if self._is_lost(point, progress.witness_ns):
            log.warning("InfluxDB has lost what it had (a new volume?): all of the journal is written to it again")
            self._outbox.tell_again(now_epoch_ms)
            self._begin_again()
            return True
        self._write_all((site_point(site, now_ns) for site in self._registry().sites.values()), self._pass_over)
        self._candidate_ns = now_ns if self._write_all([point], self._pass_over) else None
        self._looked_s, self._told_quarantined = now_s, quarantined
        self._is_lost(point, None)  # seen at once as a rule; in InfluxDB 3 and in clusters perhaps by the next look
        return False

    def _is_lost(self, point: Point, witness_ns: int | None) -> bool:
        """Return whether InfluxDB no longer has the witness, a point like *point* that was seen there once.

        One that was written and never seen tells nothing: perhaps we may not read, or read another place.
        """
        if self._candidate_ns is not None and self._holds(point._replace(time_ns=self._candidate_ns)):
            self._shipments.witness(self._candidate_ns)
            return False
        return witness_ns is not None and self._holds(point._replace(time_ns=witness_ns)) is False

    def _write_all(self, points: Iterable[Point], refuse: Callable[[Point, str], None]) -> int:
        """Write *points*, some at a time; return how many of them InfluxDB has now. *refuse* is told of the others.

        While InfluxDB works on one request, the points of the next are made.
        """
        rest, written = iter(points), 0
        chunk = list(islice(rest, self._most_now))
        while chunk:
            sent = self._lane.submit(write_sifted, self._writer, chunk, refuse, self._expire)
            chunk = list(islice(rest, self._most_now))
            written += sent.result()
            if self._has_failed:
                self._recover()
        return written

    def _refuse(self, point: Point, reason: str) -> None:
        if self._shipments.quarantined() >= self._most_quarantined:
            raise StoreUnavailable(
                f"InfluxDB refused {self._most_quarantined} points, the last because: {reason}",
                hint="nothing more is set aside until a person has looked: footfall quarantine",
            )
        log.error("InfluxDB refused a point of %s, see footfall quarantine: %s", point.measurement, reason)
        self._shipments.refuse(point, reason, self._now_epoch_ms())

    def _pass_over(self, point: Point, reason: str) -> None:
        """Let *point* go: it tells how things are now, and the next one will too. In quarantine they would pile up."""
        now_s = self._clock()
        if not 0 <= now_s - self._said_refused_s < _SAY_AGAIN_S:
            self._said_refused_s = now_s
            hint = "another program may write to that bucket; see docs/operate.md, Forwarding"
            log.error(
                "InfluxDB refused a point of %s, written anew each minute: %s; %s", point.measurement, reason, hint
            )

    def _expire(self, number: int) -> None:
        if not self._has_expired:
            log.warning("InfluxDB does not keep points as old as some of these; they stay in the journal alone")
        self._has_expired = True
        self._shipments.expire(number)

    def _fail(self, error: StoreUnavailable) -> None:
        wait_s = min(LONGEST_WAIT_S, 2.0**self._failures) * self._chance.uniform(0.5, 1)
        wait_s = max(wait_s, min(error.retry_after_s or 0, LONGEST_ASKED_S))
        if error.status is None:  # perhaps it needs longer for so many than it is waited for, and would each time
            self._most_now = max(1, self._most_now // 2)
        now_s = self._clock()
        self._failures, self._has_failed = min(self._failures + 1, 16), True
        self._next_try_s = now_s + wait_s
        said_s, said = self._said
        kind = f"{error.status} {error.hint}"
        if kind != said or not 0 <= now_s - said_s < _SAY_AGAIN_S:
            self._said = now_s, kind
            level = logging.ERROR if error.status in (401, 403, 404) else logging.WARNING
            log.log(level, "%s (%s); the journal keeps everything, it is tried again", error.message, error.hint)
        with suppress(StoreUnavailable):  # that file may be what fails; the log has told
            next_try_epoch_ms = int(self._next_try_s * 1000)
            self._shipments.fail(error.message, error.hint, self._now_epoch_ms(), next_try_epoch_ms)

    def _recover(self) -> None:
        self._shipments.recover()
        if self._failures:
            log.info("InfluxDB takes points again")
        self._has_failed, self._failures, self._said = False, 0, (0.0, "")

    def _now_epoch_ms(self) -> int:
        return int(self._clock() * 1000)


def _sites_of(registry: Registry) -> dict[str, str]:
    return {one.id: one.site for one in registry.counters.values()}


def write_sifted(
    writer: Writer, points: Sequence[Point], refuse: Callable[[Point, str], None], expire: Callable[[int], None]
) -> int:
    """Write *points*, halving them where some are refused, until it is known which; return how many were taken.

    *refuse* is told each that is not taken, and why. *expire* is told how many were refused because they are older
    than InfluxDB keeps anything: it has the others, and these are nothing it could keep. Raises StoreUnavailable.
    """
    try:
        writer.write(points)
    except (PointsRefused, TooLarge) as exc:
        if isinstance(exc, PointsRefused) and _EXPIRED.search(exc.message):
            told = _DROPPED.search(exc.message)
            expired = min(int(told[1]), len(points)) if told else len(points)
            expire(expired)
            return len(points) - expired
        if len(points) == 1:
            refuse(points[0], exc.message)
            return 0
        middle = len(points) // 2
        return sum(write_sifted(writer, half, refuse, expire) for half in (points[:middle], points[middle:]))
    return len(points)
