"""The forwarder brings every row to InfluxDB exactly once, whatever fails."""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall.errors import StoreUnavailable
from footfall.store.forwarder_state import FILE_NAME as FORWARDER_STATE
from footfall.store.forwarder_state import ForwarderState, prunable_through, read_lag
from footfall.store.journal import FILE_NAME, Journal
from footfall.store.points import NS_PER_MS
from ingest.forwarder import MAX_RETRY_AFTER_S, MAX_RETRY_S
from tests.support.fake_influx import FakeInflux
from tests.support.forwarder_rig import ForwarderRig, registry_of
from tests.support.journals import MEMORY, START_MS
from tests.support.writer_contract import Held, WriterContract

DOWN = StoreUnavailable("InfluxDB at http://influx: Connection refused", hint="start InfluxDB")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ForwarderRig]:
    with closing(ForwarderRig(tmp_path)) as opened:
        yield opened


class TestFakeInflux(WriterContract):
    """The contract, over the InfluxDB in memory that these tests use."""

    @pytest.fixture
    def writer(self) -> FakeInflux:
        influx = FakeInflux()
        influx.refuses = lambda point: point.fields["entries"] == "many"
        return influx

    @pytest.fixture
    def held(self, writer: FakeInflux) -> Held:
        return lambda name: {(dict(tags)["counter"], at): fields for (_, tags, at), fields in writer.of(name).items()}


def test_everything_is_written_in_requests_of_limited_size(rig: ForwarderRig) -> None:
    rig.entries(0, 12)
    rig.work()
    assert rig.seqs() == list(range(12))
    assert sum(int(fields["covered_ms"]) for fields in rig.influx.of("spans").values()) == 12_000
    assert len(rig.influx.of("status")) == 12
    assert max(map(len, rig.influx.requests)) == 5
    assert rig.waiting() == 0


def test_idle_forwarder_writes_nothing(rig: ForwarderRig) -> None:
    rig.entries(0, 3)
    rig.work()
    number = len(rig.influx.requests)
    rig.work()
    assert len(rig.influx.requests) == number


def test_restarted_forwarder_continues_at_its_cursor(rig: ForwarderRig) -> None:
    rig.entries(0, 10)
    rig.forwarder.step()
    rig.start()
    rig.work()
    assert rig.seqs() == list(range(10))
    crossings = [point for request in rig.influx.requests for point in request if point.measurement == "crossings"]
    assert len(crossings) == 10


def test_request_whose_answer_was_lost_is_retried_and_adds_nothing(rig: ForwarderRig) -> None:
    rig.entries(0, 4)
    rig.work()
    rig.influx.trouble, rig.influx.loses_answers = DOWN, True
    rig.entries(4, 8)
    rig.work()
    assert rig.seqs() == list(range(8))
    assert rig.waiting() == 8
    rig.influx.trouble = None
    rig.later(61)
    rig.work()
    assert rig.seqs() == list(range(8))
    assert rig.waiting() == 0


def cause(rig: ForwarderRig, event: str, sent: int) -> int:
    """Cause *event*; return how many crossings have been sent so far."""
    if event == "send":
        rig.entries(sent, sent + 5)
        return sent + 5
    if event in ("down", "answers lost"):
        rig.influx.trouble, rig.influx.loses_answers = DOWN, event == "answers lost"
    elif event == "up":
        rig.influx.trouble = None
    elif event == "emptied":
        rig.influx.points.clear()
    elif event.startswith("move"):
        rig.registry = registry_of(event.split()[-1])
    elif event == "state lost":
        rig.start(state_is_lost=True)
    else:
        rig.start()
    return sent


EVENTS = [
    "send",
    "send",
    "down",
    "answers lost",
    "up",
    "killed",
    "state lost",
    "emptied",
    "move to annex",
    "move to alliance",
]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 4), st.sampled_from([0, 1, 61])), max_size=12),
    st.integers(1, 9),
)
def test_everything_arrives_once_whatever_fails(story: list[tuple[str, int, int]], max_points: int) -> None:
    memory = MEMORY if MEMORY.is_dir() else None
    with TemporaryDirectory(dir=memory) as folder, closing(ForwarderRig(Path(folder), max_points=max_points)) as rig:
        sent = 0
        for event, steps, seconds in story:
            sent = cause(rig, event, sent)
            for _ in range(steps):
                rig.forwarder.step()
            rig.later(seconds)
        rig.influx.trouble = None
        for _ in range(3):
            rig.later(61)
            rig.work()
        assert rig.seqs() == list(range(sent))
        assert sum(int(fields["covered_ms"]) for fields in rig.influx.of("spans").values()) == sent * 1000
        assert rig.waiting() == 0


def test_wait_between_retries_grows_to_a_minute(rig: ForwarderRig) -> None:
    rig.work()
    rig.later(61)
    rig.influx.trouble = DOWN
    waits = []
    for _ in range(12):
        assert not rig.forwarder.step()
        next_try = rig.state.progress().next_try_epoch_ms
        assert next_try is not None
        waits.append((next_try - rig.clock.now_ms) / 1000)
        rig.clock.now_ms = next_try + 1
    assert 0.4 <= waits[0] <= 1
    assert all(MAX_RETRY_S / 2 - 1 <= wait <= MAX_RETRY_S for wait in waits[7:])


