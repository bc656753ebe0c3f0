"""Short-lived caches: fifty viewers who poll in the same second cost as much as one."""

import hashlib
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from footfall.errors import StoreUnavailable

ANSWER_LIFETIME_S = 0.5
"""How long an answer stays cached. It adds to the script's polling second before a crossing is on the page."""

EVICT_AFTER = 10
"""An entry that nobody requests for this many lifetimes leaves the cache."""

T = TypeVar("T")


@dataclass(frozen=True)
class CachedAnswer:
    """A response body and its entity tag."""

    body: str
    etag: str


def cached_answer(body: str) -> CachedAnswer:
    """Return *body* with its entity tag."""
    return CachedAnswer(body, hashlib.sha256(body.encode()).hexdigest()[:16])


class ExpiringCache(Generic[T]):
    """Values by key, each computed at most once per *lifetime_s*; concurrent callers wait for one computation.

    StoreUnavailable is cached too. Otherwise each waiting caller would query a hanging store in turn, and each would
    wait for its timeout.
    """

    def __init__(self, clock: Callable[[], float], lifetime_s: float) -> None:
        """*clock* returns monotonic seconds."""
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._lock = threading.Lock()
        self._values: dict[Hashable, tuple[float, T]] = {}
        self._failures: dict[Hashable, tuple[float, StoreUnavailable]] = {}
        self._key_locks: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return the value for *key*, calling *compute* if none is fresh enough. Raises what *compute* raises."""
        with self._lock:
            key_lock = self._key_locks.setdefault(key, threading.Lock())
        with key_lock:
            cached = self._values.get(key)
            if cached is not None and self._clock() - cached[0] < self._lifetime_s:
                return cached[1]
            failed_s, failure = self._failures.get(key, (0.0, None))
            if failure is not None and self._clock() - failed_s < min(self._lifetime_s, ANSWER_LIFETIME_S):
                raise StoreUnavailable(failure.message, hint=failure.hint, status=failure.status)
            try:
                value = compute()
            except StoreUnavailable as exc:
                self._put_failure(key, exc)
                raise
            self._put(key, value)
            return value

    def _put_failure(self, key: Hashable, failure: StoreUnavailable) -> None:
        """Cache *failure* for the callers that are waiting, and evict expired failures."""
        now_s = self._clock()
        bare = StoreUnavailable(failure.message, hint=failure.hint, status=failure.status)  # without its traceback
        with self._lock:
            self._failures = {old: one for old, one in self._failures.items() if now_s - one[0] < ANSWER_LIFETIME_S}
            self._failures[key] = now_s, bare

    def _put(self, key: Hashable, value: T) -> None:
        """Cache *value*, and evict entries that nobody requests any more."""
        now_s = self._clock()
        with self._lock:
            self._values[key] = now_s, value
            since_s = now_s - EVICT_AFTER * self._lifetime_s
            for old in [one for one, (computed_s, _) in self._values.items() if computed_s < since_s]:
                del self._values[old]
                self._key_locks.pop(old, None)
