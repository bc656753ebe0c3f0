"""What a counter may claim: a span holds only crossings that were sent, whatever is lost, refused or late."""

from hypothesis import given
from hypothesis import strategies as st

from footfall.model import Span
from simulator.backlog import Backlog, Entry
from simulator.people import Crossing

END = 60
moments = st.lists(st.integers(0, END - 1), max_size=40).map(sorted)
fates = st.sampled_from(["kept", "kept in part", "refused", "cut"])


def backlog_of(times: list[int], limit: int) -> Backlog:
    return Backlog([Crossing("ALLI1", time, 1) for time in times], Span(0, END), limit=limit)


@given(moments, st.integers(1, 4), st.lists(st.tuples(st.integers(0, 20), fates), max_size=60))
def test_a_claimed_span_holds_only_crossings_that_were_kept(
    times: list[int], limit: int, steps: list[tuple[int, str]]
) -> None:
    """Also where many crossings share an instant, batches are short, and ingest refuses some: then there is a gap."""
    backlog = backlog_of(times, limit)
    kept: set[Entry] = set()
    claimed: list[Span] = []
    now = 0
    for wait, fate in [*steps, *[(END, "kept")] * (len(times) + 1)]:
        now += wait
        portion = backlog.portion(now)
        assert len(portion.crossings) <= limit
        assert portion.span.from_epoch_ms <= portion.span.to_epoch_ms <= now
        if fate == "refused":
            backlog.refuse(portion)
        elif fate != "cut":
            through = portion.through if fate == "kept" else portion.through - 1
            kept.update(crossing for crossing in portion.crossings if crossing[0] <= through)
            if backlog.acknowledge(portion, through):
                claimed.append(portion.span)
    assert backlog.is_finished
    assert len(kept) + backlog.dropped == backlog.seen == len(times)
    for start, end in claimed:
        inside = {seq for seq, time in enumerate(times, start=1) if start <= time < end}
        assert inside <= {seq for seq, _, _ in kept}


def test_a_portion_that_leaves_crossings_behind_ends_where_the_first_of_them_is() -> None:
    backlog = backlog_of([5, 10, 10, 10, 20], limit=2)
    assert backlog.portion(30) == (Span(0, 10), ((1, 5, 1), (2, 10, 1)))


def test_crossings_of_the_instant_a_span_ends_wait_for_the_next() -> None:
    """Another one may still happen in that very millisecond."""
    backlog = backlog_of([5, 10], limit=9)
    assert backlog.portion(10) == (Span(0, 10), ((1, 5, 1),))


def test_more_crossings_in_an_instant_than_a_batch_holds_are_sent_in_empty_spans() -> None:
    backlog = backlog_of([10] * 5, limit=2)
    spans = []
    while not backlog.is_finished:
        portion = backlog.portion(END)
        spans.append(portion.span)
        assert backlog.acknowledge(portion, portion.through)
    assert spans == [(0, 10), (10, 10), (10, END)]


def test_a_refused_portion_leaves_a_gap_and_is_counted() -> None:
    backlog = backlog_of([5, 10, 10], limit=2)
    backlog.refuse(backlog.portion(30))
    assert (backlog.dropped, len(backlog)) == (2, 1)
    assert backlog.portion(30).span == (11, 30)


def test_an_acknowledgement_never_reaches_beyond_what_was_sent() -> None:
    backlog = backlog_of([5, 10, 20], limit=2)
    assert backlog.acknowledge(backlog.portion(30), 1000)
    assert len(backlog) == 1
    assert backlog.oldest_epoch_ms() == 20
