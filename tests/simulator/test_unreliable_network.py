"""The network between a simulated counter and ingest: real HTTP, with failures on purpose."""

import random
import socket
import threading
from collections.abc import Mapping

import pytest

from footfall.errors import FootfallError
from footfall.model import Span
from footfall.signing import signed_headers
from footfall.wire import render_body
from simulator.unreliable_network import (
    NO_TROUBLE,
    HttpTransport,
    NetworkFailure,
    NetworkTrouble,
    Response,
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


def test_perfect_network_delivers_everything_once() -> None:
    ingest = fake_ingest()
    unreliable = network(ingest, NO_TROUBLE)
    assert [unreliable.post(*batch(seq)).status for seq in range(20)] == [200] * 20
    assert (ingest.requests, unreliable.duplicates) == (20, 0)


def test_lost_request_never_arrives() -> None:
    ingest = fake_ingest()
    with pytest.raises(NetworkFailure) as caught:
        network(ingest, NetworkTrouble(lost_request=1)).post(*batch(1))
    assert caught.value.is_simulated
    assert ingest.requests == 0


def test_request_arrives_though_its_response_is_lost() -> None:
    ingest = fake_ingest()
    with pytest.raises(NetworkFailure):
        network(ingest, NetworkTrouble(lost_response=1)).post(*batch(1))
    assert len(ingest.stored()) == 1


def test_duplicates_arrive_at_once_or_after_a_later_request() -> None:
    ingest = fake_ingest()
    unreliable = network(ingest, NetworkTrouble(duplicate=1))
    arrived: list[int] = []
    for seq in range(30):
        unreliable.post(*batch(seq))
        arrived.append(ingest.requests - sum(arrived))
    assert set(arrived) == {1, 2, 3}  # alone; with its duplicate, or an earlier one; with both
    assert unreliable.duplicates == ingest.duplicates == ingest.requests - 30
    assert len(ingest.stored()) == 30


def test_outage_stops_everything_until_it_ends() -> None:
    ingest = fake_ingest()
    trouble = NetworkTrouble(outages=24, longest_outage_min=10)
    ((start, end),) = network(ingest, trouble).outages
    assert 60_000 <= end - start <= 600_000
    with pytest.raises(NetworkFailure):
        network(ingest, trouble, now_epoch_ms=start).post(*batch(1))
    assert network(ingest, trouble, now_epoch_ms=end).post(*batch(1)).status == 200


def test_outages_are_as_many_as_expected() -> None:
    numbers = [len(network(fake_ingest(), NetworkTrouble(outages=12), seed).outages) for seed in range(400)]
    assert set(numbers) == {0, 1}
    assert 150 < sum(numbers) < 250


@pytest.mark.parametrize(
    "wrong",
    [{"lost_request": 1.1}, {"lost_response": -0.1}, {"duplicate": 2}, {"outages": -1}, {"longest_outage_min": 0}],
)
def test_impossible_trouble_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"probability|outages"):
        NetworkTrouble(**wrong)


def test_http_keeps_one_connection_and_returns_every_response() -> None:
    """Errors are responses too; header names are in lower case; a path in the URL is kept."""
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


def test_server_that_is_down_or_hangs_up_is_a_network_failure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        transport = HttpTransport(f"http://127.0.0.1:{listener.getsockname()[1]}")

        def hang_up() -> None:
            listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        with pytest.raises(NetworkFailure) as caught:
            transport.post(*batch(1))
        thread.join()
    assert not caught.value.is_simulated
    with pytest.raises(NetworkFailure, match="no response from http://127"):
        transport.post(*batch(1))
    transport.close()


@pytest.mark.parametrize("url", ["", "localhost:8080", "ftp://127.0.0.1", "http://", "http://[::1", "http://a:b"])
def test_url_that_is_not_http_is_refused(url: str) -> None:
    with pytest.raises(FootfallError, match="is not an HTTP URL"):
        HttpTransport(url)


def test_fake_ingest_refuses_what_ingest_refuses() -> None:
    ingest = fake_ingest()
    body, headers = batch(1)

    def status(body: bytes, headers: Mapping[str, str]) -> int:
        answer: Response = ingest.post(body, headers)
        return answer.status

    assert status(body, {**headers, "webhook-timestamp": "1"}) == 401
    assert status(b"{}", headers) == 400
    assert status(b" " * 300_000, headers) == 413
