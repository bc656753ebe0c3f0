"""Spans never cover refused crossings or time in which nobody was counted."""

from tests.support.counter_core import Core

UTC = 1_777_874_400_000


def full_queue() -> tuple[Core, int]:
    """Return a full queue and the time of its first refused crossing."""
    core = Core()
    core.offset(UTC, True)
    t_ms = 1000
    while core.append(1, t_ms):
        t_ms += 1000
    return core, t_ms


def test_no_span_covers_a_refused_crossing_that_is_later_than_what_is_settled() -> None:
    """At a busy door the settled time lags by up to a minute; crossings after it were refused too."""
    core, first_ms = full_queue()
    late_ms = first_ms + 50_000
    assert not core.append(1, late_ms)
    core.drain(first_ms - 1)
    core.alive(first_ms + 1000)
    spans = [batch.span for batch in core.drain(late_ms + 5000)]
    assert spans
    assert not any(start <= UTC + t_ms < stop for start, stop in spans for t_ms in (first_ms, late_ms))


def test_crossing_decided_late_during_a_pause_extends_no_span() -> None:
    core = Core()
    core.offset(UTC, True)
    core.pause(10_000)
    core.append(1, 15_000)
    core.resume(20_000)
    batches = core.drain(30_000)
    assert [crossing for batch in batches for crossing in batch.crossings] == [(1, UTC + 15_000, 1)]
    assert [(start - UTC, stop - UTC) for start, stop in (batch.span for batch in batches)] == [
        (0, 10_000), (15_000, 15_001), (20_000, 30_000),
    ]  # fmt: skip


def test_span_before_a_break_reaches_to_the_break_even_during_an_outage() -> None:
    """With two breaks during an outage, the time between them is not a gap."""
    core = Core(sectors=16)
    core.offset(UTC, True)
    for start_ms in (100_000, 300_000):
        core.pause(start_ms)
        core.resume(start_ms + 50_000)
    spans = [(start - UTC, stop - UTC) for start, stop in (batch.span for batch in core.drain(400_000))]
    assert spans == [(0, 100_000), (150_000, 300_000), (350_000, 400_000)]
