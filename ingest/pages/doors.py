"""How each counter does, in words a librarian can act on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from footfall.model import Counter, CounterState, epoch_ms

BLOCKED_S = 60
"""A beam interrupted for so long is no person standing in the door."""

LONG_QUEUE = 200
"""Crossings a counter may hold back before somebody should look: a minute's worth is far less at any door."""

WEAK_SIGNAL_DBM = -80
"""Below it WiFi of an ESP8266 loses packets (usual rule of thumb for 2.4 GHz)."""


class Condition(Enum):
    """What is most wrong with a counter; the worst first."""

    NEVER_HEARD = "never heard of"
    SILENT = "silent"
    BLOCKED = "beam blocked"
    QUEUING = "queue growing"
    COUNTING = "counting"


@dataclass(frozen=True)
class Door:
    """A counter and how it does. Figures of its own report are None where it told none."""

    counter: Counter
    sighting: CounterState
    condition: Condition

    @property
    def is_counting(self) -> bool:
        """Whether what it counts arrives."""
        return self.condition not in (Condition.NEVER_HEARD, Condition.SILENT)

    def figure(self, name: str) -> int | None:
        """Return the whole number *name* of its report."""
        value = self.sighting.status.get(name)
        return value if isinstance(value, int) else None

    @property
    def firmware(self) -> str:
        """Its firmware's version; empty where it told none."""
        return str(self.sighting.status.get("firmware") or "")

    @property
    def blocked_beam(self) -> str:
        """``outer`` or ``inner``, whichever is blocked; empty where none is."""
        return next((beam for beam in ("outer", "inner") if (self.figure(f"{beam}_blocked_s") or 0) >= BLOCKED_S), "")

    @property
    def has_weak_signal(self) -> bool:
        """Whether its radio hears the access point only faintly."""
        return (self.figure("rssi_dbm") or 0) < WEAK_SIGNAL_DBM


def door_of(
    counter: Counter, counter_states: Mapping[str, CounterState], now_utc: datetime, *, silent_after_s: int
) -> Door:
    """Return how *counter* does at *now_utc*."""
    sighting = counter_states[counter.id]
    door = Door(counter, sighting, Condition.COUNTING)
    if sighting.received_epoch_ms is None:
        return Door(counter, sighting, Condition.NEVER_HEARD)
    if sighting.is_silent(epoch_ms(now_utc), silent_after_s):
        return Door(counter, sighting, Condition.SILENT)
    if door.blocked_beam:
        return Door(counter, sighting, Condition.BLOCKED)
    if (door.figure("queued") or 0) >= LONG_QUEUE:
        return Door(counter, sighting, Condition.QUEUING)
    return door
