"""The simulated counter against an ingest that checks every claim: nothing is lost, doubled or made up."""

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
from simulator.clock import SteppedClock
from simulator.people import MINUTE_MS, Crossing
from simulator.simulated_counter import Habits, SimulatedCounter
from simulator.unreliable_network import NO_TROUBLE, Answer, NetworkCut, NetworkTrouble, Transport, UnreliableNetwork
from tests.support.fake_ingest import FakeIngest, Fault

KEY = b"k" * 32
START = 1_777_874_400_000
NOW_S = START / 1000 + 86_400


class Pauses(SteppedClock):
    """A stepped clock that remembers its pauses and takes no time over them."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(START, stop, longest_pause_s=0.0)
        self.pauses: list[float] = []

    def pause(self, delay_s: float) -> None:
        self.pauses.append(delay_s)
        super().pause(delay_s)


class Stage:
    """One counter, its people, and the ingest it sends to, over *minutes*."""

    def __init__(
        self,
        times: Sequence[int] = (),
        *,
        minutes: int = 10,
        trouble: NetworkTrouble = NO_TROUBLE,
        seed: int = 1,
        fault: Fault = lambda _number, _body: None,
        wall: Callable[[], float] = lambda: NOW_S,
        habits: Habits = Habits(),  # noqa: B008 - frozen
    ) -> None:
        span = Span(START, START + minutes * MINUTE_MS)
        self.truth = [Crossing("ALLI1", START + time, 1) for time in sorted(times)]
        self.keys = {"ALLI1": KEY}
        self.ingest = FakeIngest(self.keys, lambda: NOW_S, fault)
        self.ingest.expect(self.truth)
        self.stop = threading.Event()
        self.clock = Pauses(self.stop)
        self.network = UnreliableNetwork(self.ingest, trouble, random.Random(seed), span, self.clock.now_epoch_ms)
        self.counter = self.counter_over(self.network, span, wall, habits, seed)

    def counter_over(
        self, transport: Transport, span: Span, wall: Callable[[], float], habits: Habits, seed: int
    ) -> SimulatedCounter:
        backlog = Backlog(self.truth, span, limit=habits.batch_limit)
        return SimulatedCounter(
            "ALLI1", "9f3c2a1b", KEY, backlog, transport, self.clock, random.Random(seed), wall=wall, habits=habits
        )

    def covered_minutes(self) -> float:
        return self.ingest.covered_ms("ALLI1") / MINUTE_MS


class DeadLine:
    """A transport that nothing passes; each cut is *staged*, or not, in turn."""

    def __init__(self, staged: Sequence[bool]) -> None:
        self.posts = 0
        self._staged = staged

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.posts += 1
        raise NetworkCut("no answer", staged=self._staged[self.posts - 1])

    def close(self) -> None: ...


class Tap:
    """A transport that remembers what passed it: (body, id, timestamp, signature)."""

    def __init__(self, inner: Transport) -> None:
        self.sent: list[tuple[bytes, str, str, str]] = []
        self._inner = inner

    def post(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        self.sent.append((body, headers["webhook-id"], headers["webhook-timestamp"], headers["webhook-signature"]))
        return self._inner.post(body, headers)

    def close(self) -> None: ...


def answer_once(status: int, body: object = None, **headers: str) -> Fault:
    """Return a fault that answers the second request with *status*, and lets all others pass."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    said = json.dumps(body or {"error": {"code": "x", "message": "no, thanks"}}).encode()
    return lambda number, _body: Answer(status, named, said) if number == 2 else None


def test_a_quiet_hour_is_sixty_heartbeats_that_cover_it() -> None:
    stage = Stage(minutes=60)
    stage.counter.run()
    assert stage.ingest.requests == stage.counter.traffic.batches == 60
    assert stage.covered_minutes() == 60
    assert stage.counter.traffic.resends == 0


