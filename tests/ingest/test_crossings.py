"""``POST /api/v1/crossings``: what is accepted, what is refused, and that a refused batch stores nothing."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footfall import wire
from footfall.model import Quarter, Span
from harness.installation import batch
from tests.support.ingest_app import HEARTBEAT, NOON_MS, Ingest
from tests.support.journals import quarters_of

GOOD: dict[str, Any] = {
    "counter": "ALLI1",
    "stream": "9f3c2a1b",
    "from": NOON_MS - 60_000,
    "to": NOON_MS,
    "crossings": [[1041, NOON_MS - 50_000, 1], [1042, NOON_MS - 40_000, -1]],
}


def body_of(**changes: object) -> bytes:
    """Return GOOD with *changes*; ``span_from`` stands for ``from``."""
    return json.dumps(GOOD | {name.removeprefix("span_"): value for name, value in changes.items()}).encode()


def crossing(seq: int = 1, time_ms: int | None = NOON_MS, direction: int = 1) -> dict[str, object]:
    return {"crossings": [[seq, time_ms, direction]]}


def refused(ingest: Ingest, body: bytes, **arguments: Any) -> tuple[int, str, str]:
    """POST *body*, which must not change the journal; return status, code and field of the response."""
    before = ingest.stored()
    answer = ingest.post(body, **arguments)
    assert ingest.stored() == before
    error = json.loads(answer.data)["error"]
    return answer.status_code, error["code"], error["field"]


def test_batch_is_stored_and_acknowledged_exactly(ingest: Ingest) -> None:
    answer = ingest.post(body_of())
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.data == b'{"stored": 2, "duplicates": 0, "through": 1042}\n'
    assert quarters_of(ingest.journal) == [Quarter("ALLI1", NOON_MS // 900_000 * 900_000, 1, 1, 60_000)]


def test_batch_sent_twice_is_stored_once_and_acknowledged_twice(ingest: Ingest) -> None:
    ingest.post(body_of())
    before = ingest.stored()
    assert ingest.post(body_of()).json == {"stored": 0, "duplicates": 2, "through": 1042}
    assert ingest.stored() == before


def test_heartbeat_is_acknowledged_and_covers_its_span(ingest: Ingest) -> None:
    assert ingest.post(batch(span=HEARTBEAT)).json == {"stored": 0, "duplicates": 0, "through": -1}
    assert [quarter.covered_ms for quarter in quarters_of(ingest.journal)] == [60_000]


def test_conflicting_crossing_is_acknowledged_and_logged(ingest: Ingest) -> None:
    """If it were refused, the counter would resend it for ever. The log says what to check."""
    ingest.post(body_of())
    answer = ingest.post(body_of(crossings=[[1041, NOON_MS - 50_000, -1]]))
    assert answer.json == {"stored": 0, "duplicates": 1, "through": 1041}
    (logged,) = (line for line in ingest.log.lines if line.startswith("ERROR"))
    assert "counter=ALLI1 stream=9f3c2a1b crossings=1" in logged
    assert "Check for a second device with this id" in logged


def test_content_type_may_name_a_charset(ingest: Ingest) -> None:
    headers = ingest.signed(body_of()) | {"Content-Type": "application/json; charset=utf-8"}
    assert ingest.post(body_of(), headers=headers).status_code == 200


@pytest.mark.parametrize("skew_s", [-300, 300])
def test_signature_at_the_edge_of_the_tolerance_is_accepted(ingest: Ingest, skew_s: int) -> None:
    assert ingest.post(body_of(), headers=ingest.signed(body_of(), skew_s=skew_s)).status_code == 200


@pytest.mark.parametrize("skew_s", [-301, 301, -(10**9)])
def test_stale_or_future_timestamp_is_refused(ingest: Ingest, skew_s: int) -> None:
    found = refused(ingest, body_of(), headers=ingest.signed(body_of(), skew_s=skew_s))
    assert found == (401, "bad_signature", "")


def test_tolerance_is_the_configured_one(ingest: Ingest) -> None:
    ingest.clock.now_ms += 1000
    assert refused(ingest, body_of(), headers=ingest.signed(body_of(), skew_s=-301))[0] == 401


def test_key_of_another_counter_is_refused(ingest: Ingest) -> None:
    assert refused(ingest, body_of(), counter="ALLI2") == (401, "bad_signature", "")


def test_signature_of_another_body_is_refused(ingest: Ingest) -> None:
    assert refused(ingest, body_of(), headers=ingest.signed(body_of() + b" ")) == (401, "bad_signature", "")


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_unsigned_batch_is_refused(ingest: Ingest, missing: str) -> None:
    headers = {name: value for name, value in ingest.signed(body_of()).items() if name != missing}
    assert refused(ingest, body_of(), headers=headers) == (401, "bad_signature", "")


def test_counter_that_is_not_registered_is_refused(ingest: Ingest) -> None:
    assert refused(ingest, body_of(counter="NOBODY")) == (401, "unknown_counter", "")


def test_counter_without_a_key_is_refused(ingest: Ingest) -> None:
    """It is registered but has no key, and another counter's key does not help."""
    folder = ingest.installation.folder
    with (folder / "footfall.toml").open("a") as file:
        file.write('[counters.ALLI9]\nsite = "alliance"\nname = "Counter 9"\nlocation = "RDCentre"\n')
    registry = ingest.context.registry
    registry._looked_s -= 2  # type: ignore[attr-defined]  # it looks at the files once a second
    assert "ALLI9" in registry().counters
    assert refused(ingest, body_of(counter="ALLI9")) == (401, "unknown_counter", "")


