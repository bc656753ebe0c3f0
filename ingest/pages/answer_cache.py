"""Answers kept for a moment: fifty viewers who ask in the same second cost as much as one."""

import hashlib
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from footfall.errors import StoreUnavailable

KEPT_S = 0.5
"""How old an answer may be. A crossing is on the page within this, the script's second, and the counter's own wait."""

FORGOTTEN_AFTER = 10
"""How many times the age at which it is made anew a value may have before it is forgotten."""

T = TypeVar("T")


@dataclass(frozen=True)
class TaggedBody:
    """A body and its entity tag."""

    body: str
    etag: str


def tagged_body(body: str) -> TaggedBody:
    """Return *body* with its entity tag."""
    return TaggedBody(body, hashlib.sha256(body.encode()).hexdigest()[:16])


class Cache(Generic[T]):
    """Values by key, made at most every *kept_s*. Who asks while one is being made waits for it.

    A store that is unavailable is an answer too: else all who wait would ask it, one after the other, and each wait
    for as long as it hangs.
    """

    def __init__(self, clock: Callable[[], float], kept_s: float) -> None:
        """*clock* tells monotonic seconds."""
        self._clock = clock
        self._kept_s = kept_s
        self._lock = threading.Lock()
        self._kept: dict[Hashable, tuple[float, T]] = {}
        self._failures: dict[Hashable, tuple[float, StoreUnavailable]] = {}
        self._making: dict[Hashable, threading.Lock] = {}

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return the value for *key*, made by *make* unless there is one fresh enough. Raises what *make* does."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            kept = self._kept.get(key)
            if kept is not None and self._clock() - kept[0] < self._kept_s:
                return kept[1]
            failed_s, failure = self._failures.get(key, (0.0, None))
            if failure is not None and self._clock() - failed_s < min(self._kept_s, KEPT_S):
                raise StoreUnavailable(failure.message, hint=failure.hint, status=failure.status)
            try:
                value = make()
            except StoreUnavailable as exc:
                self._keep_failure(key, exc)
                raise
            self._keep(key, value)
            return value

    def _keep_failure(self, key: Hashable, failure: StoreUnavailable) -> None:
        """Keep *failure* for those who wait, and forget all that are too old for it."""
        now_s = self._clock()
        kept = StoreUnavailable(failure.message, hint=failure.hint, status=failure.status)  # without its traceback
        with self._lock:
            self._failures = {one: told for one, told in self._failures.items() if now_s - told[0] < KEPT_S}
            self._failures[key] = now_s, kept

    def _keep(self, key: Hashable, value: T) -> None:
        """Keep *value*, and forget those that nobody has asked for in a while."""
        now_s = self._clock()
        with self._lock:
            self._kept[key] = now_s, value
            since_s = now_s - FORGOTTEN_AFTER * self._kept_s
            for old in [one for one, (made_s, _) in self._kept.items() if made_s < since_s]:
                del self._kept[old]
                self._making.pop(old, None)
