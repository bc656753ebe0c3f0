"""The time a simulation lives in, handed to whoever needs it.

``SteppedClock`` stands still until someone waits, then jumps: a day passes as fast as ingest takes it.
``RunningClock`` runs at a multiple of real time; at 1, started now, it is the clock on the wall.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """A simulated clock that may be stopped from another thread; whoever waits for it then returns at once."""

    def now_epoch_ms(self) -> int:
        """Return the simulated instant."""
        ...

    def wait_until(self, instant_epoch_ms: int) -> None:
        """Return when the simulated time is *instant_epoch_ms*, or at once if that has passed or all was stopped."""
        ...

    def pause(self, delay_s: float) -> None:
        """Let *delay_s* pass for the sake of the real world: a server in trouble is not spared by simulated time."""
        ...

    def stopped(self) -> bool:
        """Return whether the simulation was told to stop."""
        ...


class SteppedClock:
    """A clock of one counter's own that jumps wherever it is awaited. Used by one thread."""

    def __init__(self, start_epoch_ms: int, stop: threading.Event, *, longest_pause_s: float = 0.25) -> None:
        """Start at *start_epoch_ms*. No pause really takes longer than *longest_pause_s*."""
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
        """Jump by *delay_s* and really wait as long, but not longer than the longest pause."""
        self._now_epoch_ms += int(delay_s * 1000)
        self._stop.wait(min(delay_s, self._longest_pause_s))

    def stopped(self) -> bool:
        """Return whether the simulation was told to stop."""
        return self._stop.is_set()


class RunningClock:
    """A clock that runs *speed* times as fast as real time. Shared by all threads of a simulation."""

    def __init__(
        self,
        start_epoch_ms: int,
        speed: float,
        stop: threading.Event,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        longest_pause_s: float = 1.0,
    ) -> None:
        """Start at *start_epoch_ms*, now. Above speed 1, a pause is cut short, but not below *longest_pause_s*."""
        self._start_epoch_ms = start_epoch_ms
        self._speed = speed
        self._stop = stop
        self._monotonic = monotonic
        self._began_s = monotonic()
        self._longest_pause_s = longest_pause_s

    def now_epoch_ms(self) -> int:
        """Return the simulated instant."""
        return self._start_epoch_ms + int((self._monotonic() - self._began_s) * self._speed * 1000)

    def wait_until(self, instant_epoch_ms: int) -> None:
        """Sleep until *instant_epoch_ms*, or until stopped."""
        left_ms = instant_epoch_ms - self.now_epoch_ms()
        if left_ms > 0:
            self._stop.wait(left_ms / 1000 / self._speed)

    def pause(self, delay_s: float) -> None:
        """Really wait *delay_s*; above speed 1 the scaled delay, or the longest pause if that is more."""
        scaled_s = delay_s / self._speed if self._speed > 1 else delay_s
        self._stop.wait(max(scaled_s, min(delay_s, self._longest_pause_s)))

    def stopped(self) -> bool:
        """Return whether the simulation was told to stop."""
        return self._stop.is_set()
