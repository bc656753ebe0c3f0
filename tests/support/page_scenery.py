"""Sites for the page tests: the real app on a journal of simulated people, with a clock that stands still."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.serving import make_server

from footfall.calendar import day_bounds
from footfall.model import Arrival, Count, Site, Span, epoch_ms
from simulator.people import Crossing, walk_day
from tests.support.http_serving import serving
from tests.support.ingest_app import Ingest, ingest_in_process

PARIS = ZoneInfo("Europe/Paris")
TODAY = date(2026, 5, 20)
"""A Wednesday."""


@dataclass
class Scenery:
    """A site and its people. ``gaps`` are (counter, first, last) in local time; ``reports`` are status reports."""

    counters: int = 2
    days: int = 30
    people: int = 300
    at: datetime = datetime(2026, 5, 20, 15, 20, tzinfo=PARIS)
    gaps: Sequence[tuple[str, datetime, datetime]] = ()
    reports: dict[str, bytes] = field(default_factory=dict)
    last_heard: dict[str, datetime] = field(default_factory=dict)
    capacity: int | None = 120

    def counter_ids(self) -> list[str]:
        """Return the ids of the counters."""
        return [f"DOOR{number}" for number in range(1, self.counters + 1)]

    def toml(self) -> str:
        """Return the site and its counters as TOML for footfall.toml."""
        capacity = f"capacity = {self.capacity}\n" if self.capacity else ""
        text = f'[sites.mediatheque]\nname = "Médiathèque"\ncode = "MEDI"\ntimezone = "{PARIS.key}"\n{capacity}'
        for number, counter in enumerate(self.counter_ids()):
            name = DOOR_NAMES[number % len(DOOR_NAMES)] + (f" {number}" if number >= len(DOOR_NAMES) else "")
            text += f'\n[counters.{counter}]\nsite = "mediatheque"\nname = "{name}"\nlocation = "Level {number % 3}"\n'
        return text


DOOR_NAMES = ("Main door", "Garden door", "Café", "Children", "Car park", "Auditorium")


def fill(ingest: Ingest, scenery: Scenery) -> list[Crossing]:
    """Store the people of *scenery* in the journal, and return the counted crossings."""
    site = ingest.context.registry().sites["mediatheque"]
    now_ms = epoch_ms(scenery.at)
    ingest.clock.now_ms = now_ms
    counted: list[Crossing] = []
    seqs = dict.fromkeys(scenery.counter_ids(), 0)
    today = scenery.at.astimezone(site.tz).date()
    for number in reversed(range(scenery.days)):
        day = today - timedelta(days=number)
        people = scenery.people * (7 - day.weekday()) // 5
        crossings = walk_day(site, day, scenery.counter_ids(), people=people, seed=number)
        for counter in scenery.counter_ids():
            for span in _spans(site, day, counter, scenery, now_ms):
                mine = [one for one in crossings if one.counter == counter and _is_in(span, one)]
                counted += mine
                ingest.context.commit.append(_arrival(counter, seqs[counter], mine, span, scenery, now_ms))
                seqs[counter] += len(mine)
    return counted


def site_settings(scenery: Scenery) -> dict[str, Any]:
    """Return the settings of install() for *scenery*."""
    profile = '\n[profiles.mediatheque]\nsite = "mediatheque"\n'
    return {"counters": (), "site": scenery.toml(), "profile": profile}


@contextmanager
def served_pages(folder: Path, scenery: Scenery, **settings: Any) -> Iterator[tuple[str, Ingest, list[Crossing]]]:
    """Serve *scenery*; yield the address of the pages, the app and the counted crossings."""
    with ingest_in_process(folder, **site_settings(scenery), **settings) as ingest:
        counted = fill(ingest, scenery)
        server = make_server("127.0.0.1", 0, ingest.app, threaded=True)
        with serving(server) as url:
            yield url, ingest, counted


def _spans(site: Site, day: date, counter: str, scenery: Scenery, now_ms: int) -> list[Span]:
    """Return when *counter* was counting on *day*: until it was last heard from, except in the gaps."""
    start_utc, end_utc = day_bounds(day, site.tz)
    heard = scenery.last_heard.get(counter)
    end_ms = min(epoch_ms(end_utc), now_ms, epoch_ms(heard) if heard else now_ms)
    spans = [Span(epoch_ms(start_utc), end_ms)]
    for name, first, last in scenery.gaps:
        if name == counter and first.date() == day:
            spans = [Span(spans[0].from_epoch_ms, epoch_ms(first)), Span(epoch_ms(last), end_ms)]
    return [span for span in spans if span.from_epoch_ms < span.to_epoch_ms]


def _is_in(span: Span, crossing: Crossing) -> bool:
    return span.from_epoch_ms <= crossing.time_epoch_ms < span.to_epoch_ms


def _arrival(
    counter: str, seq: int, crossings: Sequence[Crossing], span: Span, scenery: Scenery, now_ms: int
) -> Arrival:
    counts = tuple(
        Count(seq + number, one.time_epoch_ms, int(one.direction > 0), int(one.direction < 0))
        for number, one in enumerate(crossings, 1)
    )
    heard = scenery.last_heard.get(counter)
    received = min(span.to_epoch_ms + 1000, now_ms, epoch_ms(heard) if heard else now_ms)
    status = scenery.reports.get(counter, b'{"firmware":"1.0.0","rssi_dbm":-61,"queued":0,"aborted":3}')
    return Arrival(counter, "9f3c2a1b", counts, span, received, status)
