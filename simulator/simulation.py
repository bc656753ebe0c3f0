"""Runs the counters of a simulation, one thread each, and returns what happened.

``simulate_day`` replays a day that is over, at any speed. ``simulate_today`` runs in real time, from now on or with
the hours since midnight first, as if the counters had been offline until now.
"""

import hashlib
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, fields
from datetime import date
from typing import NamedTuple

from footfall.model import Span
from simulator.backlog import Backlog
from simulator.counter_plans import CounterPlan, SimulationSetup, plans_for_day, plans_for_today
from simulator.people import MINUTE_MS, Crossing, in_order, seeded_random
from simulator.simulated_clock import Clock, RunningClock, SteppedClock
from simulator.simulated_counter import CounterOptions, SimulatedCounter
from simulator.unreliable_network import UnreliableNetwork

log = logging.getLogger(__name__)

LIVE_LINGER_MS = 1000
"""How long a live crossing may wait to share a batch: short, because someone is watching the page."""

PROGRESS_INTERVAL_S = 0.1


class SimulationProgress(NamedTuple):
    """The acknowledged share of the simulated time, 0 to 1, and the batches and crossings acknowledged so far."""

    done: float
    batches: int
    crossings: int


@dataclass(frozen=True)
class SimulationResult:
    """What happened. ``truth`` is every simulated crossing in order, whether it was stored or not.

    ``batches`` and ``crossings`` were acknowledged. ``resends`` counts attempts after a batch's first, ``duplicates``
    the requests that the network delivered twice, ``lost`` the requests without a response. ``dropped`` crossings
    were refused by ingest. ``unacknowledged`` crossings were still queued when the simulation was ``stopped``.
    """

    truth: tuple[Crossing, ...] = ()
    batches: int = 0
    crossings: int = 0
    resends: int = 0
    duplicates: int = 0
    lost: int = 0
    dropped: int = 0
    unacknowledged: int = 0
    stopped: bool = False

    def __add__(self, other: "SimulationResult") -> "SimulationResult":
        """Return both results as one, *other* being the later."""
        sums = {one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)}
        return SimulationResult(**{**sums, "stopped": self.stopped or other.stopped})


@dataclass(frozen=True)
class _RunningCounter:
    """A counter at work, with its plan and its network."""

    plan: CounterPlan
    counter: SimulatedCounter
    network: UnreliableNetwork

    def run(self) -> None:
        try:
            self.counter.run()
        finally:
            self.network.close()

    @property
    def done(self) -> float:
        start, end = self.plan.span
        return (self.counter.backlog.covered_to_epoch_ms - start) / (end - start) if end > start else 1.0


def simulate_day(
    setup: SimulationSetup,
    day: date,
    *,
    speed: float = 0.0,
    heartbeat_ms: int = MINUTE_MS,
    stop: threading.Event | None = None,
    progress: Callable[[SimulationProgress], None] = lambda _: None,
) -> SimulationResult:
    """Replay the whole local *day*, and return what happened once ingest has acknowledged all of it.

    *speed* is a multiple of real time; 0 is as fast as ingest accepts. A counter sends a batch every *heartbeat_ms*.
    *stop* or Ctrl-C ends the simulation early. *progress* runs in the caller's thread. The same setup and day add
    nothing to the store a second time. Raises FootfallError if the day is not over, or if a counter gave up.
    """
    plans = plans_for_day(setup, day)
    halt = stop or threading.Event()
    shared = RunningClock(min(plan.span.from_epoch_ms for plan in plans), speed, halt) if plans and speed else None
    options = CounterOptions(heartbeat_ms, linger_ms=heartbeat_ms, give_up_after_s=setup.give_up_after_s)
    return _run(setup, plans, options, lambda span: shared or SteppedClock(span.from_epoch_ms, halt), halt, progress)


