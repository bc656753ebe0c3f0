"""Opens the store that was chosen."""

from pathlib import Path

from footfall.store import Reader
from footfall.store.influx_reader import InfluxReader
from footfall.store.influx_settings import InfluxConfig
from footfall.store.influxql import InfluxQL
from footfall.store.journal import FILE_NAME
from footfall.store.journal_reader import JournalReader


def open_reader(data: Path, influx: InfluxConfig | None) -> Reader:
    """Return a reader of the InfluxDB that *influx* describes, or, where that is None, of the journal in *data*."""
    return JournalReader(data / FILE_NAME) if influx is None else InfluxReader(InfluxQL(influx))
