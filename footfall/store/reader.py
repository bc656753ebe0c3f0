"""The interface of every store's reader, and the reader that a configuration selects."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from footfall.model import CounterState, Quarter
from footfall.store.influx_reader import InfluxReader
from footfall.store.influx_settings import InfluxConfig
from footfall.store.influxql import InfluxQL
from footfall.store.journal import FILE_NAME
from footfall.store.journal_reader import JournalReader


class Reader(Protocol):
    """Reads a store. Every method may raise StoreUnavailable."""

    def quarters(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> list[Quarter]:
        """Return the sums of *counters* per quarter hour of [start_utc, end_utc), ordered by counter, then time.

        *start_utc* lies on a UTC quarter hour; *end_utc* may be now. Quarter hours without counts and coverage, and
        unknown counters, are left out.
        """
        ...

    def totals(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> list[Quarter]:
        """Return quarters() summed over all *counters*, ordered by time. The ``counter`` of each is empty."""
        ...

    def sums(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> Mapping[str, tuple[int, int]]:
        """Return (entries, exits) of each of *counters* over [start_utc, end_utc), both on a UTC quarter hour."""
        ...

    def covered_to(self, counters: Sequence[str]) -> Mapping[str, datetime]:
        """Return the end of the latest span of each of *counters* that ever counted.

        A counter sends in order: everything before that instant has arrived, or is lost.
        """
        ...

    def complete_until(self) -> datetime | None:
        """Return the instant before which this store has everything ingest received; None if it never lags.

        A copy lags by a moment, or by the length of an outage.
        """
        ...

    def counter_states(self, counters: Sequence[str]) -> Mapping[str, CounterState]:
        """Return the state of each of *counters*; an unknown counter has only its id."""
        ...


def open_reader(data: Path, influx: InfluxConfig | None) -> Reader:
    """Return a reader of the InfluxDB of *influx*, or, if that is None, of the journal in the folder *data*."""
    return JournalReader(data / FILE_NAME) if influx is None else InfluxReader(InfluxQL(influx))
