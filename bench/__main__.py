"""``make bench``: measures, prints a table, and with --readme writes it into docs/performance.md."""

import os
import platform
import re
import sqlite3
from pathlib import Path

import click
import granian
from rich.console import Console

from bench import accuracy, heights, influx, ingest, memory, page, picture, year
from bench.report import Row, markdown

PERFORMANCE = Path(__file__).parent.parent / "docs" / "performance.md"
ACCURACY = Path(__file__).parent.parent / "docs" / "accuracy.md"
PARTS = ("ingest", "influx", "year", "page", "memory", "accuracy", "heights")


@click.command()
@click.option("--crossings", default=20_000_000, show_default=True, help="How many the journal of a year holds.")
@click.option("--requests", default=6000, show_default=True, help="How many batches of 1 a round.")
@click.option(
    "--people", type=int, help="How many walk in each scenario.",
    show_default=f"{accuracy.PEOPLE}, and {heights.PEOPLE} at each height",
)  # fmt: skip
@click.option("--seed", default=accuracy.SEED, show_default=True, help="Who walks: the same seed, the same people.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Measure only this; may be repeated.")
@click.option("--readme", is_flag=True, help="Put the tables into docs/performance.md and docs/accuracy.md.")
def main(crossings: int, requests: int, people: int | None, seed: int, only: tuple[str, ...], readme: bool) -> None:
    """Measure Footfall on this machine. The first run builds a year's journal (minutes, about a gigabyte)."""
    console = Console(stderr=True)
    chosen = only or PARTS
    rows: list[Row] = []
    with console.status("measuring") as status:
        if "ingest" in chosen:
            rows += ingest.measure(status.update, requests)
        if "influx" in chosen:
            rows += influx.measure(status.update, requests)
        if "year" in chosen:
            rows += year.measure(status.update, crossings)
        if "page" in chosen:
            rows += page.measure(status.update, requests, crossings)
        if "memory" in chosen:
            rows += memory.measure(status.update, requests)
        results = accuracy.measure(status.update, people or accuracy.PEOPLE, seed) if "accuracy" in chosen else []
        at_heights = heights.measure(status.update, people or heights.PEOPLE, seed) if "heights" in chosen else []
    if rows:
        machine = f"{platform.machine()}, {_cores()} cores, Python {platform.python_version()}"
        note = (
            f"On {machine}, SQLite {sqlite3.sqlite_version}, granian {granian.__version__}. Ratios are within one run."
        )
        _tell(f"{markdown(rows)}\n\n{note}", PERFORMANCE if readme else None)
    if results:
        _tell(accuracy.markdown(results), ACCURACY if readme else None)
        _draw(picture.draw(results), picture.PICTURE if readme else None)
    if at_heights:
        _tell(heights.markdown(at_heights), ACCURACY if readme else None, "bench heights")
        _draw(heights.draw(at_heights), heights.PICTURE if readme else None)


def _draw(drawing: str, path: Path | None) -> None:
    if path is not None:
        path.write_text(drawing, encoding="utf-8")


def _tell(table: str, page: Path | None, marker: str = "bench") -> None:
    """Print *table*; with a *page*, put it between the page's two comments of *marker* too."""
    click.echo(table)
    if page is not None:
        text = page.read_text(encoding="utf-8")
        between = rf"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)"
        filled = re.sub(between, lambda m: f"{m[1]}{table}\n{m[2]}", text, flags=re.DOTALL)
        page.write_text(filled, encoding="utf-8")


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    main()
