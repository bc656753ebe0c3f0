"""Which days are due, and why one has not gone out. Pure: job.py decides which of these it is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum

from exporter.profile import Profile
from footfall.store.ledger import Standing


class Why(Enum):
    """Why a day has not been delivered as it is, or that it can be now."""

    NOW = "owed: goes out at the next look"
    CHANGED = "owed: changed since it was delivered"
    LATE = "waits for counters that are late"
    LESS = "kept back: less is known of it now than when it was delivered"
    LATER = "failed: is tried again"
    PERSON = "failed: waits for a person"


@dataclass(frozen=True)
class Owed:
    """A finished day not yet delivered, or changed since it was. ``detail`` says more, for people."""

    profile: Profile
    day: date
    why: Why
    detail: str = ""

    @property
    def is_ready(self) -> bool:
        """Whether it is to be delivered now."""
        return self.why in (Why.NOW, Why.CHANGED)


def due_days(profile: Profile, first: date, standings: Mapping[date, Standing], now_utc: datetime) -> Iterator[date]:
    """Yield the days of *profile* that are due, oldest first, but for those that are surely settled.

    Those are the days from *first* on and the days before it that were tried; of them, days that were delivered and
    are too old to be delivered again are left out where a glance at the date tells it.
    """
    last = now_utc.astimezone(profile.site.tz).date() + timedelta(days=1)
    while profile.due_utc(last) > now_utc:
        last -= timedelta(days=1)
    too_old = last - timedelta(days=profile.redeliver_days + 2)
    since = (first + timedelta(days=number) for number in range((last - first).days + 1))
    for day in (*sorted(day for day in standings if day < first and day <= last), *since):
        standing = standings.get(day)
        if standing is None or standing.attempts or day >= too_old:
            yield day
