"""From the interrupt to the loop: in order, without locks, with every loss counted."""

import ctypes
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bench.walkers.scenarios import BY_NAME
from bench.walkers.trials import lines
from tests.support.firmware import library

STALL_S = 5
TWO_A_SECOND = 2


class DrivenEdges:
    def __init__(self) -> None:
        self.core = library()
        self.core.edges_new.restype = ctypes.c_void_p
        self.handle = ctypes.c_void_p(self.core.edges_new())
        self.capacity = int(self.core.edges_capacity())

    def push(self, at_us: int, outer: bool, inner: bool) -> None:
        self.core.edges_push(self.handle, ctypes.c_uint32(at_us), ctypes.c_bool(outer), ctypes.c_bool(inner))

    def pop(self) -> tuple[int, bool, bool] | None:
        at_us = ctypes.c_uint32()
        bits = self.core.edges_pop(self.handle, ctypes.byref(at_us))
        return None if bits < 0 else (at_us.value, bool(bits & 1), bool(bits & 2))

    @property
    def lost(self) -> int:
        return int(self.core.edges_lost(self.handle))


@pytest.fixture
def edges() -> Iterator[DrivenEdges]:
    driven = DrivenEdges()
    yield driven
    driven.core.edges_free(driven.handle)


def test_edges_come_out_as_they_went_in(edges: DrivenEdges) -> None:
    """Times are accurate to 4 microseconds, levels are exact."""
    edges.push(1_001, True, False)
    edges.push(2_002, True, True)
    assert [edges.pop(), edges.pop(), edges.pop()] == [(1_000, True, False), (2_000, True, True), None]


def test_same_levels_twice_are_one_edge(edges: DrivenEdges) -> None:
    """An edge that reverts before the interrupt reads the pins is not stored."""
    edges.push(1_000, True, False)
    edges.push(2_000, True, False)
    assert edges.pop() == (1_000, True, False)
    assert edges.pop() is None


def test_full_buffer_keeps_what_it_has_and_counts_what_it_loses(edges: DrivenEdges) -> None:
    """Nothing is overwritten; the loss is counted."""
    for number in range(edges.capacity + 10):
        edges.push(number * 4, number % 2 == 0, False)
    assert edges.lost == 10
    found = [edges.pop() for _ in range(edges.capacity)]
    assert found == [(number * 4, number % 2 == 0, False) for number in range(edges.capacity)]
    assert edges.pop() is None


def test_after_a_loss_the_next_edge_is_stored_whatever_it_is(edges: DrivenEdges) -> None:
    for number in range(edges.capacity + 1):
        edges.push(number * 4, number % 2 == 0, False)
    edges.pop()
    edges.push(100_000, edges.capacity % 2 == 0, False)
    assert edges.core.edges_size(edges.handle) == edges.capacity


def test_two_threads_see_every_edge_once_and_in_order(edges: DrivenEdges) -> None:
    """With producer and consumer at full speed, popped edges are in order and the rest is counted as lost."""
    count = 2_000_000
    with ThreadPoolExecutor(2) as pool:
        wrong = pool.submit(edges.core.edges_pop_many, edges.handle, ctypes.c_uint32(count))
        pool.submit(edges.core.edges_push_many, edges.handle, ctypes.c_uint32(count)).result()
        assert wrong.result() == 0


def test_capacity_outlasts_a_stall_of_five_seconds_at_the_busiest_door(edges: DrivenEdges) -> None:
    """Two people a second for 5 s, each with the most edges that any of 300 simulated people in file make."""
    most = max(
        lines(trial).count("\n") / trial.people
        for trial in [*BY_NAME["file"].trials(200, 7), *BY_NAME["running"].trials(100, 7)]
    )
    assert most * TWO_A_SECOND * STALL_S <= edges.capacity


def test_random_pushes_and_pops_agree_with_a_queue(edges: DrivenEdges) -> None:
    """Over many wraps of its indices the buffer is a bounded queue."""
    chance = random.Random(4)
    queue: list[tuple[int, bool, bool]] = []
    last: tuple[bool, bool] | None = None
    for number in range(20_000):
        if chance.random() < 0.52:
            levels = (chance.random() < 0.5, chance.random() < 0.5)
            if levels != last and len(queue) < edges.capacity:
                queue.append((number * 8, *levels))
                last = levels
            edges.push(number * 8, *levels)
        else:
            assert edges.pop() == (queue.pop(0) if queue else None)
    assert edges.lost == 0
