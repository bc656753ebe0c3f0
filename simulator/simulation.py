"""A simulation from first person to last acknowledgement: one thread a counter, and the truth at the end.

``simulate_day`` replays a day that is over, at any speed. ``simulate_now`` is live: today's people from now on, or
since midnight, as by counters that were cut off until now.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, fields
from datetime import date
from typing import NamedTuple

from footfall.calendar import day_bounds
from footfall.errors import FootfallError
from footfall.model import Counter, Site, Span, epoch_ms, from_epoch_ms
from simulator.backlog import Backlog
from simulator.clock import Clock, RunningClock, SteppedClock
from simulator.people import MINUTE_MS, Crossing, dice, in_order, visits_of_day, walk_day
from simulator.simulated_counter import Habits, SimulatedCounter
from simulator.unreliable_network import NO_TROUBLE, NetworkTrouble, Transport, UnreliableNetwork

log = logging.getLogger(__name__)

LIVE_LINGER_MS = 1000
"""How long a crossing waits for company in a live simulation: somebody is watching the page."""

PROGRESS_S = 0.1
"""How often progress is told, in real seconds."""


@dataclass(frozen=True)
class Scene:
    """Who and what takes part in a simulation.

    Every site of ``sites`` gets ``people`` visitors and ``staff`` a day, who use its doors among ``counters``.
    ``keys`` has the raw key each counter signs with. ``connect`` makes one counter's way to ingest, for instance
    ``lambda: HttpTransport(url)``. ``wall`` gives real seconds since 1970.
    """

    sites: Sequence[Site]
    counters: Sequence[Counter]
    keys: Mapping[str, bytes]
    connect: Callable[[], Transport]
    people: int = 800
    staff: int = 3
    seed: int = 0
    trouble: NetworkTrouble = NO_TROUBLE
    patience_s: float = 120.0
    wall: Callable[[], float] = time.time

    def now_epoch_ms(self) -> int:
        """Return the real instant."""
        return int(self.wall() * 1000)

    def doors(self, site: Site) -> list[str]:
        """Return the counters of *site*. Raises FootfallError when it has none, or one has no key."""
        doors = [counter.id for counter in self.counters if counter.site == site.id]
        if not doors:
            raise FootfallError(f"site {site.id} has no counter to simulate", hint="add one: footfall counter add ID")
        keyless = [door for door in doors if door not in self.keys]
        if keyless:
            raise FootfallError(
                f"no key for counter {', '.join(keyless)}", hint="make one: footfall counter rotate-key ID"
            )
        return doors


class Progress(NamedTuple):
    """How far a simulation is: the part of the time that is acknowledged, 0 to 1, and what was acknowledged."""

    done: float
    batches: int
    crossings: int


@dataclass(frozen=True)
class SimulationResult:
    """What happened. ``truth`` is every crossing the people made, in order, whatever became of it.

    ``batches`` and ``crossings`` were acknowledged; ``resends`` is attempts beyond a batch's first, ``copies`` what
    the network sent twice, ``cuts`` requests without an answer. ``dropped`` crossings were refused by ingest.
    ``unacknowledged`` crossings still waited when the simulation was stopped; 0 unless ``stopped``.
    """

    truth: tuple[Crossing, ...]
    batches: int
    crossings: int
    resends: int
    copies: int
    cuts: int
    dropped: int
    unacknowledged: int
    stopped: bool

    def __add__(self, other: "SimulationResult") -> "SimulationResult":
        """Return what happened in both, *other* the later."""
        sums = {one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        return SimulationResult(**{**sums, "stopped": self.stopped or other.stopped})


class Part(NamedTuple):
    """What one counter is to see, within its span."""

    counter: str
    span: Span
    crossings: tuple[Crossing, ...]


@dataclass(frozen=True)
class _Player:
    """A counter at work, with the network it works through."""

    part: Part
    counter: SimulatedCounter
    network: UnreliableNetwork

    def work(self) -> None:
        try:
            self.counter.run()
        finally:
            self.network.close()

    @property
    def done(self) -> float:
        start, end = self.part.span
        return (self.counter.backlog.covered_to_epoch_ms - start) / (end - start) if end > start else 1.0


def simulate_day(
    scene: Scene,
    day: date,
    *,
    speed: float = 0.0,
    heartbeat_ms: int = MINUTE_MS,
    stop: threading.Event | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> SimulationResult:
    """Replay the local *day*, whole, and return what happened once ingest acknowledged all of it.

    *speed* is times real time; 0: as fast as ingest takes it. A counter sends every *heartbeat_ms*: the longer, the
    fewer batches. *stop*, or Ctrl-C, ends it early with what happened so far. *progress* is called in the caller's
    thread. The same scene and day again adds nothing to the store.
    Raises FootfallError when the day is not over yet, or a counter ran out of patience.
    """
    parts = parts_of_day(scene, day)
    halt = stop or threading.Event()
    shared = RunningClock(min(part.span.from_epoch_ms for part in parts), speed, halt) if parts and speed else None
    return _play(
        scene, parts, Habits(heartbeat_ms, linger_ms=heartbeat_ms, patience_s=scene.patience_s),
        lambda span: shared or SteppedClock(span.from_epoch_ms, halt), halt, progress,
    )  # fmt: skip


def parts_of_day(scene: Scene, day: date) -> list[Part]:
    """Return what each counter is to see on the local *day*, whole.

    Raises FootfallError when the day is not over yet.
    """
    parts: list[Part] = []
    for site in scene.sites:
        start_utc, end_utc = day_bounds(day, site.tz)
        span = Span(epoch_ms(start_utc), epoch_ms(end_utc))
        if span.to_epoch_ms > scene.now_epoch_ms():
            raise FootfallError(
                f"{day} is not over yet at site {site.id}: ingest refuses what lies in the future",
                hint="take an earlier day, or simulate live",
            )
        doors = scene.doors(site)
        crossings = walk_day(site, day, doors, people=scene.people, seed=scene.seed, staff=scene.staff)
        parts += _parts(doors, span, crossings)
    return parts


def simulate_now(
    scene: Scene,
    *,
    since_midnight: bool = False,
    stop: threading.Event | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> SimulationResult:
    """Let today's people who are still to come walk in real time, and return what happened when all have left.

    Whoever would be inside already stays away, so occupancy starts from zero; with *since_midnight* they have come, and
    are told of at once. Then another run of the same day adds nothing. *stop*, or Ctrl-C, ends it early.
    Raises FootfallError when nobody comes any more today, or a counter ran out of patience.
    """
    now_epoch_ms = scene.now_epoch_ms()
    parts: list[Part] = []
    for site in scene.sites:
        today = from_epoch_ms(now_epoch_ms).astimezone(site.tz).date()
        doors = scene.doors(site)
        visits = visits_of_day(site, today, doors, people=scene.people, seed=scene.seed, staff=scene.staff)
        day_from_epoch_ms, day_to_epoch_ms = (epoch_ms(bound_utc) for bound_utc in day_bounds(today, site.tz))
        since_epoch_ms = day_from_epoch_ms if since_midnight else now_epoch_ms
        crossings = in_order(
            crossing for visit in visits if visit.entry.time_epoch_ms >= since_epoch_ms for crossing in visit
        )
        if crossings:
            end_epoch_ms = min(crossings[-1].time_epoch_ms + MINUTE_MS, day_to_epoch_ms)
            parts += _parts(doors, Span(since_epoch_ms, end_epoch_ms), crossings)
    if not parts:
        sites = ", ".join(f"{site.id} ({site.hours})" for site in scene.sites)
        raise FootfallError(f"nobody comes any more today: {sites}", hint="come back in opening hours, or replay a day")
    halt = stop or threading.Event()
    clock = RunningClock(now_epoch_ms, 1.0, halt)
    habits = Habits(linger_ms=LIVE_LINGER_MS, patience_s=scene.patience_s)
    return _play(scene, parts, habits, lambda _: clock, halt, progress)


def _parts(doors: Sequence[str], span: Span, crossings: Iterable[Crossing]) -> list[Part]:
    seen: dict[str, list[Crossing]] = {door: [] for door in doors}
    for crossing in crossings:
        seen[crossing.counter].append(crossing)
    return [Part(door, span, tuple(own)) for door, own in seen.items()]


def _play(
    scene: Scene,
    parts: Sequence[Part],
    habits: Habits,
    clock_for: Callable[[Span], Clock],
    stop: threading.Event,
    progress: Callable[[Progress], None],
) -> SimulationResult:
    """Let all *parts* work, each in its thread, and return what happened. Raises the first error of any."""
    players = [_player(scene, part, habits, clock_for(part.span)) for part in parts]
    with ThreadPoolExecutor(max(1, len(players)), thread_name_prefix="counter") as pool:
        try:
            _watch([pool.submit(player.work) for player in players], players, progress)
        except KeyboardInterrupt:
            log.info("the simulation was interrupted")
            stop.set()
        except BaseException:
            stop.set()
            raise
    return _result(players)


def _player(scene: Scene, part: Part, habits: Habits, clock: Clock) -> _Player:
    network_throws, device_throws = (
        dice(scene.seed, part.counter, part.span.from_epoch_ms, what) for what in ("network", "device")
    )
    network = UnreliableNetwork(scene.connect(), scene.trouble, network_throws, part.span, clock.now_epoch_ms)
    counter = SimulatedCounter(
        part.counter,
        _stream(part),
        scene.keys[part.counter],
        Backlog(part.crossings, part.span, limit=habits.batch_limit),
        network,
        clock,
        device_throws,
        wall=scene.wall,
        habits=habits,
    )
    return _Player(part, counter, network)


def _stream(part: Part) -> str:
    """Return a stream id that what the counter sees decides: the same replay twice is stored once."""
    return hashlib.sha256(repr((part.counter, part.crossings)).encode()).hexdigest()[:16]


def _watch(futures: Iterable[Future[None]], players: Sequence[_Player], progress: Callable[[Progress], None]) -> None:
    """Tell *progress* until all *futures* are done. Raises the first error of any of them."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=PROGRESS_S, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        traffic = [player.counter.traffic for player in players]
        progress(
            Progress(
                sum(player.done for player in players) / len(players),
                sum(one.batches for one in traffic),
                sum(one.crossings for one in traffic),
            )
        )


def _result(players: Sequence[_Player]) -> SimulationResult:
    traffic = [player.counter.traffic for player in players]
    backlogs = [player.counter.backlog for player in players]
    made = (crossing for player in players for crossing in player.part.crossings[: player.counter.backlog.seen])
    return SimulationResult(
        truth=in_order(made),
        batches=sum(one.batches for one in traffic),
        crossings=sum(one.crossings for one in traffic),
        resends=sum(one.resends for one in traffic),
        copies=sum(player.network.copies for player in players),
        cuts=sum(one.cuts for one in traffic),
        dropped=sum(backlog.dropped for backlog in backlogs),
        unacknowledged=sum(len(backlog) for backlog in backlogs),
        stopped=not all(backlog.is_finished for backlog in backlogs),
    )
