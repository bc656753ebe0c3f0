"""The forwarder brings every row to InfluxDB, whatever happens to either, and nothing twice."""

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
from footfall.store.forwarder_state import FILE_NAME as SHIPMENTS
from footfall.store.forwarder_state import ForwarderState, prunable_through, read_lag
from footfall.store.journal import FILE_NAME, Journal
from footfall.store.points import NS_PER_MS
from ingest.forwarder import LONGEST_ASKED_S, LONGEST_WAIT_S
from tests.support.fake_influx import FakeInflux
from tests.support.forwarder_desk import Desk, registry_of
from tests.support.journals import MEMORY, START_MS
from tests.support.writer_contract import Held, WriterContract

DOWN = StoreUnavailable("InfluxDB at http://influx: Connection refused", hint="start InfluxDB")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(Desk(tmp_path)) as opened:
        yield opened


class TestFakeInflux(WriterContract):
    """The contract, over the InfluxDB that these tests use."""

    @pytest.fixture
    def writer(self) -> FakeInflux:
        influx = FakeInflux()
        influx.refuses = lambda point: point.fields["entries"] == "many"
        return influx

    @pytest.fixture
    def held(self, writer: FakeInflux) -> Held:
        return lambda name: {(dict(tags)["counter"], at): fields for (_, tags, at), fields in writer.of(name).items()}


def test_everything_is_written_in_requests_of_the_size(desk: Desk) -> None:
    desk.entries(0, 12)
    desk.work()
    assert desk.seqs() == list(range(12))
    assert sum(int(fields["covered_ms"]) for fields in desk.influx.of("spans").values()) == 12_000
    assert len(desk.influx.of("status")) == 12
    assert max(map(len, desk.influx.requests)) == 5
    assert desk.waiting() == 0


def test_nothing_is_written_again_while_nothing_comes(desk: Desk) -> None:
    desk.entries(0, 3)
    desk.work()
    number = len(desk.influx.requests)
    desk.work()
    assert len(desk.influx.requests) == number


def test_forwarder_started_anew_goes_on_where_it_was(desk: Desk) -> None:
    desk.entries(0, 10)
    desk.forwarder.step()
    desk.start()
    desk.work()
    assert desk.seqs() == list(range(10))
    again = [point for request in desk.influx.requests for point in request if point.measurement == "crossings"]
    assert len(again) == 10


def test_answer_that_was_lost_is_asked_for_again_and_adds_nothing(desk: Desk) -> None:
    desk.entries(0, 4)
    desk.work()
    desk.influx.trouble, desk.influx.loses_answers = DOWN, True
    desk.entries(4, 8)
    desk.work()
    assert desk.seqs() == list(range(8))
    assert desk.waiting() == 8
    desk.influx.trouble = None
    desk.later(61)
    desk.work()
    assert desk.seqs() == list(range(8))
    assert desk.waiting() == 0


def go_wrong(desk: Desk, what: str, sent: int) -> int:
    """Let *what* happen; return how many crossings have been sent by then."""
    if what == "send":
        desk.entries(sent, sent + 5)
        return sent + 5
    if what in ("down", "answers lost"):
        desk.influx.trouble, desk.influx.loses_answers = DOWN, what == "answers lost"
    elif what == "up":
        desk.influx.trouble = None
    elif what == "emptied":
        desk.influx.points.clear()
    elif what.startswith("move"):
        desk.registry = registry_of(what.split()[-1])
    elif what == "file lost":
        desk.start(anew=True)
    else:
        desk.start()
    return sent


WRONGS = [
    "send",
    "send",
    "down",
    "answers lost",
    "up",
    "killed",
    "file lost",
    "emptied",
    "move to annex",
    "move to alliance",
]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(WRONGS), st.integers(0, 4), st.sampled_from([0, 1, 61])), max_size=12),
    st.integers(1, 9),
)
def test_whatever_goes_wrong_all_is_there_once_in_the_end(story: list[tuple[str, int, int]], most_points: int) -> None:
    memory = MEMORY if MEMORY.is_dir() else None
    with TemporaryDirectory(dir=memory) as folder, closing(Desk(Path(folder), most_points=most_points)) as desk:
        sent = 0
        for what, steps, seconds in story:
            sent = go_wrong(desk, what, sent)
            for _ in range(steps):
                desk.forwarder.step()
            desk.later(seconds)
        desk.influx.trouble = None
        for _ in range(3):
            desk.later(61)
            desk.work()
        assert desk.seqs() == list(range(sent))
        assert sum(int(fields["covered_ms"]) for fields in desk.influx.of("spans").values()) == sent * 1000
        assert desk.waiting() == 0


