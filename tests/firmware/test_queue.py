"""The queue keeps crossings and knows which spans they allow (firmware/lib/footfall/queue/crossing_queue.h)."""

from itertools import pairwise

import pytest

from tests.support.counter_core import Core, Opening

UTC = 1_777_874_400_000


def sent(core: Core, settled_ms: int, limit: int = 100) -> list[tuple[int, int | None, int]]:
    return [crossing for batch in core.drain(settled_ms, limit) for crossing in batch.crossings]


def generation_of(header: bytes) -> int:
    """Return the generation in a sector's header (record.h), or -1 if the header is invalid."""
    return int.from_bytes(header[4:], "little") if header.startswith(b"FFq1") else -1


def test_crossings_come_out_in_order_with_their_time() -> None:
    core = Core()
    core.offset(UTC, True)
    assert core.append(1, 1000)
    assert core.append(-1, 1500)
    [batch] = core.drain(60_000)
    assert batch.crossings == [(1, UTC + 1000, 1), (2, UTC + 1500, -1)]
    assert batch.span == (UTC, UTC + 60_000)
    assert batch.live


def test_acknowledged_crossings_are_removed_and_the_next_span_starts_where_the_last_ended() -> None:
    core = Core()
    core.offset(UTC, True)
    core.append(1, 1000)
    core.drain(60_000)
    assert core.waiting() == 0
    [batch] = core.drain(120_000)
    assert batch.crossings == []
    assert batch.span == (UTC + 60_000, UTC + 120_000)


def test_partial_acknowledgement_keeps_the_rest_and_covers_nothing() -> None:
    """The queue removes every crossing with seq <= through; the span is covered only if that is all of them."""
    core = Core()
    core.offset(UTC, True)
    for k in range(4):
        core.append(1, 1000 + k)
    core.batch(5000)
    assert not core.acknowledge(2)
    batch = core.batch(6000)
    assert batch is not None
    assert [seq for seq, _, _ in batch.crossings] == [3, 4]
    assert batch.span == (UTC, UTC + 6000)


def test_span_ends_at_the_first_crossing_left_behind() -> None:
    """The queue never claims a span for crossings that are not sent yet."""
    core = Core()
    core.offset(UTC, True)
    for k in range(3):
        core.append(1, 1000 * (k + 1))
    first, second = core.drain(10_000, limit=2)
    assert (first.span, first.live) == ((UTC, UTC + 3000), False)
    assert (second.span, second.live) == ((UTC + 3000, UTC + 10_000), True)


def test_crossings_before_the_first_sync_get_their_time_from_it() -> None:
    core = Core()
    core.append(1, 1000)
    core.append(-1, 2000)
    assert core.batch(3000) is None  # the time is not known: nothing is said
    core.offset(UTC, True)
    assert sent(core, 3000) == [(1, UTC + 1000, 1), (2, UTC + 2000, -1)]


def test_crossings_dated_by_a_sync_keep_their_time_over_a_reboot() -> None:
    core = Core()
    core.append(1, 1000)
    core.offset(UTC, True)
    assert core.boot(0) == Opening.KEPT
    core.offset(UTC + 500_000, True)
    assert sent(core, 3000)[0] == (1, UTC + 1000, 1)


def test_without_a_sync_before_the_reboot_the_time_is_null_and_nothing_is_claimed() -> None:
    core = Core()
    core.append(1, 1000)
    core.boot(0)
    core.offset(UTC, True)
    lost_in_time, live = core.drain(3000)
    assert lost_in_time.crossings == [(1, None, 1)]
    assert lost_in_time.span[0] == lost_in_time.span[1]
    assert live.span == (UTC, UTC + 3000)


def test_a_reboot_is_a_gap_between_two_spans() -> None:
    """A backlog from before and after a reboot is several batches, each with one span."""
    core = Core()
    core.offset(UTC, True)
    core.append(1, 1000)
    core.boot(0)
    core.offset(UTC + 60_000, True)
    core.append(-1, 500)
    before, after = core.drain(2000)
    assert (before.span, before.crossings) == ((UTC, UTC + 1001), [(1, UTC + 1000, 1)])
    assert (after.span, after.crossings) == ((UTC + 60_000, UTC + 62_000), [(2, UTC + 60_500, -1)])


