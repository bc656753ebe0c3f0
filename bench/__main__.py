"""``make bench``: measures, prints tables, and with --write puts them into the documentation."""

import os
import platform
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import click
import granian
from rich.console import Console

from bench import accuracy, accuracy_picture, heights, influx, ingest, memory, page, startup, year
from bench.report import BenchRow, markdown

DOCS = Path(__file__).parent.parent / "docs"
PERFORMANCE, ACCURACY = DOCS / "performance.md", DOCS / "accuracy.md"
PARTS = ("ingest", "influx", "year", "page", "memory", "startup", "accuracy", "heights")


@click.command()
@click.option("--crossings", default=20_000_000, show_default=True, help="Crossings in the journal of a year.")
@click.option("--requests", default=6000, show_default=True, help="Batches of one crossing in a round.")
@click.option(
    "--people", type=int, help="Simulated people in each accuracy scenario.",
    show_default=f"{accuracy.PEOPLE}, and {heights.PEOPLE} at each height",
)  # fmt: skip
@click.option("--seed", default=accuracy.SEED, show_default=True, help="The same seed gives the same people.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Measure only this; may be repeated.")
@click.option("--write", is_flag=True, help="Write tables and pictures into docs/performance.md and docs/accuracy.md.")
def main(crossings: int, requests: int, people: int | None, seed: int, only: tuple[str, ...], write: bool) -> None:
    """Measure Footfall on this machine. The first run takes minutes and a gigabyte to build a journal of a year."""
    chosen = only or PARTS
    with Console(stderr=True).status("measuring") as status:
        performance: dict[str, Callable[[], list[BenchRow]]] = {
            "ingest": lambda: ingest.measure(status.update, requests),
            "influx": lambda: influx.measure(status.update, requests),
            "year": lambda: year.measure(status.update, crossings),
            "page": lambda: page.measure(status.update, requests, crossings),
            "memory": lambda: memory.measure(status.update, requests),
            "startup": lambda: startup.measure(status.update),
        }
        rows = [row for part, measure in performance.items() if part in chosen for row in measure()]
        by_scenario = accuracy.measure(status.update, people or accuracy.PEOPLE, seed) if "accuracy" in chosen else []
        by_height = heights.measure(status.update, people or heights.PEOPLE, seed) if "heights" in chosen else []
    if rows:
        _publish(f"{markdown(rows)}\n\n{_conditions()}", PERFORMANCE if write else None)
    if by_scenario:
        _publish(accuracy.markdown(by_scenario), ACCURACY if write else None)
        _draw(accuracy_picture.draw(by_scenario), accuracy_picture.PICTURE if write else None)
    if by_height:
        _publish(heights.markdown(by_height), ACCURACY if write else None, "bench heights")
        _draw(heights.draw(by_height), heights.PICTURE if write else None)


def _conditions() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return (
        f"On {platform.machine()}, {cores} cores, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"granian {granian.__version__}. Ratios are within one run."
    )


def _draw(drawing: str, path: Path | None) -> None:
    if path is not None:
        path.write_text(drawing, encoding="utf-8")


def _publish(table: str, page: Path | None, marker: str = "bench") -> None:
    """Print *table*, and write it between the two *marker* comments of *page*, if given."""
    click.echo(table)
    if page is None:
        return
    between = rf"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)"
    old = page.read_text(encoding="utf-8") if page.exists() else ""
    text, count = re.subn(between, lambda m: f"{m[1]}{table}\n{m[2]}", old, flags=re.DOTALL)
    if count != 1:
        raise click.ClickException(f"{page} must have <!-- {marker} --> and <!-- /{marker} --> exactly once")
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
