"""InfluxDB as a store in tests, filled as in production: through a journal, its outbox and the writer."""

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
from tests.support.influx_fixtures import InfluxDatabase
from tests.support.journals import START_MS

NOW = datetime(2026, 5, 4, 20, 0, tzinfo=UTC)
SITES = {"ALLI1": "alliance", "ALLI2": "alliance"}


def config_of(database: InfluxDatabase, timeout_s: int = 10) -> InfluxConfig:
    """Return the settings that lead to *database*."""
    return InfluxConfig(database.url, database.org, database.influx_bucket, database.token, timeout_s)


@contextmanager
def reading(database: InfluxDatabase, now: Callable[[], datetime] = lambda: NOW) -> Iterator[InfluxReader]:
    """Yield a reader of *database*."""
    with closing(InfluxReader(InfluxQL(config_of(database)), now)) as reader:
        yield reader


class ForwardedJournal:
    """The journal of one ingest; forward() writes its outbox to InfluxDB."""

    def __init__(self, path: Path, database: InfluxDatabase, sites: Mapping[str, str] = SITES) -> None:
        """Create the journal at *path*."""
        self.journal = Journal(path)
        set_forwarding(path, is_on=True, now_epoch_ms=START_MS)
        self.outbox = Outbox(path)
        self.sites = sites
        self._writer = InfluxWriter(config_of(database))
        self.cursor = Cursor()

    def keep(self, *arrivals: Arrival) -> None:
        """Append *arrivals* and forward them."""
        self.journal.append(arrivals)
        self.forward()

    def forward(self) -> None:
        """Write everything after the cursor to InfluxDB."""
        high_water_mark = self.outbox.high_water_mark(self.sites)
        while chunk := self.outbox.next_chunk(self.cursor, high_water_mark, 1000):
            points = list(chunk.points)
            for first in range(0, len(points), 5000):
                self._writer.write(points[first : first + 5000])
            self.cursor = chunk.cursor

    def close(self) -> None:
        """Close everything."""
        self._writer.close()
        self.outbox.close()
        self.journal.close()


@contextmanager
def forwarded(path: Path, database: InfluxDatabase, sites: Mapping[str, str] = SITES) -> Iterator[ForwardedJournal]:
    """Yield a journal at *path* that is forwarded to *database*."""
    with closing(ForwardedJournal(path, database, sites)) as journal:
        yield journal


def write_forwarder(
    database: InfluxDatabase, ingest: str, at_ms: int, waiting: int = 0, lag_s: int = 0, refused: int = 0
) -> None:
    """Write the point of *ingest*'s forwarder."""
    point = forwarder_point(ingest, waiting, lag_s, refused, at_ms * 1_000_000)
    database.write(render_lines([point]).decode())
