"""What the pages ask of the exporter. Ingest does not know the exporter: the command line hands in who answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Protocol


class Outcome(Enum):
    """Where the file of a day stands."""

    DELIVERED = "delivered"
    OWED = "owed"
    """Goes out by itself: now, at the next try, or when late counters have sent what they hold."""

    FAILED = "failed"
    """Waits for a person."""

    AHEAD = "ahead"
    """Not due yet, or of no concern: before the first day to deliver."""


class Reason(Enum):
    """Why a file has not gone out as it is. The values are texts for gettext."""

    NEXT_LOOK = "It goes out within a minute."
    CHANGED = "It has changed since it was delivered, and is delivered again."
    LATE = "It waits for counters that are late:"
    LESS = "Less is known of it now than when it was delivered, so it is kept back:"
    RETRIED = "The last try failed; it is tried again:"
    WAITS = "The last try failed, and somebody has to act:"


@dataclass(frozen=True)
class DayDelivery:
    """Where the file of *day* stands. ``reason`` and ``detail`` say why; of one that failed, ``detail`` is what to do.

    ``delivered_epoch_ms`` is None where it never was.
    """

    day: date
    outcome: Outcome
    reason: Reason | None = None
    detail: str = ""
    delivered_epoch_ms: int | None = None
    attempts: int = 0


@dataclass(frozen=True)
class ClientFile:
    """The client's file of a day, as it would go out now. ``gaps`` tell what is not known."""

    name: str
    content: bytes
    encoding: str
    rows: int
    gaps: tuple[str, ...]


class Desk(Protocol):
    """Answers for the exporter. Every method may raise StoreUnavailable."""

    def has_ledger(self) -> bool:
        """Return whether the exporter's ledger is on this machine: else nobody here knows what was delivered."""
        ...

    def profiles(self, site: str) -> Mapping[str, str]:
        """Return the profiles of *site*, each with where it goes, in words; empty: nowhere."""
        ...

    def days(self, profile: str, days: Sequence[date]) -> Sequence[DayDelivery]:
        """Return where *days* of *profile* stand."""
        ...

    def file(self, profile: str, day: date) -> ClientFile:
        """Return the client's file of *day*, as it would go out now."""
        ...
