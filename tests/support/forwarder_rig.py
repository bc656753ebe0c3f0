"""A forwarder under test, with a real journal and state, an InfluxDB in memory, and a clock that tests set."""

import random
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from footfall.model import QUARTER_MS, Arrival, Counter, Hours, Site, Span
from footfall.registry import Registry
from footfall.store.forwarder_state import FILE_NAME as FORWARDER_STATE
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
class ForwarderRig:
    """A journal in *folder*, an InfluxDB, and the forwarder between them, which can be restarted."""

    folder: Path
    influx: FakeInflux = field(default_factory=FakeInflux)
    clock: SetClock = field(default_factory=lambda: SetClock(START_MS))
    max_points: int = 5
    max_quarantined: int = 100
    registry: Registry = field(default_factory=registry_of)
    has_point: Callable[[Point], bool | None] | None = None

    def __post_init__(self) -> None:
        self._kept_open = ExitStack()
        self.path = self.folder / FILE_NAME
        set_forwarding(self.path, is_on=True, now_epoch_ms=self.clock.now_ms)
        self.journal = Journal(self.path)
        self.start()

    def start(self, *, state_is_lost: bool = False) -> None:
        """Start the forwarder, as after a kill: with only its state file, or with nothing if that was lost."""
        self._kept_open.close()
        if state_is_lost:
            for path in self.folder.glob(FORWARDER_STATE + "*"):
                path.unlink()
        self.state = self._kept_open.enter_context(closing(ForwarderState(self.folder / FORWARDER_STATE)))
        self.outbox = self._kept_open.enter_context(closing(Outbox(self.path)))
        self.forwarder = Forwarder(
            self.outbox, self.state, self.influx, lambda: self.registry, self.clock, random.Random(1),
            has_point=self.has_point or self.influx.has_point, max_points=self.max_points,
            max_quarantined=self.max_quarantined,
        )  # fmt: skip

    def close(self) -> None:
        self._kept_open.close()
        self.journal.close()

    def append(self, *arrivals: Arrival) -> None:
        self.journal.append(arrivals)

    def entries(self, first: int, last: int) -> None:
        """Append a batch for each seq of [first, last): an entry, and the second it lies in."""
        at = [START_MS - QUARTER_MS + seq * 1000 for seq in range(first, last)]
        self.append(*(arrival(entry(seq, at_ms), span=Span(at_ms, at_ms + 1000), received_ms=self.clock.now_ms)
                    for seq, at_ms in zip(range(first, last), at, strict=True)))  # fmt: skip

    def work(self, max_steps: int = 500) -> None:
        """Step until there is nothing left to do."""
        while self.forwarder.step():
            max_steps -= 1
            assert max_steps, "the forwarder never finishes"

    def later(self, seconds: float) -> None:
        self.clock.now_ms += int(seconds * 1000)

    def seqs(self) -> list[int]:
        """Return the sorted seqs of the crossings that InfluxDB has."""
        return sorted(time_ns % NS_PER_MS for _, _, time_ns in self.influx.of("crossings"))

    def waiting(self) -> int:
        return read_lag(self.path, self.clock.now_ms).waiting
