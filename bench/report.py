"""The table that `make bench` prints and the README quotes."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One figure: what was measured, what came out, beside what, and what was aimed at."""

    what: str
    figure: str
    beside: str = ""
    aim: str = ""


def markdown(rows: Iterable[Row]) -> str:
    """Return *rows* as a table in Markdown."""
    lines = ["| what | measured | beside | aim |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.what} | {row.figure} | {row.beside} | {row.aim} |" for row in rows]
    return "\n".join(lines)
