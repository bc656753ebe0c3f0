"""The upper bound on the time of one attempt."""

import socket
import threading

import pytest

from exporter.destinations import deadline
from exporter.destinations.deadline import Attempt, DeadlineExceeded, within


def test_result_comes_back() -> None:
    assert within(5, lambda _: "done") == "done"


def test_error_comes_back_as_it_is() -> None:
    def work(attempt: Attempt) -> None:
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        within(5, work)


def test_wait_on_the_socket_ends_at_the_deadline_and_names_the_step() -> None:
    ours, theirs = socket.socketpair()

    def work(attempt: Attempt) -> bytes:
        attempt.hold(ours)
        attempt.step = "reading"
        if not ours.recv(1):
            raise EOFError
        return b""

    with ours, theirs:
        with pytest.raises(DeadlineExceeded, match="reading"):
            within(0.1, work)
        assert [thread for thread in threading.enumerate() if thread.name == "footfall-delivery"] == []


def test_work_that_succeeds_while_being_given_up_has_succeeded() -> None:
    ours, theirs = socket.socketpair()

    def work(attempt: Attempt) -> str:
        attempt.hold(ours)
        ours.recv(1)  # ends at the deadline
        return "renamed"

    with ours, theirs:
        assert within(0.1, work) == "renamed"


def test_attempt_that_connects_too_late_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server was silent for longer than the deadline."""
    monkeypatch.setattr(deadline, "_GRACE_S", 0.01)
    name_found, ended = threading.Event(), threading.Event()
    written: list[str] = []
    ours, theirs = socket.socketpair()

    def work(attempt: Attempt) -> None:
        try:
            name_found.wait()
            attempt.hold(ours)
            written.append("half a file")
        finally:
            ended.set()

    with ours, theirs:
        with pytest.raises(DeadlineExceeded):
            within(0.05, work)
        name_found.set()
        assert ended.wait(5)
    assert written == []
