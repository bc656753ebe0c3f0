"""The firmware's detector as Python sees it: levels of two beams in, crossings out, through ctypes."""

import ctypes
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from tests.support.firmware import library

Change = tuple[int, bool, bool]  # microseconds, outer, inner: interrupted since then
Crossing = tuple[int, str]  # microseconds, entry or exit

CELL_US = 50_000  # one character of a drawn beam
WRAP = 1 << 32


class DrivenBeams:
    """A `footfall::Beams` with times that do not wrap."""

    def __init__(self, spacing_mm: int = 100, *, swap: bool = False, high: bool = True, epoch_us: int = 0) -> None:
        self._core = library()
        self._core.beams_new.restype = ctypes.c_void_p
        self._handle = ctypes.c_void_p(
            self._core.beams_new(ctypes.c_uint32(spacing_mm), ctypes.c_bool(swap), ctypes.c_bool(high))
        )
        self._epoch_us = epoch_us
        self.now_us = 0
        self.crossings: list[Crossing] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._core.beams_free(self._handle)

    def start(self, outer: bool = False, inner: bool = False, at_us: int = 0) -> None:
        self.now_us = at_us
        self._call("beams_start", outer, inner)

    def set(self, at_us: int, outer: bool, inner: bool) -> None:
        self.now_us = at_us
        self._call("beams_update", outer, inner)
        self._take()

    def tick(self, at_us: int) -> None:
        self.now_us = at_us
        self._call("beams_tick")
        self._take()

    def lose(self, at_us: int, outer: bool = False, inner: bool = False) -> None:
        self.now_us = at_us
        self._call("beams_lose", outer, inner)
        self._take()

    def finish(self) -> None:
        self._call("beams_finish")
        self._take()

    @property
    def aborted(self) -> int:
        return int(self._core.beams_aborted(self._handle))

    @property
    def is_counting(self) -> bool:
        return bool(self._core.beams_is_counting(self._handle) & 1)

    def blocked_s(self, *, inner: bool) -> int:
        return int(self._core.beams_blocked_s(self._handle, ctypes.c_bool(inner)))

    def is_interrupted(self, *, inner: bool) -> bool:
        return bool(self._core.beams_is_interrupted(self._handle, ctypes.c_bool(inner)) & 1)

    def _call(self, name: str, *levels: bool) -> None:
        wrapped = (self.now_us + self._epoch_us) % WRAP
        getattr(self._core, name)(self._handle, *map(ctypes.c_bool, levels), ctypes.c_uint32(wrapped))

    def _take(self) -> None:
        at_us = ctypes.c_uint32()
        while direction := self._core.beams_take(self._handle, ctypes.byref(at_us)):
            age_us = (self.now_us + self._epoch_us - at_us.value) % WRAP
            self.crossings.append((self.now_us - age_us, "entry" if direction > 0 else "exit"))


def changes(intervals: Iterable[Iterable[tuple[int, int]]]) -> list[Change]:
    """Return the changes of two beams, outer and inner, interrupted in *intervals* of microseconds."""
    moments = sorted(
        (at_us, beam, level)
        for beam, own in enumerate(intervals)
        for start, end in own
        for at_us, level in ((start, True), (end, False))
    )
    levels, found = [False, False], []
    for at_us, beam, level in moments:
        levels[beam] = level
        found.append((at_us, levels[0], levels[1]))
    return found


def drawn(outer: str, inner: str, cell_us: int = CELL_US) -> list[Change]:
    """Return the changes of two beams drawn as text, `#` for interrupted, half a second after the start."""
    width = max(len(outer), len(inner))
    found: list[Change] = []
    last = (False, False)
    for number, pair in enumerate(zip(outer.ljust(width, ".") + ".", inner.ljust(width, ".") + ".", strict=True)):
        levels = (pair[0] == "#", pair[1] == "#")
        if levels != last:
            found.append((500_000 + number * cell_us, *levels))
            last = levels
    return found


def crossings_in(
    seen: Iterable[Change], spacing_mm: int = 100, *, quiet_us: int = 4_000_000, epoch_us: int = 0
) -> list[Crossing]:
    """Return the crossings in *seen*, followed by *quiet_us* without a change."""
    with DrivenBeams(spacing_mm, epoch_us=epoch_us) as beams:
        beams.start()
        for change in seen:
            beams.set(*change)
        beams.tick(beams.now_us + quiet_us)
        return beams.crossings


def counted(seen: Iterable[Change], spacing_mm: int = 100) -> list[str]:
    """Return the directions of the crossings in *seen*."""
    return [direction for _, direction in crossings_in(seen, spacing_mm)]