@pytest.mark.parametrize(("asked_s", "kept_s"), [(90.0, 90.0), (86_400.0, MAX_RETRY_AFTER_S)])
def test_retry_after_is_obeyed_up_to_a_limit(rig: ForwarderRig, asked_s: float, kept_s: float) -> None:
    rig.influx.trouble = StoreUnavailable("InfluxDB answered 429", retry_after_s=asked_s, status=429)
    rig.work()
    rig.influx.trouble = None
    rig.entries(0, 1)
    rig.later(kept_s - 1)
    rig.work()
    assert rig.seqs() == []
    rig.later(2)
    rig.work()
    assert rig.seqs() == [0]


def test_slow_influxdb_gets_smaller_requests_until_it_is_fast_again(rig: ForwarderRig) -> None:
    """It stores the points but answers too late; the same request again would time out again."""
    rig.work()
    rig.influx.max_points_in_time = 2
    rig.entries(0, 40)
    for _ in range(200):
        rig.work()
        rig.later(61)
        if not rig.waiting():
            break
    assert rig.waiting() == 0
    assert rig.seqs() == list(range(40))
    rig.influx.max_points_in_time = 5000
    rig.entries(40, 80)
    rig.work()
    assert rig.seqs() == list(range(80))
    assert max(map(len, rig.influx.requests[-8:])) == 5


def test_clock_that_is_set_back_does_not_delay_the_next_retry(rig: ForwarderRig) -> None:
    rig.influx.trouble = DOWN
    rig.work()
    rig.influx.trouble = None
    rig.entries(0, 1)
    rig.later(-86_400)
    rig.work()
    assert rig.seqs() == [0]


