"""What a check of ``footfall doctor`` yields. Each part brings its own checks; the command runs and prints them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """``hint`` says what to do about a problem; empty: no problem."""

    subject: str
    text: str
    hint: str = ""


Check = Callable[[], Iterable[Finding]]
"""May raise FootfallError, which is a problem too."""


def plural(number: int, noun: str) -> str:
    """Return "1 site", "2 sites"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
