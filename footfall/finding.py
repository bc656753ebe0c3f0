"""The findings of ``footfall doctor``. Each part brings its own checks; the command prints what they find."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What a check found. ``hint`` says what to do about a problem; if it is empty, there is none."""

    subject: str
    text: str
    hint: str = ""


Check = Callable[[], Iterable[Finding]]
"""May raise FootfallError, which is a problem too."""
