"""The clocks of a simulation.

``SteppedClock`` jumps to whatever instant a counter waits for: a day takes only as long as ingest needs to store it.
``RunningClock`` runs at a multiple of real time. At speed 1, started now, it is the wall clock.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """A simulated clock. Stopping it, from any thread, ends every wait at once."""

    def now_epoch_ms(self) -> int:
        """Return the simulated instant."""
        ...

    def wait_until(self, instant_epoch_ms: int) -> None:
        """Return at *instant_epoch_ms*; at once if that is past or the clock is stopped."""
        ...

    def pause(self, delay_s: float) -> None:
        """Wait *delay_s* and take some real time over it, so that a server in trouble gets a rest."""
        ...

    def stopped(self) -> bool:
        """Return whether the simulation was stopped."""
        ...


class SteppedClock:
    """One counter's clock, which jumps. For one thread only."""

    def __init__(self, start_epoch_ms: int, stop: threading.Event, *, longest_pause_s: float = 0.25) -> None:
        """Start at *start_epoch_ms*. A pause takes at most *longest_pause_s* of real time."""
        self._now_epoch_ms = start_epoch_ms
        self._stop = stop
        self._longest_pause_s = longest_pause_s

    def now_epoch_ms(self) -> int:
        """Return the simulated instant."""
        return self._now_epoch_ms

    def wait_until(self, instant_epoch_ms: int) -> None:
        """Jump to *instant_epoch_ms*, never back."""
        self._now_epoch_ms = max(self._now_epoch_ms, instant_epoch_ms)

    def pause(self, delay_s: float) -> None:
        """Jump by *delay_s*, and really wait as long, up to the longest pause."""
        self._now_epoch_ms += int(delay_s * 1000)
        self._stop.wait(min(delay_s, self._longest_pause_s))

    def stopped(self) -> bool:
        """Return whether the simulation was stopped."""
        return self._stop.is_set()


class RunningClock:
    """A clock that runs at *speed* times real time. All threads of a simulation share it."""

    def __init__(
        self,
        start_epoch_ms: int,
        speed: float,
        stop: threading.Event,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        shortest_pause_s: float = 1.0,
    ) -> None:
        """Start at *start_epoch_ms*, now. Above speed 1 pauses shrink, but not below *shortest_pause_s*."""
        self._start_epoch_ms = start_epoch_ms
        self._speed = speed
        self._stop = stop
        self._monotonic = monotonic
        self._began_s = monotonic()
        self._shortest_pause_s = shortest_pause_s

    def now_epoch_ms(self) -> int:
        """Return the simulated instant."""
        return self._start_epoch_ms + int((self._monotonic() - self._began_s) * self._speed * 1000)

    def wait_until(self, instant_epoch_ms: int) -> None:
        """Sleep until *instant_epoch_ms*, or until stopped."""
        left_ms = instant_epoch_ms - self.now_epoch_ms()
        if left_ms > 0:
            self._stop.wait(left_ms / 1000 / self._speed)

    def pause(self, delay_s: float) -> None:
        """Really wait: *delay_s* at speed 1 or below; above, *delay_s* scaled, but not below the shortest pause."""
        scaled_s = delay_s / self._speed if self._speed > 1 else delay_s
        self._stop.wait(max(scaled_s, min(delay_s, self._shortest_pause_s)))

    def stopped(self) -> bool:
        """Return whether the simulation was stopped."""
        return self._stop.is_set()
