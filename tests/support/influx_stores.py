"""InfluxDB as a store in tests: filled by the product's own way in, a journal, its outbox and the writer."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from footfall.model import Arrival
from footfall.store.influx_reader import InfluxReader
from footfall.store.influx_settings import InfluxConfig
from footfall.store.influx_writer import InfluxWriter
from footfall.store.influxql import InfluxQL
from footfall.store.journal import Journal
from footfall.store.line_protocol import render_lines
from footfall.store.outbox import Cursor, Outbox, set_forwarding
from footfall.store.points import forwarder_point
from tests.support.influx_server import InfluxDatabase
from tests.support.journals import START_MS

NOW = datetime(2026, 5, 4, 20, 0, tzinfo=UTC)
SITES = {"ALLI1": "alliance", "ALLI2": "alliance"}


def config_of(database: InfluxDatabase, timeout_s: int = 10) -> InfluxConfig:
    """Return what a footfall.toml that names *database* says."""
    return InfluxConfig(database.url, database.org, database.influx_bucket, database.token, timeout_s)


@contextmanager
def reading(database: InfluxDatabase, now: Callable[[], datetime] = lambda: NOW) -> Iterator[InfluxReader]:
    """Give a reader of *database*."""
    with closing(InfluxReader(InfluxQL(config_of(database)), now)) as reader:
        yield reader


class ForwardedJournal:
    """A journal, as one ingest has it, whose outbox is written to InfluxDB whenever forward() is called."""

    def __init__(self, path: Path, database: InfluxDatabase, sites: Mapping[str, str] = SITES) -> None:
        """Make the journal at *path*."""
        self.journal = Journal(path)
        set_forwarding(path, is_on=True, now_epoch_ms=START_MS)
        self.outbox = Outbox(path)
        self.sites = sites
        self._writer = InfluxWriter(config_of(database))
        self._place = Cursor()

    def keep(self, *arrivals: Arrival) -> None:
        """Keep *arrivals*, and forward."""
        self.journal.append(arrivals)
        self.forward()

    def forward(self) -> None:
        """Write all that is new to InfluxDB."""
        high_water_mark = self.outbox.high_water_mark(self.sites)
        while chunk := self.outbox.next_chunk(self._place, high_water_mark, 1000):
            points = list(chunk.points)
            for first in range(0, len(points), 5000):
                self._writer.write(points[first : first + 5000])
            self._place = chunk.place

    def close(self) -> None:
        """Close everything."""
        self._writer.close()
        self.outbox.close()
        self.journal.close()


@contextmanager
def forwarded(path: Path, database: InfluxDatabase, sites: Mapping[str, str] = SITES) -> Iterator[ForwardedJournal]:
    """Give a journal at *path* that is forwarded to *database*."""
    with closing(ForwardedJournal(path, database, sites)) as journal:
        yield journal


def write_forwarder(
    database: InfluxDatabase, ingest: str, at_ms: int, waiting: int = 0, lag_s: int = 0, refused: int = 0
) -> None:
    """Store what the forwarder of *ingest* says of itself."""
    point = forwarder_point(ingest, waiting, lag_s, refused, at_ms * 1_000_000)
    database.write(render_lines([point]).decode())
