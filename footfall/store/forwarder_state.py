"""The forwarder's progress: how far it got, what stops it, and the points InfluxDB refused.

It has a file of its own, because ingest drops its cache whenever another process writes to the journal. The file is
expendable: without it, the forwarder rewrites every point under the same name. So its commits are not fsynced.
"""

import json
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from footfall.store.outbox import Cursor, Fingerprint, Outbox
from footfall.store.points import Point
from footfall.store.sqlite import SchemaMismatch, open_database, transaction, translated

FILE_NAME = "forwarder.sqlite"
_LOCK_TIMEOUT_S = 5.0
_MIGRATIONS = (
    """
    CREATE TABLE progress (
        id                    INTEGER PRIMARY KEY CHECK (id = 1),
        crossing              INTEGER NOT NULL DEFAULT 0,    -- Cursor and Fingerprint
        outbox                INTEGER NOT NULL DEFAULT 0,
        crossing_mark         TEXT NOT NULL DEFAULT '',
        outbox_mark           TEXT NOT NULL DEFAULT '',
        written               INTEGER NOT NULL DEFAULT 0,    -- points, in total
        expired               INTEGER NOT NULL DEFAULT 0,    -- points older than InfluxDB's retention
        witness_ns            INTEGER,                       -- time of the canary
        is_again              INTEGER NOT NULL DEFAULT 1,    -- 1: resend everything
        error                 TEXT NOT NULL DEFAULT '',
        hint                  TEXT NOT NULL DEFAULT '',
        failing_epoch_ms      INTEGER,                       -- when the outage began; NULL: none
        next_try_epoch_ms     INTEGER
    ) STRICT;
    INSERT INTO progress (id) VALUES (1);
    CREATE TABLE quarantine (
        id              INTEGER PRIMARY KEY,
        name            TEXT NOT NULL UNIQUE,   -- measurement, tags and time: a point refused twice is here once
        fields          TEXT NOT NULL,
        reason          TEXT NOT NULL,
        refused_epoch_ms INTEGER NOT NULL
    ) STRICT;
    """,
    """
    ALTER TABLE progress RENAME COLUMN crossing_mark TO crossing_fingerprint;
    ALTER TABLE progress RENAME COLUMN outbox_mark TO outbox_fingerprint;
    ALTER TABLE progress RENAME COLUMN witness_ns TO canary_ns;
    ALTER TABLE progress RENAME COLUMN is_again TO resend_requested;
    """,
)


class ForwarderProgress(NamedTuple):
    """How far the forwarder got. ``error`` is empty and ``failing_epoch_ms`` None unless something stops it.

    ``canary_ns``: the time of the forwarder's own point that InfluxDB had; if it is missing, InfluxDB lost its data.
    """

    cursor: Cursor
    fingerprint: Fingerprint
    written: int
    expired: int
    canary_ns: int | None
    resend_requested: bool
    error: str
    hint: str
    failing_epoch_ms: int | None
    next_try_epoch_ms: int | None


NO_PROGRESS = ForwarderProgress(Cursor(), Fingerprint(), 0, 0, None, False, "", "", None, None)


class QuarantinedPoint(NamedTuple):
    """A point that InfluxDB refused, and its answer."""

    id: int
    point: Point
    reason: str
    refused_epoch_ms: int


