"""Random lives of a counter whose clock, network and power fail, against a server that follows ingest's rules."""

import json
import random
from email.utils import formatdate
from typing import Any

import pytest

from footfall.signing import signed_headers
from tests.firmware.test_sender import KEY, RAW_KEY, UTC
from tests.support.counter_core import AnswerEffect, Core

TOLERANCE_MS = 300_000
EARLIEST_MS = 1_420_070_400_000  # 2015-01-01
PORTAL = "<html>Please log in</html>"


def error(code: str) -> str:
    return json.dumps({"error": {"code": code, "message": "", "field": ""}})


class Server:
    """A server that stores and answers by the rules of docs/wire-format.md."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], tuple[int | None, int]] = {}
        self.highest: dict[str, int] = {}
        self.spans: list[tuple[int, int]] = []

    def answer(self, stamp_s: int, signature_holds: bool, batch: dict[str, Any], now_ms: int) -> tuple[int, str]:
        """Return status and body."""
        latest_ms = now_ms + TOLERANCE_MS
        if not signature_holds or abs(stamp_s * 1000 - now_ms) > TOLERANCE_MS:
            return 401, error("bad_signature")
        times = [batch["from"], batch["to"], *(t_ms for _, t_ms, _ in batch["crossings"] if t_ms is not None)]
        if any(not EARLIEST_MS <= t_ms <= latest_ms for t_ms in times) or batch["from"] > batch["to"]:
            return 400, error("invalid_batch")
        stream = batch["stream"]
        for seq, time_ms, direction in batch["crossings"]:
            kept = self.kept.setdefault((stream, seq), (time_ms, direction))
            assert kept[1] == direction
            self.highest[stream] = max(self.highest.get(stream, -1), seq)
        self.spans.append((batch["from"], batch["to"]))
        return 200, json.dumps({"stored": 0, "duplicates": 0, "through": self.highest.get(stream, -1)})


class Life:
    """One counter, by default without a clock, and the world around it. Real time is UTC + now."""

    def __init__(self, seed: int, clock_errors_ms: tuple[int, ...]) -> None:
        self.clock_errors_ms = clock_errors_ms
        self.throws = random.Random(seed)
        self.core = Core(sectors=64, sector_bytes=512, seed=seed)
        self.c, self.handle = self.core.c, self.core.handle
        self.server = Server()
        self.now_ms = 0
        self.booted_ms = 0
        self.passed: list[tuple[int, int]] = []  # real time and direction
        self.make_sender()

    def make_sender(self) -> None:
        assert self.c.sender_new(self.handle, b"DOOR1", KEY.encode(), 50_000, 2_000, 7)

    @property
    def mono_ms(self) -> int:
        return self.now_ms - self.booted_ms

    def arrived(self) -> list[tuple[int | None, int]]:
        """Return the stored crossings, in the order of seqs."""
        return [kept for _, kept in sorted((seq, kept) for (_, seq), kept in self.server.kept.items())]

    def live(self) -> None:
        """Run for some hours with faults, then without them until the queue is empty."""
        for _ in range(150):
            self.step()
        self.drain()

    def step(self) -> None:
        """Cause one random event."""
        self.now_ms += self.throws.choice([5, 500, 5_000, 60_000])
        what = self.throws.randrange(20)
        if what < 8:
            direction = self.throws.choice([1, -1])
            assert self.core.append(direction, self.mono_ms)
            self.passed.append((UTC + self.now_ms, direction))
            self.c.sender_notice(self.handle, self.mono_ms)
        elif what < 11:
            self.set_from_network(self.throws.choice(self.clock_errors_ms))
        elif what < 12:
            self.core.boot(0)
            self.booted_ms = self.now_ms
            self.make_sender()
        else:
            self.exchange(self.throws.choice(["ingest", "ingest", "void", "unheard", "portal", "proxy", "down"]))

    def set_from_network(self, error_ms: int) -> None:
        self.c.clock_set_from_network(self.handle, UTC + self.now_ms + error_ms, self.mono_ms)

    def exchange(self, who: str) -> AnswerEffect:
        """Send one request, which may get lost or reach something else."""
        assert self.c.sender_prepare(self.handle, self.mono_ms, self.mono_ms)
        body = bytes(self.c.sender_body(self.handle))
        stamp_s = int(self.c.sender_timestamp(self.handle))
        signed = signed_headers(RAW_KEY, self.c.sender_id(self.handle).decode(), stamp_s, body)
        holds = self.c.sender_signature(self.handle).decode() == signed["webhook-signature"]
        assert holds
        date = formatdate((UTC + self.now_ms) // 1000, usegmt=True)
        status, text = 0, ""
        if who in {"ingest", "unheard"}:
            status, text = self.server.answer(stamp_s, holds, json.loads(body), UTC + self.now_ms)
        if who == "unheard":
            status, text, date = 0, "", ""
        elif who == "portal":
            status, text, date = self.throws.choice([200, 302, 401]), PORTAL, "Sat, 01 Jan 2000 00:00:00 GMT"
        elif who == "proxy":
            status, text = self.throws.choice([400, 413, 502, 429]), "<html>nginx</html>"
        elif who == "down":
            status, text = 503, error("store_unavailable")
        return AnswerEffect(self.c.sender_take(self.handle, status, text.encode(), date.encode(), b"", self.mono_ms))

    def drain(self) -> None:
        """Run without faults until the queue is empty."""
        for _ in range(2000):
            self.now_ms += 4_000_000  # the network's time is believed again after an hour
            self.set_from_network(0)
            outcome = self.exchange("ingest")
            if outcome == AnswerEffect.ACKNOWLEDGED and self.core.waiting() == 0:
                return
        raise AssertionError("a crossing waits for ever")


@pytest.mark.parametrize("first", range(0, 200, 25))
def test_no_crossing_is_lost_doubled_or_reordered_whatever_clock_and_network_do(first: int) -> None:
    """Every crossing arrives once, with its own seq and direction, and none is dropped."""
    for seed in range(first, first + 25):
        life = Life(seed, (0, 0, 400, -900, 40_000, -200_000, 3_600_000, -7_200_000, -(10**12)))
        life.live()
        assert (seed, life.core.dropped()) == (seed, 0)
        assert [direction for _, direction in life.arrived()] == [direction for _, direction in life.passed]


@pytest.mark.parametrize("first", range(0, 200, 25))
def test_under_a_clock_that_is_right_every_time_is_right_or_null(first: int) -> None:
    """Portals, proxies, power cuts and lost answers never change a time; NTP is off by less than a second."""
    for seed in range(first, first + 25):
        life = Life(seed, (0, 400, -900))
        life.live()
        assert len(life.arrived()) == len(life.passed)
        for (sent_ms, _), (real_ms, _) in zip(life.arrived(), life.passed, strict=True):
            assert sent_ms is None or abs(sent_ms - real_ms) <= 1500, seed
