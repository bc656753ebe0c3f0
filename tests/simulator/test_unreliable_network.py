"""The network between a simulated counter and ingest: real HTTP, and mishaps on purpose."""

import random
import socket
import threading
from collections.abc import Mapping

import pytest

from footfall.errors import FootfallError
from footfall.model import Span
from footfall.signing import signed_headers
from footfall.wire import render_body
from simulator.clock import RunningClock, SteppedClock
from simulator.unreliable_network import (
    NO_TROUBLE,
    Answer,
    HttpTransport,
    NetworkCut,
    NetworkTrouble,
    Transport,
    UnreliableNetwork,
)
from tests.support.fake_ingest import FakeIngest, served

KEY = b"k" * 32
NOW_S = 1_777_900_000.0
HOUR = Span(0, 3_600_000)


def fake_ingest() -> FakeIngest:
    return FakeIngest({"ALLI1": KEY}, lambda: NOW_S)


def batch(seq: int) -> tuple[bytes, Mapping[str, str]]:
    body = render_body("ALLI1", "9f3c2a1b", Span(0, 1000), [(seq, 500 + seq, 1)])
    return body, signed_headers(KEY, f"msg_{seq}", int(NOW_S), body)


def network(inner: Transport, trouble: NetworkTrouble, seed: int = 1, now_epoch_ms: int = 0) -> UnreliableNetwork:
    return UnreliableNetwork(inner, trouble, random.Random(seed), HOUR, lambda: now_epoch_ms)


def test_a_network_without_trouble_passes_everything_once() -> None:
    ingest = fake_ingest()
    unreliable = network(ingest, NO_TROUBLE)
    assert [unreliable.post(*batch(seq)).status for seq in range(20)] == [200] * 20
    assert (ingest.requests, unreliable.copies) == (20, 0)


def test_cut_before_nothing_arrives() -> None:
    ingest = fake_ingest()
    with pytest.raises(NetworkCut) as caught:
        network(ingest, NetworkTrouble(cut_before=1)).post(*batch(1))
    assert caught.value.staged
    assert ingest.requests == 0


def test_cut_after_it_arrives_and_the_answer_is_lost() -> None:
    ingest = fake_ingest()
    with pytest.raises(NetworkCut):
        network(ingest, NetworkTrouble(cut_after=1)).post(*batch(1))
    assert len(ingest.stored()) == 1


def test_sent_twice_some_copies_arrive_at_once_and_some_behind_a_later_request() -> None:
    ingest = fake_ingest()
    unreliable = network(ingest, NetworkTrouble(twice=1))
    arrived: list[int] = []
    for seq in range(30):
        unreliable.post(*batch(seq))
        arrived.append(ingest.requests - sum(arrived))
    assert set(arrived) == {1, 2, 3}  # alone; with its copy, or with the copy before; with both
    assert unreliable.copies == ingest.duplicates == ingest.requests - 30
    assert len(ingest.stored()) == 30


def test_in_an_outage_nothing_passes_and_afterwards_everything() -> None:
    ingest = fake_ingest()
    trouble = NetworkTrouble(outages=24, longest_outage_min=10)
    ((start, end),) = network(ingest, trouble).outages
    assert 60_000 <= end - start <= 600_000
    with pytest.raises(NetworkCut):
        network(ingest, trouble, now_epoch_ms=start).post(*batch(1))
    assert network(ingest, trouble, now_epoch_ms=end).post(*batch(1)).status == 200


def test_outages_are_as_many_as_expected() -> None:
    numbers = [len(network(fake_ingest(), NetworkTrouble(outages=12), seed).outages) for seed in range(400)]
    assert set(numbers) == {0, 1}
    assert 150 < sum(numbers) < 250


@pytest.mark.parametrize(
    "wrong", [{"cut_before": 1.1}, {"cut_after": -0.1}, {"twice": 2}, {"outages": -1}, {"longest_outage_min": 0}]
)
def test_impossible_trouble_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"chance|outages"):
        NetworkTrouble(**wrong)


def test_http_keeps_one_connection_and_tells_every_answer() -> None:
    """Errors are answers too, headers in lower case; a path in the URL is kept."""
    ingest = fake_ingest()
    with served(ingest) as url:
        transport = HttpTransport(url + "/")
        answers = [transport.post(*batch(seq)) for seq in range(3)]
        unsigned = transport.post(batch(9)[0], {})
        elsewhere = HttpTransport(url + "/behind/a/proxy")
        lost = elsewhere.post(*batch(4))
        ports = ingest.ports.copy()
        transport.close()
        elsewhere.close()
    assert [answer.status for answer in (*answers, unsigned, lost)] == [200, 200, 200, 401, 404]
    assert "date" in unsigned.headers
    assert len(ports) == 2


def test_a_server_that_is_not_there_or_hangs_up_is_a_cut() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = HttpTransport(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def hang_up() -> None:
            listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(NetworkCut) as caught:
            transport.post(*batch(1))
        thread.join()
    assert not caught.value.staged
    with pytest.raises(NetworkCut, match="no answer from http://127"):
        transport.post(*batch(1))
    transport.close()


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://127.0.0.1", "http://", "http://[::1", "http://a:b"])
def test_a_url_no_counter_can_send_to_is_refused(url: str) -> None:
    with pytest.raises(FootfallError, match="no counter can send to"):
        HttpTransport(url)


def test_a_stepped_clock_jumps_and_never_goes_back() -> None:
    clock = SteppedClock(1000, threading.Event(), longest_pause_s=0.0)
    clock.wait_until(5000)
    clock.wait_until(4000)
    clock.pause(2.0)
    assert clock.now_epoch_ms() == 7000


def test_a_running_clock_is_as_fast_as_it_was_told() -> None:
    real_s = [100.0]
    clock = RunningClock(1000, 60.0, threading.Event(), monotonic=lambda: real_s[0])
    real_s[0] += 2.0
    assert clock.now_epoch_ms() == 121_000
    clock.wait_until(121_001)


def test_a_stopped_clock_lets_everyone_go_at_once() -> None:
    stop = threading.Event()
    stop.set()
    clock = RunningClock(0, 1.0, stop)
    clock.wait_until(10**9)
    clock.pause(10**6)
    assert clock.stopped()


def test_the_fake_refuses_what_ingest_refuses() -> None:
    ingest = fake_ingest()
    body, headers = batch(1)

    def status(body: bytes, headers: Mapping[str, str]) -> int:
        answer: Answer = ingest.post(body, headers)
        return answer.status

    assert status(body, {**headers, "webhook-timestamp": "1"}) == 401
    assert status(b"{}", headers) == 400
    assert status(b" " * 300_000, headers) == 413
