"""Between the interrupt and the queue: nobody is lost while the loop is away, and no time is claimed in vain."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.application import application, owned

MS, SECOND = 1_000, 1_000_000  # us
CLEAR = (True, True)  # idle levels: the E18-D50NK pulls its pin low when it sees something
WALK = [(0, (False, True)), (100, (False, False)), (300, (True, False)), (400, (True, True))]  # ms: an entry at 1 m/s


class Doorway:
    """A door whose clock the test turns; edges come in by the interrupt, whether anybody pumps or not."""

    def __init__(self, handle: int, start_us: int) -> None:
        self.handle, self.now_us, self.levels = handle, start_us, CLEAR
        application().app_source_start(handle, *CLEAR, start_us % 2**32)

    def wait(self, duration_us: int, *, pumping: bool = True) -> None:
        """Let time go by."""
        end = self.now_us + duration_us
        while self.now_us < end:
            self.now_us = min(end, self.now_us + 10 * MS)
            if pumping:
                self.pump()

    def pump(self) -> None:
        """Take what the interrupt recorded."""
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
        """Return every (direction, ms) that came out since."""
        came = []
        at_ms = ctypes.c_int64()
        while direction := application().app_source_take(self.handle, ctypes.byref(at_ms)):
            came.append((direction, at_ms.value))
        return came

    def read(self, what: str) -> int:
        """Return one of the door's figures."""
        figure: int = getattr(application(), f"app_source_{what}")(self.handle)
        return figure


@contextmanager
def doorway(start_us: int = 5 * SECOND) -> Iterator[Doorway]:
    """Yield a door that counts since *start_us*."""
    with owned("source") as handle:
        yield Doorway(handle, start_us)


@pytest.mark.parametrize("start_us", [5 * SECOND, 2**32 - 200 * MS, 2**32 - 3 * SECOND])
def test_person_comes_out_once_with_their_own_time(start_us: int) -> None:
    """Also while micros() wraps."""
    with doorway(start_us) as door:
        door.wait(SECOND)
        entered = door.walk()
        door.wait(3 * SECOND)
        left = door.walk(out=True)
        door.wait(5 * SECOND)
        came = door.taken()
        assert [direction for direction, _ in came] == [1, -1]
        assert [at_ms for _, at_ms in came] == pytest.approx([entered, left], abs=10)


def test_people_who_pass_while_the_loop_is_away_are_counted_with_their_own_times() -> None:
    """A request that blocks for five seconds, and then some: edges go on being recorded by the interrupt."""
    with doorway() as door:
        door.wait(SECOND)
        walked = []
        for _ in range(12):
            walked.append(door.walk(pumping=False))
            door.wait(SECOND, pumping=False)
        assert door.taken() == []
        door.pump()
        door.wait(5 * SECOND)
        came = door.taken()
        assert [at_ms for _, at_ms in came] == pytest.approx(walked, abs=10)
        assert {direction for direction, _ in came} == {1}
        assert door.read("lost") == 0


def test_crossings_that_nobody_takes_wait_without_being_lost() -> None:
    """More than the door can hold: edges stay in their buffer until there is room again."""
    with doorway() as door:
        walked = []
        for _ in range(200):
            walked.append(door.walk())
            door.wait(SECOND)
        came = []
        for _ in range(20):
            came += door.taken()
            door.wait(SECOND)
        assert door.read("lost") == 0
        assert [at_ms for _, at_ms in came] == pytest.approx(walked, abs=10)


def test_lost_edges_break_the_span_and_invent_nobody() -> None:
    """A sensor that flutters while the loop is away fills the buffer: the time up to then is not claimed."""
    with doorway() as door:
        door.wait(10 * SECOND)
        settled = door.read("settled_ms")
        for _ in range(2_000):
            door.now_us += 5 * MS
            door.set((not door.levels[0], True))
        door.set(CLEAR)
        door.pump()
        assert door.read("lost") > 0
        assert door.read("breaks") == 1
        assert door.read("until_ms") == settled
        assert door.read("since_ms") > settled
        assert door.read("since_ms") == door.read("now_ms")
        door.wait(10 * SECOND)
        assert door.taken() == []
        door.walk()
        door.wait(5 * SECOND)
        assert [direction for direction, _ in door.taken()] == [1]
        assert door.read("breaks") == 1


def test_time_is_settled_only_when_everybody_has_come_out() -> None:
    """What may be claimed never lies after the time of somebody who has not come out yet."""
    with doorway() as door:
        door.wait(7 * SECOND)
        assert door.read("settled_ms") == pytest.approx(door.now_us / MS, abs=20)
        for _ in range(30):
            before = door.read("settled_ms")
            middle = door.walk()
            assert not [at_ms for _, at_ms in door.taken() if at_ms < before]
            assert door.read("settled_ms") <= middle
            door.wait(SECOND)
        assert door.read("settled_ms") < door.now_us / MS - 1_000
        door.wait(6 * SECOND)
        assert door.read("settled_ms") == pytest.approx(door.now_us / MS, abs=20)


def test_time_stands_still_while_a_beam_is_blocked() -> None:
    """Nobody can be counted then: nothing is claimed, and the next span begins when it is clear again."""
    with doorway() as door:
        door.wait(7 * SECOND)
        door.set((False, True))
        door.wait(120 * SECOND)
        assert door.read("settled_ms") == pytest.approx(12_000, abs=20)
        assert door.read("uncounted_ms") == pytest.approx(105_000, abs=100)  # blocked after 15 s
        assert door.read("breaks") == 0
        door.set(CLEAR)
        door.wait(SECOND)
        assert (door.read("breaks"), door.read("uncounted_ms")) == (1, 0)
        assert door.read("until_ms") == pytest.approx(12_000, abs=20)
        assert 132_000 <= door.read("since_ms") <= 133_000
        assert door.read("settled_ms") >= door.read("since_ms")
        assert door.taken() == []


def test_door_that_starts_blocked_counts_from_when_it_is_clear() -> None:
    """Levels at power-up are unknown, not a person."""
    with doorway() as door:
        application().app_source_start(door.handle, False, True, door.now_us)
        door.levels = (False, True)
        door.wait(3 * SECOND)
        assert door.read("settled_ms") == 5_000
        door.set(CLEAR)
        door.wait(SECOND)
        assert door.read("breaks") == 1
        assert door.taken() == []


def test_two_breaks_while_the_loop_is_away_leave_no_time_between_them_claimed() -> None:
    """The loop hears of both at once: what it claims ends where the first one began."""
    with doorway() as door:
        door.wait(10 * SECOND)
        first_ms = door.read("settled_ms")
        for _ in range(2):
            door.set((False, True))
            door.wait(20 * SECOND)
            door.set(CLEAR)
            door.wait(10 * SECOND)
        assert door.read("breaks") == 2
        assert door.read("until_ms") == pytest.approx(first_ms, abs=20)
        application().app_source_report_breaks(door.handle)
        second_ms = door.read("settled_ms")
        door.set((False, True))
        door.wait(20 * SECOND)
        assert door.read("until_ms") == pytest.approx(second_ms, abs=20)
