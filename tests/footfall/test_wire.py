"""The wire format, version 1: what is accepted, and that every refusal names the field."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall import wire
from footfall.errors import InvalidBatch
from footfall.model import Arrival, Count, Span

NOW_MS = 1_777_889_100_000
EARLIEST_MS = 1_420_070_400_000
AHEAD_MS = 300_000
GOOD: dict[str, Any] = {
    "counter": "ALLI1",
    "stream": "9f3c2a1b",
    "from": NOW_MS - 60_000,
    "to": NOW_MS,
    "crossings": [[1041, NOW_MS - 50_000, 1], [1042, NOW_MS - 40_000, -1]],
    "status": {"firmware": "1.0.0", "uptime_s": 86_400, "rssi_dbm": -61, "heap_bytes": 31_000, "queued": 2,
               "dropped": 0, "aborted": 3, "outer_blocked_s": 0, "inner_blocked_s": 0},
}  # fmt: skip
MOST = wire.MAX_SAFE_INTEGER

names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)
times = st.integers(EARLIEST_MS, NOW_MS + AHEAD_MS)
spans = st.tuples(times, times).map(lambda pair: Span(min(pair), max(pair)))
amounts = st.integers(0, MOST)
crossings = st.lists(
    st.tuples(amounts, st.none() | times, st.sampled_from([1, -1])), unique_by=lambda crossing: crossing[0]
)
statuses = st.builds(
    wire.Status,
    firmware=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=64),
    uptime_s=st.none() | amounts,
    rssi_dbm=st.none() | st.integers(-200, 100),
    dropped=st.none() | amounts,
)


def arrival_of(body: bytes, *, now_ms: int = NOW_MS) -> Arrival:
    batch = wire.parse_body(body)
    return wire.parse_arrival(batch, now_epoch_ms=now_ms, earliest_epoch_ms=EARLIEST_MS, ahead_ms=AHEAD_MS)


def refusal_of(body: bytes) -> InvalidBatch:
    with pytest.raises(InvalidBatch) as caught:
        arrival_of(body)
    return caught.value


def changed(**fields: object) -> bytes:
    """Return GOOD with *fields* changed, or left out where they are ``...``; ``span_from`` stands for ``from``."""
    body = GOOD | {name.removeprefix("span_"): value for name, value in fields.items()}
    return json.dumps({name: value for name, value in body.items() if value is not ...}).encode()


@settings(deadline=None)
@given(names, names, spans, crossings, st.none() | statuses)
def test_what_a_counter_renders_is_what_the_server_parses(
    counter: str, stream: str, span: Span, sent: list[tuple[int, int | None, Any]], status: wire.Status | None
) -> None:
    body = wire.render_body(counter, stream, span, sent, status)
    arrival = arrival_of(body)
    assert (arrival.counter, arrival.stream, arrival.span) == (counter, stream, span)
    assert arrival.counts == tuple(Count(seq, at, direction == 1, direction == -1) for seq, at, direction in sent)
    assert wire.parse_body(body).status == status
    assert (arrival.status is None) == (status is None)


def test_example_of_the_wire_format_is_taken() -> None:
    arrival = arrival_of(changed())
    assert arrival.counts == (Count(1041, NOW_MS - 50_000, 1, 0), Count(1042, NOW_MS - 40_000, 0, 1))
    assert arrival.span == Span(NOW_MS - 60_000, NOW_MS)
    assert arrival.received_epoch_ms == NOW_MS
    assert json.loads(arrival.status or b"") == GOOD["status"]


def test_status_and_its_parts_may_be_left_out() -> None:
    assert arrival_of(changed(status=...)).status is None
    assert arrival_of(changed(status=None)).status is None
    assert arrival_of(changed(status={"uptime_s": 5})).status == b'{"uptime_s":5}'


def test_heartbeat_is_a_batch_without_crossings() -> None:
    assert arrival_of(changed(crossings=[])).counts == ()


def test_unknown_fields_are_passed_over() -> None:
    """A newer counter may talk to an older server."""
    newer = arrival_of(changed(battery_mv=3300, status={"uptime_s": 5, "battery_mv": 3300}))
    assert newer.counts == arrival_of(changed()).counts
    assert newer.status == b'{"uptime_s":5}'


@pytest.mark.parametrize("field", ["counter", "stream", "from", "to", "crossings"])
def test_missing_field_is_named(field: str) -> None:
    body = {name: value for name, value in GOOD.items() if name != field}
    assert refusal_of(json.dumps(body).encode()).field == field


BAD_NAMES = ["", "a" * 65, ".hidden", "a b", "a/b", "é", "a\n", "a\0", "@import", 5, None, ["a"]]
BAD_INSTANTS = [-1, MOST + 1, 10**30, 1.5, 1.0, "1777889100000", True, [], {}]


@pytest.mark.parametrize(("field", "value"), [(field, bad) for field in ("counter", "stream") for bad in BAD_NAMES])
def test_bad_name_is_refused_by_field(field: str, value: object) -> None:
    assert refusal_of(changed(**{field: value})).field == field


@pytest.mark.parametrize(
    ("field", "value"), [(field, bad) for field in ("from", "to") for bad in [*BAD_INSTANTS, None]]
)
def test_bad_instant_of_the_span_is_refused_by_field(field: str, value: object) -> None:
    assert refusal_of(changed(**{f"span_{field}": value})).field == field


@pytest.mark.parametrize(
    ("crossings", "field"),
    [
        (None, "crossings"),
        ({}, "crossings"),
        ("[]", "crossings"),
        ([[1, NOW_MS, 1], 5], "crossings[1]"),
        ([[1, NOW_MS]], "crossings[0]"),
        ([[1, NOW_MS, 1, 1]], "crossings[0]"),
        *(([[1, NOW_MS, 1], [bad, NOW_MS, 1]], "crossings[1].seq") for bad in [*BAD_INSTANTS, None]),
        *(([[1, NOW_MS, 1], [2, bad, 1]], "crossings[1].time") for bad in BAD_INSTANTS),
        *(([[1, NOW_MS, bad]], "crossings[0].direction") for bad in [0, 2, -2, 1.0, "1", True, None]),
    ],
)
def test_bad_crossing_is_refused_by_place(crossings: object, field: str) -> None:
    assert refusal_of(changed(crossings=crossings)).field == field


@pytest.mark.parametrize(
    ("status", "field"),
    [
        (5, "status"),
        ([], "status"),
        ({"firmware": "f" * 65}, "status.firmware"),
        ({"firmware": 1}, "status.firmware"),
        ({"rssi_dbm": -201}, "status.rssi_dbm"),
        ({"rssi_dbm": 101}, "status.rssi_dbm"),
        *(({name: -1}, f"status.{name}") for name in ("uptime_s", "heap_bytes", "queued", "dropped", "aborted",
                                                      "outer_blocked_s", "inner_blocked_s")),
    ],
)  # fmt: skip
def test_bad_status_is_refused_by_field(status: object, field: str) -> None:
    assert refusal_of(changed(status=status)).field == field


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="a brace"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b'"text"', id="a string"),
        pytest.param(changed()[:-1], id="cut"),
        pytest.param(changed() + b"}", id="a brace too many"),
        pytest.param(b"\xef\xbb\xbf" + changed(), id="a byte order mark"),
        pytest.param(changed().decode().encode("utf-16"), id="UTF-16"),
        pytest.param(changed().replace(b"ALLI1", b"\xff\xfe"), id="not UTF-8"),
        pytest.param(changed(status={"firmware": "x"}).replace(b'"x"', b'"\\ud800"'), id="half a surrogate pair"),
        pytest.param(changed().replace(b"1041", b"NaN"), id="NaN"),
        pytest.param(b"[" * 200_000, id="nested lists"),
        pytest.param(b'{"x":' * 40_000, id="nested objects"),
        pytest.param(b'{"x":' + b"[" * 200_000, id="nested lists in an object"),
    ],
)
def test_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    refusal = refusal_of(body)
    assert refusal.field == ""
    assert refusal.message


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_refused_not_a_crash(body: bytes) -> None:
    assert refusal_of(body).message


@settings(deadline=None)
@given(st.integers(0, len(changed()) - 1))
def test_body_cut_anywhere_is_refused(length: int) -> None:
    assert refusal_of(changed()[:length]).field == ""


TOO_EARLY = f"{{field}} is before this server's earliest time, {EARLIEST_MS}"
TOO_LATE = f"{{field}} is in the future; the server's time is {NOW_MS}"
SAME_SEQ = "two crossings of one batch have the same seq"


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        ({"span_from": EARLIEST_MS - 1}, "from", TOO_EARLY),
        ({"span_from": 0, "to": 0}, "from", TOO_EARLY),
        ({"to": NOW_MS + AHEAD_MS + 1}, "to", TOO_LATE),
        ({"span_from": NOW_MS, "to": NOW_MS - 1}, "to", "the span ends before it starts"),
        ({"crossings": [[1, NOW_MS, 1], [2, EARLIEST_MS - 1, 1]]}, "crossings[1].time", TOO_EARLY),
        ({"crossings": [[1, NOW_MS + AHEAD_MS + 1, 1]]}, "crossings[0].time", TOO_LATE),
        ({"crossings": [[1, NOW_MS, 1], [1, NOW_MS, -1]]}, "crossings", SAME_SEQ),
        ({"crossings": [[1, NOW_MS, 1], [1, NOW_MS, 1]]}, "crossings", SAME_SEQ),
    ],
)
def test_impossible_time_or_repeated_seq_is_refused_by_place(
    fields: dict[str, object], field: str, message: str
) -> None:
    refusal = refusal_of(changed(**fields))
    assert (refusal.field, refusal.message) == (field, message.format(field=field))


def test_times_at_the_edges_are_taken() -> None:
    last = NOW_MS + AHEAD_MS
    body = changed(span_from=EARLIEST_MS, to=last, crossings=[[0, EARLIEST_MS, 1], [MOST, last, -1]])
    assert [count.seq for count in arrival_of(body).counts] == [0, MOST]
    assert arrival_of(changed(span_from=NOW_MS, to=NOW_MS)).span == Span(NOW_MS, NOW_MS)


def test_crossing_without_a_time_stays_without_one() -> None:
    assert arrival_of(changed(crossings=[[7, None, -1]])).counts == (Count(7, None, 0, 1),)