def simulate_today(
    setup: SimulationSetup,
    *,
    since_midnight: bool = False,
    stop: threading.Event | None = None,
    progress: Callable[[SimulationProgress], None] = lambda _: None,
) -> SimulationResult:
    """Simulate the rest of today in real time, and return what happened once everyone has left.

    With *since_midnight* the counters report today's past at once, and another run adds nothing to the store a
    second time. Without it, people who entered before now are left out. *stop* or Ctrl-C ends the simulation early.
    Raises FootfallError if nobody is left to come, or if a counter gave up.
    """
    now_epoch_ms = setup.now_epoch_ms()
    plans = plans_for_today(setup, now_epoch_ms, since_midnight=since_midnight)
    halt = stop or threading.Event()
    clock = RunningClock(now_epoch_ms, 1.0, halt)
    options = CounterOptions(linger_ms=LIVE_LINGER_MS, give_up_after_s=setup.give_up_after_s)
    return _run(setup, plans, options, lambda _: clock, halt, progress)


def _run(
    setup: SimulationSetup,
    plans: Sequence[CounterPlan],
    options: CounterOptions,
    clock_for: Callable[[Span], Clock],
    stop: threading.Event,
    progress: Callable[[SimulationProgress], None],
) -> SimulationResult:
    """Run a counter for each of *plans*, and return what happened. Raises the first error of any counter."""
    counters = [_prepare(setup, plan, options, clock_for(plan.span)) for plan in plans]
    with ThreadPoolExecutor(max(1, len(counters)), thread_name_prefix="counter") as pool:
        try:
            _watch([pool.submit(counter.run) for counter in counters], counters, progress)
        except KeyboardInterrupt:
            log.info("simulation interrupted")
            stop.set()
        except BaseException:
            stop.set()
            raise
    return _result(counters)


def _prepare(setup: SimulationSetup, plan: CounterPlan, options: CounterOptions, clock: Clock) -> _RunningCounter:
    network_rng, device_rng = (
        seeded_random(setup.seed, plan.counter, plan.span.from_epoch_ms, part) for part in ("network", "device")
    )
    network = UnreliableNetwork(setup.connect(), setup.trouble, network_rng, plan.span, clock.now_epoch_ms)
    counter = SimulatedCounter(
        plan.counter,
        _stream_id(plan),
        setup.keys[plan.counter],
        Backlog(plan.crossings, plan.span, limit=options.batch_limit),
        network,
        clock,
        device_rng,
        wall=setup.wall,
        options=options,
    )
    return _RunningCounter(plan, counter, network)


def _stream_id(plan: CounterPlan) -> str:
    """Return a stream id derived from the crossings, so that the same replay is stored once."""
    return hashlib.sha256(repr((plan.counter, plan.crossings)).encode()).hexdigest()[:16]


def _watch(
    futures: Iterable[Future[None]],
    counters: Sequence[_RunningCounter],
    progress: Callable[[SimulationProgress], None],
) -> None:
    """Report *progress* until all *futures* are done. Raises the first error of any of them."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=PROGRESS_INTERVAL_S, return_when=FIRST_EXCEPTION)
        for future in done:
            future.result()
        traffic = [each.counter.traffic for each in counters]
        progress(
            SimulationProgress(
                sum(each.done for each in counters) / len(counters),
                sum(each.batches for each in traffic),
                sum(each.crossings for each in traffic),
            )
        )


def _result(counters: Sequence[_RunningCounter]) -> SimulationResult:
    traffic = [each.counter.traffic for each in counters]
    backlogs = [each.counter.backlog for each in counters]
    seen = (crossing for each in counters for crossing in each.plan.crossings[: each.counter.backlog.seen])
    return SimulationResult(
        truth=in_order(seen),
        batches=sum(each.batches for each in traffic),
        crossings=sum(each.crossings for each in traffic),
        resends=sum(each.resends for each in traffic),
        duplicates=sum(each.network.duplicates for each in counters),
        lost=sum(each.lost for each in traffic),
        dropped=sum(backlog.dropped for backlog in backlogs),
        unacknowledged=sum(len(backlog) for backlog in backlogs),
        stopped=not all(backlog.is_finished for backlog in backlogs),
    )
