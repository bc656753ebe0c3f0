"""The numbers of the live page, the display and the counters page: a site at this moment."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from footfall.model import Site
from footfall.occupancy import last_reset, occupancy_of
from ingest.context import Context
from ingest.pages.answer_cache import ExpiringCache
from ingest.pages.counter_health import CounterHealth, assess_counter
from ingest.pages.site_days import SiteDay, read_days


class Room(Enum):
    """How much room is left; the values are also CSS classes."""

    UNKNOWN = "room-unknown"
    FREE = "free"
    NEARLY_FULL = "nearly-full"
    FULL = "full"


@dataclass(frozen=True)
class Inside:
    """The people inside now. ``people`` is None if no counter has counted since the reset: unknown, not zero.

    ``counters`` holds those in service today.
    """

    people: int | None
    room: Room
    counters: tuple[CounterHealth, ...]

    @property
    def silent(self) -> tuple[CounterHealth, ...]:
        """The counters whose crossings are missing from ``people``."""
        return tuple(one for one in self.counters if not one.is_reporting)

    @property
    def is_certain(self) -> bool:
        """Whether every counter is reporting."""
        return bool(self.counters) and not self.silent


@dataclass(frozen=True)
class Now:
    """A site at this moment. ``week_ago`` is the same weekday of last week."""

    site: Site
    now_utc: datetime
    inside: Inside
    today: SiteDay
    week_ago: SiteDay


def read_now(ctx: Context, site: Site, days: ExpiringCache[SiteDay]) -> Now:
    """Return *site* at this moment; last week's day comes from the cache *days*. Raises StoreUnavailable."""
    now_utc = ctx.now_utc()
    inside = read_inside(ctx, site, now_utc)
    counters = ctx.registry().counters_of(site.id)
    today = now_utc.astimezone(site.tz).date()
    week_ago = today - timedelta(days=7)

    def read(day: date) -> SiteDay:
        return read_days(ctx.reader, site, counters, [day], now_utc, slack_s=ctx.config.silent_after_s)[0]

    return Now(site, now_utc, inside, read(today), days.get((site, tuple(counters), week_ago), lambda: read(week_ago)))


def read_inside(ctx: Context, site: Site, now_utc: datetime) -> Inside:
    """Return the people inside *site*. Raises StoreUnavailable."""
    ids = [counter.id for counter in ctx.registry().counters_of(site.id)]
    reset_utc = last_reset(site, now_utc)
    quarters = ctx.reader.totals(ids, reset_utc, now_utc)
    people = occupancy_of(quarters, reset_utc).inside if quarters else None
    today = now_utc.astimezone(site.tz).date()
    active = tuple(one for one in read_counter_health(ctx, site, now_utc) if one.counter.counts_on(today))
    return Inside(people, _room(people, site.capacity, ctx.config.pages.nearly_full), active)


def read_counter_health(ctx: Context, site: Site, now_utc: datetime) -> list[CounterHealth]:
    """Return how every counter of *site* is doing, in service today or not. Raises StoreUnavailable."""
    counters = ctx.registry().counters_of(site.id)
    states = ctx.reader.counter_states([counter.id for counter in counters])
    return [assess_counter(one, states, now_utc, silent_after_s=ctx.config.silent_after_s) for one in counters]


def _room(people: int | None, capacity: int | None, nearly_full: int) -> Room:
    if people is None or capacity is None:
        return Room.UNKNOWN
    if people >= capacity:
        return Room.FULL
    return Room.NEARLY_FULL if people * 100 >= capacity * nearly_full else Room.FREE