class ForwarderState:
    """The forwarder's file, open. For one thread at a time. Every method may raise StoreUnavailable."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the file at *path*; create or migrate it unless *read_only*."""
        self.path = path
        self._connection = open_database(
            path, _MIGRATIONS, mode="ro" if read_only else "rwc", timeout_s=_LOCK_TIMEOUT_S, synchronous="NORMAL"
        )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def progress(self) -> ForwarderProgress:
        """Return the progress."""
        with translated(self.path):
            row = self._connection.execute("SELECT * FROM progress").fetchone()
        written, expired, canary_ns, resend_requested, *trouble = row[5:]
        return ForwarderProgress(
            Cursor(*row[1:3]), Fingerprint(*row[3:5]), written, expired, canary_ns, bool(resend_requested), *trouble
        )

    def advance(self, cursor: Cursor, fingerprint: Fingerprint, written: int) -> None:
        """Record that InfluxDB has everything up to *cursor*, with *written* more points."""
        self._set(
            "crossing = ?, outbox = ?, crossing_fingerprint = ?, outbox_fingerprint = ?, written = written + ?",
            (*cursor, *fingerprint, written),
        )

    def rewind(self) -> None:
        """Record that InfluxDB has nothing."""
        self._set(
            "crossing = 0, outbox = 0, crossing_fingerprint = '', outbox_fingerprint = '', canary_ns = NULL,"
            " resend_requested = 0",
            (),
        )

    def request_resend(self) -> None:
        """Ask the forwarder, which may be another process, to resend everything at its next step."""
        self._set("resend_requested = 1", ())

    def record_canary(self, time_ns: int) -> None:
        """Record that InfluxDB has the forwarder's own point of *time_ns*."""
        self._set("canary_ns = ?", (time_ns,))

    def add_expired(self, number: int) -> None:
        """Count *number* more points as older than InfluxDB's retention."""
        self._set("expired = expired + ?", (number,))

    def record_failure(self, error: str, hint: str, now_epoch_ms: int, next_try_epoch_ms: int) -> None:
        """Record what stops the forwarder, and when it retries."""
        self._set(
            "error = ?, hint = ?, next_try_epoch_ms = ?, failing_epoch_ms = coalesce(failing_epoch_ms, ?)",
            (error, hint, next_try_epoch_ms, now_epoch_ms),
        )

    def record_recovery(self) -> None:
        """Record that nothing stops the forwarder."""
        self._set("error = '', hint = '', failing_epoch_ms = NULL, next_try_epoch_ms = NULL", ())

    def quarantine(self, point: Point, reason: str, now_epoch_ms: int) -> None:
        """Put *point* into quarantine."""
        name = json.dumps([point.measurement, point.tags, point.time_ns])
        with transaction(self._connection, self.path):
            self._connection.execute(
                "INSERT INTO quarantine (name, fields, reason, refused_epoch_ms) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET fields = excluded.fields, reason = excluded.reason",
                (name, json.dumps(dict(point.fields)), reason, now_epoch_ms),
            )

    def quarantined_points(self) -> list[QuarantinedPoint]:
        """Return every point in quarantine, oldest first."""
        with translated(self.path):
            rows = self._connection.execute("SELECT * FROM quarantine ORDER BY id").fetchall()
        found = []
        for number, name, fields, reason, refused_epoch_ms in rows:
            measurement, tags, time_ns = json.loads(name)
            point = Point(measurement, tuple((key, value) for key, value in tags), json.loads(fields), time_ns)
            found.append(QuarantinedPoint(number, point, reason, refused_epoch_ms))
        return found

    def quarantine_size(self) -> int:
        """Return the number of points in quarantine."""
        with translated(self.path):
            (number,) = self._connection.execute("SELECT count(*) FROM quarantine").fetchone()
        return int(number)

    def release(self, points: Iterable[QuarantinedPoint]) -> None:
        """Remove *points* from quarantine: InfluxDB has them now, or an operator discarded them."""
        with transaction(self._connection, self.path):
            self._connection.executemany("DELETE FROM quarantine WHERE id = ?", [(one.id,) for one in points])

    def _set(self, assignments: str, values: Sequence[object]) -> None:
        with transaction(self._connection, self.path):
            self._connection.execute(f"UPDATE progress SET {assignments}", values)  # noqa: S608 - our own words


class ForwarderLag(NamedTuple):
    """How far the forwarder is behind its journal. ``waiting``: rows; ``lag_s``: the age of the oldest of them."""

    waiting: int
    lag_s: int
    quarantined: int
    progress: ForwarderProgress


def read_lag(journal: Path, now_epoch_ms: int) -> ForwarderLag:
    """Return how far the forwarder of *journal* is behind. Raises StoreUnavailable."""
    progress, quarantined = _read(journal.with_name(FILE_NAME))
    with closing(Outbox(journal)) as outbox:
        return ForwarderLag(*outbox.backlog(progress.cursor, now_epoch_ms), quarantined, progress)


def prunable_through(journal: Path) -> int:
    """Return the id up to which crossings of *journal* are in InfluxDB and may be deleted; 0: none.

    It is 0 while the forwarder fails or has points in quarantine: a crossing may be missing from InfluxDB. The
    crossing at the cursor stays: the forwarder recognises its journal by it.
    """
    progress, quarantined = _read(journal.with_name(FILE_NAME))
    if progress.error or progress.resend_requested or quarantined:
        return 0
    return max(0, progress.cursor.crossing - 1)


def _read(path: Path) -> tuple[ForwarderProgress, int]:
    """Return the progress in the file at *path*, and the size of its quarantine. No file yet: no progress."""
    if not path.exists():
        return NO_PROGRESS, 0
    try:
        state = ForwarderState(path, read_only=True)
    except SchemaMismatch as exc:
        if exc.found:
            raise
        return NO_PROGRESS, 0  # another process is creating the file
    with closing(state):
        return state.progress(), state.quarantine_size()
