"""What an answer means for the queue, the clock and the next attempt (sending/sender.h, time/clock.h)."""

import json
from email.utils import formatdate
from typing import Any

import pytest

from footfall.signing import signed_headers
from tests.support.counter_core import AnswerEffect, Core

UTC = 1_777_874_400_000
KEY = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
RAW_KEY = b"0123456789abcdef" * 2


class Sender:
    """A queue of three crossings and its sender; by default the time is known. Times are ms of this boot."""

    def __init__(self, *, clock: bool = True, limit: int = 100) -> None:
        self.core = Core(sectors=16)
        self.c, self.handle = self.core.c, self.core.handle
        assert self.c.sender_new(self.handle, b"DOOR1", KEY.encode(), 50_000, 2_000, limit)
        if clock:
            self.c.clock_set_from_network(self.handle, UTC, 0)
        for k in range(3):
            self.core.append(1, 1000 + k)

    def prepare(self, now_ms: int) -> dict[str, Any]:
        """Return the decoded body of the next request, after checking its signature."""
        assert self.c.sender_prepare(self.handle, now_ms, now_ms)
        body, message_id = self.body, self.id
        stamp = int(self.c.sender_timestamp(self.handle))
        signed = signed_headers(RAW_KEY, message_id, stamp, body)
        assert self.c.sender_signature(self.handle).decode() == signed["webhook-signature"]
        return dict(json.loads(body))

    @property
    def body(self) -> bytes:
        """The body of the prepared request."""
        return bytes(self.c.sender_body(self.handle))

    @property
    def id(self) -> str:
        """Its webhook-id."""
        return str(self.c.sender_id(self.handle).decode())

    def take(
        self, status: int, body: str | None = None, date_ms: int | None = None, after: str = "", now_ms: int = 5000
    ) -> AnswerEffect:
        """Take an answer, with a Date of *date_ms*; without *body*, an error in ingest's shape."""
        if body is None:
            code = "unknown_counter" if status == 401 else "invalid_batch"
            body = json.dumps({"error": {"code": code, "message": "no", "field": ""}}) if status >= 400 else ""
        date = "" if date_ms is None else formatdate(date_ms // 1000, usegmt=True)
        return AnswerEffect(
            self.c.sender_take(self.handle, status, body.encode(), date.encode(), after.encode(), now_ms)
        )

    @property
    def due_ms(self) -> int:
        """When it wants to send."""
        return int(self.c.sender_due_ms(self.handle))


def test_acknowledged_batch_is_removed_and_the_heartbeat_follows() -> None:
    sender = Sender()
    assert len(sender.prepare(5000)["crossings"]) == 3
    assert sender.take(200, '{"through": 3}') == AnswerEffect.ACKNOWLEDGED
    assert sender.core.waiting() == 0
    assert sender.due_ms == 55_000
    beat = sender.prepare(55_000)
    assert (beat["crossings"], beat["from"], beat["to"]) == ([], UTC + 5000, UTC + 55_000)


def test_crossing_waits_for_others_no_longer_than_linger() -> None:
    sender = Sender()
    sender.prepare(5000)
    sender.take(200, '{"through": 3}')
    sender.c.sender_notice(sender.handle, 6000)
    sender.c.sender_notice(sender.handle, 7000)
    assert sender.due_ms == 8000


def test_backlog_is_sent_without_a_pause() -> None:
    sender = Sender(limit=2)
    sender.prepare(5000)
    sender.take(200, '{"through": 2}')
    assert sender.due_ms <= 5000
    assert sender.prepare(5000)["crossings"] == [[3, UTC + 1002, 1]]


@pytest.mark.parametrize("status", [0, 301, 403, 404, 408, 500, 502])
def test_body_without_a_verdict_is_resent_unchanged_with_growing_delays(status: int) -> None:
    """A resent batch has the same body and webhook-id, and a new signature."""
    sender = Sender()
    sender.prepare(5000)
    first = sender.body, sender.id
    pauses = []
    now_ms = 5000
    for _ in range(12):
        assert sender.take(status, now_ms=now_ms) == AnswerEffect.NOT_RECEIVED
        pauses.append(sender.due_ms - now_ms)
        now_ms = sender.due_ms
        sender.prepare(now_ms)
        assert (sender.body, sender.id) == first
    for k, pause_ms in enumerate(pauses):
        whole_ms = min(500 * 2**k, 60_000)
        assert whole_ms // 2 <= pause_ms <= whole_ms
    assert int(sender.c.sender_timestamp(sender.handle)) == (UTC + now_ms) // 1000


def test_answer_of_something_that_is_not_ingest_acknowledges_nothing() -> None:
    sender = Sender()
    sender.prepare(5000)
    assert sender.take(200, "<html>Please log in</html>") == AnswerEffect.NOT_RECEIVED
    assert sender.core.waiting() == 3


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("after", "wait_ms"), [("30", 30_000), ("Mon, 04 May 2026 06:02:05 GMT", 120_000)])
def test_busy_server_is_left_alone_as_long_as_it_says(status: int, after: str, wait_ms: int) -> None:
    sender = Sender()
    sender.prepare(5000)
    assert sender.take(status, after=after) == AnswerEffect.BUSY
    assert sender.due_ms == 5000 + wait_ms
    assert sender.core.waiting() == 3


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_one_bad_crossing_takes_no_other_with_it(status: int) -> None:
    """The sender halves a refused batch, drops the single bad crossing, and keeps the others."""
    sender = Sender()
    arrived: list[int] = []
    outcomes: list[AnswerEffect] = []
    now_ms = 5000
    while sender.core.waiting() and len(outcomes) < 50:
        now_ms = max(now_ms, sender.due_ms)
        seqs = [seq for seq, _, _ in sender.prepare(now_ms)["crossings"]]
        if 2 in seqs:
            outcomes.append(sender.take(status, now_ms=now_ms))
        else:
            arrived += seqs
            outcomes.append(sender.take(200, f'{{"through": {max(seqs)}}}', now_ms=now_ms))
    assert arrived == [1, 3]
    assert sender.core.dropped() == 1
    assert outcomes.count(AnswerEffect.DROPPED) == 1


