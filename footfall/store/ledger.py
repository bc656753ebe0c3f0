"""The ledger: every attempt to deliver a day, and where each day stands. What is owed survives any restart.

standing   one row a (profile, day): the bytes last delivered, how much was unknown then, attempts since, when to try
           again, or for whom it waits
delivery   one row an attempt, never changed afterwards
told       the last attempt that InfluxDB was told of
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from footfall.store.sqlite import open_database, transaction, translated

FILE_NAME = "ledger.sqlite"
_LOCK_TIMEOUT_S = 10.0
_COLUMNS = (
    "profile, day, destination, file_name, started_epoch_ms, took_ms, ok, message, hint, sha256, row_count, byte_count,"
    " gaps, site"
)

_MIGRATIONS = (
    """
    CREATE TABLE standing (
        profile             TEXT NOT NULL,
        day                 TEXT NOT NULL,
        delivered_sha256    TEXT,              -- NULL: never delivered
        delivered_epoch_ms  INTEGER,
        attempts            INTEGER NOT NULL,  -- since the last delivery
        next_try_epoch_ms   INTEGER NOT NULL,
        waits_for           TEXT NOT NULL,     -- what a person must do first; '' when nothing
        PRIMARY KEY (profile, day)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE delivery (
        id                INTEGER PRIMARY KEY,
        profile           TEXT NOT NULL,
        day               TEXT NOT NULL,
        destination       TEXT NOT NULL,
        file_name         TEXT NOT NULL,
        started_epoch_ms  INTEGER NOT NULL,
        took_ms           INTEGER NOT NULL,
        ok                INTEGER NOT NULL,
        message           TEXT NOT NULL,
        hint              TEXT NOT NULL,
        sha256            TEXT NOT NULL,
        row_count         INTEGER NOT NULL,
        byte_count        INTEGER NOT NULL,
        gaps              TEXT NOT NULL        -- JSON list of phrases: what was not known when it went out
    ) STRICT;
    CREATE INDEX delivery_day ON delivery (profile, day);
    """,
    """
    ALTER TABLE delivery ADD COLUMN site TEXT NOT NULL DEFAULT '';
    CREATE TABLE told (id INTEGER PRIMARY KEY CHECK (id = 1), delivery INTEGER NOT NULL) STRICT;
    INSERT INTO told VALUES (1, 0);
    """,
    """
    ALTER TABLE standing ADD COLUMN delivered_unknown_ms INTEGER;   -- NULL: delivered by an older Footfall, or never
    """,
)


@dataclass(frozen=True)
class Standing:
    """Where one (profile, day) stands."""

    delivered_sha256: str | None = None
    delivered_epoch_ms: int | None = None
    attempts: int = 0
    next_try_epoch_ms: int = 0
    waits_for: str = ""
    delivered_unknown_ms: int | None = None


@dataclass(frozen=True)
class Delivery:
    """One attempt to deliver a day, as it ended."""

    profile: str
    day: date
    destination: str
    file_name: str
    started_epoch_ms: int
    took_ms: int
    ok: bool
    message: str
    hint: str
    sha256: str
    rows: int
    bytes: int
    gaps: tuple[str, ...]
    site: str = ""
    unknown_ms: int | None = None
    """Of the file that goes out; kept in the day's standing, not with each attempt."""


class Recorded(NamedTuple):
    """An attempt as the ledger has it. ``attempt``: 1 for the first at that day, delivered before or not."""

    id: int
    delivery: Delivery
    attempt: int


class Ledger:
    """The ledger of one data folder. Any number of processes may hold it open. Raises StoreUnavailable throughout."""

    def __init__(self, path: Path) -> None:
        """Open the ledger at *path*, making and migrating it where needed."""
        self.path = path
        self._connection = open_database(path, _MIGRATIONS, timeout_s=_LOCK_TIMEOUT_S)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def standings(self, profile: str) -> Mapping[date, Standing]:
        """Return where the days of *profile* stand; a day that was never tried is not there."""
        with translated(self.path):
            rows = self._connection.execute(
                "SELECT day, delivered_sha256, delivered_epoch_ms, attempts, next_try_epoch_ms, waits_for,"
                " delivered_unknown_ms"
                " FROM standing WHERE profile = ?",
                (profile,),
            ).fetchall()
        return {date.fromisoformat(day): Standing(*rest) for day, *rest in rows}

    def record_start(self, profile: str, day: date, next_try_epoch_ms: int) -> None:
        """Record that an attempt starts. Should the process die in it, the day is tried again at
        *next_try_epoch_ms*.
        """
        with transaction(self._connection, self.path):
            self._connection.execute(
                "INSERT INTO standing VALUES (?, ?, NULL, NULL, 1, ?, '', NULL) ON CONFLICT DO UPDATE"
                " SET attempts = attempts + 1, next_try_epoch_ms = excluded.next_try_epoch_ms, waits_for = ''",
                (profile, day.isoformat(), next_try_epoch_ms),
            )

    def record_delivered(self, delivery: Delivery) -> None:
        """Record that *delivery* succeeded. The days of its profile that wait for a person are tried again."""
        ended_epoch_ms = delivery.started_epoch_ms + delivery.took_ms
        with transaction(self._connection, self.path):
            self._insert(delivery)
            self._connection.execute(
                "UPDATE standing SET delivered_sha256 = ?, delivered_epoch_ms = ?, delivered_unknown_ms = ?,"
                " attempts = 0, next_try_epoch_ms = 0, waits_for = '' WHERE profile = ? AND day = ?",
                (delivery.sha256, ended_epoch_ms, delivery.unknown_ms, delivery.profile, delivery.day.isoformat()),
            )
            self._release("profile = ?", (delivery.profile,))

    def record_failed(self, delivery: Delivery, next_try_epoch_ms: int, waits_for: str) -> None:
        """Record that *delivery* failed: try again at *next_try_epoch_ms*, or not before a person did *waits_for*."""
        with transaction(self._connection, self.path):
            self._insert(delivery)
            self._connection.execute(
                "UPDATE standing SET next_try_epoch_ms = ?, waits_for = ? WHERE profile = ? AND day = ?",
                (next_try_epoch_ms, waits_for, delivery.profile, delivery.day.isoformat()),
            )

    def release(self, profile: str | None = None) -> None:
        """Let every day that waits for a person, of *profile* or of all, be tried again: someone has acted."""
        with transaction(self._connection, self.path):
            self._release("?1 IS NULL OR profile = ?1", (profile,))

    def deliveries(self, most: int, profile: str | None = None) -> list[Delivery]:
        """Return the last *most* attempts, newest first, of *profile* or of all."""
        with translated(self.path):
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM delivery WHERE ?1 IS NULL OR profile = ?1 ORDER BY id DESC LIMIT ?2",  # noqa: S608
                (profile, most),
            ).fetchall()
        return [_delivery(*row) for row in rows]

    def untold(self, most: int) -> list[Recorded]:
        """Return the oldest *most* attempts that InfluxDB was not told of."""
        with translated(self.path):
            rows = self._connection.execute(
                f"SELECT id, (SELECT count(*) FROM delivery AS other WHERE other.profile = delivery.profile"  # noqa: S608
                f" AND other.day = delivery.day AND other.id <= delivery.id), {_COLUMNS}"
                " FROM delivery WHERE id > (SELECT delivery FROM told) ORDER BY id LIMIT ?",
                (most,),
            ).fetchall()
        return [Recorded(number, _delivery(*row), attempt) for number, attempt, *row in rows]

    def record_told(self, number: int) -> None:
        """Record that InfluxDB was told of all attempts up to the one whose id is *number*."""
        with transaction(self._connection, self.path):
            self._connection.execute("UPDATE told SET delivery = max(delivery, ?)", (number,))

    def forget_told(self) -> None:
        """Have every attempt told again."""
        with transaction(self._connection, self.path):
            self._connection.execute("UPDATE told SET delivery = 0")

    def _release(self, where: str, values: tuple[str | None, ...]) -> None:
        self._connection.execute(
            f"UPDATE standing SET waits_for = '', next_try_epoch_ms = 0 WHERE waits_for <> '' AND ({where})",  # noqa: S608
            values,
        )

    def _insert(self, delivery: Delivery) -> None:
        values = (
            delivery.profile, delivery.day.isoformat(), delivery.destination, delivery.file_name,
            delivery.started_epoch_ms, delivery.took_ms, delivery.ok, delivery.message, delivery.hint,
            delivery.sha256, delivery.rows, delivery.bytes, json.dumps(delivery.gaps), delivery.site,
        )  # fmt: skip
        marks = ", ".join("?" * len(values))
        self._connection.execute(f"INSERT INTO delivery ({_COLUMNS}) VALUES ({marks})", values)  # noqa: S608


def _delivery(profile: str, day: str, destination: str, file_name: str, *rest: Any) -> Delivery:
    """Return a row of the table as a Delivery."""
    started_epoch_ms, took_ms, ok, message, hint, sha256, rows, size, gaps, site = rest
    return Delivery(
        profile=profile,
        day=date.fromisoformat(day),
        destination=destination,
        file_name=file_name,
        started_epoch_ms=started_epoch_ms,
        took_ms=took_ms,
        ok=bool(ok),
        message=message,
        hint=hint,
        sha256=sha256,
        rows=rows,
        bytes=size,
        gaps=tuple(json.loads(gaps)),
        site=site,
    )
