"""An answer kept for a moment: fifty viewers who ask in the same second cost as much as one."""

import hashlib
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

KEPT_S = 0.5
"""How old an answer may be. A crossing is on the page within this, the script's second, and the counter's own wait."""


@dataclass(frozen=True)
class Answer:
    """A body and its entity tag."""

    body: str
    etag: str


class Recent:
    """Answers by key, made at most every KEPT_S. Who asks while one is being made waits for it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """*clock* tells monotonic seconds."""
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: dict[Hashable, tuple[float, Answer]] = {}
        self._making: dict[Hashable, threading.Lock] = {}

    def answer(self, key: Hashable, make: Callable[[], str]) -> Answer:
        """Return the answer for *key*, made by *make* unless there is one fresh enough."""
        with self._lock:
            making = self._making.setdefault(key, threading.Lock())
        with making:
            made_s, answer = self._answers.get(key, (float("-inf"), None))
            if answer is None or self._clock() - made_s >= KEPT_S:
                body = make()
                answer = Answer(body, hashlib.sha256(body.encode()).hexdigest()[:16])
                self._answers[key] = self._clock(), answer
            return answer
