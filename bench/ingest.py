"""Durable crossings a second over HTTP, compared with the server's no-op route and with SQLite alone."""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.load import Load, requests_per_second
from bench.report import BenchRow
from harness.installation import install

ROUNDS = 3
COUNTERS = tuple(f"DOOR{number}" for number in range(30))


def measure(say: Callable[[str], None], requests: int) -> list[BenchRow]:
    """Return the rows of the table: medians of alternating rounds."""
    folder = Path(tempfile.mkdtemp(prefix="footfall-bench-"))
    try:
        site = install(folder / "site", COUNTERS)
        keys = tuple(site.keys[counter] for counter in COUNTERS)
        found: dict[int, list[float]] = {0: [], 1: [], 100: []}
        raw: dict[int, list[float]] = {1: [], 100: []}
        with site.serving():
            for turn in range(ROUNDS):
                for batch, seen in found.items():
                    say(f"round {turn + 1} of {ROUNDS}: {f'batches of {batch}' if batch else 'no-op route'}")
                    number = requests * 2 if batch == 0 else requests if batch == 1 else requests // 2
                    seen.append(requests_per_second(Load(site.port, number, batch, COUNTERS, keys)))
                for batch, seen in raw.items():
                    seen.append(_raw_batches_per_second(folder / f"raw-{turn}-{batch}.sqlite", batch, requests))
    finally:
        shutil.rmtree(folder)
    noop, ones, hundreds = (median(found[batch]) for batch in (0, 1, 100))
    raw_ones, raw_hundreds = (median(raw[batch]) for batch in (1, 100))
    return [
        BenchRow("no-op route (GET /healthz), 32 connections", f"{noop:,.0f} requests/s"),
        BenchRow("batches of 1, verified and durable", f"{ones:,.0f} crossings/s",
            f"{ones / noop:.2f} of the no-op route", ">= 0.4"),
        BenchRow("raw SQLite group commit, batches of 1", f"{raw_ones:,.0f} crossings/s",
            f"ingest reaches {ones / raw_ones:.2f} of this"),
        BenchRow("batches of 100, verified and durable", f"{hundreds * 100:,.0f} crossings/s",
            f"{hundreds / noop:.2f} of the no-op route", ">= 100,000/s"),
        BenchRow("raw SQLite group commit, batches of 100", f"{raw_hundreds * 100:,.0f} crossings/s",
            f"ingest reaches {hundreds / raw_hundreds:.2f} of this"),
    ]  # fmt: skip


def _raw_batches_per_second(path: Path, batch: int, batches: int) -> float:
    """Return the batches a second that SQLite alone commits, 16 at a time: one table, one index, no checks."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE crossing (id INTEGER PRIMARY KEY, stream, seq, time_epoch_ms, entries, exits)")
    connection.execute("CREATE UNIQUE INDEX crossing_name ON crossing (stream, seq)")
    started_s = time.perf_counter()
    for first in range(0, batches, 16):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "INSERT INTO crossing (stream, seq, time_epoch_ms, entries, exits) VALUES (?, ?, ?, 1, 0)",
            [
                (number % 30, number * batch + seq, number)
                for number in range(first, first + 16)
                for seq in range(batch)
            ],
        )
        connection.execute("COMMIT")
    taken_s = time.perf_counter() - started_s
    connection.close()
    return batches / taken_s
