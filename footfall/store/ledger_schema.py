"""The ledger's tables, one script a version, and the rows in them.

    outcome    the outcome of each (profile, day) ever attempted: the last delivery, the attempts since, the next
    standing   the exporter's decision, at its last look, about each owed day
    sent_file  the bytes last delivered for each (profile, day), compressed with zlib
    delivery   one row per attempt, never changed
    profile    the profiles as of the last look
    look       when the exporter last looked
    reported   the newest attempt that InfluxDB has

A day without a standing is delivered if its outcome says so; otherwise it is not due.
"""

import json
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any, NamedTuple

FILE_NAME = "ledger.sqlite"

MIGRATIONS = (
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
    """
    ALTER TABLE told RENAME TO reported;
    ALTER TABLE standing RENAME TO outcome;
    ALTER TABLE outcome RENAME COLUMN waits_for TO hint;            -- what to do about the last failure
    ALTER TABLE outcome ADD COLUMN error TEXT NOT NULL DEFAULT '';  -- why the last attempt failed
    ALTER TABLE outcome ADD COLUMN is_blocked INTEGER NOT NULL DEFAULT 0;  -- 1: no retry before someone acts
    UPDATE outcome SET is_blocked = hint <> '';
    UPDATE outcome SET (error, hint) = (
        SELECT message, delivery.hint FROM delivery
        WHERE delivery.profile = outcome.profile AND delivery.day = outcome.day ORDER BY id DESC LIMIT 1)
    WHERE attempts > 0 AND (
        SELECT ok FROM delivery
        WHERE delivery.profile = outcome.profile AND delivery.day = outcome.day ORDER BY id DESC LIMIT 1) = 0;
    CREATE TABLE standing (
        profile            TEXT NOT NULL,
        day                TEXT NOT NULL,
        state              TEXT NOT NULL,     -- a State
        decided_epoch_ms   INTEGER NOT NULL,  -- when it came to be so; looks that change nothing leave it
        next_try_epoch_ms  INTEGER,           -- when the exporter acts by itself at the latest; NULL: it may never
        counters           TEXT NOT NULL,     -- JSON list of the counters that are late
        minutes            INTEGER NOT NULL,  -- of counters' time that the store no longer knows
        attempts           INTEGER NOT NULL,  -- since the last delivery
        error              TEXT NOT NULL,
        hint               TEXT NOT NULL,
        PRIMARY KEY (profile, day)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE sent_file (
        profile   TEXT NOT NULL,
        day       TEXT NOT NULL,
        delivery  INTEGER NOT NULL REFERENCES delivery,
        encoding  TEXT NOT NULL,
        content   BLOB NOT NULL,
        PRIMARY KEY (profile, day)
    ) STRICT;
    CREATE TABLE profile (
        name         TEXT PRIMARY KEY,
        site         TEXT NOT NULL,
        destination  TEXT NOT NULL            -- a host or a folder, for people; '': none
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE look (id INTEGER PRIMARY KEY CHECK (id = 1), looked_epoch_ms INTEGER NOT NULL) STRICT;
    """,
)


class State(Enum):
    """The state of a due day."""

    DELIVERED = "delivered"
    DUE = "due"
    """Goes out at the next look."""

    CHANGED = "changed"
    """Delivered, and goes out again at the next look: its file has changed."""

    LATE = "late"
    """Waits for counters that have not reported the whole day."""

    STORE_BEHIND = "store_behind"
    """Waits for InfluxDB, which lacks data that ingest has received."""

    KEPT_BACK = "kept_back"
    """Delivered, and not replaced: the store now knows less of the day than the delivered file."""

    RETRYING = "retrying"
    """The last attempt failed; the exporter retries."""

    BLOCKED = "blocked"
    """The last attempt failed; retrying cannot help before someone acts."""

    @property
    def is_ready(self) -> bool:
        """Whether the day goes out at the next look."""
        return self in (State.DUE, State.CHANGED)


@dataclass(frozen=True)
class Standing:
    """The exporter's decision about one (profile, day), with everything needed to explain it.

    ``next_try_epoch_ms`` is when the exporter acts by itself at the latest: it retries, or stops waiting for
    ``counters``. Standings that differ only in when they were decided are equal.
    """

    profile: str
    day: date
    state: State
    decided_epoch_ms: int = field(default=0, compare=False)
    next_try_epoch_ms: int | None = None
    counters: tuple[str, ...] = ()
    minutes: int = 0
    attempts: int = 0
    error: str = ""
    hint: str = ""


class Outcome(NamedTuple):
    """The outcome of the attempts at one (profile, day). ``attempts``, ``error`` and ``hint`` are since the last
    delivery.

    ``delivered_unknown_ms`` is how much of the counters' time was unknown in the delivered file; None also if an older
    Footfall delivered it.
    """

    delivered_sha256: str | None = None
    delivered_epoch_ms: int | None = None
    attempts: int = 0
    next_try_epoch_ms: int = 0
    error: str = ""
    hint: str = ""
    is_blocked: bool = False
    delivered_unknown_ms: int | None = None


@dataclass(frozen=True)
class Delivery:
    """One attempt to deliver a day, as it ended. ``message`` and ``hint``: why it failed, and what to do."""

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


class RecordedDelivery(NamedTuple):
    """A Delivery with its id. ``attempt`` counts the attempts at that day from 1; a delivery does not reset it."""

    id: int
    delivery: Delivery
    attempt: int


class RecordedProfile(NamedTuple):
    """A profile as of the last look. ``destination`` is a host or a folder, for people; empty: none."""

    name: str
    site: str
    destination: str


class SentFile(NamedTuple):
    """A file as it was last delivered. ``gaps`` are phrases: what was unknown then."""

    day: date
    name: str
    content: bytes
    encoding: str
    rows: int
    gaps: tuple[str, ...]


STANDING_COLUMNS = "profile, day, state, decided_epoch_ms, next_try_epoch_ms, counters, minutes, attempts, error, hint"


def standing_of(row: tuple[Any, ...]) -> Standing:
    """Return a row of STANDING_COLUMNS as a Standing."""
    profile, day, state, decided_epoch_ms, next_try_epoch_ms, counters, *rest = row
    late, when = tuple(json.loads(counters)), date.fromisoformat(day)
    return Standing(profile, when, State(state), decided_epoch_ms, next_try_epoch_ms, late, *rest)


def row_of(standing: Standing) -> tuple[object, ...]:
    """Return *standing* as a row of STANDING_COLUMNS."""
    one = standing
    return (
        one.profile, one.day.isoformat(), one.state.value, one.decided_epoch_ms, one.next_try_epoch_ms,
        json.dumps(one.counters), one.minutes, one.attempts, one.error, one.hint,
    )  # fmt: skip
