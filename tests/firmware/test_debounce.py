"""One beam without its chatter."""

import ctypes
from collections.abc import Iterator

import pytest

from tests.support.firmware import library

Edges = list[tuple[int, bool]]


class DrivenDebounce:
    def __init__(self) -> None:
        self.core = library()
        self.core.debounce_new.restype = ctypes.c_void_p
        self.handle = ctypes.c_void_p(self.core.debounce_new(ctypes.c_bool(False)))

    def set(self, interrupted: bool, at_us: int) -> None:
        self.core.debounce_set(self.handle, ctypes.c_bool(interrupted), ctypes.c_int64(at_us))

    def due(self, now_us: int) -> Edges:
        level, at_us = ctypes.c_bool(), ctypes.c_int64()
        found: Edges = []
        while (
            self.core.debounce_take(self.handle, ctypes.c_int64(now_us), ctypes.byref(level), ctypes.byref(at_us)) & 1
        ):
            found.append((at_us.value, level.value))
        return found


@pytest.fixture
def debounce() -> Iterator[DrivenDebounce]:
    driven = DrivenDebounce()
    yield driven
    driven.core.debounce_free(driven.handle)


def test_level_that_lasts_counts_from_its_beginning(debounce: DrivenDebounce) -> None:
    """An edge comes out 4 ms late, with its own time."""
    debounce.set(True, 10_000)
    assert debounce.due(13_999) == []
    assert debounce.due(14_000) == [(10_000, True)]


def test_blip_is_ignored(debounce: DrivenDebounce) -> None:
    debounce.set(True, 10_000)
    debounce.set(False, 13_000)
    assert debounce.due(1_000_000) == []


def test_chatter_is_one_edge_where_it_settles(debounce: DrivenDebounce) -> None:
    for at_us in range(10_000, 20_000, 2_000):
        debounce.set(True, at_us)
        debounce.set(False, at_us + 1_000)
    debounce.set(True, 20_000)
    assert debounce.due(1_000_000) == [(20_000, True)]


def test_repeated_level_keeps_its_time(debounce: DrivenDebounce) -> None:
    debounce.set(True, 10_000)
    debounce.set(True, 12_000)
    assert debounce.due(14_000) == [(10_000, True)]
