"""What a forwarder remembers, in a file of its own: how far it came, what went wrong, and what was refused.

A file of its own, since ingest forgets what it remembers of the journal when another process writes there. Losing it
does no harm: everything is written to InfluxDB again, under the same names. So it is not synced at each commit.
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
        crossing              INTEGER NOT NULL DEFAULT 0,    -- Cursor and Fingerprint: what was written up to here
        outbox                INTEGER NOT NULL DEFAULT 0,
        crossing_mark         TEXT NOT NULL DEFAULT '',
        outbox_mark           TEXT NOT NULL DEFAULT '',
        written               INTEGER NOT NULL DEFAULT 0,    -- points, since the beginning
        expired               INTEGER NOT NULL DEFAULT 0,    -- points that are older than InfluxDB keeps any
        witness_ns            INTEGER,                       -- the time of the last point about the forwarder itself
        is_again              INTEGER NOT NULL DEFAULT 1,    -- 1: everything is to be written, whatever was before
        error                 TEXT NOT NULL DEFAULT '',
        hint                  TEXT NOT NULL DEFAULT '',
        failing_epoch_ms      INTEGER,                       -- since when nothing could be written
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
)


class Progress(NamedTuple):
    """How far the forwarder came and what stops it. ``failing_epoch_ms`` is None while nothing does."""

    place: Cursor
    mark: Fingerprint
    written: int
    expired: int
    witness_ns: int | None
    is_again: bool
    error: str
    hint: str
    failing_epoch_ms: int | None
    next_try_epoch_ms: int | None


NO_PROGRESS = Progress(Cursor(), Fingerprint(), 0, 0, None, False, "", "", None, None)


class Refused(NamedTuple):
    """A point that InfluxDB did not take, and what it said."""

    id: int
    point: Point
    reason: str
    refused_epoch_ms: int


class ForwarderState:
    """The forwarder's file, open. Every method may raise StoreUnavailable. For one thread at a time."""

    def __init__(self, path: Path, *, reads_only: bool = False) -> None:
        """Open the file at *path*, making it where needed unless it is only to be read."""
        self.path = path
        self._connection = open_database(
            path, _MIGRATIONS, mode="ro" if reads_only else "rwc", timeout_s=_LOCK_TIMEOUT_S, synchronous="NORMAL"
        )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def progress(self) -> Progress:
        """Return how far it came."""
        with translated(self.path):
            row = self._connection.execute("SELECT * FROM progress").fetchone()
        place, mark = Cursor(*row[1:3]), Fingerprint(*row[3:5])
        written, expired, witness_ns, is_again, error, hint, failing_epoch_ms, next_try_epoch_ms = row[5:]
        return Progress(
            place, mark, written, expired, witness_ns, bool(is_again), error, hint, failing_epoch_ms, next_try_epoch_ms
        )

    def reach(self, place: Cursor, mark: Fingerprint, written: int) -> None:
        """Record that everything up to *place* is in InfluxDB, with *written* points more."""
        self._set(
            "crossing = ?, outbox = ?, crossing_mark = ?, outbox_mark = ?, written = written + ?",
            (*place, *mark, written),
        )

    def begin_again(self) -> None:
        """Record that nothing is in InfluxDB."""
        self._set("crossing = 0, outbox = 0, crossing_mark = '', outbox_mark = '', witness_ns = NULL, is_again = 0", ())

    def ask_again(self) -> None:
        """Record that a person wants everything to be written again. The forwarder does so at its next look."""
        self._set("is_again = 1", ())

    def witness(self, time_ns: int) -> None:
        """Record that InfluxDB has the forwarder's own point of *time_ns*: where it is missing, all is."""
        self._set("witness_ns = ?", (time_ns,))

    def expire(self, number: int) -> None:
        """Count *number* points that are older than InfluxDB keeps any."""
        self._set("expired = expired + ?", (number,))

    def fail(self, error: str, hint: str, now_epoch_ms: int, next_try_epoch_ms: int) -> None:
        """Record what stops it, and when it is tried next."""
        self._set(
            "error = ?, hint = ?, next_try_epoch_ms = ?, failing_epoch_ms = coalesce(failing_epoch_ms, ?)",
            (error, hint, next_try_epoch_ms, now_epoch_ms),
        )

    def recover(self) -> None:
        """Record that nothing stops it."""
        self._set("error = '', hint = '', failing_epoch_ms = NULL, next_try_epoch_ms = NULL", ())

    def refuse(self, point: Point, reason: str, now_epoch_ms: int) -> None:
        """Put *point* into quarantine."""
        name = json.dumps([point.measurement, point.tags, point.time_ns])
        with transaction(self._connection, self.path):
            self._connection.execute(
                "INSERT INTO quarantine (name, fields, reason, refused_epoch_ms) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET fields = excluded.fields, reason = excluded.reason",
                (name, json.dumps(dict(point.fields)), reason, now_epoch_ms),
            )

    def refused(self) -> list[Refused]:
        """Return every point in quarantine, in the order in which they came."""
        with translated(self.path):
            rows = self._connection.execute("SELECT * FROM quarantine ORDER BY id").fetchall()
        found = []
        for number, name, fields, reason, refused_epoch_ms in rows:
            measurement, tags, time_ns = json.loads(name)
            point = Point(measurement, tuple((key, value) for key, value in tags), json.loads(fields), time_ns)
            found.append(Refused(number, point, reason, refused_epoch_ms))
        return found

    def quarantined(self) -> int:
        """Return how many points are in quarantine."""
        with translated(self.path):
            (number,) = self._connection.execute("SELECT count(*) FROM quarantine").fetchone()
        return int(number)

    def release(self, several: Iterable[Refused]) -> None:
        """Take *several* out of quarantine: InfluxDB has them now, or a person gave them up."""
        with transaction(self._connection, self.path):
            self._connection.executemany("DELETE FROM quarantine WHERE id = ?", [(one.id,) for one in several])

    def _set(self, what: str, values: Sequence[object]) -> None:
        with transaction(self._connection, self.path):
            self._connection.execute(f"UPDATE progress SET {what}", values)  # noqa: S608 - words of our own


