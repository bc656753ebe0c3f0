"""Limits the time of one attempt over the network, whatever the other side does.

Timeouts of single steps do not add up to a limit: a server that sends a byte now and then evades each of them, and so
does a silent name server. So the work runs in a thread of its own. At the deadline its socket is shut down, which ends
any wait of that thread.
"""

import concurrent.futures
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# How long an attempt may take to notice that its socket was shut down. Paramiko checks every 0.1 s. Only a lookup at a
# silent name server takes longer: its thread is abandoned, and ends once the lookup does.
_GRACE_S = 1.0


class DeadlineExceeded(Exception):
    """The attempt did not end in time. ``step`` is what it was doing."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


class Attempt:
    """One attempt. It names its current step, and another thread can end it."""

    def __init__(self) -> None:
        self.step = "starting"
        self._lock = threading.Lock()
        self._sock: socket.socket | None = None
        self._given_up = False

    def hold(self, sock: socket.socket) -> None:
        """Let ``give_up`` shut *sock* down. Raises TimeoutError if it was already called."""
        with self._lock:
            self._sock = sock
            if self._given_up:
                raise TimeoutError("given up before the connection was made")

    def give_up(self) -> None:
        """End the attempt: any wait on its socket fails at once, in the waiting thread."""
        with self._lock:
            self._given_up = True
            sock = self._sock
        if sock is not None:
            with contextlib.suppress(OSError):  # closed already
                sock.shutdown(socket.SHUT_RDWR)


def within(deadline_s: float, work: Callable[[Attempt], T]) -> T:
    """Run *work*, and return its result or raise its error; raise DeadlineExceeded after *deadline_s*.

    Work that still succeeds while this gives up on it counts as a success.
    """
    attempt = Attempt()
    outcome: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run() -> None:
        try:
            outcome.set_result(work(attempt))
        except BaseException as exc:  # noqa: BLE001 - carried to the caller's thread, which raises it
            outcome.set_exception(exc)

    # A daemon: a name server that never answers must not keep the process from exiting.
    thread = threading.Thread(target=run, name="footfall-delivery", daemon=True)
    thread.start()
    step = attempt.step
    try:
        concurrent.futures.wait([outcome], timeout=deadline_s)
        ended, step = outcome.done(), attempt.step
    finally:
        attempt.give_up()
        thread.join(_GRACE_S)
    if ended or (outcome.done() and outcome.exception() is None):
        return outcome.result()
    raise DeadlineExceeded(step)
