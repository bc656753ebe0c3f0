"""A value read from files and reloaded when they change, so that an edit needs no restart."""

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from footfall.errors import ConfigError

log = logging.getLogger(__name__)

T = TypeVar("T")
_LOOK_EVERY_S = 1
_Stamp = tuple[int, int, int]


class Reloading(Generic[T]):
    """Call it for the current value. If the files become unusable, it logs the error and keeps the last good value."""

    def __init__(self, paths: Sequence[Path], load: Callable[[], T], first: T, clock: Callable[[], float]) -> None:
        """Read *paths* with *load*, which raises ConfigError if they are unusable; then the value is *first*.

        *first* may be old: a restarted worker gets what its supervisor read at the start. *clock* returns monotonic
        seconds.
        """
        self._paths = tuple(paths)
        self._load = load
        self._current = first
        self._clock = clock
        self._lock = threading.Lock()
        self._stamps: tuple[_Stamp | None, ...] = ()
        self._looked_s = clock()
        self._refresh()

    def __call__(self) -> T:
        """Return the value. Checks the files at most once a second."""
        if self._clock() - self._looked_s >= _LOOK_EVERY_S and self._lock.acquire(blocking=False):
            try:
                self._looked_s = self._clock()
                self._refresh()
            finally:
                self._lock.release()
        return self._current

    def _refresh(self) -> None:
        stamps = self._read_stamps()
        if stamps == self._stamps:
            return
        before, self._stamps = self._stamps, stamps
        try:
            self._current = self._load()
        except ConfigError as exc:
            log.error("change ignored, keeping the last good configuration: %s", exc)
            return
        except BaseException:
            self._stamps = before  # not the files' fault: try again at the next check
            raise
        if before:
            log.info("reloaded %s", ", ".join(path.name for path in self._paths))

    def _read_stamps(self) -> tuple[_Stamp | None, ...]:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
