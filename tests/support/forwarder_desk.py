"""A forwarder at work: a real journal and file of its own, an InfluxDB in memory, and a clock that is set by hand."""

import random
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from footfall.model import QUARTER_MS, Arrival, Counter, Hours, Site, Span
from footfall.registry import Registry
from footfall.store.forwarder_state import FILE_NAME as SHIPMENTS
from footfall.store.forwarder_state import ForwarderState, read_lag
from footfall.store.journal import FILE_NAME, Journal
from footfall.store.outbox import Outbox, set_forwarding
from footfall.store.points import NS_PER_MS, Point
from ingest.forwarder import Forwarder
from tests.support.fake_influx import FakeInflux
from tests.support.ingest_app import SetClock
from tests.support.journals import START_MS, arrival, entry

SITE = Site("alliance", "Alliance", "ALLI", ZoneInfo("Europe/Paris"), Hours(480, 1140), 120, 240)


def registry_of(site: str = "alliance") -> Registry:
    sites = {name: replace(SITE, id=name) for name in ("alliance", "annex")}
    return Registry(sites, {name: Counter(name, site, name, "Hall") for name in ("ALLI1", "ALLI2")}, {})


@dataclass
class Desk:
    """A journal in *folder*, an InfluxDB, and the forwarder between them, which may be started anew."""

    folder: Path
    influx: FakeInflux = field(default_factory=FakeInflux)
    clock: SetClock = field(default_factory=lambda: SetClock(START_MS))
    most_points: int = 5
    most_quarantined: int = 100
    registry: Registry = field(default_factory=registry_of)
    sees: Callable[[Point], bool | None] | None = None

    def __post_init__(self) -> None:
        self._kept_open = ExitStack()
        self.path = self.folder / FILE_NAME
        set_forwarding(self.path, is_on=True, now_epoch_ms=self.clock.now_ms)
        self.journal = Journal(self.path)
        self.start()

    def start(self, *, anew: bool = False) -> None:
        """Start a forwarder, as after a kill: it knows only what is in its file, or where that was lost, nothing."""
        self._kept_open.close()
        if anew:
            for path in self.folder.glob(SHIPMENTS + "*"):
                path.unlink()
        self.shipments = self._kept_open.enter_context(closing(ForwarderState(self.folder / SHIPMENTS)))
        self.outbox = self._kept_open.enter_context(closing(Outbox(self.path)))
        self.forwarder = Forwarder(
            self.outbox, self.shipments, self.influx, lambda: self.registry, self.clock, random.Random(1),
            holds=self.sees or self.influx.holds, most_points=self.most_points, most_quarantined=self.most_quarantined,
        )  # fmt: skip

    def close(self) -> None:
        self._kept_open.close()
        self.journal.close()

    def keep(self, *arrivals: Arrival) -> None:
        self.journal.append(arrivals)

    def entries(self, first: int, last: int) -> None:
        """Keep a batch for each of the seqs from *first* to before *last*, with the minute it covers."""
        at = [START_MS - QUARTER_MS + seq * 1000 for seq in range(first, last)]
        self.keep(*(arrival(entry(seq, at_ms), span=Span(at_ms, at_ms + 1000), received_ms=self.clock.now_ms)
                    for seq, at_ms in zip(range(first, last), at, strict=True)))  # fmt: skip

    def work(self, most: int = 500) -> None:
        """Step until there is nothing to do."""
        while self.forwarder.step():
            most -= 1
            assert most, "the forwarder never comes to an end"

    def later(self, seconds: float) -> None:
        self.clock.now_ms += int(seconds * 1000)

    def seqs(self) -> list[int]:
        """Return the seq of every crossing that InfluxDB has, in order."""
        return sorted(time_ns % NS_PER_MS for _, _, time_ns in self.influx.of("crossings"))

    def waiting(self) -> int:
        return read_lag(self.path, self.clock.now_ms).waiting
