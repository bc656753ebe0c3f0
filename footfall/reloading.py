"""A value read from files, and read again when they change, so that editing them needs no restart."""

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
    """Call it for the value as of now. Files that cannot be used are told in the log; the last good value stays."""

    def __init__(self, paths: Sequence[Path], load: Callable[[], T], first: T, clock: Callable[[], float]) -> None:
        """Read *paths* with *load*, which raises ConfigError when they cannot be used; then *first* is the value.

        *first* was read before, perhaps long before: a worker that is started again is handed what its supervisor
        read. *clock* tells monotonic seconds.
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
        """Return the value; the files are looked at once a second at most."""
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
            log.error("the change is not used, what was read before stays: %s", exc)
            return
        except BaseException:
            self._stamps = before  # not the fault of the files: they are read again at the next look
            raise
        if before:
            log.info("read again: %s", ", ".join(path.name for path in self._paths))

    def _read_stamps(self) -> tuple[_Stamp | None, ...]:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
