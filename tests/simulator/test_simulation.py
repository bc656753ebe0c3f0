"""A whole simulation: several counters in threads, and a truth that equals what was stored."""

import threading
import time
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from footfall.calendar import day_bounds, local_instant
from footfall.errors import FootfallError
from footfall.model import Counter, Hours, Site, epoch_ms
from simulator.people import walk_day
from simulator.simulation import Progress, Scene, simulate_day, simulate_now
from simulator.unreliable_network import NO_TROUBLE, ROUGH, Answer, HttpTransport, NetworkTrouble, Transport
from tests.support.fake_ingest import FakeIngest, served

DAY = date(2026, 5, 4)
PARIS = ZoneInfo("Europe/Paris")
ALLIANCE = Site("alliance", "Alliance", "ALLI", PARIS, Hours(480, 1140), capacity=None, reset=240)
HARBOUR = Site("harbour", "Harbour", "HARB", ZoneInfo("Australia/Sydney"), Hours(600, 1080), capacity=None, reset=240)
COUNTERS = (
    Counter("ALLI1", "alliance", "Main door", "Hall"),
    Counter("ALLI2", "alliance", "Garden door", "Hall"),
    Counter("HARB1", "harbour", "Door", "Quay"),
)
KEYS = {counter.id: counter.id.encode() * 6 for counter in COUNTERS}
LATER_S = 1_793_000_000.0


def scene_of(
    connect: Callable[[], Transport],
    *sites: Site,
    people: int = 100,
    trouble: NetworkTrouble = NO_TROUBLE,
    wall: Callable[[], float] = lambda: LATER_S,
) -> Scene:
    return Scene(sites or (ALLIANCE,), COUNTERS, KEYS, connect, people=people, seed=5, trouble=trouble, wall=wall)


def fake_ingest(wall: Callable[[], float] = lambda: LATER_S) -> FakeIngest:
    return FakeIngest(KEYS, wall)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_a_rough_day_ends_with_the_truth_in_the_store_and_the_whole_day_covered(day: date) -> None:
    """Days of 23 and 25 hours at one site, and a site on the other side of the world."""
    ingest = fake_ingest()
    truth = [
        *walk_day(ALLIANCE, day, ["ALLI1", "ALLI2"], people=100, seed=5),
        *walk_day(HARBOUR, day, ["HARB1"], people=100, seed=5),
    ]
    ingest.expect(truth)
    result = simulate_day(scene_of(lambda: ingest, ALLIANCE, HARBOUR, trouble=ROUGH), day)
    assert sorted(result.truth) == sorted(truth)
    assert ingest.stored() == result.truth
    assert ingest.false_claims == []
    for counter, site in (("ALLI1", ALLIANCE), ("ALLI2", ALLIANCE), ("HARB1", HARBOUR)):
        start, end = (epoch_ms(bound_utc) for bound_utc in day_bounds(day, site.tz))
        assert ingest.covered_ms(counter) == end - start
    assert min(result.resends, result.copies, result.cuts) > 0
    assert (result.dropped, result.unacknowledged, result.stopped) == (0, 0, False)
    assert result.crossings == len(truth)


def test_the_same_scene_is_the_same_simulation_and_stored_once() -> None:
    ingest = fake_ingest()
    scene = scene_of(lambda: ingest, HARBOUR, trouble=ROUGH)
    first = simulate_day(scene, DAY)
    assert simulate_day(scene, DAY) == first
    assert ingest.stored() == first.truth


def test_over_real_http_each_counter_keeps_its_connection() -> None:
    ingest = fake_ingest()
    told: list[Progress] = []
    with served(ingest) as url:
        scene = scene_of(lambda: HttpTransport(url))
        result = simulate_day(scene, DAY, speed=100_000, progress=told.append)
    assert ingest.stored() == result.truth
    assert len(ingest.ports) == 2
    assert told[-1] == Progress(1.0, result.batches, len(result.truth))
    assert [one.done for one in told] == sorted(one.done for one in told)


def test_a_day_replayed_fast_in_running_time_is_stored_whole() -> None:
    ingest = fake_ingest()
    result = simulate_day(scene_of(lambda: ingest), DAY, speed=200_000)
    assert ingest.stored() == result.truth
    assert ingest.covered_ms("ALLI1") == 24 * 3_600_000


def test_a_day_that_is_not_over_is_not_replayed() -> None:
    almost_s = day_bounds(DAY, PARIS)[1].timestamp() - 1
    with pytest.raises(FootfallError, match="2026-05-04 is not over yet at site alliance"):
        simulate_day(scene_of(fake_ingest, wall=lambda: almost_s), DAY)


def test_a_day_that_never_was_is_over_at_once() -> None:
    apia = Site("alliance", "Apia", "APIA", ZoneInfo("Pacific/Apia"), Hours(0, 1440), capacity=None, reset=0)
    result = simulate_day(scene_of(fake_ingest, apia), date(2011, 12, 30))
    assert (result.truth, result.batches, result.stopped) == ((), 0, False)


def test_what_a_scene_lacks_is_told_before_anything_is_sent() -> None:
    ingest = fake_ingest()
    site = Site("empty", "Empty", "EMPTY", PARIS, Hours(480, 1140), capacity=None, reset=240)
    with pytest.raises(FootfallError, match="site empty has no counter"):
        simulate_day(scene_of(lambda: ingest, ALLIANCE, site), DAY)
    with pytest.raises(FootfallError, match="no key for counter ALLI1, ALLI2"):
        simulate_day(Scene((ALLIANCE,), COUNTERS, {}, lambda: ingest), DAY)
    assert ingest.requests == 0


