"""A counter's span claims only crossings that ingest has, whatever is lost, refused or late."""

from hypothesis import given
from hypothesis import strategies as st

from footfall.model import Span
from simulator.backlog import Backlog, WireCrossing
from simulator.people import Crossing

END = 60
moments = st.lists(st.integers(0, END - 1), max_size=40).map(sorted)
fates = st.sampled_from(["kept", "kept in part", "refused", "lost"])


def backlog_of(times: list[int], limit: int) -> Backlog:
    return Backlog([Crossing("ALLI1", time, 1) for time in times], Span(0, END), limit=limit)


@given(moments, st.integers(1, 4), st.lists(st.tuples(st.integers(0, 20), fates), max_size=60))
def test_claimed_span_holds_only_crossings_that_were_kept(
    times: list[int], limit: int, steps: list[tuple[int, str]]
) -> None:
    """Even if crossings share an instant, batches are small and ingest refuses some: those leave a gap."""
    backlog = backlog_of(times, limit)
    kept: set[WireCrossing] = set()
    claimed: list[Span] = []
    now = 0
    for wait, fate in [*steps, *[(END, "kept")] * (len(times) + 1)]:
        now += wait
        batch = backlog.next_batch(now)
        assert len(batch.crossings) <= limit
        assert batch.span.from_epoch_ms <= batch.span.to_epoch_ms <= now
        if fate == "refused":
            backlog.refuse(batch)
        elif fate != "lost":
            through = batch.through if fate == "kept" else batch.through - 1
            kept.update(crossing for crossing in batch.crossings if crossing[0] <= through)
            if backlog.acknowledge(batch, through):
                claimed.append(batch.span)
    assert backlog.is_finished
    assert len(kept) + backlog.dropped == backlog.seen == len(times)
    for start, end in claimed:
        inside = {seq for seq, time in enumerate(times, start=1) if start <= time < end}
        assert inside <= {seq for seq, _, _ in kept}


def test_full_batch_claims_time_up_to_the_first_crossing_left_behind() -> None:
    backlog = backlog_of([5, 10, 10, 10, 20], limit=2)
    assert backlog.next_batch(30) == (Span(0, 10), ((1, 5, 1), (2, 10, 1)))


def test_crossing_at_the_end_of_a_span_belongs_to_the_next() -> None:
    """Another crossing may still happen in the same millisecond."""
    backlog = backlog_of([5, 10], limit=9)
    assert backlog.next_batch(10) == (Span(0, 10), ((1, 5, 1),))


def test_more_crossings_at_one_instant_than_a_batch_holds_are_sent_with_empty_spans() -> None:
    backlog = backlog_of([10] * 5, limit=2)
    spans = []
    while not backlog.is_finished:
        batch = backlog.next_batch(END)
        spans.append(batch.span)
        assert backlog.acknowledge(batch, batch.through)
    assert spans == [(0, 10), (10, 10), (10, END)]


def test_refused_batch_leaves_a_gap_and_is_counted() -> None:
    backlog = backlog_of([5, 10, 10], limit=2)
    backlog.refuse(backlog.next_batch(30))
    assert (backlog.dropped, len(backlog)) == (2, 1)
    assert backlog.next_batch(30).span == (11, 30)


def test_acknowledgement_covers_only_the_batch_that_was_sent() -> None:
    backlog = backlog_of([5, 10, 20], limit=2)
    assert backlog.acknowledge(backlog.next_batch(30), 1000)
    assert len(backlog) == 1
    assert backlog.oldest_epoch_ms() == 20
