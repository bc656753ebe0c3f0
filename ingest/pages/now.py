"""``/``: people inside now. ``/sites/SITE/live`` is the part of it that changes, for the script that asks again."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from footfall.model import Site
from footfall.occupancy import last_reset, occupancy_of
from ingest.context import Context
from ingest.pages.answer_cache import Cache
from ingest.pages.doors import Door, door_of
from ingest.pages.figures import Day, read_days


class Room(Enum):
    """How much room is left, where the site has a capacity."""

    UNKNOWN = "unknown"
    FREE = "free"
    NEARLY_FULL = "nearly-full"
    FULL = "full"


@dataclass(frozen=True)
class Inside:
    """The people inside at this moment. ``people`` is None where nobody counted since the reset: unknown, not zero.

    ``doors`` are those that count today.
    """

    people: int | None
    room: Room
    doors: tuple[Door, ...]

    @property
    def silent(self) -> tuple[Door, ...]:
        """The doors whose counts do not arrive: the figure may be too low or too high by them."""
        return tuple(door for door in self.doors if not door.is_counting)

    @property
    def is_certain(self) -> bool:
        """Whether every door counts."""
        return bool(self.doors) and not self.silent


@dataclass(frozen=True)
class Now:
    """A site at this moment. ``week_ago`` is the same weekday a week before ``today``."""

    site: Site
    now_utc: datetime
    inside: Inside
    today: Day
    week_ago: Day


def read_now(here: Context, site: Site, kept: Cache[Day]) -> Now:
    """Return *site* as it is now; the day a week ago is that of *kept*. Raises StoreUnavailable."""
    now_utc = here.now_utc()
    inside = read_inside(here, site, now_utc)
    counters = here.registry().counters_of(site.id)
    today = now_utc.astimezone(site.tz).date()
    week_ago = today - timedelta(days=7)

    def read(day: date) -> Day:
        return read_days(here.reader, site, counters, [day], now_utc, slack_s=here.config.silent_after_s)[0]

    return Now(site, now_utc, inside, read(today), kept.get((site, tuple(counters), week_ago), lambda: read(week_ago)))


def read_inside(here: Context, site: Site, now_utc: datetime) -> Inside:
    """Return the people inside *site*. Raises StoreUnavailable."""
    counters = here.registry().counters_of(site.id)
    ids = [counter.id for counter in counters]
    reset_utc = last_reset(site, now_utc)
    quarters = here.reader.totals(ids, reset_utc, now_utc)
    people = occupancy_of(quarters, reset_utc).inside if quarters else None
    today = now_utc.astimezone(site.tz).date()
    doors = tuple(door for door in read_doors(here, site, now_utc) if door.counter.counts_on(today))
    return Inside(people, _room(people, site.capacity, here.config.pages.nearly_full), doors)


def read_doors(here: Context, site: Site, now_utc: datetime) -> list[Door]:
    """Return how every door of *site* does, those too that do not count today. Raises StoreUnavailable."""
    counters = here.registry().counters_of(site.id)
    counter_states = here.reader.counter_states([counter.id for counter in counters])
    return [door_of(one, counter_states, now_utc, silent_after_s=here.config.silent_after_s) for one in counters]


def _room(people: int | None, capacity: int | None, nearly_full_percent: int) -> Room:
    if people is None or capacity is None:
        return Room.UNKNOWN
    if people >= capacity:
        return Room.FULL
    return Room.NEARLY_FULL if people * 100 >= capacity * nearly_full_percent else Room.FREE
