"""What is kept for a moment: made once for all who ask, made anew in time, and forgotten when nobody asks."""

import threading

import pytest

from footfall.errors import StoreUnavailable
from ingest.pages.answer_cache import EVICT_AFTER, ExpiringCache, cached_answer


class HandClock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_value_is_made_once_while_it_is_fresh_and_anew_when_it_is_not() -> None:
    clock = HandClock()
    recent: ExpiringCache[int] = ExpiringCache(clock, 0.5)
    made = iter(range(10))
    assert recent.get("a", lambda: next(made)) == 0
    clock.now_s += 0.49
    assert recent.get("a", lambda: next(made)) == 0
    assert recent.get("b", lambda: next(made)) == 1, "another key is another value"
    clock.now_s += 0.01
    assert recent.get("a", lambda: next(made)) == 2


def test_who_asks_while_it_is_made_gets_the_same() -> None:
    recent: ExpiringCache[object] = ExpiringCache(HandClock(), 0.5)
    asked, made = threading.Event(), []

    def make() -> object:
        made.append(object())
        asked.wait(5)
        return made[-1]

    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(recent.get("a", make))) for _ in range(8)]
    for thread in threads:
        thread.start()
    asked.set()
    for thread in threads:
        thread.join()
    assert found == made * 8


def test_failure_is_not_kept() -> None:
    """A store that could not be read a moment ago may be there now."""
    recent: ExpiringCache[int] = ExpiringCache(HandClock(), 0.5)
    for _ in range(2):
        try:
            recent.get("a", lambda: 1 // 0)
        except ZeroDivisionError:
            continue
    assert recent.get("a", lambda: 7) == 7


def test_store_that_hangs_is_asked_once_for_all_who_wait() -> None:
    """One after the other would each wait as long as it hangs; a moment later it is asked again."""
    clock = HandClock()
    recent: ExpiringCache[int] = ExpiringCache(clock, 60)
    asked = []

    def hang() -> int:
        asked.append(clock.now_s)
        clock.now_s += 10
        raise StoreUnavailable("InfluxDB at http://influx: Read timed out", hint="InfluxDB is slow")

    for _ in range(5):
        with pytest.raises(StoreUnavailable, match="Read timed out") as caught:
            recent.get("a", hang)
        assert caught.value.hint == "InfluxDB is slow"
    assert asked == [100.0]
    clock.now_s += 0.5
    assert recent.get("a", lambda: 7) == 7


def test_values_nobody_asks_for_any_more_are_forgotten() -> None:
    """Days go by, and languages come and go: the process runs for months."""
    clock = HandClock()
    recent: ExpiringCache[str] = ExpiringCache(clock, 60)
    for day in range(100):
        recent.get(day, lambda: "")
        clock.now_s += 60
    assert len(recent._values) == len(recent._key_locks) <= EVICT_AFTER + 1


def test_entity_tag_is_that_of_the_body() -> None:
    assert cached_answer("a") == cached_answer("a")
    assert cached_answer("a").etag != cached_answer("b").etag
