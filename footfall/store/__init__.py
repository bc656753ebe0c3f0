"""Where counts are kept. The journal is written by ingest; readers answer the exporter and the API.

    ingest --Arrival--> GroupCommit --> Journal (SQLite)  --> JournalReader --Quarter--> calendar --> exporter, API

Law: only this folder knows SQL, and nothing outside it sees an error of sqlite3.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from footfall.model import CounterState, Quarter


class Reader(Protocol):
    """What the exporter and the API ask of a store, whichever it is. Every method may raise StoreUnavailable."""

    def quarters(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> list[Quarter]:
        """Return the sums of *counters* over each quarter hour of [start_utc, end_utc) that has anything to tell.

        *start_utc* lies on a quarter hour of UTC; *end_utc* may be now. Ordered by counter, then time. Counters never
        heard of add nothing.
        """
        ...

    def totals(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> list[Quarter]:
        """Return what quarters() does, summed over all of *counters*: the counter of each is empty. Ordered by time."""
        ...

    def sums(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> Mapping[str, tuple[int, int]]:
        """Return (entries, exits) of each of *counters* over [start_utc, end_utc), both on a quarter hour of UTC."""
        ...

    def covered_to(self, counters: Sequence[str]) -> Mapping[str, datetime]:
        """Return, for each of *counters* that ever counted, the end of its latest span.

        A counter sends in order: whatever lies before that instant has arrived, or never will.
        """
        ...

    def complete_until(self) -> datetime | None:
        """Return the instant before which all that was received is in this store; None where it always is.

        A copy lags behind what ingest received: for a moment as a rule, for as long as it was down when it comes back.
        """
        ...

    def counter_states(self, counters: Sequence[str]) -> Mapping[str, CounterState]:
        """Return the last that was heard of each of *counters*; one never heard of has only its id."""
        ...
