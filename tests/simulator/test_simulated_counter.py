"""The simulated counter against an ingest that checks every claim: nothing is lost, doubled or invented."""

import json
import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall.errors import FootfallError
from footfall.model import Span
from simulator.backlog import Backlog
from simulator.people import MINUTE_MS, Crossing
from simulator.simulated_clock import SteppedClock
from simulator.simulated_counter import CounterOptions, SimulatedCounter
from simulator.unreliable_network import (
    NO_TROUBLE,
    NetworkFailure,
    NetworkTrouble,
    Response,
    Transport,
    UnreliableNetwork,
)
from tests.support.fake_ingest import FakeIngest, Fault

KEY = b"k" * 32
START = 1_777_874_400_000
NOW_S = START / 1000 + 86_400
MINUTE = Span(START, START + MINUTE_MS)


class RecordingClock(SteppedClock):
    """A stepped clock that records its pauses and takes no real time."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(START, stop, longest_pause_s=0.0)
        self.pauses: list[float] = []

    def pause(self, delay_s: float) -> None:
        self.pauses.append(delay_s)
        super().pause(delay_s)


class Rig:
    """One counter, its crossings over *minutes*, and the ingest it sends to."""

    def __init__(
        self,
        times: Sequence[int] = (),
        *,
        minutes: int = 10,
        trouble: NetworkTrouble = NO_TROUBLE,
        seed: int = 1,
        fault: Fault = lambda _number, _body: None,
        wall: Callable[[], float] = lambda: NOW_S,
        options: CounterOptions = CounterOptions(),  # noqa: B008 - frozen
    ) -> None:
        span = Span(START, START + minutes * MINUTE_MS)
        self.truth = [Crossing("ALLI1", START + time, 1) for time in sorted(times)]
        self.keys = {"ALLI1": KEY}
        self.ingest = FakeIngest(self.keys, lambda: NOW_S, fault)
        self.ingest.expect(self.truth)
        self.stop = threading.Event()
        self.clock = RecordingClock(self.stop)
        self.network = UnreliableNetwork(self.ingest, trouble, random.Random(seed), span, self.clock.now_epoch_ms)
        self.counter = self.counter_over(self.network, span, wall, options, seed)

    def counter_over(
        self, transport: Transport, span: Span, wall: Callable[[], float], options: CounterOptions, seed: int
    ) -> SimulatedCounter:
        backlog = Backlog(self.truth, span, limit=options.batch_limit)
        return SimulatedCounter(
            "ALLI1", "9f3c2a1b", KEY, backlog, transport, self.clock, random.Random(seed), wall=wall, options=options
        )

    def covered_minutes(self) -> float:
        return self.ingest.covered_ms("ALLI1") / MINUTE_MS


class FailingTransport:
    """A transport that always fails; *is_simulated* says of each failure whether the simulator caused it."""

    def __init__(self, is_simulated: Sequence[bool]) -> None:
        self.posts = 0
        self._is_simulated = is_simulated

    def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        self.posts += 1
        raise NetworkFailure("no response", is_simulated=self._is_simulated[self.posts - 1])

    def close(self) -> None: ...


class RecordingTransport:
    """A transport that records what it sends: (body, id, timestamp, signature)."""

    def __init__(self, inner: Transport) -> None:
        self.sent: list[tuple[bytes, str, str, str]] = []
        self._inner = inner

    def post(self, body: bytes, headers: Mapping[str, str]) -> Response:
        self.sent.append((body, headers["webhook-id"], headers["webhook-timestamp"], headers["webhook-signature"]))
        return self._inner.post(body, headers)

    def close(self) -> None: ...


def answer_once(status: int, body: object = None, **headers: str) -> Fault:
    """Return a fault that answers the second request with *status*."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    said = json.dumps(body or {"error": {"code": "x", "message": "no, thanks"}}).encode()
    return lambda number, _body: Response(status, named, said) if number == 2 else None


def test_quiet_hour_is_covered_by_sixty_heartbeats() -> None:
    rig = Rig(minutes=60)
    rig.counter.run()
    assert rig.ingest.requests == rig.counter.traffic.batches == 60
    assert rig.covered_minutes() == 60
    assert rig.counter.traffic.resends == 0


