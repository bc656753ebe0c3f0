"""From the interrupt to the queue: nobody is lost while the loop is blocked, and no span is claimed without cause."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.application import application, owned

MS, SECOND = 1_000, 1_000_000  # us
CLEAR = (True, True)  # idle levels: the E18-D50NK pulls its pin low when it sees something
WALK = [(0, (False, True)), (100, (False, False)), (300, (True, False)), (400, (True, True))]  # ms: an entry at 1 m/s


class DrivenSource:
    """A crossing source with a controlled clock; the interrupt records edges even if nobody pumps."""

    def __init__(self, handle: int, start_us: int) -> None:
        self.handle, self.now_us, self.levels = handle, start_us, CLEAR
        application().app_source_start(handle, *CLEAR, start_us % 2**32)

    def wait(self, duration_us: int, *, pumping: bool = True) -> None:
        """Advance the clock."""
        end = self.now_us + duration_us
        while self.now_us < end:
            self.now_us = min(end, self.now_us + 10 * MS)
            if pumping:
                self.pump()

    def pump(self) -> None:
        """Process the recorded edges."""
        application().app_source_pump(self.handle, *self.levels, self.now_us % 2**32)

    def set(self, levels: tuple[bool, bool]) -> None:
        """Change the pins: the interrupt runs at once."""
        self.levels = levels
        application().app_source_edge(self.handle, *levels, self.now_us % 2**32)

    def walk(self, *, out: bool = False, pumping: bool = True) -> int:
        """Let a person walk through in 0.4 s; return the middle of their way in ms."""
        start = self.now_us
        for at_ms, (first, second) in WALK:
            self.wait(start + at_ms * MS - self.now_us, pumping=pumping)
            self.set((second, first) if out else (first, second))
        return (start + 200 * MS) // MS

    def taken(self) -> list[tuple[int, int]]:
        """Return every new (direction, ms)."""
        came = []
        at_ms = ctypes.c_int64()
        while direction := application().app_source_take(self.handle, ctypes.byref(at_ms)):
            came.append((direction, at_ms.value))
        return came

    def read(self, what: str) -> int:
        """Return one of the source's values."""
        figure: int = getattr(application(), f"app_source_{what}")(self.handle)
        return figure


@contextmanager
def counting_source(start_us: int = 5 * SECOND) -> Iterator[DrivenSource]:
    """Yield a source that counts since *start_us*."""
    with owned("source") as handle:
        yield DrivenSource(handle, start_us)


@pytest.mark.parametrize("start_us", [5 * SECOND, 2**32 - 200 * MS, 2**32 - 3 * SECOND])
def test_person_comes_out_once_with_their_own_time(start_us: int) -> None:
    """Also while micros() wraps."""
    with counting_source(start_us) as source:
        source.wait(SECOND)
        entered = source.walk()
        source.wait(3 * SECOND)
        left = source.walk(out=True)
        source.wait(5 * SECOND)
        came = source.taken()
        assert [direction for direction, _ in came] == [1, -1]
        assert [at_ms for _, at_ms in came] == pytest.approx([entered, left], abs=10)


def test_people_who_pass_while_the_loop_is_blocked_count_with_their_own_times() -> None:
    """A request blocks the loop for many seconds, while the interrupt records edges."""
    with counting_source() as source:
        source.wait(SECOND)
        walked = []
        for _ in range(12):
            walked.append(source.walk(pumping=False))
            source.wait(SECOND, pumping=False)
        assert source.taken() == []
        source.pump()
        source.wait(5 * SECOND)
        came = source.taken()
        assert [at_ms for _, at_ms in came] == pytest.approx(walked, abs=10)
        assert {direction for direction, _ in came} == {1}
        assert source.read("lost") == 0


