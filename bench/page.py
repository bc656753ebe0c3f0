"""The pages: how long the server works for one, how much a browser loads, and what viewers cost those who count."""

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
from bench.report import Row
from bench.year import site_with_a_year
from footfall.environment import Environment
from footfall.settings import read_config
from harness.installation import install
from ingest.app import create_app
from ingest.ingest_settings import load_ingest_config
from ingest.worker import build_context

COUNTERS = tuple(f"DOOR{number}" for number in range(30))
NOW_S = datetime(2025, 12, 17, 15, 10, tzinfo=UTC).timestamp()
"""A Wednesday afternoon at the end of the year that is stored."""

VIEWERS = 50
ROUNDS = 5
_REPEATS = 15
_SITE = "/sites/alliance"
_LOADED = ("/", "/static/footfall.css", "/static/live.js", "/static/icon.svg")


def measure(say: Callable[[str], None], requests: int, crossings: int) -> list[Row]:
    """Return the rows of the table, for a journal of about *crossings* and rounds of *requests* batches."""
    return [*_pages(say, crossings), *_viewers(say, requests)]


def _pages(say: Callable[[str], None], crossings: int) -> list[Row]:
    """Return what single pages cost: the app in this process, at a clock in the year that is stored."""
    config_file = read_config(site_with_a_year(say, crossings).folder / "footfall.toml")
    config = load_ingest_config(config_file, Environment({}))
    config_file.finish()
    parts = build_context(config, lambda: NOW_S)
    client = create_app(parts).test_client()
    say("pages, with a year of 100 counters")
    pages = {
        "first page": ("/", "< 50 ms"),
        "history of a month, beside the month before": (f"{_SITE}/history?period=month&day=2025-12-17", ""),
        "counters": (f"{_SITE}/counters", ""),
    }
    rows = []
    for name, (path, aim) in pages.items():
        taken = [_taken(client, path) for _ in range(_REPEATS)]
        first, usual = taken[0], median(taken[1:])
        beside = f"of 100 counters, a year stored; the first time {first * 1000:.0f} ms"
        rows.append(Row(f"page: {name}", f"{usual * 1000:.0f} ms of the server", beside, aim))
    size = sum(len(_get(client, path)) for path in _LOADED)
    rows.append(
        Row("page: all a browser loads", f"{size / 1000:.0f} KB", "HTML, style sheet, script, icon", "< 100 KB")
    )
    parts.commit.close()
    return rows


def _taken(client: FlaskClient, path: str) -> float:
    """Return the seconds of processor time that answering *path* took: what else the machine does has no say."""
    started_s = time.thread_time()
    _get(client, path)
    return time.thread_time() - started_s


def _get(client: FlaskClient, path: str) -> bytes:
    with client.get(path, headers={"Accept-Language": "en"}) as answer:
        if answer.status_code != 200:
            raise AssertionError(f"{path}: {answer.status}")
        body: bytes = answer.data
        return body


def _viewers(say: Callable[[str], None], requests: int) -> list[Row]:
    """Return how fast batches of 1 are taken while nobody looks and while VIEWERS do, in turns."""
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
                say(f"round {turn + 1} of {ROUNDS}: nobody looks")
                alone.append(requests_per_second(load))
                say(f"round {turn + 1} of {ROUNDS}: {VIEWERS} viewers")
                audience = _Audience(site.port)
                watched.append(requests_per_second(load))
                slowest.append(audience.leave())
    finally:
        shutil.rmtree(folder)
    ratio = median(with_them / without for with_them, without in zip(watched, alone, strict=True))
    return [
        Row(
            f"batches of 1, while {VIEWERS} viewers look at the page",
            f"{median(watched):,.0f} crossings/s",
            f"{ratio:.2f} of what it is without them; their answers within {median(slowest) * 1000:.0f} ms (99 of 100)",
            ">= 0.9",
        )
    ]


class _Audience:
    """VIEWERS browsers in a process of their own; each asks for what has changed once a second."""

    def __init__(self, port: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._all_here, self._end = context.Event(), context.Event()
        self._told: multiprocessing.Queue[float] = context.Queue()
        self._process = context.Process(target=_watch, args=(port, self._all_here, self._end, self._told))
        self._process.start()
        if not self._all_here.wait(60):
            raise AssertionError("the viewers did not come")

    def leave(self) -> float:
        """End it, and return within how many seconds 99 of 100 answers came."""
        self._end.set()
        slowest = self._told.get(timeout=60)
        self._process.join()
        return slowest


@dataclass
class _Viewer:
    """One browser, on a connection that stays."""

    port: int
    end: Event
    starts_after_s: float

    def __post_init__(self) -> None:
        self.taken_s: list[float] = []

    def look(self) -> None:
        """Ask once a second until the end, as static/live.js does."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        etag = ""
        self.end.wait(self.starts_after_s)
        while not self.end.is_set():
            started_s = time.perf_counter()
            connection.request("GET", f"{_SITE}/live", headers={"If-None-Match": etag, "Accept-Language": "en"})
            answer = connection.getresponse()
            answer.read()
            if answer.status not in {200, 304}:
                raise AssertionError(f"a viewer was answered {answer.status}")
            etag = answer.headers["ETag"] or etag
            self.taken_s.append(time.perf_counter() - started_s)
            self.end.wait(1)
        connection.close()


def _watch(port: int, all_here: Event, end: Event, told: "multiprocessing.Queue[float]") -> None:
    viewers = [_Viewer(port, end, number / VIEWERS) for number in range(VIEWERS)]
    threads = [threading.Thread(target=viewer.look) for viewer in viewers]
    for thread in threads:
        thread.start()
    while any(not viewer.taken_s for viewer in viewers):
        time.sleep(0.05)
    all_here.set()
    for thread in threads:
        thread.join()
    taken_s = sorted(one for viewer in viewers for one in viewer.taken_s)
    told.put(taken_s[len(taken_s) * 99 // 100])
