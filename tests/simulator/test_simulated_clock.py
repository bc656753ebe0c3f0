"""The clocks of a simulation."""

import threading

from simulator.simulated_clock import RunningClock, SteppedClock


def test_stepped_clock_jumps_and_never_goes_back() -> None:
    clock = SteppedClock(1000, threading.Event(), longest_pause_s=0.0)
    clock.wait_until(5000)
    clock.wait_until(4000)
    clock.pause(2.0)
    assert clock.now_epoch_ms() == 7000


def test_running_clock_runs_at_its_speed() -> None:
    real_s = [100.0]
    clock = RunningClock(1000, 60.0, threading.Event(), monotonic=lambda: real_s[0])
    real_s[0] += 2.0
    assert clock.now_epoch_ms() == 121_000
    clock.wait_until(121_001)


def test_stopped_clock_ends_every_wait_at_once() -> None:
    stop = threading.Event()
    stop.set()
    clock = RunningClock(0, 1.0, stop)
    clock.wait_until(10**9)
    clock.pause(10**6)
    assert clock.stopped()
