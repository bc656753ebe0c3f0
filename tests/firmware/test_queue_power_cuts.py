"""Power cuts at every byte: a promised crossing arrives once, and no span covers a missing one."""

from collections.abc import Callable

import pytest

from tests.support.counter_core import Batch, Core, Opening

UTC = 1_777_874_400_000
BOOT_MS = 1_000_000
"""The time of the second boot, relative to the first."""


class Story:
    """A day of a small queue, which a power cut may end anywhere."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.kept: list[int] = []  # times of crossings that append() promised to keep
        self.passed: list[int] = []  # times of all
        self.batches: list[Batch] = []  # acknowledged or not, the server has them

    def run(self) -> None:
        """Forty people pass, with syncs, acknowledgements, a pause and signs of life in between."""
        for k in range(40):
            t_ms = 1000 * (k + 1)
            self.passed.append(t_ms)
            if self.core.append(1, t_ms):
                self.kept.append(t_ms)
            if not self.core.has_power():
                return
            if k == 3:
                self.core.offset(UTC, True)
            if k % 6 == 5:
                self.send(t_ms + 1, limit=4)
            if k == 20:
                self.core.pause(t_ms + 2)
                self.core.resume(t_ms + 500)

    def send(self, settled_ms: int, limit: int = 100) -> bool:
        """Send one batch and return whether there is more to send."""
        batch = self.core.batch(settled_ms, limit)
        if batch is None:
            return False
        self.core.freeze()
        self.batches.append(batch)
        self.core.acknowledge(batch.crossings[-1][0] if batch.crossings else 0)
        return not batch.live

    def end(self) -> None:
        """Restore the power, send everything, and compare the server's crossings with the real ones."""
        assert self.core.boot(0) in {Opening.KEPT, Opening.FORMATTED}
        self.core.offset(UTC + BOOT_MS, True)
        while self.send(5000):
            pass
        named: dict[tuple[str, int], int | None] = {}
        for batch in self.batches:
            for seq, time_ms, _ in batch.crossings:
                assert named.setdefault((batch.stream, seq), time_ms) in {time_ms, None}
        arrived = sorted(time_ms - UTC for time_ms in named.values() if time_ms is not None)
        undated = sum(time_ms is None for time_ms in named.values())
        assert len(arrived) == len(set(arrived))
        assert set(arrived) <= set(self.passed)
        missing = set(self.kept) - set(arrived)
        assert len(missing) <= undated
        assert max(missing, default=0) <= 4000  # only those before the first sync can be undated
        for start, stop in (batch.span for batch in self.batches):
            assert all(t_ms in arrived for t_ms in self.passed if start <= UTC + t_ms < stop)
        assert not self.core.misused()


def cost_of(story: Callable[[Core], object]) -> int:
    core = Core(sectors=6)
    story(core)
    return int(core.programmed() + core.erased() * 8)


def test_a_power_cut_at_any_byte_loses_no_promised_crossing() -> None:
    total = cost_of(lambda core: Story(core).run())
    assert total > 1500
    for cost in range(total + 1):
        core = Core(sectors=6, seed=cost)
        story = Story(core)
        core.fail_after(cost)
        story.run()
        story.end()


@pytest.mark.parametrize("first", [100, 700, 1300])
def test_a_second_power_cut_during_recovery_loses_nothing_either(first: int) -> None:
    for second in range(200):
        core = Core(sectors=6, seed=second)
        story = Story(core)
        core.fail_after(first)
        story.run()
        core.fail_after(second)
        core.open(0)
        core.offset(UTC + BOOT_MS // 2, True)
        story.send(10)
        core.append(1, 20)  # the power fails here: this crossing may or may not be there
        story.passed.append(BOOT_MS // 2 + 20)
        story.end()


def test_a_power_cut_while_formatting_leaves_a_queue_that_opens() -> None:
    for cost in range(150):
        core = Core(sectors=6, seed=cost)
        core.offset(UTC, True)
        for k in range(20):
            core.append(1, 1000 * k)
        before = core.batch(30_000)
        assert before is not None
        core.fail_after(cost)
        core.format(30_000)
        assert core.boot(0) != Opening.FAILED
        core.offset(UTC + BOOT_MS, True)
        core.append(1, 77)
        seen: dict[tuple[str, int], int | None] = {(before.stream, seq): t_ms for seq, t_ms, _ in before.crossings}
        for batch in core.drain(1000):
            for seq, time_ms, _ in batch.crossings:
                assert seen.setdefault((batch.stream, seq), time_ms) == time_ms