class Lag(NamedTuple):
    """How far a forwarder is behind its journal, and what stops it; ``lag_s`` is the age of the oldest that waits."""

    waiting: int
    lag_s: int
    quarantined: int
    progress: Progress


def read_lag(journal: Path, now_epoch_ms: int) -> Lag:
    """Return how far the forwarder of *journal* is behind. Raises StoreUnavailable."""
    progress, quarantined = _read(journal.with_name(FILE_NAME))
    with closing(Outbox(journal)) as outbox:
        return Lag(*outbox.waiting(progress.place, now_epoch_ms), quarantined, progress)


def prunable_through(journal: Path) -> int:
    """Return up to which id crossings of *journal* may be deleted, since InfluxDB has them; 0: none.

    None while the forwarder is in trouble, or has points in quarantine: one of those may be such a crossing.

    The one at the forwarder's cursor stays: by it the forwarder knows that this is the journal it forwarded.
    """
    progress, quarantined = _read(journal.with_name(FILE_NAME))
    if progress.error or progress.is_again or quarantined:
        return 0
    return max(0, progress.place.crossing - 1)


def _read(path: Path) -> tuple[Progress, int]:
    """Return the progress in the file at *path* and how many points are in quarantine; nothing if it has no tables."""
    if not path.exists():
        return NO_PROGRESS, 0
    try:
        state = ForwarderState(path, reads_only=True)
    except SchemaMismatch as exc:
        if exc.found:
            raise
        return NO_PROGRESS, 0  # another process is creating the file
    with closing(state):
        return state.progress(), state.quarantined()
