"""The cache computes a value once for all callers, refreshes it in time, and evicts what nobody requests."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from footfall.errors import StoreUnavailable
from ingest.pages.answer_cache import EVICT_AFTER, ExpiringCache, cached_answer


class HandClock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_value_is_computed_once_while_fresh_and_again_when_expired() -> None:
    clock = HandClock()
    cache: ExpiringCache[int] = ExpiringCache(clock, 0.5)
    made = iter(range(10))
    assert cache.get("a", lambda: next(made)) == 0
    clock.now_s += 0.49
    assert cache.get("a", lambda: next(made)) == 0
    assert cache.get("b", lambda: next(made)) == 1, "another key is another value"
    clock.now_s += 0.01
    assert cache.get("a", lambda: next(made)) == 2


def test_concurrent_callers_share_one_computation() -> None:
    cache: ExpiringCache[object] = ExpiringCache(HandClock(), 0.5)
    calling = threading.Barrier(8)
    computed: list[object] = []

    def compute() -> object:
        computed.append(object())
        time.sleep(0.1)  # without the lock, the other callers would compute now
        return computed[-1]

    def call() -> object:
        calling.wait()
        return cache.get("a", compute)

    with ThreadPoolExecutor(8) as pool:
        found = [future.result() for future in [pool.submit(call) for _ in range(8)]]
    assert found == computed * 8


def test_unexpected_failure_is_not_cached() -> None:
    """The next caller tries again."""
    cache: ExpiringCache[int] = ExpiringCache(HandClock(), 0.5)
    for _ in range(2):
        try:
            cache.get("a", lambda: 1 // 0)
        except ZeroDivisionError:
            continue
    assert cache.get("a", lambda: 7) == 7


def test_hanging_store_is_queried_once_for_all_waiting_callers() -> None:
    """In turn, each would wait for its timeout. A moment later the store is queried again."""
    clock = HandClock()
    cache: ExpiringCache[int] = ExpiringCache(clock, 60)
    queried_s = []

    def hang() -> int:
        queried_s.append(clock.now_s)
        clock.now_s += 10
        raise StoreUnavailable("InfluxDB at http://influx: Read timed out", hint="InfluxDB is slow")

    for _ in range(5):
        with pytest.raises(StoreUnavailable, match="Read timed out") as caught:
            cache.get("a", hang)
        assert caught.value.hint == "InfluxDB is slow"
    assert queried_s == [100.0]
    clock.now_s += 0.5
    assert cache.get("a", lambda: 7) == 7


def test_values_that_nobody_requests_are_evicted() -> None:
    """The process runs for months, and every day brings new keys."""
    clock = HandClock()
    cache: ExpiringCache[str] = ExpiringCache(clock, 60)
    for day in range(100):
        cache.get(day, lambda: "")
        clock.now_s += 60
    assert len(cache._values) == len(cache._key_locks) <= EVICT_AFTER + 1


def test_entity_tag_is_that_of_the_body() -> None:
    assert cached_answer("a") == cached_answer("a")
    assert cached_answer("a").etag != cached_answer("b").etag
