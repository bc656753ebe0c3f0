"""The ledger: every attempt to deliver a day, its outcome, and the exporter's latest decision about each due day.

The exporter writes it; pages and metrics read it with LedgerReader. Owed days survive any restart.
"""

import json
import zlib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from footfall.store.ledger_schema import (
    MIGRATIONS,
    STANDING_COLUMNS,
    Delivery,
    Outcome,
    RecordedDelivery,
    RecordedProfile,
    Standing,
    row_of,
    standing_of,
)
from footfall.store.sqlite import open_database, transaction, translated

LOOK_TIME_STEP_MS = 30_000
"""A look that changes nothing is recorded at most this often: an idle exporter should not keep writing to the disk."""

_LOCK_TIMEOUT_S = 10.0
_DELIVERY = (
    "profile, day, destination, file_name, started_epoch_ms, took_ms, ok, message, hint, sha256, row_count, byte_count,"
    " gaps, site"
)
_OUTCOME = (
    "delivered_sha256, delivered_epoch_ms, attempts, next_try_epoch_ms, error, hint, is_blocked, delivered_unknown_ms"
)


class Ledger:
    """The ledger of one data folder. Any number of processes may hold it open. Raises StoreUnavailable throughout."""

    def __init__(self, path: Path) -> None:
        """Open the ledger at *path*, creating or migrating it where needed."""
        self.path = path
        self._connection = open_database(path, MIGRATIONS, timeout_s=_LOCK_TIMEOUT_S)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def outcomes(self, profile: str) -> Mapping[date, Outcome]:
        """Return the outcome of each day of *profile* that was ever attempted."""
        with translated(self.path):
            query = f"SELECT day, {_OUTCOME} FROM outcome WHERE profile = ?"  # noqa: S608
            rows = self._connection.execute(query, (profile,)).fetchall()
        return {date.fromisoformat(day): Outcome(*rest) for day, *rest in rows}

    def outcome(self, profile: str, day: date) -> Outcome:
        """Return the outcome of one (profile, day)."""
        with translated(self.path):
            query = f"SELECT {_OUTCOME} FROM outcome WHERE profile = ? AND day = ?"  # noqa: S608
            row = self._connection.execute(query, (profile, day.isoformat())).fetchone()
        return Outcome(*row) if row else Outcome()

    def record_start(self, profile: str, day: date, next_try_epoch_ms: int) -> None:
        """Record that an attempt starts. If the process dies in it, the day is retried at *next_try_epoch_ms*."""
        with transaction(self._connection, self.path):
            self._connection.execute(
                "INSERT INTO outcome (profile, day, attempts, next_try_epoch_ms, hint) VALUES (?, ?, 1, ?, '')"
                " ON CONFLICT DO UPDATE SET attempts = attempts + 1, next_try_epoch_ms = excluded.next_try_epoch_ms,"
                " error = '', hint = '', is_blocked = 0",
                (profile, day.isoformat(), next_try_epoch_ms),
            )

    def record_delivered(self, delivery: Delivery, content: bytes, encoding: str, unknown_ms: int) -> None:
        """Record that *delivery* succeeded, and keep its *content*. Blocked days of its profile are retried.

        *unknown_ms*: how much of the counters' time is unknown in *content*.
        """
        key = (delivery.profile, delivery.day.isoformat())
        ended_epoch_ms = delivery.started_epoch_ms + delivery.took_ms
        with transaction(self._connection, self.path):
            number = self._insert(delivery)
            self._connection.execute(
                "UPDATE outcome SET delivered_sha256 = ?, delivered_epoch_ms = ?, delivered_unknown_ms = ?,"
                " attempts = 0, next_try_epoch_ms = 0, error = '', hint = '', is_blocked = 0"
                " WHERE profile = ? AND day = ?",
                (delivery.sha256, ended_epoch_ms, unknown_ms, *key),
            )
            self._connection.execute(
                "REPLACE INTO sent_file (profile, day, delivery, encoding, content) VALUES (?, ?, ?, ?, ?)",
                (*key, number, encoding, zlib.compress(content)),
            )
            self._connection.execute("DELETE FROM standing WHERE profile = ? AND day = ?", key)
            self._release(delivery.profile)

    def record_failed(self, delivery: Delivery, next_try_epoch_ms: int, *, is_blocked: bool) -> None:
        """Record that *delivery* failed: retry it at *next_try_epoch_ms*, or, if it *is_blocked*, after release()."""
        with transaction(self._connection, self.path):
            self._insert(delivery)
            self._connection.execute(
                "UPDATE outcome SET next_try_epoch_ms = ?, error = ?, hint = ?, is_blocked = ?"
                " WHERE profile = ? AND day = ?",
                (next_try_epoch_ms, delivery.message, delivery.hint, is_blocked, delivery.profile,
                 delivery.day.isoformat()),
            )  # fmt: skip

    def release(self, profile: str | None = None) -> None:
        """Let the blocked days of *profile*, or of all, be retried at once: someone has acted."""
        with transaction(self._connection, self.path):
            self._release(profile)

    def record_look(
        self, looked_epoch_ms: int, profiles: Iterable[RecordedProfile], standings: Iterable[Standing]
    ) -> None:
        """Record a look: the current *profiles*, and the *standings* of all owed days.

        They replace those of the previous look. Only differences are written.
        """
        with translated(self.path):
            (known_epoch_ms,) = self._connection.execute("SELECT max(looked_epoch_ms) FROM look").fetchone()
            known_profiles = set(self._connection.execute("SELECT name, site, destination FROM profile"))
            known = {standing_of(row) for row in self._connection.execute(f"SELECT {STANDING_COLUMNS} FROM standing")}  # noqa: S608
        found_profiles, found = {tuple(one) for one in profiles}, set(standings)
        is_recent = known_epoch_ms is not None and 0 <= looked_epoch_ms - known_epoch_ms < LOOK_TIME_STEP_MS
        if is_recent and found_profiles == known_profiles and found == known:
            return
        with transaction(self._connection, self.path):
            run = self._connection.executemany
            run("DELETE FROM profile WHERE name = ?", [one[:1] for one in known_profiles - found_profiles])
            run("REPLACE INTO profile (name, site, destination) VALUES (?, ?, ?)", found_profiles - known_profiles)
            gone = [(one.profile, one.day.isoformat()) for one in known - found]
            run("DELETE FROM standing WHERE profile = ? AND day = ?", gone)
            marks = ", ".join("?" * len(STANDING_COLUMNS.split(",")))
            run(f"REPLACE INTO standing ({STANDING_COLUMNS}) VALUES ({marks})", map(row_of, found - known))  # noqa: S608
            self._connection.execute("REPLACE INTO look (id, looked_epoch_ms) VALUES (1, ?)", (looked_epoch_ms,))

    def deliveries(self, most: int, profile: str | None = None) -> list[Delivery]:
        """Return the last *most* attempts, newest first, of *profile* or of all."""
        with translated(self.path):
            rows = self._connection.execute(
                f"SELECT {_DELIVERY} FROM delivery WHERE ?1 IS NULL OR profile = ?1 ORDER BY id DESC LIMIT ?2",  # noqa: S608
                (profile, most),
            ).fetchall()
        return [_delivery(*row) for row in rows]

    def unreported(self, most: int) -> list[RecordedDelivery]:
        """Return the oldest *most* attempts that InfluxDB does not have."""
        with translated(self.path):
            rows = self._connection.execute(
                f"SELECT id, (SELECT count(*) FROM delivery AS other WHERE other.profile = delivery.profile"  # noqa: S608
                f" AND other.day = delivery.day AND other.id <= delivery.id), {_DELIVERY}"
                " FROM delivery WHERE id > (SELECT delivery FROM reported) ORDER BY id LIMIT ?",
                (most,),
            ).fetchall()
        return [RecordedDelivery(number, _delivery(*row), attempt) for number, attempt, *row in rows]

    def record_reported(self, number: int) -> None:
        """Record that InfluxDB has all attempts up to the one whose id is *number*."""
        with transaction(self._connection, self.path):
            self._connection.execute("UPDATE reported SET delivery = max(delivery, ?)", (number,))

    def forget_reported(self) -> None:
        """Record that InfluxDB has no attempt."""
        with transaction(self._connection, self.path):
            self._connection.execute("UPDATE reported SET delivery = 0")

    def _release(self, profile: str | None) -> None:
        self._connection.execute(
            "UPDATE outcome SET is_blocked = 0, next_try_epoch_ms = 0"
            " WHERE is_blocked AND (?1 IS NULL OR profile = ?1)",
            (profile,),
        )

    def _insert(self, delivery: Delivery) -> int | None:
        values = (
            delivery.profile, delivery.day.isoformat(), delivery.destination, delivery.file_name,
            delivery.started_epoch_ms, delivery.took_ms, delivery.ok, delivery.message, delivery.hint,
            delivery.sha256, delivery.rows, delivery.bytes, json.dumps(delivery.gaps), delivery.site,
        )  # fmt: skip
        marks = ", ".join("?" * len(values))
        return self._connection.execute(f"INSERT INTO delivery ({_DELIVERY}) VALUES ({marks})", values).lastrowid  # noqa: S608


def _delivery(profile: str, day: str, destination: str, file_name: str, *rest: Any) -> Delivery:
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
