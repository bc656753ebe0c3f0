"""InfluxDB's reader holds to what every Reader promises, over a real server that a journal was forwarded to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from footfall.store.influx_reader import InfluxReader
from tests.support.influx_server import InfluxDatabase
from tests.support.influx_stores import ForwardedJournal, forwarded, reading
from tests.support.reader_contract import Keep, ReaderContract


@pytest.fixture
def store(tmp_path: Path, influx_database: InfluxDatabase) -> Iterator[ForwardedJournal]:
    with forwarded(tmp_path / "journal.sqlite", influx_database) as one:
        yield one


@pytest.fixture
def keep(store: ForwardedJournal) -> Keep:
    return store.keep


@pytest.fixture
def reader(influx_database: InfluxDatabase) -> Iterator[InfluxReader]:
    with reading(influx_database) as one:
        yield one


class TestInfluxReader(ReaderContract):
    """The contract, over InfluxDB and its reader."""