def test_a_crossing_waits_for_company_no_longer_than_it_was_told() -> None:
    stage = Stage([5_000, 6_000, 90_000], habits=Habits(linger_ms=2_000))
    stage.counter.run()
    ends = [(span.to_epoch_ms - START) / 1000 for span in stage.ingest.spans["ALLI1"]]
    assert ends[:4] == [7, 67, 92, 152]


def test_a_crowd_is_sent_in_batches_of_which_each_claims_only_its_own() -> None:
    """Also when hundreds share an instant: an outage is over and the whole backlog comes at once."""
    stage = Stage([*range(0, 50_000, 50), *[30_000] * 700, 59_999, 60_000])
    stage.counter.run()
    assert stage.ingest.largest_batch == 500
    assert stage.ingest.largest_body < 256 * 1024
    assert stage.ingest.stored() == tuple(stage.truth)
    assert stage.ingest.false_claims == []
    assert stage.covered_minutes() == 10


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32),
    st.lists(st.integers(0, 90 * MINUTE_MS - 1), max_size=150),
    st.builds(
        NetworkTrouble,
        cut_before=st.floats(0, 0.4),
        cut_after=st.floats(0, 0.4),
        twice=st.floats(0, 0.5),
        outages=st.floats(0, 48),
        longest_outage_min=st.floats(1, 60),
    ),
    st.integers(1, 40),
)
def test_whatever_the_network_does_each_crossing_is_stored_once_and_no_claim_is_false(
    seed: int, times: list[int], trouble: NetworkTrouble, limit: int
) -> None:
    stage = Stage(times, minutes=90, trouble=trouble, seed=seed, habits=Habits(batch_limit=limit))
    stage.counter.run()
    assert stage.ingest.stored() == tuple(stage.truth)
    assert stage.ingest.false_claims == []
    assert stage.covered_minutes() == 90
    assert stage.counter.traffic.crossings == len(times)
    assert all(len(bodies) == 1 for bodies in stage.ingest.messages.values())
    assert stage.clock.pauses == []  # a staged cut costs no real time


def test_a_batch_sent_again_has_the_same_id_and_body_and_a_new_signature() -> None:
    seconds = iter(range(1000))
    stage = Stage([1000], minutes=1, fault=lambda number, _: Answer(500, {}, b"") if number < 3 else None)
    tap = Tap(stage.ingest)
    stage.counter_over(tap, Span(START, START + MINUTE_MS), lambda: NOW_S + next(seconds), Habits(), 1).run()
    bodies, messages, stamps, signatures = (set(several) for several in zip(*tap.sent, strict=True))
    assert len(tap.sent) == 3
    assert len(bodies) == len(messages) == 1
    assert len(stamps) == len(signatures) == 3


