"""The table that `make bench` prints and writes into docs/performance.md."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class BenchRow:
    """One row of the table: what was measured, the result, what it compares with, and the target."""

    what: str
    result: str
    comparison: str = ""
    target: str = ""


def markdown(rows: Iterable[BenchRow]) -> str:
    """Return *rows* as a Markdown table."""
    lines = ["| what | result | comparison | target |", "| --- | --- | --- | --- |"]
    lines += [f"| {row.what} | {row.result} | {row.comparison} | {row.target} |" for row in rows]
    return "\n".join(lines)
