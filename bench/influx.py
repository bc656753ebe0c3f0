"""With a real InfluxDB: ingest compared with plain Flask, and the forwarder with posting its points directly."""

import gzip
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from statistics import median

import urllib3

from bench.load import Load, Pace, pace
from bench.report import BenchRow
from footfall.model import Arrival, Count, Span
from footfall.registry import Registry
from footfall.store.forwarder_state import ForwarderState
from footfall.store.influx_settings import InfluxConfig
from footfall.store.influx_writer import InfluxWriter
from footfall.store.journal import Journal
from footfall.store.line_protocol import render_lines
from footfall.store.outbox import Cursor, Outbox, set_forwarding
from footfall.store.points import MAX_POINTS_PER_WRITE, Point
from harness.influx_server import TOKEN, InfluxDatabase, InfluxServer, missing_programs, running_influx_server
from harness.installation import Installation, free_port, install
from ingest.forwarder import Forwarder

ROUNDS = 3
COUNTERS = tuple(f"DOOR{number}" for number in range(30))
FORWARDED = 200_000
NOW_MS = 1_777_881_600_000


def measure(say: Callable[[str], None], requests: int) -> list[BenchRow]:
    """Return the rows of the table; none if InfluxDB is not installed."""
    if missing_programs():
        say(f"InfluxDB skipped: {missing_programs()}")
        return []
    folder = Path(tempfile.mkdtemp(prefix="footfall-bench-"))
    try:
        with running_influx_server() as server:
            return [*_designs(say, folder, server, requests), *_forwarders(say, folder, server)]
    finally:
        shutil.rmtree(folder)


