"""Refusals and dates: a wrong clock, a proxy or a captive portal never costs a crossing."""

import json

import pytest

from tests.firmware.test_sender import KEY, UTC, Sender
from tests.support.counter_core import AnswerEffect

HOUR_MS = 3_600_000
PORTAL = "<html><body>Please log in. Code: <b>through</b></body></html>"


def delivered() -> Sender:
    """Return a sender whose first three crossings are acknowledged at 5 s."""
    sender = Sender()
    sender.prepare(5000)
    sender.take(200, '{"through": 3}')
    return sender


def set_from_network(sender: Sender, utc_ms: int, now_ms: int) -> None:
    sender.c.clock_set_from_network(sender.handle, utc_ms, now_ms)


def test_crossing_sent_under_a_wrong_clock_gets_its_right_time_after_the_401() -> None:
    """NTP is off by an hour and the server's Date corrects it: the refused crossing is redated, not dropped."""
    sender = delivered()
    set_from_network(sender, UTC + HOUR_MS + 55_000, 55_000)
    sender.core.append(1, 56_000)
    assert sender.prepare(57_000)["crossings"] == [[4, UTC + HOUR_MS + 56_000, 1]]
    assert sender.take(401, date_ms=UTC + 57_000, now_ms=57_000) == AnswerEffect.CLOCK_SET
    [[seq, time_ms, direction]] = sender.prepare(58_000)["crossings"]
    assert (seq, direction) == (4, 1)
    assert abs(time_ms - (UTC + 56_000)) <= 1000


def test_crossing_sent_without_an_answer_under_a_wrong_clock_is_redated_when_refused() -> None:
    """No answer arrives, then NTP corrects itself: the old body has a future time, and its refusal costs nobody."""
    sender = delivered()
    set_from_network(sender, UTC + HOUR_MS + 55_000, 55_000)
    sender.core.append(1, 56_000)
    sender.prepare(57_000)
    sender.take(0, now_ms=57_000)
    set_from_network(sender, UTC + 60_000, 60_000)
    sender.core.append(-1, 61_000)
    assert sender.prepare(70_000)["crossings"] == [[4, UTC + HOUR_MS + 56_000, 1]]  # it may be stored: the same body
    assert sender.take(400, date_ms=UTC + 70_000, now_ms=70_000) == AnswerEffect.REDATED
    assert sender.prepare(71_000)["crossings"] == [[4, UTC + 56_000, 1], [5, UTC + 61_000, -1]]
    assert sender.core.dropped() == 0


def test_crossing_whose_boot_had_a_wrong_clock_is_sent_without_a_time_rather_than_lost() -> None:
    """A refused time that nothing can correct becomes null, and the crossing still counts."""
    sender = delivered()
    set_from_network(sender, UTC + HOUR_MS + 55_000, 55_000)
    sender.core.append(1, 56_000)
    sender.core.boot(0)
    assert sender.c.sender_new(sender.handle, b"DOOR1", KEY.encode(), 50_000, 2_000, 50)
    set_from_network(sender, UTC + 90_000, 0)
    sender.core.append(-1, 500)
    assert sender.prepare(1000)["crossings"] == [[4, UTC + HOUR_MS + 56_000, 1]]
    assert sender.take(400, date_ms=UTC + 91_000, now_ms=1000) == AnswerEffect.REDATED
    undated = sender.prepare(2000)
    assert undated["crossings"] == [[4, None, 1]]
    assert undated["from"] == undated["to"]
    assert sender.take(200, '{"through": 4}', now_ms=2000) == AnswerEffect.ACKNOWLEDGED
    live = sender.prepare(3000)
    assert (live["crossings"], live["from"], live["to"]) == ([[5, UTC + 90_500, -1]], UTC + 90_000, UTC + 93_000)
    assert sender.core.dropped() == 0


def test_refused_crossing_of_this_boot_is_sent_without_a_time_and_the_next_span_begins_after_it() -> None:
    sender = delivered()
    sender.core.append(1, 6000)
    sender.prepare(7000)
    assert sender.take(400, date_ms=UTC + 7000, now_ms=7000) == AnswerEffect.REDATED
    undated = sender.prepare(8000)
    assert undated["crossings"] == [[4, None, 1]]
    assert undated["from"] == undated["to"]
    assert sender.take(400, date_ms=UTC + 8000, now_ms=8000) == AnswerEffect.DROPPED
    assert (sender.core.waiting(), sender.core.dropped()) == (0, 1)
    live = sender.prepare(9000)
    assert live["from"] > UTC + 6000