def test_wait_between_tries_grows_to_a_minute_and_no_longer(desk: Desk) -> None:
    desk.work()
    desk.later(61)
    desk.influx.trouble = DOWN
    waits = []
    for _ in range(12):
        assert not desk.forwarder.step()
        next_try = desk.shipments.progress().next_try_epoch_ms
        assert next_try is not None
        waits.append((next_try - desk.clock.now_ms) / 1000)
        desk.clock.now_ms = next_try + 1
    assert 0.4 <= waits[0] <= 1
    assert all(LONGEST_WAIT_S / 2 - 1 <= wait <= LONGEST_WAIT_S for wait in waits[7:])


@pytest.mark.parametrize(("asked_s", "kept_s"), [(90.0, 90.0), (86_400.0, LONGEST_ASKED_S)])
def test_retry_after_is_kept_to_within_reason(desk: Desk, asked_s: float, kept_s: float) -> None:
    desk.influx.trouble = StoreUnavailable("InfluxDB answered 429", retry_after_s=asked_s, status=429)
    desk.work()
    desk.influx.trouble = None
    desk.entries(0, 1)
    desk.later(kept_s - 1)
    desk.work()
    assert desk.seqs() == []
    desk.later(2)
    desk.work()
    assert desk.seqs() == [0]


def test_influxdb_too_slow_for_a_whole_request_gets_smaller_ones_and_larger_ones_again(desk: Desk) -> None:
    """It keeps the points and answers too late: the same request for ever would bring nothing but load."""
    desk.work()
    desk.influx.most_in_time = 2
    desk.entries(0, 40)
    for _ in range(200):
        desk.work()
        desk.later(61)
        if not desk.waiting():
            break
    assert desk.waiting() == 0
    assert desk.seqs() == list(range(40))
    desk.influx.most_in_time = 5000
    desk.entries(40, 80)
    desk.work()
    assert desk.seqs() == list(range(80))
    assert max(map(len, desk.influx.requests[-8:])) == 5


def test_clock_that_is_set_back_does_not_hold_the_next_try_up(desk: Desk) -> None:
    desk.influx.trouble = DOWN
    desk.work()
    desk.influx.trouble = None
    desk.entries(0, 1)
    desk.later(-86_400)
    desk.work()
    assert desk.seqs() == [0]


