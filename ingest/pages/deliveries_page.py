"""``/sites/SITE/deliveries``: the standing of each day's file, as the exporter recorded it in the ledger."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from footfall.errors import StoreUnavailable
from footfall.model import Site, from_epoch_ms
from footfall.store.ledger_reader import DayStanding, LedgerReader
from footfall.store.ledger_schema import RecordedProfile, State

log = logging.getLogger(__name__)

SILENT_AFTER = timedelta(hours=2)
"""Twice the longest pause between two looks: an exporter that has not looked for longer is not running."""

_STATUS = {State.DELIVERED: "delivered", State.BLOCKED: "blocked"}


@dataclass(frozen=True)
class DeliveryDay:
    """A day in the calendar of a profile. ``standing`` is None while nothing is due."""

    day: date
    standing: DayStanding | None

    @property
    def status(self) -> str:
        """``delivered``, ``owed``, ``blocked`` or ``ahead``: its colour, and its word in the calendar."""
        return "ahead" if self.standing is None else _STATUS.get(self.standing.state, "owed")


@dataclass(frozen=True)
class Calendar:
    """The days of one profile. ``destination`` is empty if its files go nowhere."""

    profile: str
    destination: str
    days: tuple[DeliveryDay, ...]

    @property
    def undelivered(self) -> list[DeliveryDay]:
        """The owed days."""
        return [day for day in self.days if day.standing is not None and day.standing.standing is not None]


@dataclass(frozen=True)
class Deliveries:
    """The calendars of a site as of the exporter's last look. ``looked_utc`` is None if it has not run here yet."""

    looked_utc: datetime | None
    is_silent: bool
    calendars: tuple[Calendar, ...]


def read_deliveries(ledger: LedgerReader, site: Site, days: Sequence[date], now_utc: datetime) -> Deliveries:
    """Return the calendars of *days*, which are consecutive, for each profile of *site*. Raises StoreUnavailable."""
    looked_epoch_ms = ledger.looked_epoch_ms()
    if looked_epoch_ms is None:
        return Deliveries(None, is_silent=False, calendars=())
    looked_utc = from_epoch_ms(looked_epoch_ms)
    calendars = []
    for profile in profiles_of(ledger, site):
        known = ledger.days(profile.name, days[0], days[-1])
        shown = tuple(DeliveryDay(day, known.get(day)) for day in days)
        calendars.append(Calendar(profile.name, profile.destination, shown))
    return Deliveries(looked_utc, now_utc - looked_utc > SILENT_AFTER, tuple(calendars))


def profiles_of(ledger: LedgerReader, site: Site) -> list[RecordedProfile]:
    """Return the profiles of *site* as of the exporter's last look. Raises StoreUnavailable."""
    return [profile for profile in ledger.profiles() if profile.site == site.id]


def profiles_with_files(ledger: LedgerReader, site: Site, days: Sequence[date]) -> list[str]:
    """Return the names of the profiles of *site* that were delivered for any of *days*.

    An empty list if the ledger cannot be read: a page of counts should not fail for want of a link.
    """
    try:
        return [
            profile.name
            for profile in profiles_of(ledger, site)
            if any(day.is_kept for day in ledger.days(profile.name, days[0], days[-1]).values())
        ]
    except StoreUnavailable as exc:
        log.warning("no client files are offered for download: %s; %s", exc.message, exc.hint)
        return []