@pytest.mark.parametrize("status", [400, 413, 415, 422])
@pytest.mark.parametrize("body", ["", PORTAL, "400 The plain HTTP request was sent to HTTPS port", '{"error": "no"}'])
def test_refusal_that_is_not_ingests_own_costs_no_crossing(status: int, body: str) -> None:
    """A proxy's 400 or 413 says nothing about the batch: the same body is resent with growing delays."""
    sender = Sender()
    sender.prepare(5000)
    first = sender.body
    for _ in range(20):
        now_ms = max(5000, sender.due_ms)
        sender.prepare(now_ms)
        assert sender.body == first
        assert sender.take(status, body, now_ms=now_ms) == AnswerEffect.NOT_RECEIVED
    assert (sender.core.waiting(), sender.core.dropped()) == (3, 0)


def test_bad_request_of_ingest_refuses_no_batch() -> None:
    """400 bad_request means that the request was damaged on its way."""
    sender = Sender()
    sender.prepare(5000)
    body = json.dumps({"error": {"code": "bad_request", "message": "not HTTP", "field": ""}})
    assert sender.take(400, body) == AnswerEffect.NOT_RECEIVED
    assert sender.core.waiting() == 3


@pytest.mark.parametrize("status", [200, 302, 401, 400, 404, 502, 511])
def test_date_of_a_captive_portal_is_ignored(status: int) -> None:
    """A router without a battery says 1 January 2000: no crossing takes its time from there."""
    sender = Sender()
    sender.prepare(5000)
    sender.take(status, PORTAL, date_ms=946_684_800_000)
    sender.core.append(1, 6000)
    sender.prepare(7000)
    sender.take(200, '{"through": 3}', now_ms=7000)
    assert sender.prepare(8000)["crossings"] == [[4, UTC + 6000, 1]]


def test_clock_that_was_never_set_is_not_set_by_a_captive_portal() -> None:
    sender = Sender(clock=False)
    sender.prepare(5000)
    sender.take(200, PORTAL, date_ms=946_684_800_000)
    probe = sender.prepare(6000)
    assert (probe["crossings"], probe["from"], probe["to"]) == ([], 0, 0)


@pytest.mark.parametrize("through", ["2147483647", "99999999999999999999", "4"])
def test_acknowledgement_of_a_seq_never_given_begins_a_new_stream(through: str) -> None:
    """This flash is an old copy of a queue: its next seqs were used and would pass for duplicates."""
    sender = Sender()
    old = sender.prepare(5000)["stream"]
    sender.take(200, f'{{"through": {through}}}')
    sender.core.append(1, 6000)
    body = sender.prepare(7000)
    assert body["stream"] != old
    assert body["crossings"] == [[1, UTC + 6000, 1]]
    assert body["from"] >= UTC + 5000


def test_through_of_minus_one_for_an_empty_batch_removes_nothing_and_covers_its_span() -> None:
    """A heartbeat of a stream without stored crossings."""
    sender = Sender()
    sender.prepare(5000)
    sender.take(200, '{"through": 3}')
    sender.prepare(55_000)
    sender.core.append(1, 55_001)
    assert sender.take(200, '{"through": -1}', now_ms=55_002) == AnswerEffect.ACKNOWLEDGED
    assert sender.core.waiting() == 1
    body = sender.prepare(60_000)
    assert (body["crossings"], body["from"]) == ([[4, UTC + 55_001, 1]], UTC + 55_000)


def test_no_span_covers_the_instant_that_a_dropped_crossing_shares_with_the_next_one() -> None:
    sender = delivered()
    sender.core.append(1, 6000)
    sender.core.append(-1, 6000)
    now_ms = 7000
    outcome = AnswerEffect.HALVED
    while outcome != AnswerEffect.DROPPED:
        now_ms = max(now_ms + 1, sender.due_ms)
        sender.prepare(now_ms)
        outcome = sender.take(400, date_ms=UTC + now_ms, now_ms=now_ms)
    after = sender.prepare(now_ms + 5000)
    assert after["crossings"] == [[5, UTC + 6000, -1]]
    assert after["from"] > UTC + 6000