def test_signs_of_life_keep_the_span_of_quiet_hours_over_a_power_cut() -> None:
    core = Core(sectors=16)
    core.offset(UTC, True)
    for minute in range(180):
        core.alive(minute * 60_000)
    core.boot(0)
    core.offset(UTC + 10**8, True)
    before = core.drain(1000)[0]
    assert before.span[0] == UTC
    assert 169 * 60_000 <= before.span[1] - UTC <= 180 * 60_000


def test_a_step_redates_crossings_that_were_not_sent() -> None:
    core = Core()
    core.offset(UTC + 3_600_000, True)
    core.append(1, 1000)
    core.append(1, 2000)
    core.batch(3000, 1)
    core.freeze()  # the first was sent and may be stored: it keeps its time
    core.offset(UTC, True)
    assert [time_ms for _, time_ms, _ in sent(core, 3000)] == [UTC + 3_601_000, UTC + 2000]


def test_steps_of_the_clock_never_reorder_or_merge_crossings_sent_after_them() -> None:
    """A small correction backwards holds times; every crossing stays separate."""
    core = Core()
    core.offset(UTC, True)
    core.append(1, 1000)
    sent(core, 1500)
    core.offset(UTC - 2000, False)
    core.append(1, 1600)
    core.append(-1, 1700)
    core.append(-1, 9000)
    resent = sent(core, 9500)
    assert [seq for seq, _, _ in resent] == [2, 3, 4]
    assert [time_ms for _, time_ms, _ in resent] == [UTC + 1000, UTC + 1000, UTC + 7000]


@pytest.mark.parametrize("by_ms", [-4000, -300, 0, 300, 4000])
def test_small_corrections_leave_no_seam_between_spans(by_ms: int) -> None:
    core = Core()
    core.offset(UTC, True)
    first = core.drain(60_000)[0]
    core.offset(UTC + by_ms, False)
    second = core.drain(120_000)[0]
    assert second.span == (first.span[1], UTC + by_ms + 120_000)


@pytest.mark.parametrize("by_ms", [-3_600_000, 3_600_000])
def test_after_a_step_no_span_covers_what_was_sent_under_the_wrong_time(by_ms: int) -> None:
    """An hour that was sent as another hour is not claimed again as empty."""
    core = Core()
    core.offset(UTC, True)
    core.drain(60_000)
    core.offset(UTC + by_ms, True)
    assert core.drain(120_000)[0].span == (UTC + by_ms + 60_000, UTC + by_ms + 120_000)


def test_full_queue_keeps_the_oldest_counts_the_refused_and_claims_nothing_for_them() -> None:
    """A full queue keeps the oldest crossings, uses up the seqs of refused ones, and claims no span for that time."""
    core = Core()
    core.offset(UTC, True)
    t_ms, kept = 0, 0
    while core.append(1, t_ms := t_ms + 1000):
        kept += 1
    for _ in range(9):
        t_ms += 1000
        assert not core.append(1, t_ms)
    assert (core.dropped(), core.waiting()) == (10, kept)
    full_ms = (kept + 1) * 1000
    batches = core.drain(t_ms + 5000)
    assert sum(len(batch.crossings) for batch in batches) == kept
    assert max(batch.span[1] for batch in batches) <= UTC + full_ms
    t_ms += 10_000
    assert core.append(-1, t_ms)
    after = core.drain(t_ms + 1000)
    assert after[-1].crossings == [(kept + 11, UTC + t_ms, -1)]  # the jump tells of the loss
    assert after[-1].span[0] >= UTC + t_ms
    core.boot(0)
    assert core.next_seq() == kept + 12
    assert core.dropped() == 10


def test_a_board_holds_ten_thousand_crossings() -> None:
    core = Core(sectors=128, sector_bytes=4096)
    core.offset(UTC, True)
    for k in range(10_000):
        assert core.append(1, 1000 * k)
    core.boot(0)
    assert core.waiting() == 10_000