def test_trouble_is_logged_once_and_its_end_too(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.work()
    desk.later(61)
    caplog.set_level(logging.INFO)
    desk.influx.trouble = DOWN
    for _ in range(8):
        desk.forwarder.step()
        desk.later(61)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    desk.influx.trouble = None
    desk.work()
    assert [record.message for record in caplog.records[1:]] == ["InfluxDB takes points again"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_refusal_of_us_is_an_error_for_a_person_and_never_of_the_points(
    desk: Desk, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    desk.influx.trouble = StoreUnavailable(f"InfluxDB answered {status}", hint="correct the token", status=status)
    desk.entries(0, 3)
    desk.work()
    assert caplog.records[0].levelname == "ERROR"
    assert "correct the token" in caplog.records[0].message
    lag = read_lag(desk.path, desk.clock.now_ms)
    assert (lag.waiting, lag.quarantined, lag.progress.hint) == (6, 0, "correct the token")


def test_influxdb_that_lost_everything_is_told_everything_again(desk: Desk) -> None:
    desk.entries(0, 7)
    desk.work()
    desk.later(61)
    desk.work()
    before = {name for name in desk.influx.points if name[0] not in ("forwarder", "sites")}
    desk.influx.points.clear()
    desk.later(61)
    desk.work()
    assert {name for name in desk.influx.points if name[0] not in ("forwarder", "sites")} == before


@pytest.mark.parametrize("sees", [None, False])
def test_point_that_was_never_seen_proves_no_loss(tmp_path: Path, sees: bool | None) -> None:
    """A token that may not read, or queries that go elsewhere, must not have everything written every minute."""
    with closing(Desk(tmp_path)) as desk:
        desk.sees = lambda _: sees
        desk.start()
        desk.entries(0, 4)
        for _ in range(5):
            desk.work()
            desk.later(61)
        crossings = [point for request in desk.influx.requests for point in request if point.measurement == "crossings"]
        assert len(crossings) == 4


def test_a_person_may_have_everything_written_again(desk: Desk) -> None:
    desk.entries(0, 4)
    desk.work()
    with closing(ForwarderState(desk.folder / SHIPMENTS)) as other:
        other.ask_again()
    desk.work()
    crossings = [point for request in desk.influx.requests for point in request if point.measurement == "crossings"]
    assert len(crossings) == 8
    assert desk.seqs() == list(range(4))
    assert not desk.shipments.progress().is_again


def test_file_that_was_lost_has_also_what_was_deleted_told_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """InfluxDB may be lost with it. Where it is not, pieces of spans overlap."""
    monkeypatch.setattr("footfall.store.outbox.MOST_KEPT", 3)
    desk.entries(0, 9)
    desk.work()
    desk.later(61)
    desk.influx.points.clear()
    desk.start(anew=True)
    desk.work()
    assert sum(int(fields["covered_ms"]) for fields in desk.influx.of("spans").values()) == 9000
    assert desk.seqs() == list(range(9))


def test_restored_journal_is_noticed_though_it_has_grown_past_the_cursor(tmp_path: Path) -> None:
    """Else the rows that came instead of those after the backup would never be told."""
    with closing(Desk(tmp_path)) as desk:
        desk.entries(0, 5)
        backup = tmp_path / "backup"
        desk.journal._connection.execute("VACUUM INTO ?", (str(backup),))
        desk.entries(5, 10)
        desk.work()
        desk.close()
        for path in tmp_path.glob(FILE_NAME + "*"):
            path.unlink()
        backup.rename(desk.path)
        desk.journal = Journal(desk.path)
        desk.entries(20, 40)
        desk.start()
        desk.work()
        assert desk.seqs() == [*range(10), *range(20, 40)]


def test_counter_that_moved_while_influxdb_was_down_counted_at_both_sites(desk: Desk) -> None:
    """One that was first heard of in that time too: nothing of before the change is told as if it were after."""
    desk.influx.trouble = DOWN
    desk.work()
    desk.entries(0, 4)
    desk.registry = registry_of("annex")
    desk.work()
    desk.entries(4, 6)
    desk.later(120)
    desk.influx.trouble = None
    desk.work()
    sites = {time_ns % NS_PER_MS: dict(tags)["site"] for _, tags, time_ns in desk.influx.of("crossings")}
    assert sites == {seq: "alliance" if seq < 4 else "annex" for seq in range(6)}


def test_sites_and_the_forwarder_itself_are_told_every_minute(desk: Desk) -> None:
    desk.entries(0, 2)
    desk.work()
    desk.later(61)
    desk.work()
    told = sorted(desk.influx.of("forwarder").items(), key=lambda one: one[0][2])
    assert [fields for _, fields in told] == [
        {"waiting": 4, "lag_s": 0, "quarantined": 0},
        {"waiting": 0, "lag_s": 0, "quarantined": 0},
    ]
    (site,) = [fields for (_, tags, at), fields in desk.influx.of("sites").items()
               if tags == (("site", "annex"),) and at == START_MS * NS_PER_MS]  # fmt: skip
    assert (site["name"], site["time_zone"], site["capacity"], site["opens_min"]) == (
        "Alliance",
        "Europe/Paris",
        120,
        480,
    )


def test_lag_is_the_age_of_the_oldest_batch_that_waits(desk: Desk) -> None:
    desk.influx.trouble = DOWN
    desk.entries(0, 2)
    desk.later(90)
    desk.entries(2, 3)
    desk.work()
    lag = read_lag(desk.path, desk.clock.now_ms)
    assert (lag.waiting, lag.lag_s) == (6, 90)
    assert lag.progress.error == DOWN.message
    assert lag.progress.failing_epoch_ms == desk.clock.now_ms


def test_file_that_is_being_made_says_that_nothing_was_told(desk: Desk) -> None:
    desk.entries(0, 2)
    desk.shipments.close()
    for path in desk.folder.glob(SHIPMENTS + "*"):
        path.unlink()
    (desk.folder / SHIPMENTS).touch()
    lag = read_lag(desk.path, desk.clock.now_ms)
    assert (lag.waiting, lag.quarantined, lag.progress.written) == (4, 0, 0)
    assert prunable_through(desk.path) == 0


def test_crossings_may_be_pruned_up_to_the_one_before_the_cursor(desk: Desk) -> None:
    assert prunable_through(desk.path) == 0
    desk.entries(0, 7)
    desk.work()
    assert prunable_through(desk.path) == 6


def test_error_of_an_earlier_forwarder_is_cleared_by_the_next_that_succeeds(desk: Desk) -> None:
    desk.influx.trouble = DOWN
    desk.work()
    assert desk.shipments.progress().error
    desk.influx.trouble = None
    desk.start()
    desk.work()
    progress = desk.shipments.progress()
    assert (progress.error, progress.failing_epoch_ms, progress.next_try_epoch_ms) == ("", None, None)


def lock(path: Path) -> Callable[[], None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other.close


def test_journal_that_is_locked_is_waited_for(desk: Desk) -> None:
    """The site of a counter must be noted before its rows are told."""
    desk.outbox._connection.execute("PRAGMA busy_timeout = 0")
    desk.entries(0, 3)
    unlock = lock(desk.path)
    desk.work()
    assert desk.seqs() == []
    assert "locked" in desk.shipments.progress().error
    unlock()
    desk.later(61)
    desk.work()
    assert desk.seqs() == [0, 1, 2]