def _designs(say: Callable[[str], None], folder: Path, server: InfluxServer, requests: int) -> list[BenchRow]:
    database = server.create()
    influxdb = f'[influxdb]\nurl = "{database.url}"\ninflux_bucket = "{database.influx_bucket}"\ntoken_file = "token"\n'
    site = install(folder / "site", COUNTERS, more=influxdb)
    (site.folder / "token").write_text(TOKEN)
    keys = tuple(site.keys[counter] for counter in COUNTERS)
    found: dict[tuple[str, int], list[Pace]] = {}
    with site.serving(), _plain(server.create()) as port:
        for turn in range(ROUNDS):
            for batch in (1, 100):
                for name, at, number in (("plain", port, requests // 6), ("footfall", site.port, requests // 2)):
                    say(f"round {turn + 1} of {ROUNDS}: {name}, batches of {batch}")
                    load = Load(at, number if batch == 1 else number // 4, batch, COUNTERS, keys)
                    found.setdefault((name, batch), []).append(pace(load))
                    _wait_until_forwarded(site)
    rows = []
    for batch in (1, 100):
        plain, ours = found["plain", batch], found["footfall", batch]
        ratio = median(one.per_second for one in ours) / median(one.per_second for one in plain)
        what = f"batches of {batch}, into InfluxDB"
        rows.append(BenchRow(f"{what}: plain Flask, writing in the request", *_summary(plain, batch)))
        result, p99 = _summary(ours, batch)
        comparison = f"{p99}; {ratio:.1f} times plain Flask"
        rows.append(BenchRow(f"{what}: ingest and forwarder", result, comparison, ">= 5 times" if batch == 1 else ""))
    return rows


def _summary(paces: list[Pace], batch: int) -> tuple[str, str]:
    per_second = median(one.per_second for one in paces) * batch
    p99_ms = median(one.p99_ms for one in paces)
    return f"{per_second:,.0f} crossings/s", f"p99 {p99_ms:,.0f} ms"


def _wait_until_forwarded(site: Installation) -> None:
    while site.get("/api/v1/forwarder")["waiting"]:
        time.sleep(0.2)


@contextmanager
def _plain(database: InfluxDatabase) -> Iterator[int]:
    """Run bench.plain_flask while the block runs, and yield its port."""
    port = free_port()
    names = {"URL": database.url, "TOKEN": TOKEN, "BUCKET": database.influx_bucket, "PORT": str(port)}
    variables = {**os.environ, **{f"PLAIN_{name}": value for name, value in names.items()}}
    process = subprocess.Popen([sys.executable, "-m", "bench.plain_flask"], env=variables, stdout=subprocess.DEVNULL)
    try:
        urllib3.request("GET", f"http://127.0.0.1:{port}/", retries=urllib3.Retry(connect=8, backoff_factor=0.1))
        yield port
    finally:
        process.terminate()
        process.wait(20)


def _forwarders(say: Callable[[str], None], folder: Path, server: InfluxServer) -> list[BenchRow]:
    say("building a journal to forward")
    journal = folder / "journal.sqlite"
    set_forwarding(journal, is_on=True, now_epoch_ms=NOW_MS)
    _fill(journal)
    points = _points_of(journal)
    bodies = [
        render_lines(points[first : first + MAX_POINTS_PER_WRITE])
        for first in range(0, len(points), MAX_POINTS_PER_WRITE)
    ]
    forwarder, direct = [], []
    for turn in range(ROUNDS):
        say(f"round {turn + 1} of {ROUNDS}: forwarder, and the same points posted directly")
        forwarder.append(len(points) / _forward(journal, folder / f"{turn}.sqlite", server.create()))
        direct.append(len(points) / _post(bodies, server.create()))
    ratio = median(forwarder) / median(direct)
    return [
        BenchRow("the same points posted directly, gzip, 5,000 a request", f"{median(direct):,.0f} points/s"),
        BenchRow("forwarder, from journal to InfluxDB", f"{median(forwarder):,.0f} points/s",
            f"{ratio:.2f} of posting directly", ">= 0.7"),
    ]  # fmt: skip


def _fill(path: Path) -> None:
    chance = random.Random(1)
    with closing(Journal(path)) as journal:
        for turn in range(FORWARDED // 10 // len(COUNTERS)):
            start = NOW_MS + turn * 60_000
            journal.append([
                Arrival(
                    counter, "bench",
                    tuple(Count(turn * 10 + seq, start + chance.randrange(60_000), seq % 2, 1 - seq % 2)
                          for seq in range(10)),
                    Span(start, start + 60_000), start + 60_000, b'{"queued":1,"uptime_s":5,"rssi_dbm":-70}',
                )
                for counter in COUNTERS
            ])  # fmt: skip


def _points_of(journal: Path) -> list[Point]:
    points: list[Point] = []
    with closing(Outbox(journal)) as outbox:
        cursor, high_water_mark = Cursor(), outbox.high_water_mark({})
        while chunk := outbox.next_chunk(cursor, high_water_mark, MAX_POINTS_PER_WRITE):
            points += chunk.points
            cursor = chunk.cursor
    return points


def _forward(journal: Path, state: Path, database: InfluxDatabase) -> float:
    """Return the seconds in which the forwarder sends all of *journal*."""
    writer = InfluxWriter(InfluxConfig(database.url, database.org, database.influx_bucket, database.token, 10))
    with closing(Outbox(journal)) as outbox, closing(ForwarderState(state)) as kept, closing(writer):
        forwarder = Forwarder(outbox, kept, writer, lambda: Registry({}, {}, {}), time.time, random.Random(1))
        started_s = time.perf_counter()
        while forwarder.step():
            pass
        return time.perf_counter() - started_s


def _post(bodies: list[bytes], database: InfluxDatabase) -> float:
    """Return the seconds it takes to POST *bodies*, rendered lines, compressed as InfluxWriter does."""
    url = f"{database.url}/api/v2/write?org=bench&bucket={database.influx_bucket}&precision=ns"
    headers = {"Authorization": f"Token {TOKEN}", "Content-Encoding": "gzip"}
    with urllib3.PoolManager(retries=False) as pool:
        started_s = time.perf_counter()
        for body in bodies:
            answer = pool.request("POST", url, body=gzip.compress(body, 6), headers=headers)
            if answer.status != 204:
                raise AssertionError(f"InfluxDB answered {answer.status}: {answer.data!r}")
        return time.perf_counter() - started_s
