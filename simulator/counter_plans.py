"""What each counter of a simulation will see: its crossings, and the span it reports."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from footfall.calendar import day_bounds
from footfall.errors import FootfallError
from footfall.model import Counter, Site, Span, epoch_ms, from_epoch_ms
from simulator.people import MINUTE_MS, Crossing, in_order, visits_of_day, walk_day
from simulator.unreliable_network import NO_TROUBLE, NetworkTrouble, Transport


@dataclass(frozen=True)
class SimulationSetup:
    """The sites, counters and people of a simulation, and the network between the counters and ingest.

    Each of ``sites`` gets ``people`` visitors and ``staff`` employees a day, who use the doors that ``counters`` has
    for that site. ``keys`` holds the raw signing key of each counter. ``connect`` opens one counter's connection to
    ingest, for example ``lambda: HttpTransport(url)``. ``wall`` returns real seconds since 1970.
    """

    sites: Sequence[Site]
    counters: Sequence[Counter]
    keys: Mapping[str, bytes]
    connect: Callable[[], Transport]
    people: int = 800
    staff: int = 3
    seed: int = 0
    trouble: NetworkTrouble = NO_TROUBLE
    give_up_after_s: float = 120.0
    wall: Callable[[], float] = time.time

    def now_epoch_ms(self) -> int:
        """Return the real instant."""
        return int(self.wall() * 1000)

    def doors(self, site: Site) -> list[str]:
        """Return the counters of *site*. Raises FootfallError if it has none, or if one has no key."""
        doors = [counter.id for counter in self.counters if counter.site == site.id]
        if not doors:
            raise FootfallError(f"site {site.id} has no counter to simulate", hint="add one: footfall counter add ID")
        keyless = [door for door in doors if door not in self.keys]
        if keyless:
            raise FootfallError(
                f"no key for counter {', '.join(keyless)}", hint="make one: footfall counter rotate-key ID"
            )
        return doors


class CounterPlan(NamedTuple):
    """The crossings one counter will see, all of them in its span."""

    counter: str
    span: Span
    crossings: tuple[Crossing, ...]


def plans_for_day(setup: SimulationSetup, day: date) -> list[CounterPlan]:
    """Return the plan of each counter for the whole local *day*. Raises FootfallError if the day is not over."""
    plans: list[CounterPlan] = []
    for site in setup.sites:
        start_utc, end_utc = day_bounds(day, site.tz)
        span = Span(epoch_ms(start_utc), epoch_ms(end_utc))
        if span.to_epoch_ms > setup.now_epoch_ms():
            raise FootfallError(
                f"{day} is not over at site {site.id}, and ingest refuses crossings in the future",
                hint="choose an earlier day, or use --live",
            )
        doors = setup.doors(site)
        crossings = walk_day(site, day, doors, people=setup.people, seed=setup.seed, staff=setup.staff)
        plans += _plans(doors, span, crossings)
    return plans


def plans_for_today(setup: SimulationSetup, now_epoch_ms: int, *, since_midnight: bool) -> list[CounterPlan]:
    """Return the plan of each counter for the rest of today, with today's past too if *since_midnight*.

    People who entered before the plan begins are left out altogether, so that occupancy starts at zero. Raises
    FootfallError if nobody is left to come.
    """
    plans: list[CounterPlan] = []
    for site in setup.sites:
        today = from_epoch_ms(now_epoch_ms).astimezone(site.tz).date()
        doors = setup.doors(site)
        visits = visits_of_day(site, today, doors, people=setup.people, seed=setup.seed, staff=setup.staff)
        day_from_epoch_ms, day_to_epoch_ms = (epoch_ms(bound_utc) for bound_utc in day_bounds(today, site.tz))
        since_epoch_ms = day_from_epoch_ms if since_midnight else now_epoch_ms
        crossings = in_order(
            crossing for visit in visits if visit.entry.time_epoch_ms >= since_epoch_ms for crossing in visit
        )
        if crossings:
            end_epoch_ms = min(crossings[-1].time_epoch_ms + MINUTE_MS, day_to_epoch_ms)
            plans += _plans(doors, Span(since_epoch_ms, end_epoch_ms), crossings)
    if not plans:
        sites = ", ".join(f"{site.id} ({site.hours})" for site in setup.sites)
        raise FootfallError(
            f"no more visitors today: {sites}", hint="run it during opening hours, or replay a day with --day"
        )
    return plans


def _plans(doors: Sequence[str], span: Span, crossings: Iterable[Crossing]) -> list[CounterPlan]:
    by_door: dict[str, list[Crossing]] = {door: [] for door in doors}
    for crossing in crossings:
        by_door[crossing.counter].append(crossing)
    return [CounterPlan(door, span, tuple(own)) for door, own in by_door.items()]