MOST = wire.MAX_SAFE_INTEGER
BAD_BODIES: list[tuple[bytes, str]] = [
    (body_of()[:-1], ""),
    (b"", ""),
    (b"[]", ""),
    (body_of().replace(b"ALLI1", b"ALLI\xff"), ""),
    (body_of(counter="A\x1b[31m"), "counter"),
    (body_of(counter=5), "counter"),
    (body_of(stream="@legacy"), "stream"),
    (body_of(stream=None), "stream"),
    (body_of(span_from="then"), "from"),
    (body_of(to=1.5), "to"),
    (body_of(crossings={}), "crossings"),
    (body_of(crossings=[[1, NOON_MS]]), "crossings[0]"),
    (body_of(**crossing(seq=-1)), "crossings[0].seq"),
    (body_of(**crossing(seq=MOST + 1)), "crossings[0].seq"),
    (body_of(**crossing(seq=2**70)), "crossings[0].seq"),
    (body_of(**crossing(time_ms=-1)), "crossings[0].time"),
    (body_of(**crossing(direction=0)), "crossings[0].direction"),
    (body_of(**crossing(time_ms=NOON_MS + 300_001)), "crossings[0].time"),
    (body_of(**crossing(time_ms=1_420_070_399_999)), "crossings[0].time"),
    (body_of(to=NOON_MS + 300_001), "to"),
    (body_of(span_from=1_420_070_399_999), "from"),
    (body_of(span_from=NOON_MS, to=NOON_MS - 1), "to"),
    (body_of(crossings=[[7, NOON_MS, 1], [7, NOON_MS, 1]]), "crossings"),
    (body_of(status={"firmware": "x" * 65}), "status.firmware"),
    (body_of(status=[]), "status"),
]


@pytest.mark.parametrize(("body", "field"), BAD_BODIES)
def test_signed_body_that_breaks_the_wire_format_is_refused_by_field(ingest: Ingest, body: bytes, field: str) -> None:
    ingest.post(body_of())
    assert refused(ingest, body) == (400, "invalid_batch", field)


@pytest.mark.parametrize("time_ms", [NOON_MS + 300_000, 1_420_070_400_000, None])
def test_crossing_at_the_edge_of_the_time_range_is_accepted(ingest: Ingest, time_ms: int | None) -> None:
    assert ingest.post(body_of(**crossing(time_ms=time_ms))).status_code == 200


@pytest.mark.parametrize("seq", [0, MOST])
def test_seq_at_the_edge_of_its_range_is_accepted(ingest: Ingest, seq: int) -> None:
    answer = ingest.post(body_of(**crossing(seq=seq)))
    assert answer.json == {"stored": 1, "duplicates": 0, "through": seq}


def test_body_of_256_kib_is_accepted_and_one_byte_more_is_refused(ingest: Ingest) -> None:
    assert ingest.post(body_of().ljust(wire.MAX_BODY_BYTES)).status_code == 200
    assert refused(ingest, body_of().ljust(wire.MAX_BODY_BYTES + 1)) == (413, "body_too_large", "")


def test_largest_batch_a_body_can_hold_is_stored(ingest: Ingest) -> None:
    crossings = [(seq, NOON_MS - 60_000 + seq, 1) for seq in range(10_000)]
    body = batch(*crossings, span=Span(NOON_MS - 60_000, NOON_MS))
    assert len(body) < wire.MAX_BODY_BYTES
    assert ingest.post(body).json == {"stored": 10_000, "duplicates": 0, "through": 9_999}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_signed_body_makes_the_service_fail(ingest: Ingest, data: st.DataObject) -> None:
    """Valid bodies with a few bytes changed: each is stored or refused, never a 500."""
    body = bytearray(body_of(status={"firmware": "1.0.0"}))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    answer = ingest.post(bytes(body))
    assert answer.status_code in (200, 400, 401), answer.data


# While the store is unavailable the counter gets 503, and its retry succeeds later.


@pytest.mark.parametrize("trouble", ["full", "locked"])
def test_batch_gets_503_while_the_journal_is_unavailable_and_its_retry_is_stored(ingest: Ingest, trouble: str) -> None:
    ingest.post(body_of())
    before = ingest.stored()
    large = batch(*((seq, NOON_MS, 1) for seq in range(2000, 6000)), span=HEARTBEAT)
    with getattr(ingest, trouble)():
        for _ in range(3):
            answer = ingest.post(large)
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
            assert json.loads(answer.data)["error"]["code"] == "store_unavailable"
        assert ingest.stored() == before
        assert any(line.startswith("WARNING") and trouble in line for line in ingest.log.lines)
    assert ingest.post(large).json == {"stored": 4000, "duplicates": 0, "through": 5999}