def test_an_error_in_one_counter_ends_the_simulation_and_reaches_the_caller() -> None:
    def broken(_number: int, _body: bytes) -> Answer | None:
        raise RuntimeError("the fake broke")

    ingest = FakeIngest(KEYS, lambda: LATER_S, broken)
    with pytest.raises(RuntimeError, match="the fake broke"):
        simulate_day(scene_of(lambda: ingest), DAY, speed=10_000)


def test_ingest_that_is_not_there_is_told_after_the_patience() -> None:
    scene = Scene((ALLIANCE,), COUNTERS, KEYS, lambda: HttpTransport("http://127.0.0.1:9"), patience_s=0.2)
    with pytest.raises(FootfallError, match=r"gave up after 0\.2 s.*no answer from http://127") as caught:
        simulate_day(scene, DAY)
    assert "footfall doctor" in caught.value.hint


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_stopped_simulation_tells_what_happened_so_far(by_hand: bool) -> None:
    """By the stop event or by Ctrl-C, which reaches the main thread wherever it is."""
    ingest = fake_ingest()
    stop = threading.Event()

    def halt(_: Progress) -> None:
        if by_hand:
            raise KeyboardInterrupt
        stop.set()

    result = simulate_day(scene_of(lambda: ingest), DAY, speed=1, stop=stop, progress=halt)
    assert result.stopped
    assert result.truth == ingest.stored() == ()


def test_an_error_in_progress_stops_the_counters() -> None:
    def complain(_: Progress) -> None:
        raise RuntimeError("no terminal")

    with pytest.raises(RuntimeError, match="no terminal"):
        simulate_day(scene_of(fake_ingest), DAY, speed=1, progress=complain)


def test_live_people_come_from_now_on_and_are_told_of_within_seconds() -> None:
    """A live page shows them soon, and whoever came earlier is not in the truth: inside starts from zero."""
    busy = Site("alliance", "Alliance", "ALLI", PARIS, Hours(480, 510), capacity=None, reset=240)
    offset_s = local_instant(DAY, 485, PARIS).timestamp() - time.time()

    def wall() -> float:
        return time.time() + offset_s

    ingest = fake_ingest(wall)
    stop = threading.Event()
    began_epoch_ms = int(wall() * 1000)
    give_up_s = time.monotonic() + 30

    def stop_soon(progress: Progress) -> None:
        if progress.crossings >= 5 or time.monotonic() > give_up_s:
            stop.set()

    scene = scene_of(lambda: ingest, busy, people=10_000, wall=wall)
    result = simulate_now(scene, stop=stop, progress=stop_soon)
    assert result.stopped
    assert result.crossings >= 5
    assert wall() * 1000 - began_epoch_ms < 15_000
    assert all(began_epoch_ms < crossing.time_epoch_ms <= wall() * 1000 for crossing in result.truth)
    assert set(ingest.stored()) <= set(result.truth)
    assert len(result.truth) == result.crossings + result.unacknowledged


def test_live_since_midnight_tells_of_who_came_before_and_twice_the_same() -> None:
    """The whole morning is known, so people inside are too; another run of the same day doubles nobody."""
    busy = Site("alliance", "Alliance", "ALLI", PARIS, Hours(480, 1140), capacity=None, reset=240)
    offset_s = local_instant(DAY, 12 * 60, PARIS).timestamp() - time.time()

    def wall() -> float:
        return time.time() + offset_s

    ingest = fake_ingest(wall)
    for _ in range(2):
        noon_epoch_ms = int(wall() * 1000)
        came = [
            one
            for one in walk_day(busy, DAY, ("ALLI1", "ALLI2"), people=300, seed=5)
            if one.time_epoch_ms < noon_epoch_ms
        ]
        stop = threading.Event()

        def stop_soon(progress: Progress, stop: threading.Event = stop, wanted: int = len(came)) -> None:
            if progress.crossings >= wanted:
                stop.set()

        scene = scene_of(lambda: ingest, busy, people=300, wall=wall)
        result = simulate_now(scene, since_midnight=True, stop=stop, progress=stop_soon)
        assert result.truth[: len(came)] == tuple(came)
        assert set(came) <= set(ingest.stored()) <= set(result.truth)
        assert len(ingest.stored()) == len(set(ingest.stored()))


def test_day_is_soon_replayed_with_few_batches_and_is_the_same_day() -> None:
    """A day of hourly batches adds nothing to the same day of batches a minute, and covers all of it."""
    ingest = fake_ingest()
    slow = simulate_day(scene_of(lambda: ingest), DAY)
    stored = ingest.stored()
    quick = simulate_day(scene_of(lambda: ingest), DAY, heartbeat_ms=3_600_000)
    assert quick.truth == slow.truth
    assert quick.batches < slow.batches / 10
    assert ingest.stored() == stored
    both = slow + quick
    assert (both.batches, both.stopped) == (slow.batches + quick.batches, False)


def test_live_after_closing_says_that_nobody_comes() -> None:
    night_s = local_instant(DAY, 23 * 60, PARIS).timestamp()
    with pytest.raises(FootfallError, match=r"nobody comes any more today: alliance \(08:00-19:00\)"):
        simulate_now(scene_of(fake_ingest, wall=lambda: night_s))