def test_crossing_waits_for_others_only_as_long_as_linger_ms() -> None:
    rig = Rig([5_000, 6_000, 90_000], options=CounterOptions(linger_ms=2_000))
    rig.counter.run()
    ends = [(span.to_epoch_ms - START) / 1000 for span in rig.ingest.spans["ALLI1"]]
    assert ends[:4] == [7, 67, 92, 152]


def test_crowd_is_sent_in_several_batches_with_true_claims() -> None:
    """Even if hundreds share an instant and a whole backlog is sent at once after an outage."""
    rig = Rig([*range(0, 50_000, 50), *[30_000] * 700, 59_999, 60_000])
    rig.counter.run()
    assert rig.ingest.largest_batch == 500
    assert rig.ingest.largest_body < 256 * 1024
    assert rig.ingest.stored() == tuple(rig.truth)
    assert rig.ingest.false_claims == []
    assert rig.covered_minutes() == 10


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32),
    st.lists(st.integers(0, 90 * MINUTE_MS - 1), max_size=150),
    st.builds(
        NetworkTrouble,
        lost_request=st.floats(0, 0.4),
        lost_response=st.floats(0, 0.4),
        duplicate=st.floats(0, 0.5),
        outages=st.floats(0, 48),
        longest_outage_min=st.floats(1, 60),
    ),
    st.integers(1, 40),
)
def test_each_crossing_is_stored_once_and_no_claim_is_false_on_any_network(
    seed: int, times: list[int], trouble: NetworkTrouble, limit: int
) -> None:
    rig = Rig(times, minutes=90, trouble=trouble, seed=seed, options=CounterOptions(batch_limit=limit))
    rig.counter.run()
    assert rig.ingest.stored() == tuple(rig.truth)
    assert rig.ingest.false_claims == []
    assert rig.covered_minutes() == 90
    assert rig.counter.traffic.crossings == len(times)
    assert all(len(bodies) == 1 for bodies in rig.ingest.messages.values())
    assert rig.clock.pauses == []  # simulated failures cost no real time


def test_resend_has_the_same_id_and_body_and_a_new_signature() -> None:
    seconds = iter(range(1000))
    rig = Rig([1000], minutes=1, fault=lambda number, _: Response(500, {}, b"") if number < 3 else None)
    transport = RecordingTransport(rig.ingest)
    rig.counter_over(transport, MINUTE, lambda: NOW_S + next(seconds), CounterOptions(), 1).run()
    bodies, messages, stamps, signatures = (set(several) for several in zip(*transport.sent, strict=True))
    assert len(transport.sent) == 3
    assert len(bodies) == len(messages) == 1
    assert len(stamps) == len(signatures) == 3


