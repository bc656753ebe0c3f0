"""Reads the ledger that the exporter writes: for pages and metrics, in another process, rendering nothing."""

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

from footfall.store.ledger_schema import (
    MIGRATIONS,
    STANDING_COLUMNS,
    RecordedProfile,
    SentFile,
    Standing,
    State,
    standing_of,
)
from footfall.store.sqlite import SchemaMismatch, open_database, translated

_LOCK_TIMEOUT_S = 5.0
_OUTCOMES = """
    SELECT outcome.day, delivered_epoch_ms, sent_file.day IS NOT NULL
    FROM outcome LEFT JOIN sent_file ON sent_file.profile = outcome.profile AND sent_file.day = outcome.day
    WHERE outcome.profile = ? AND outcome.day BETWEEN ? AND ? AND delivered_sha256 IS NOT NULL
"""
_SENT = """
    SELECT sent_file.day, file_name, content, encoding, row_count, gaps
    FROM sent_file JOIN delivery ON delivery.id = sent_file.delivery
    WHERE sent_file.profile = ? AND sent_file.day BETWEEN ? AND ? ORDER BY sent_file.day
"""


class DayStanding(NamedTuple):
    """The state of a due day. ``standing`` is None if it is delivered, ``delivered_epoch_ms`` if it never was.

    ``is_kept``: the ledger has the delivered bytes.
    """

    day: date
    state: State
    standing: Standing | None = None
    delivered_epoch_ms: int | None = None
    is_kept: bool = False


class LedgerReader:
    """Reads a ledger that the exporter may be writing. Thread-safe: every call opens the file.

    It neither creates nor migrates a ledger. One that is missing, or that an older Footfall wrote, reads as empty: the
    exporter of this version has not run here yet. Every method may raise StoreUnavailable.
    """

    def __init__(self, path: Path) -> None:
        """Read the ledger at *path*."""
        self.path = path

    def looked_epoch_ms(self) -> int | None:
        """Return when the exporter last looked; None if it has not run here yet."""
        with self._open() as connection:
            found = connection.execute("SELECT looked_epoch_ms FROM look").fetchone() if connection else None
        return found[0] if found else None

    def profiles(self) -> list[RecordedProfile]:
        """Return the profiles as of the last look, by name."""
        with self._open() as connection:
            rows = connection.execute("SELECT name, site, destination FROM profile ORDER BY name") if connection else ()
            return [RecordedProfile(*row) for row in rows]

    def standings(self) -> list[Standing]:
        """Return the standings of all owed days, oldest first."""
        with self._open() as connection:
            query = f"SELECT {STANDING_COLUMNS} FROM standing ORDER BY day, profile"  # noqa: S608
            return [standing_of(row) for row in connection.execute(query)] if connection else []

    def days(self, profile: str, first: date, last: date) -> Mapping[date, DayStanding]:
        """Return the due days of *profile* from *first* to *last*."""
        window = (profile, first.isoformat(), last.isoformat())
        with self._open() as connection:
            if connection is None:
                return {}
            found = {}
            for text, delivered_epoch_ms, is_kept in connection.execute(_OUTCOMES, window):
                day = date.fromisoformat(text)
                found[day] = DayStanding(day, State.DELIVERED, None, delivered_epoch_ms, bool(is_kept))
            query = f"SELECT {STANDING_COLUMNS} FROM standing WHERE profile = ? AND day BETWEEN ? AND ?"  # noqa: S608
            for standing in map(standing_of, connection.execute(query, window)):
                before = found.get(standing.day, DayStanding(standing.day, standing.state))
                found[standing.day] = before._replace(state=standing.state, standing=standing)
            return found

    def sent_files(self, profile: str, first: date, last: date) -> list[SentFile]:
        """Return the files of *profile* as they were last delivered, for the days from *first* to *last*."""
        with self._open() as connection:
            window = (profile, first.isoformat(), last.isoformat())
            rows = connection.execute(_SENT, window) if connection else ()
            return [_sent_file(*row) for row in rows]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection | None]:
        """Yield a connection whose queries all see the ledger as of one instant; None if there is none yet."""
        if not self.path.exists():
            yield None
            return
        try:
            opened = open_database(self.path, MIGRATIONS, timeout_s=_LOCK_TIMEOUT_S, mode="ro")
        except SchemaMismatch as exc:
            if exc.found > exc.needed:
                raise
            yield None
            return
        with translated(self.path), closing(opened) as connection:
            connection.execute("BEGIN")
            yield connection


def _sent_file(day: str, name: str, content: bytes, encoding: str, rows: int, gaps: str) -> SentFile:
    return SentFile(date.fromisoformat(day), name, zlib.decompress(content), encoding, rows, tuple(json.loads(gaps)))
