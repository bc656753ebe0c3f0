"""The web pages: server time for one, bytes a browser loads, and how much viewers slow ingest down."""

import http.client
import multiprocessing
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Event
from pathlib import Path
from statistics import median

from flask.testing import FlaskClient

from bench.load import Load, requests_per_second
from bench.report import BenchRow
from bench.year import site_with_a_year
from footfall.environment import Environment
from footfall.settings import read_config
from harness.installation import install
from ingest.app import create_app
from ingest.ingest_settings import load_ingest_config
from ingest.worker import build_context

COUNTERS = tuple(f"DOOR{number}" for number in range(30))
NOW_S = datetime(2025, 12, 17, 15, 10, tzinfo=UTC).timestamp()
"""A Wednesday afternoon at the end of the stored year."""

VIEWERS = 50
ROUNDS = 5
_REPEATS = 15
_SITE = "/sites/alliance"
_LOADED = ("/", "/static/footfall.css", "/static/live.js", "/static/icon.svg")


def measure(say: Callable[[str], None], requests: int, crossings: int) -> list[BenchRow]:
    """Return the rows of the table, for a journal of about *crossings* crossings and rounds of *requests* batches."""
    return [*_pages(say, crossings), *_viewers(say, requests)]


def _pages(say: Callable[[str], None], crossings: int) -> list[BenchRow]:
    """Return the cost of single pages, served in this process with a clock in the stored year."""
    config_file = read_config(site_with_a_year(say, crossings).folder / "footfall.toml")
    config = load_ingest_config(config_file, Environment({}))
    config_file.finish()
    parts = build_context(config, lambda: NOW_S)
    client = create_app(parts).test_client()
    say("pages, with a year of 100 counters")
    pages = {
        "first page": ("/", "< 50 ms"),
        "history of a month and the month before": (f"{_SITE}/history?period=month&day=2025-12-17", ""),
        "counters": (f"{_SITE}/counters", ""),
    }
    rows = []
    for name, (path, target) in pages.items():
        taken = [_taken(client, path) for _ in range(_REPEATS)]
        first, usual = taken[0], median(taken[1:])
        comparison = f"100 counters, a year stored; the first request {first * 1000:.0f} ms"
        rows.append(BenchRow(f"page: {name}", f"{usual * 1000:.0f} ms of server time", comparison, target))
    size = sum(len(_get(client, path)) for path in _LOADED)
    rows.append(BenchRow("page: first load", f"{size / 1000:.0f} KB", "HTML, style sheet, script, icon", "< 100 KB"))
    parts.commit.close()
    return rows


def _taken(client: FlaskClient, path: str) -> float:
    """Return the seconds of processor time for one request of *path*, which other processes do not affect."""
    started_s = time.thread_time()
    _get(client, path)
    return time.thread_time() - started_s


def _get(client: FlaskClient, path: str) -> bytes:
    with client.get(path, headers={"Accept-Language": "en"}) as response:
        if response.status_code != 200:
            raise AssertionError(f"{path}: {response.status}")
        body: bytes = response.data
        return body


def _viewers(say: Callable[[str], None], requests: int) -> list[BenchRow]:
    """Return the rate of batches of 1, with and without VIEWERS, in turns."""
    folder = Path(tempfile.mkdtemp(prefix="footfall-bench-"))
    alone: list[float] = []
    watched: list[float] = []
    slowest: list[float] = []
    try:
        site = install(folder / "site", COUNTERS)
        load = Load(site.port, requests, 1, COUNTERS, tuple(site.keys[counter] for counter in COUNTERS))
        with site.serving():
            requests_per_second(load)
            for turn in range(ROUNDS):
                say(f"round {turn + 1} of {ROUNDS}: no viewers")
                alone.append(requests_per_second(load))
                say(f"round {turn + 1} of {ROUNDS}: {VIEWERS} viewers")
                audience = _Audience(site.port)
                watched.append(requests_per_second(load))
                slowest.append(audience.leave())
    finally:
        shutil.rmtree(folder)
    ratio = median(with_them / without for with_them, without in zip(watched, alone, strict=True))
    return [
        BenchRow(
            f"batches of 1, with {VIEWERS} viewers on the page",
            f"{median(watched):,.0f} crossings/s",
            f"{ratio:.2f} of the rate without viewers; p99 of the page {median(slowest) * 1000:.0f} ms",
            ">= 0.9",
        )
    ]


class _Audience:
    """VIEWERS browsers in a separate process. Each polls for changes once a second."""

    def __init__(self, port: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._all_started, self._end = context.Event(), context.Event()
        self._results: multiprocessing.Queue[float] = context.Queue()
        self._process = context.Process(target=_watch, args=(port, self._all_started, self._end, self._results))
        self._process.start()
        if not self._all_started.wait(60):
            raise AssertionError("the viewers did not start")

    def leave(self) -> float:
        """Stop the viewers, and return the 99th percentile of their response times in seconds."""
        self._end.set()
        slowest = self._results.get(timeout=60)
        self._process.join()
        return slowest


@dataclass
class _Viewer:
    """One browser with a keep-alive connection."""

    port: int
    end: Event
    starts_after_s: float

    def __post_init__(self) -> None:
        self.taken_s: list[float] = []

    def look(self) -> None:
        """Poll once a second until the end, as static/live.js does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        etag = ""
        self.end.wait(self.starts_after_s)
        while not self.end.is_set():
            started_s = time.perf_counter()
            connection.request("GET", f"{_SITE}/live", headers={"If-None-Match": etag, "Accept-Language": "en"})
            response = connection.getresponse()
            response.read()
            if response.status not in {200, 304}:
                raise AssertionError(f"a viewer got {response.status}")
            etag = response.headers["ETag"] or etag
            self.taken_s.append(time.perf_counter() - started_s)
            self.end.wait(1)
        connection.close()


def _watch(port: int, all_started: Event, end: Event, results: "multiprocessing.Queue[float]") -> None:
    viewers = [_Viewer(port, end, number / VIEWERS) for number in range(VIEWERS)]
    threads = [threading.Thread(target=viewer.look) for viewer in viewers]
    for thread in threads:
        thread.start()
    while any(not viewer.taken_s for viewer in viewers):
        time.sleep(0.05)
    all_started.set()
    for thread in threads:
        thread.join()
    taken_s = sorted(one for viewer in viewers for one in viewer.taken_s)
    results.put(taken_s[len(taken_s) * 99 // 100])