def test_crossings_that_nobody_takes_wait_without_being_lost() -> None:
    """With more crossings than the source can hold, edges stay in their buffer until there is room."""
    with counting_source() as source:
        walked = []
        for _ in range(200):
            walked.append(source.walk())
            source.wait(SECOND)
        came = []
        for _ in range(20):
            came += source.taken()
            source.wait(SECOND)
        assert source.read("lost") == 0
        assert [at_ms for _, at_ms in came] == pytest.approx(walked, abs=10)


def test_lost_edges_break_the_span_and_invent_nobody() -> None:
    """A chattering sensor fills the buffer while the loop is blocked: no span covers that time."""
    with counting_source() as source:
        source.wait(10 * SECOND)
        settled = source.read("settled_ms")
        for _ in range(2_000):
            source.now_us += 5 * MS
            source.set((not source.levels[0], True))
        source.set(CLEAR)
        source.pump()
        assert source.read("lost") > 0
        assert source.read("breaks") == 1
        assert source.read("until_ms") == settled
        assert source.read("since_ms") > settled
        assert source.read("since_ms") == source.read("now_ms")
        source.wait(10 * SECOND)
        assert source.taken() == []
        source.walk()
        source.wait(5 * SECOND)
        assert [direction for direction, _ in source.taken()] == [1]
        assert source.read("breaks") == 1


def test_time_is_settled_only_when_everybody_has_come_out() -> None:
    """The settled time is never later than a crossing that has not come out yet."""
    with counting_source() as source:
        source.wait(7 * SECOND)
        assert source.read("settled_ms") == pytest.approx(source.now_us / MS, abs=20)
        for _ in range(30):
            before = source.read("settled_ms")
            middle = source.walk()
            assert not [at_ms for _, at_ms in source.taken() if at_ms < before]
            assert source.read("settled_ms") <= middle
            source.wait(SECOND)
        assert source.read("settled_ms") < source.now_us / MS - 1_000
        source.wait(6 * SECOND)
        assert source.read("settled_ms") == pytest.approx(source.now_us / MS, abs=20)


def test_time_stands_still_while_a_beam_is_blocked() -> None:
    """Nobody is counted then: no span covers that time, and the next one begins once the beam is clear."""
    with counting_source() as source:
        source.wait(7 * SECOND)
        source.set((False, True))
        source.wait(120 * SECOND)
        assert source.read("settled_ms") == pytest.approx(12_000, abs=20)
        assert source.read("uncounted_ms") == pytest.approx(105_000, abs=100)  # blocked after 15 s
        assert source.read("breaks") == 0
        source.set(CLEAR)
        source.wait(SECOND)
        assert (source.read("breaks"), source.read("uncounted_ms")) == (1, 0)
        assert source.read("until_ms") == pytest.approx(12_000, abs=20)
        assert 132_000 <= source.read("since_ms") <= 133_000
        assert source.read("settled_ms") >= source.read("since_ms")
        assert source.taken() == []


def test_source_that_starts_blocked_counts_once_it_is_clear() -> None:
    """Levels at power-up are unknown, not a person."""
    with counting_source() as source:
        application().app_source_start(source.handle, False, True, source.now_us)
        source.levels = (False, True)
        source.wait(3 * SECOND)
        assert source.read("settled_ms") == 5_000
        source.set(CLEAR)
        source.wait(SECOND)
        assert source.read("breaks") == 1
        assert source.taken() == []


def test_two_breaks_while_the_loop_is_blocked_are_one_gap() -> None:
    """The loop sees both at once: its span ends where the first one began."""
    with counting_source() as source:
        source.wait(10 * SECOND)
        first_ms = source.read("settled_ms")
        for _ in range(2):
            source.set((False, True))
            source.wait(20 * SECOND)
            source.set(CLEAR)
            source.wait(10 * SECOND)
        assert source.read("breaks") == 2
        assert source.read("until_ms") == pytest.approx(first_ms, abs=20)
        application().app_source_report_breaks(source.handle)
        second_ms = source.read("settled_ms")
        source.set((False, True))
        source.wait(20 * SECOND)
        assert source.read("until_ms") == pytest.approx(second_ms, abs=20)