def test_outage_is_logged_once_and_so_is_its_end(rig: ForwarderRig, caplog: pytest.LogCaptureFixture) -> None:
    rig.work()
    rig.later(61)
    caplog.set_level(logging.INFO)
    rig.influx.trouble = DOWN
    for _ in range(8):
        rig.forwarder.step()
        rig.later(61)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    rig.influx.trouble = None
    rig.work()
    assert [record.message for record in caplog.records[1:]] == ["InfluxDB accepts points again"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_denied_access_is_logged_as_an_error_and_quarantines_nothing(
    rig: ForwarderRig, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    rig.influx.trouble = StoreUnavailable(f"InfluxDB answered {status}", hint="correct the token", status=status)
    rig.entries(0, 3)
    rig.work()
    assert caplog.records[0].levelname == "ERROR"
    assert "correct the token" in caplog.records[0].message
    lag = read_lag(rig.path, rig.clock.now_ms)
    assert (lag.waiting, lag.quarantined, lag.progress.hint) == (6, 0, "correct the token")


def test_influxdb_that_lost_its_data_gets_everything_again(rig: ForwarderRig) -> None:
    rig.entries(0, 7)
    rig.work()
    rig.later(61)
    rig.work()
    before = {name for name in rig.influx.points if name[0] not in ("forwarder", "sites")}
    rig.influx.points.clear()
    rig.later(61)
    rig.work()
    assert {name for name in rig.influx.points if name[0] not in ("forwarder", "sites")} == before


def test_data_lost_between_the_check_and_the_write_is_noticed(rig: ForwarderRig) -> None:
    """An operator creates the bucket again just after a check found none: the new canary must not hide the loss."""
    rig.entries(0, 7)
    rig.work()
    rig.later(61)
    rig.influx.points.clear()
    answers: list[bool | None] = [None]
    rig.has_point = lambda point: answers.pop() if answers else rig.influx.has_point(point)
    rig.start()
    rig.work()
    assert not answers
    assert rig.seqs() == list(range(7))


@pytest.mark.parametrize("answer", [None, False])
def test_canary_that_was_never_seen_proves_no_loss(tmp_path: Path, answer: bool | None) -> None:
    """Otherwise a token without read permission would cause a resend every minute."""
    with closing(ForwarderRig(tmp_path)) as rig:
        rig.has_point = lambda _: answer
        rig.start()
        rig.entries(0, 4)
        for _ in range(5):
            rig.work()
            rig.later(61)
        crossings = [point for request in rig.influx.requests for point in request if point.measurement == "crossings"]
        assert len(crossings) == 4


def test_operator_can_request_a_resend(rig: ForwarderRig) -> None:
    rig.entries(0, 4)
    rig.work()
    with closing(ForwarderState(rig.folder / FORWARDER_STATE)) as other:
        other.request_resend()
    rig.work()
    crossings = [point for request in rig.influx.requests for point in request if point.measurement == "crossings"]
    assert len(crossings) == 8
    assert rig.seqs() == list(range(4))
    assert not rig.state.progress().resend_requested


def test_lost_state_resends_trimmed_rows_too(rig: ForwarderRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """InfluxDB may be lost with the state. If it is not, pieces of spans overlap."""
    monkeypatch.setattr("footfall.store.outbox.MAX_SENT_ROWS", 3)
    rig.entries(0, 9)
    rig.work()
    rig.later(61)
    rig.influx.points.clear()
    rig.start(state_is_lost=True)
    rig.work()
    assert sum(int(fields["covered_ms"]) for fields in rig.influx.of("spans").values()) == 9000
    assert rig.seqs() == list(range(9))


def test_restored_journal_is_noticed_though_it_has_grown_past_the_cursor(tmp_path: Path) -> None:
    """Otherwise the rows that reuse the ids of the lost ones would never be sent."""
    with closing(ForwarderRig(tmp_path)) as rig:
        rig.entries(0, 5)
        backup = tmp_path / "backup"
        rig.journal._connection.execute("VACUUM INTO ?", (str(backup),))
        rig.entries(5, 10)
        rig.work()
        rig.close()
        for path in tmp_path.glob(FILE_NAME + "*"):
            path.unlink()
        backup.rename(rig.path)
        rig.journal = Journal(rig.path)
        rig.entries(20, 40)
        rig.start()
        rig.work()
        assert rig.seqs() == [*range(10), *range(20, 40)]


def test_counter_that_moved_while_influxdb_was_down_counted_at_both_sites(rig: ForwarderRig) -> None:
    """Even if it was first heard of during the outage: crossings before the move stay at the old site."""
    rig.influx.trouble = DOWN
    rig.work()
    rig.entries(0, 4)
    rig.registry = registry_of("annex")
    rig.work()
    rig.entries(4, 6)
    rig.later(120)
    rig.influx.trouble = None
    rig.work()
    sites = {time_ns % NS_PER_MS: dict(tags)["site"] for _, tags, time_ns in rig.influx.of("crossings")}
    assert sites == {seq: "alliance" if seq < 4 else "annex" for seq in range(6)}


def test_points_of_sites_and_forwarder_are_written_every_minute(rig: ForwarderRig) -> None:
    rig.entries(0, 2)
    rig.work()
    rig.later(61)
    rig.work()
    reports = sorted(rig.influx.of("forwarder").items(), key=lambda one: one[0][2])
    assert [fields for _, fields in reports] == [
        {"waiting": 4, "lag_s": 0, "quarantined": 0},
        {"waiting": 0, "lag_s": 0, "quarantined": 0},
    ]
    (site,) = [fields for (_, tags, at), fields in rig.influx.of("sites").items()
               if tags == (("site", "annex"),) and at == START_MS * NS_PER_MS]  # fmt: skip
    assert (site["name"], site["time_zone"], site["capacity"], site["opens_min"]) == (
        "Alliance",
        "Europe/Paris",
        120,
        480,
    )


def test_lag_is_the_age_of_the_oldest_waiting_batch(rig: ForwarderRig) -> None:
    rig.influx.trouble = DOWN
    rig.entries(0, 2)
    rig.later(90)
    rig.entries(2, 3)
    rig.work()
    lag = read_lag(rig.path, rig.clock.now_ms)
    assert (lag.waiting, lag.lag_s) == (6, 90)
    assert lag.progress.error == DOWN.message
    assert lag.progress.failing_epoch_ms == rig.clock.now_ms


def test_state_that_is_being_created_means_no_progress(rig: ForwarderRig) -> None:
    rig.entries(0, 2)
    rig.state.close()
    for path in rig.folder.glob(FORWARDER_STATE + "*"):
        path.unlink()
    (rig.folder / FORWARDER_STATE).touch()
    lag = read_lag(rig.path, rig.clock.now_ms)
    assert (lag.waiting, lag.quarantined, lag.progress.written) == (4, 0, 0)
    assert prunable_through(rig.path) == 0


def test_crossings_may_be_pruned_up_to_the_one_before_the_cursor(rig: ForwarderRig) -> None:
    assert prunable_through(rig.path) == 0
    rig.entries(0, 7)
    rig.work()
    assert prunable_through(rig.path) == 6


def test_error_of_an_earlier_process_is_cleared_by_the_first_success(rig: ForwarderRig) -> None:
    rig.influx.trouble = DOWN
    rig.work()
    assert rig.state.progress().error
    rig.influx.trouble = None
    rig.start()
    rig.work()
    progress = rig.state.progress()
    assert (progress.error, progress.failing_epoch_ms, progress.next_try_epoch_ms) == ("", None, None)


def lock(path: Path) -> Callable[[], None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other.close


def test_locked_journal_is_retried(rig: ForwarderRig) -> None:
    """The site of a counter must be recorded before its rows are sent."""
    rig.outbox._connection.execute("PRAGMA busy_timeout = 0")
    rig.entries(0, 3)
    unlock = lock(rig.path)
    rig.work()
    assert rig.seqs() == []
    assert "locked" in rig.state.progress().error
    unlock()
    rig.later(61)
    rig.work()
    assert rig.seqs() == [0, 1, 2]