@pytest.mark.parametrize("status", [403, 404, 408, 409, 429, 500, 502, 503])
def test_response_that_does_not_reject_the_body_loses_nothing(status: int) -> None:
    rig = Rig([30_000, 70_000, 80_000, 130_000], fault=answer_once(status))
    rig.counter.run()
    assert [crossing.time_epoch_ms - START for crossing in rig.ingest.stored()] == [30_000, 70_000, 80_000, 130_000]


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_refused_batch_is_never_resent_and_its_crossings_are_counted_as_dropped(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Dropped crossings leave a gap: no later span claims that minute."""
    rig = Rig([30_000, 70_000, 80_000, 130_000], fault=answer_once(status))
    with caplog.at_level(logging.ERROR):
        rig.counter.run()
    assert [crossing.time_epoch_ms - START for crossing in rig.ingest.stored()] == [30_000, 130_000]
    assert rig.ingest.false_claims == []
    assert rig.covered_minutes() == 9
    assert rig.counter.backlog.dropped == rig.ingest.statuses["ALLI1"]["dropped"] == 2
    assert f"counter ALLI1: 2 crossings dropped, ingest refused the batch with {status}" in caplog.text
    assert "no, thanks" in caplog.text


def test_wrong_key_keeps_everything_until_the_key_is_right(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig([1_000, 61_000], minutes=3)
    rig.keys["ALLI1"] = b"x" * 32
    for _ in range(4):
        rig.counter.step()
    assert rig.ingest.stored() == ()
    assert "ingest refused the signature" in caplog.text
    rig.keys["ALLI1"] = KEY
    rig.counter.run()
    assert rig.ingest.stored() == tuple(rig.truth)
    assert rig.counter.backlog.dropped == 0
    assert rig.clock.pauses == sorted(rig.clock.pauses)  # later and later


@pytest.mark.parametrize("off_s", [7_200, -7_200])
def test_wrong_clock_is_set_from_the_date_header(off_s: int) -> None:
    rig = Rig([1_000], minutes=5, wall=lambda: NOW_S + off_s)
    rig.counter.run()
    assert rig.ingest.stored() == tuple(rig.truth)
    assert rig.counter.traffic.resends == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("after", "wait_s"), [("7", 7.0), ("9" * 400, 3600.0), ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0)])
def test_counter_waits_for_retry_after(status: int, after: str, wait_s: float) -> None:
    rig = Rig([61_000], fault=answer_once(status, retry_after=after))
    rig.counter.run()
    assert rig.clock.pauses == [wait_s]
    assert rig.ingest.stored() == tuple(rig.truth)


@pytest.mark.parametrize(
    "fault",
    [
        answer_once(500),
        answer_once(503, retry_after="soon"),
        answer_once(302),
        answer_once(204),
        answer_once(200, ["no receipt"]),
        answer_once(200, {"through": "1"}),
        answer_once(200, {"through": 1}),
    ],
)
def test_response_that_does_not_acknowledge_the_batch_causes_a_resend(fault: Fault) -> None:
    """The last fault acknowledges only the crossing of the first batch."""
    rig = Rig([1_000, 61_000, 62_000], fault=fault)
    rig.counter.run()
    assert rig.ingest.stored() == tuple(rig.truth)
    assert rig.ingest.false_claims == []
    assert rig.covered_minutes() == 10
    assert len(rig.clock.pauses) == 1


def test_counter_gives_up_after_its_time_limit_of_failures() -> None:
    seconds = iter(range(0, 10_000, 10))
    rig = Rig([1_000], wall=lambda: NOW_S + next(seconds), fault=lambda _number, _body: Response(500, {}, b"broken"))
    with pytest.raises(FootfallError, match=r"ALLI1 gave up after 120 s of failures.*500.*broken") as caught:
        rig.counter.run()
    assert "footfall doctor" in caught.value.hint
    assert 5 < rig.ingest.requests < 20


def test_simulated_failures_do_not_count_towards_giving_up() -> None:
    """Each attempt takes 100 s here. A long simulated outage between two real failures is not the server's fault."""
    transport = FailingTransport(is_simulated=[False, *[True] * 10, False, False, False])
    rig = Rig([1_000])
    counter = rig.counter_over(transport, MINUTE, lambda: NOW_S + 100 * transport.posts, CounterOptions(), 1)
    for _ in range(13):
        counter.step()
    with pytest.raises(FootfallError, match="gave up after 120 s"):
        counter.step()


def test_stopped_counter_keeps_unacknowledged_crossings() -> None:
    rig = Rig([1_000, 2_000, 300_000], trouble=NetworkTrouble(lost_request=1))
    rig.counter.step()
    rig.stop.set()
    rig.counter.run()
    assert len(rig.counter.backlog) == rig.counter.backlog.seen == 2
    assert rig.counter.traffic.lost == 1


def test_backoff_grows_up_to_a_limit() -> None:
    rig = Rig([1_000])
    transport = FailingTransport(is_simulated=[False] * 20)
    counter = rig.counter_over(transport, MINUTE, lambda: NOW_S, CounterOptions(), 1)
    for _ in range(20):
        counter.step()
    assert rig.clock.pauses[0] <= 0.5
    assert all(30 <= delay <= 60 for delay in rig.clock.pauses[8:])
