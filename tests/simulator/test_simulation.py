"""A whole simulation: several counters in threads, and a truth that equals what ingest stored."""

import threading
import time
from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from footfall.calendar import day_bounds, local_instant
from footfall.errors import FootfallError
from footfall.model import Counter, Hours, Site, epoch_ms
from simulator.counter_plans import SimulationSetup
from simulator.people import MINUTE_MS, walk_day
from simulator.simulation import SimulationProgress, simulate_day, simulate_today
from simulator.unreliable_network import NO_TROUBLE, ROUGH, HttpTransport, NetworkTrouble, Response, Transport
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


def setup_for(
    connect: Callable[[], Transport],
    *sites: Site,
    people: int = 100,
    trouble: NetworkTrouble = NO_TROUBLE,
    wall: Callable[[], float] = lambda: LATER_S,
) -> SimulationSetup:
    return SimulationSetup(
        sites or (ALLIANCE,), COUNTERS, KEYS, connect, people=people, seed=5, trouble=trouble, wall=wall
    )


def fake_ingest(wall: Callable[[], float] = lambda: LATER_S) -> FakeIngest:
    return FakeIngest(KEYS, wall)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)])
def test_rough_day_is_stored_as_it_happened_and_covered_whole(day: date) -> None:
    """Days of 23 and 25 hours at one site, and a second site on the other side of the world."""
    ingest = fake_ingest()
    truth = [
        *walk_day(ALLIANCE, day, ["ALLI1", "ALLI2"], people=100, seed=5),
        *walk_day(HARBOUR, day, ["HARB1"], people=100, seed=5),
    ]
    ingest.expect(truth)
    result = simulate_day(setup_for(lambda: ingest, ALLIANCE, HARBOUR, trouble=ROUGH), day)
    assert sorted(result.truth) == sorted(truth)
    assert ingest.stored() == result.truth
    assert ingest.false_claims == []
    for counter, site in (("ALLI1", ALLIANCE), ("ALLI2", ALLIANCE), ("HARB1", HARBOUR)):
        start, end = (epoch_ms(bound_utc) for bound_utc in day_bounds(day, site.tz))
        assert ingest.covered_ms(counter) == end - start
    assert min(result.resends, result.duplicates, result.lost) > 0
    assert (result.dropped, result.unacknowledged, result.stopped) == (0, 0, False)
    assert result.crossings == len(truth)


def test_same_setup_gives_the_same_simulation_and_is_stored_once() -> None:
    ingest = fake_ingest()
    setup = setup_for(lambda: ingest, HARBOUR, trouble=ROUGH)
    first = simulate_day(setup, DAY)
    assert simulate_day(setup, DAY) == first
    assert ingest.stored() == first.truth


def test_each_counter_keeps_one_http_connection() -> None:
    ingest = fake_ingest()
    reports: list[SimulationProgress] = []
    with served(ingest) as url:
        setup = setup_for(lambda: HttpTransport(url))
        result = simulate_day(setup, DAY, speed=100_000, progress=reports.append)
    assert ingest.stored() == result.truth
    assert len(ingest.ports) == 2
    assert reports[-1] == SimulationProgress(1.0, result.batches, len(result.truth))
    assert [one.done for one in reports] == sorted(one.done for one in reports)


def test_day_replayed_with_a_running_clock_is_stored_whole() -> None:
    ingest = fake_ingest()
    result = simulate_day(setup_for(lambda: ingest), DAY, speed=200_000)
    assert ingest.stored() == result.truth
    assert ingest.covered_ms("ALLI1") == 24 * 3_600_000


def test_day_that_is_not_over_is_refused() -> None:
    almost_s = day_bounds(DAY, PARIS)[1].timestamp() - 1
    with pytest.raises(FootfallError, match="2026-05-04 is not over at site alliance"):
        simulate_day(setup_for(fake_ingest, wall=lambda: almost_s), DAY)


def test_day_that_does_not_exist_has_no_crossings() -> None:
    apia = Site("alliance", "Apia", "APIA", ZoneInfo("Pacific/Apia"), Hours(0, 1440), capacity=None, reset=0)
    result = simulate_day(setup_for(fake_ingest, apia), date(2011, 12, 30))
    assert (result.truth, result.batches, result.stopped) == ((), 0, False)


def test_missing_counter_or_key_is_reported_before_anything_is_sent() -> None:
    ingest = fake_ingest()
    site = Site("empty", "Empty", "EMPTY", PARIS, Hours(480, 1140), capacity=None, reset=240)
    with pytest.raises(FootfallError, match="site empty has no counter"):
        simulate_day(setup_for(lambda: ingest, ALLIANCE, site), DAY)
    with pytest.raises(FootfallError, match="no key for counter ALLI1, ALLI2"):
        simulate_day(SimulationSetup((ALLIANCE,), COUNTERS, {}, lambda: ingest), DAY)
    assert ingest.requests == 0