@pytest.mark.parametrize("status", [403, 404, 408, 409, 429, 500, 502, 503])
def test_an_answer_that_does_not_judge_the_body_loses_nothing(status: int) -> None:
    stage = Stage([30_000, 70_000, 80_000, 130_000], fault=answer_once(status))
    stage.counter.run()
    assert [crossing.time_epoch_ms - START for crossing in stage.ingest.stored()] == [30_000, 70_000, 80_000, 130_000]


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_a_refused_batch_is_never_sent_again_and_its_crossings_are_counted_as_dropped(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """What was dropped lies in a gap: no later span claims that minute."""
    stage = Stage([30_000, 70_000, 80_000, 130_000], fault=answer_once(status))
    with caplog.at_level(logging.ERROR):
        stage.counter.run()
    assert [crossing.time_epoch_ms - START for crossing in stage.ingest.stored()] == [30_000, 130_000]
    assert stage.ingest.false_claims == []
    assert stage.covered_minutes() == 9
    assert stage.counter.backlog.dropped == stage.ingest.statuses["ALLI1"]["dropped"] == 2
    assert f"counter ALLI1 drops 2 crossings, never to be sent again: ingest refused them, {status}" in caplog.text
    assert "no, thanks" in caplog.text


def test_a_wrong_key_keeps_everything_until_the_key_is_right(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage([1_000, 61_000], minutes=3)
    stage.keys["ALLI1"] = b"x" * 32
    for _ in range(4):
        stage.counter.step()
    assert stage.ingest.stored() == ()
    assert "its signature is refused" in caplog.text
    stage.keys["ALLI1"] = KEY
    stage.counter.run()
    assert stage.ingest.stored() == tuple(stage.truth)
    assert stage.counter.backlog.dropped == 0
    assert stage.clock.pauses == sorted(stage.clock.pauses)  # later and later


@pytest.mark.parametrize("off_s", [7_200, -7_200])
def test_a_counter_whose_clock_is_off_sets_it_by_the_date_header(off_s: int) -> None:
    stage = Stage([1_000], minutes=5, wall=lambda: NOW_S + off_s)
    stage.counter.run()
    assert stage.ingest.stored() == tuple(stage.truth)
    assert stage.counter.traffic.resends == 1


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("after", "wait_s"), [("7", 7.0), ("9" * 400, 3600.0), ("Mon, 01 Jan 2001 00:00:00 GMT", 0.0)])
def test_a_busy_ingest_is_left_alone_as_long_as_it_asks(status: int, after: str, wait_s: float) -> None:
    stage = Stage([61_000], fault=answer_once(status, retry_after=after))
    stage.counter.run()
    assert stage.clock.pauses == [wait_s]
    assert stage.ingest.stored() == tuple(stage.truth)


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
def test_an_answer_that_acknowledges_nothing_is_a_reason_to_send_again(fault: Fault) -> None:
    """The last one acknowledges the crossing of the first batch only."""
    stage = Stage([1_000, 61_000, 62_000], fault=fault)
    stage.counter.run()
    assert stage.ingest.stored() == tuple(stage.truth)
    assert stage.ingest.false_claims == []
    assert stage.covered_minutes() == 10
    assert len(stage.clock.pauses) == 1


def test_a_counter_gives_up_when_nothing_but_failures_came_for_its_patience() -> None:
    seconds = iter(range(0, 10_000, 10))
    stage = Stage([1_000], wall=lambda: NOW_S + next(seconds), fault=lambda _number, _body: Answer(500, {}, b"broken"))
    with pytest.raises(
        FootfallError, match=r"ALLI1 gave up after 120 s of nothing but failures.*500.*broken"
    ) as caught:
        stage.counter.run()
    assert "footfall doctor" in caught.value.hint
    assert 5 < stage.ingest.requests < 20


def test_only_failures_that_were_not_staged_wear_out_patience() -> None:
    """Each attempt takes 100 s here. A long staged outage between two real failures is not the server's fault."""
    line = DeadLine(staged=[False, *[True] * 10, False, False, False])
    stage = Stage([1_000])
    counter = stage.counter_over(line, Span(START, START + MINUTE_MS), lambda: NOW_S + 100 * line.posts, Habits(), 1)
    for _ in range(13):
        counter.step()
    with pytest.raises(FootfallError, match="gave up after 120 s"):
        counter.step()


def test_a_stopped_counter_tells_what_is_not_acknowledged() -> None:
    stage = Stage([1_000, 2_000, 300_000], trouble=NetworkTrouble(cut_before=1))
    stage.counter.step()
    stage.stop.set()
    stage.counter.run()
    assert len(stage.counter.backlog) == stage.counter.backlog.seen == 2
    assert stage.counter.traffic.cuts == 1


def test_a_counter_behind_a_dead_line_waits_longer_each_time_but_not_for_ever() -> None:
    stage = Stage([1_000])
    line = DeadLine(staged=[False] * 20)
    counter = stage.counter_over(line, Span(START, START + MINUTE_MS), lambda: NOW_S, Habits(), 1)
    for _ in range(20):
        counter.step()
    assert stage.clock.pauses[0] <= 0.5
    assert all(30 <= delay <= 60 for delay in stage.clock.pauses[8:])