def test_wear_of_a_year_at_ten_thousand_a_day_is_a_few_hundred_erases_a_sector() -> None:
    """A crossing takes 24 bytes and an acknowledgement 24; NOR flash is rated for 100,000 erases per sector."""
    core = Core(sectors=128, sector_bytes=4096)
    core.offset(UTC, True)
    for k in range(10_000):
        core.append(1, 1000 * k)
        core.drain(1000 * k + 1)  # the worst case: each crossing acknowledged by itself
    a_day = core.erased() / 128
    assert 0.5 < a_day < 1.5
    assert not core.misused()


def test_paused_time_is_not_claimed() -> None:
    """Nobody is counted while a beam is blocked, so no span covers that time."""
    core = Core()
    core.offset(UTC, True)
    core.pause(10_000)
    assert core.drain(20_000)[0].span == (UTC, UTC + 10_000)
    assert core.drain(30_000)[0].span == (UTC + 10_000, UTC + 10_000)
    core.resume(40_000)
    assert core.drain(50_000)[0].span == (UTC + 40_000, UTC + 50_000)


def test_dropped_crossings_are_counted_and_their_span_is_not_claimed() -> None:
    core = Core()
    core.offset(UTC, True)
    core.append(1, 1000)
    core.batch(5000)
    core.drop()
    assert (core.waiting(), core.dropped()) == (0, 1)
    assert core.drain(9000)[0].span == (UTC + 5000, UTC + 9000)
    core.boot(0)
    assert core.dropped() == 1


def test_format_begins_a_new_stream_and_an_old_answer_changes_nothing() -> None:
    core = Core()
    core.offset(UTC, True)
    core.append(1, 1000)
    old = core.batch(2000)
    assert core.format(2000)
    core.append(-1, 3000)
    assert not core.acknowledge(1)
    [new] = core.drain(4000)
    assert old is not None
    assert new.stream != old.stream
    assert new.crossings == [(1, UTC + 3000, -1)]
    assert new.span == (UTC + 2000, UTC + 4000)


def test_stream_and_seqs_go_on_over_many_boots() -> None:
    core = Core()
    streams, seqs = set(), []
    for boot in range(40):
        core.boot(0)
        core.offset(UTC + boot * 10_000, True)
        core.append(1, 100)
        for batch in core.drain(5000):
            streams.add(batch.stream)
            seqs += [seq for seq, _, _ in batch.crossings]
    assert len(streams) == 1
    assert seqs == list(range(1, 41))


def test_destroyed_newest_sector_begins_a_new_stream_and_keeps_the_rest() -> None:
    """The stream changes only when the queue was formatted, or when its newest part was destroyed."""
    core = Core(sector_bytes=256)
    core.offset(UTC, True)
    for k in range(12):
        core.append(1, 1000 * (k + 1))
    old = core.batch(20_000)
    assert old is not None
    flash = core.flash_view()
    newest = max(range(8), key=lambda sector: generation_of(bytes(flash[sector * 256 : sector * 256 + 8])))
    for k in range(256):
        flash[newest * 256 + k] = 0xFF
    assert core.boot(0) == Opening.TORN
    core.offset(UTC + 10**6, True)
    core.append(-1, 500)
    batches = core.drain(1000)
    survivors = [crossing for batch in batches if batch.stream == old.stream for crossing in batch.crossings]
    assert survivors == old.crossings[: len(survivors)]
    assert survivors
    assert batches[-1].stream != old.stream
    assert batches[-1].crossings == [(1, UTC + 10**6 + 500, -1)]


def test_a_device_that_fails_keeps_nothing_and_says_so() -> None:
    core = Core()
    core.fail_after(0)
    assert not core.append(1, 1000)
    assert core.dropped() == 1


def test_spans_of_one_boot_tile_its_time() -> None:
    core = Core(sectors=16)
    core.offset(UTC, True)
    for k in range(60):
        core.append(1, 100 * (k + 1))
    spans = [batch.span for batch in core.drain(10_000, limit=7)]
    assert all(left[1] == right[0] for left, right in pairwise(spans))
    assert (spans[0][0], spans[-1][1]) == (UTC, UTC + 10_000)