def test_date_of_a_401_sets_a_wrong_clock_and_crossings_are_redated() -> None:
    sender = Sender(clock=False)
    sender.c.clock_set_from_network(sender.handle, UTC + 3_600_000, 0)
    assert sender.prepare(5000)["crossings"][0][1] == UTC + 3_601_000
    assert sender.take(401, date_ms=UTC + 5000) == AnswerEffect.CLOCK_SET
    assert sender.due_ms <= 5000
    assert abs(sender.prepare(5000)["crossings"][0][1] - (UTC + 1000)) <= 1000


def test_a_400_whose_date_shows_that_the_clock_was_off_drops_nothing() -> None:
    sender = Sender(clock=False)
    sender.c.clock_set_from_network(sender.handle, UTC + 3_600_000, 0)
    sender.prepare(5000)
    assert sender.take(400, date_ms=UTC + 5000) == AnswerEffect.CLOCK_SET
    assert (sender.core.waiting(), sender.core.dropped()) == (3, 0)


def test_a_401_with_a_right_clock_keeps_everything_and_waits() -> None:
    sender = Sender()
    sender.prepare(5000)
    assert sender.take(401, date_ms=UTC + 5000) == AnswerEffect.UNAUTHORISED
    assert sender.core.waiting() == 3
    assert sender.due_ms > 5000


def test_without_any_time_it_asks_the_server_for_it() -> None:
    """The Date header of any answer is enough, even of a 401."""
    sender = Sender(clock=False)
    probe = sender.prepare(5000)
    assert (probe["crossings"], probe["from"], probe["to"]) == ([], 0, 0)
    assert sender.take(401, date_ms=UTC + 5000) == AnswerEffect.CLOCK_SET
    assert len(sender.prepare(5000)["crossings"]) == 3


def test_a_server_whose_date_jumps_causes_no_busy_loop() -> None:
    sender = Sender()
    pauses = []
    now_ms = 5000
    for k in range(8):
        sender.prepare(now_ms)
        assert sender.take(401, date_ms=UTC + 10**7 * (k + 1), now_ms=now_ms) == AnswerEffect.CLOCK_SET
        pauses.append(max(0, sender.due_ms - now_ms))
        now_ms = max(now_ms, sender.due_ms)
    assert pauses[-1] > 10_000


def clock(core: Core, now_ms: int) -> int:
    return int(core.c.clock_utc_ms(core.handle, now_ms)) - UTC


def test_small_corrections_come_from_the_network_and_not_from_the_server() -> None:
    """Rules 2 and 3: the network's time within 5 s at once, the server's Date only beyond that."""
    core = Core()
    core.c.clock_set_from_network(core.handle, UTC, 0)
    core.c.clock_set_from_network(core.handle, UTC + 1030, 1000)
    assert clock(core, 1000) == 1030
    core.c.clock_set_from_server(core.handle, UTC // 1000 + 4, 1000)
    assert clock(core, 1000) == 1030
    core.c.clock_set_from_server(core.handle, UTC // 1000 + 100, 1000)
    assert clock(core, 1000) == 100_500


def test_network_time_that_the_server_contradicts_is_ignored_for_an_hour() -> None:
    """Rule 4."""
    core = Core()
    core.c.clock_set_from_network(core.handle, UTC, 0)
    core.c.clock_set_from_server(core.handle, UTC // 1000, 0)
    core.c.clock_set_from_network(core.handle, UTC + 600_000, 1000)
    assert clock(core, 1000) == 1000
    core.c.clock_set_from_network(core.handle, UTC + 600_000, 3_600_001)
    assert clock(core, 3_600_001) == 600_000
