"""How each counter is doing, as the counters page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from footfall.model import Counter, CounterState, epoch_ms

BLOCKED_S = 60
"""A beam interrupted this long is blocked by an object: nobody stands in a doorway for a minute."""

LONG_QUEUE = 200
"""Queued crossings that ask for a look. No door sees this many in a minute."""

WEAK_SIGNAL_DBM = -80
"""Below this an ESP8266 loses packets (the usual rule of thumb for 2.4 GHz)."""


class Condition(Enum):
    """The worst problem of a counter, the worst first."""

    NEVER_HEARD = "never heard from"
    SILENT = "silent"
    BLOCKED = "beam blocked"
    QUEUING = "queue growing"
    COUNTING = "counting"


@dataclass(frozen=True)
class CounterHealth:
    """A counter, its state and the worst problem it has."""

    counter: Counter
    state: CounterState
    condition: Condition

    @property
    def is_reporting(self) -> bool:
        """Whether its batches arrive."""
        return self.condition not in (Condition.NEVER_HEARD, Condition.SILENT)

    def reported(self, name: str) -> int | None:
        """Return the whole number *name* of its status report, None if the report lacks it."""
        value = self.state.status.get(name)
        return value if isinstance(value, int) else None

    @property
    def firmware(self) -> str:
        """Its firmware version, empty if unknown."""
        return str(self.state.status.get("firmware") or "")

    @property
    def blocked_beam(self) -> str:
        """``outer``, ``inner``, or empty if no beam is blocked."""
        return next((beam for beam in ("outer", "inner") if (self.reported(f"{beam}_blocked_s") or 0) >= BLOCKED_S), "")

    @property
    def has_weak_signal(self) -> bool:
        """Whether its Wi-Fi signal is weak."""
        return (self.reported("rssi_dbm") or 0) < WEAK_SIGNAL_DBM


def assess_counter(
    counter: Counter, counter_states: Mapping[str, CounterState], now_utc: datetime, *, silent_after_s: int
) -> CounterHealth:
    """Return how *counter* is doing at *now_utc*."""
    state = counter_states[counter.id]
    health = CounterHealth(counter, state, Condition.COUNTING)
    if state.received_epoch_ms is None:
        return CounterHealth(counter, state, Condition.NEVER_HEARD)
    if state.is_silent(epoch_ms(now_utc), silent_after_s):
        return CounterHealth(counter, state, Condition.SILENT)
    if health.blocked_beam:
        return CounterHealth(counter, state, Condition.BLOCKED)
    if (health.reported("queued") or 0) >= LONG_QUEUE:
        return CounterHealth(counter, state, Condition.QUEUING)
    return health