def test_error_in_one_counter_ends_the_simulation_and_reaches_the_caller() -> None:
    def broken(_number: int, _body: bytes) -> Response | None:
        raise RuntimeError("the fake broke")

    ingest = FakeIngest(KEYS, lambda: LATER_S, broken)
    with pytest.raises(RuntimeError, match="the fake broke"):
        simulate_day(setup_for(lambda: ingest), DAY, speed=10_000)


def test_simulation_gives_up_if_ingest_is_down() -> None:
    setup = SimulationSetup(
        (ALLIANCE,), COUNTERS, KEYS, lambda: HttpTransport("http://127.0.0.1:9"), give_up_after_s=0.2
    )
    with pytest.raises(FootfallError, match=r"gave up after 0\.2 s.*no response from http://127") as caught:
        simulate_day(setup, DAY)
    assert "footfall doctor" in caught.value.hint


@pytest.mark.parametrize("by_hand", [False, True])
def test_stopped_simulation_returns_what_happened_so_far(by_hand: bool) -> None:
    """Stopped by the event, or by Ctrl-C, which interrupts the main thread anywhere."""
    ingest = fake_ingest()
    stop = threading.Event()

    def halt(_: SimulationProgress) -> None:
        if by_hand:
            raise KeyboardInterrupt
        stop.set()

    result = simulate_day(setup_for(lambda: ingest), DAY, speed=1, stop=stop, progress=halt)
    assert result.stopped
    assert result.truth == ingest.stored() == ()


def test_error_in_the_progress_callback_stops_the_counters() -> None:
    def complain(_: SimulationProgress) -> None:
        raise RuntimeError("no terminal")

    with pytest.raises(RuntimeError, match="no terminal"):
        simulate_day(setup_for(fake_ingest), DAY, speed=1, progress=complain)


def test_live_people_come_from_now_on_and_are_sent_before_the_next_heartbeat() -> None:
    """The live page shows them soon. People who came before the start are left out, so occupancy starts at zero."""
    busy = Site("alliance", "Alliance", "ALLI", PARIS, Hours(480, 510), capacity=None, reset=240)
    offset_s = local_instant(DAY, 485, PARIS).timestamp() - time.time()

    def wall() -> float:
        return time.time() + offset_s

    ingest = fake_ingest(wall)
    stop = threading.Event()
    began_epoch_ms = int(wall() * 1000)

    def stop_soon(progress: SimulationProgress) -> None:
        if progress.crossings >= 5:
            stop.set()

    setup = setup_for(lambda: ingest, busy, people=10_000, wall=wall)
    result = simulate_today(setup, stop=stop, progress=stop_soon)
    assert result.stopped
    assert result.crossings >= 5
    assert all(spans[0].to_epoch_ms - spans[0].from_epoch_ms < MINUTE_MS for spans in ingest.spans.values())
    assert all(began_epoch_ms < crossing.time_epoch_ms <= wall() * 1000 for crossing in result.truth)
    assert set(ingest.stored()) <= set(result.truth)
    assert len(result.truth) == result.crossings + result.unacknowledged


def test_live_since_midnight_reports_the_morning_at_once_and_only_once() -> None:
    """With the whole morning, occupancy is right; a second run of the same day doubles nobody."""
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

        def stop_soon(progress: SimulationProgress, stop: threading.Event = stop, wanted: int = len(came)) -> None:
            if progress.crossings >= wanted:
                stop.set()

        setup = setup_for(lambda: ingest, busy, people=300, wall=wall)
        result = simulate_today(setup, since_midnight=True, stop=stop, progress=stop_soon)
        assert result.truth[: len(came)] == tuple(came)
        assert set(came) <= set(ingest.stored()) <= set(result.truth)
        assert len(ingest.stored()) == len(set(ingest.stored()))


def test_longer_heartbeat_replays_the_same_day_in_fewer_batches() -> None:
    """Hourly batches add nothing to a day already stored in batches a minute apart."""
    ingest = fake_ingest()
    slow = simulate_day(setup_for(lambda: ingest), DAY)
    stored = ingest.stored()
    quick = simulate_day(setup_for(lambda: ingest), DAY, heartbeat_ms=3_600_000)
    assert quick.truth == slow.truth
    assert quick.batches < slow.batches / 10
    assert ingest.stored() == stored
    both = slow + quick
    assert (both.batches, both.stopped) == (slow.batches + quick.batches, False)


def test_live_after_closing_says_that_nobody_is_left_to_come() -> None:
    night_s = local_instant(DAY, 23 * 60, PARIS).timestamp()
    with pytest.raises(FootfallError, match=r"no more visitors today: alliance \(08:00-19:00\)"):
        simulate_today(setup_for(fake_ingest, wall=lambda: night_s))
