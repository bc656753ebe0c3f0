"""The outbox: the forwarder's view of a journal, in an order that is safe to send.

    journal    crossing ...... | a b c d e |        outbox ...... | p q r |
                               ^           ^                      ^       ^
                             cursor  high-water              cursor  high-water
                                     mark                            mark

The forwarder sends the crossings up to the high-water mark, then the outbox rows up to it, then takes a new mark. A
span that is in InfluxDB is thus preceded by every crossing the journal then held in it: coverage never runs ahead of
counts.

A row yields the same points each time it is read. The forwarder stores only its cursor (forwarder_state.py).
"""

import json
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from footfall.errors import StoreUnavailable
from footfall.model import Span
from footfall.store.journal import HISTORY_PREFIX, LOCK_TIMEOUT_S, Journal
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.points import Point, Tags, Value, crossing_point, span_points, status_point, stream_point, tags_of
from footfall.store.sqlite import open_database, transaction, translated

MAX_SENT_ROWS = 20_000
"""Forwarded rows kept before a trim. Each trim makes ingest drop its cache, so trims are rare."""

MAX_TRIMMED_ROWS = 5_000
"""Rows deleted per transaction. After weeks without InfluxDB there are millions, and ingest waits at most 2 s."""

_DAY_MS = 24 * 60 * 60 * 1000
_RECEIPT_FIELDS = ("stored", "duplicates", "crossing_ms")
_STREAM_FIELDS = ("first_seq", "last_seq", "kept", "undated", "conflicts")
_CROSSINGS = """
    SELECT id, stream, seq, time_epoch_ms, entries, exits, undated, superseded_by_import
    FROM crossing WHERE id > ? AND id <= ? ORDER BY id LIMIT ?
"""
_ROWS = f"""
    SELECT outbox.id, outbox.counter, received_epoch_ms, from_epoch_ms, to_epoch_ms, outbox.stored, duplicates,
           crossing_epoch_ms, status, stream.name, {", ".join("outbox." + field for field in _STREAM_FIELDS)}
    FROM outbox LEFT JOIN stream ON stream.id = outbox.stream
    WHERE outbox.id > ? AND outbox.id <= ? ORDER BY outbox.id LIMIT ?
"""  # noqa: S608 - names of our own


class Cursor(NamedTuple):
    """Ids in the tables ``crossing`` and ``outbox``, both inclusive: everything up to them was sent."""

    crossing: int = 0
    outbox: int = 0


class Fingerprint(NamedTuple):
    """The content of the rows at a cursor. It tells this journal from a restored backup that reused the ids."""

    crossing: str = ""
    outbox: str = ""


class Chunk(NamedTuple):
    """Points to write, and the cursor and fingerprint to store once they are written."""

    points: Iterable[Point]
    cursor: Cursor
    fingerprint: Fingerprint


def set_forwarding(path: Path, *, is_on: bool, now_epoch_ms: int) -> None:
    """Start or stop filling the outbox of the journal at *path*. Raises StoreUnavailable.

    Starting adds the coverage so far. Stopping empties the outbox: after another start, everything except status
    reports is resent.
    """
    with closing(Journal(path)) as journal, journal.transaction() as connection:
        row = connection.execute("SELECT is_on FROM forwarding").fetchone()
        if is_on == (row is not None and bool(row[0])):
            return
        connection.execute(
            "INSERT INTO forwarding VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET is_on = excluded.is_on",
            (secrets.token_hex(4), is_on),
        )
        connection.execute("DELETE FROM outbox WHERE id < (SELECT max(id) FROM outbox)")
        if is_on:
            _refill(connection, now_epoch_ms)


class Outbox:
    """A journal's outbox, open for its forwarder. For one thread."""

    def __init__(self, path: Path) -> None:
        """Open the journal at *path*. Raises StoreUnavailable if there is none, or none of this version."""
        self.path = path
        if not path.exists():
            raise StoreUnavailable(f"there is no journal at {path}", hint="start ingest once (footfall up)")
        self._connection = open_database(path, MIGRATIONS, mode="rw", timeout_s=LOCK_TIMEOUT_S)
        self._ingest_id = ""
        self._counters: dict[int, str] = {}
        self._sites: dict[int, list[tuple[Cursor, str]]] = {}

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def ingest_id(self) -> str:
        """Return the random id of this journal's ingest. It never changes."""
        if not self._ingest_id:
            with self._snapshot() as connection:
                row = connection.execute("SELECT ingest FROM forwarding").fetchone()
            if row is None:
                raise StoreUnavailable(
                    f"the journal at {self.path} is not forwarded yet", hint="configure InfluxDB and start ingest"
                )
            self._ingest_id = str(row[0])
        return self._ingest_id

    def backlog(self, cursor: Cursor, now_epoch_ms: int) -> tuple[int, int]:
        """Return the number of rows after *cursor*, and the age in seconds of the oldest outbox row among them."""
        with self._snapshot() as connection:
            newest = _newest(connection)
            row = connection.execute(
                "SELECT received_epoch_ms FROM outbox WHERE id > ? ORDER BY id LIMIT 1", (cursor.outbox,)
            ).fetchone()
        rows = sum(max(0, last - sent) for last, sent in zip(newest, cursor, strict=True))
        return rows, max(0, now_epoch_ms - row[0]) // 1000 if row else 0

    def high_water_mark(self, sites: Mapping[str, str]) -> Cursor:
        """Return the ids of the newest rows, after recording *sites*: each counter's current site.

        A counter that moves has its later rows at the new site and its earlier rows at the old one, at every retry:
        the journal records the move before a row after it is sent.
        """
        with self._snapshot() as connection:
            newest = _newest(connection)
            if not self._changed_sites(connection, sites):
                return newest
        self.record_sites(sites)
        return self.high_water_mark(sites)

    def record_sites(self, sites: Mapping[str, str]) -> None:
        """Record the current site of each counter. It applies to the rows from here on."""
        with self._snapshot() as connection:
            if not self._changed_sites(connection, sites):
                return
        with transaction(self._connection, self.path):
            for counter, site, had_site in self._changed_sites(self._connection, sites):
                after = _newest(self._connection) if had_site else Cursor()
                self._connection.execute(
                    "INSERT OR REPLACE INTO placement VALUES (?, ?, ?, ?)", (counter, *after, site)
                )

    def matches(self, cursor: Cursor, fingerprint: Fingerprint) -> bool:
        """Return whether this journal's rows at *cursor* have *fingerprint*. Those of a restored backup may not."""
        return self._fingerprint(cursor) == fingerprint

    def next_chunk(self, cursor: Cursor, high_water_mark: Cursor, limit: int) -> Chunk | None:
        """Return the points of up to *limit* rows after *cursor*; None if *high_water_mark* is reached.

        Most rows give one point; a long span gives one for each quarter hour.
        """
        with self._snapshot() as connection:
            rows = connection.execute(_CROSSINGS, (cursor.crossing, high_water_mark.crossing, limit)).fetchall()
            points: Iterator[Point] = self._crossing_points(rows, self._streams({row[1] for row in rows}))
            reached = cursor._replace(crossing=rows[-1][0]) if rows else cursor
            if not rows:
                rows = connection.execute(_ROWS, (cursor.outbox, high_water_mark.outbox, limit)).fetchall()
                points = (point for row in rows for point in self._row_points(*row))
                reached = cursor._replace(outbox=rows[-1][0]) if rows else cursor
        return Chunk(points, reached, self._fingerprint(reached)) if rows else None

    def trim(self, cursor: Cursor) -> None:
        """Delete some of the outbox rows before *cursor*, if there are many."""
        with self._snapshot() as connection:
            (oldest,) = connection.execute("SELECT coalesce(min(id), 0) FROM outbox").fetchone()
        if cursor.outbox - oldest >= MAX_SENT_ROWS:
            with transaction(self._connection, self.path):
                before = min(cursor.outbox, oldest + MAX_TRIMMED_ROWS)
                self._connection.execute("DELETE FROM outbox WHERE id < ?", (before,))

    def refill(self, now_epoch_ms: int) -> None:
        """Replace trimmed rows: add the coverage, and the latest state of each counter and stream."""
        with transaction(self._connection, self.path):
            (oldest,) = self._connection.execute("SELECT coalesce(min(id), 1) FROM outbox").fetchone()
            if oldest > 1:
                _refill(self._connection, now_epoch_ms)

    def _changed_sites(self, connection: sqlite3.Connection, sites: Mapping[str, str]) -> list[tuple[int, str, bool]]:
        """Return (counter, new site, had a site before) for each counter whose recorded site is not that of *sites*."""
        self._counters = dict(connection.execute("SELECT id, name FROM counter"))
        self._sites = {}
        for counter, crossing, outbox, site in connection.execute("SELECT * FROM placement ORDER BY 1, 2 DESC, 3 DESC"):
            self._sites.setdefault(counter, []).append((Cursor(crossing, outbox), site))
        changed = []
        for counter, name in self._counters.items():
            recorded = self._sites.get(counter)
            site = sites.get(name, recorded[0][1] if recorded else "")  # a removed counter keeps its last site
            if recorded is None or recorded[0][1] != site:
                changed.append((counter, site, recorded is not None))
        return changed

    def _fingerprint(self, cursor: Cursor) -> Fingerprint:
        with self._snapshot() as connection:
            found = []
            for query, last in ((_CROSSINGS, cursor.crossing), (_ROWS, cursor.outbox)):
                row = connection.execute(query, (last - 1, last, 1)).fetchone()
                found.append(json.dumps(row) if row and last else "")
        return Fingerprint(*found)

    def _streams(self, streams: Iterable[int]) -> Mapping[int, tuple[int, str]]:
        """Return (counter, name) of each of *streams*."""
        rows = self._connection.execute(
            "SELECT id, counter, name FROM stream WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(streams)),),
        )
        return {stream: (counter, name) for stream, counter, name in rows}

    def _crossing_points(
        self, rows: Iterable[tuple[int, ...]], streams: Mapping[int, tuple[int, str]]
    ) -> Iterator[Point]:
        """Yield the points of *rows*. There may be millions, so the tags of a counter are built once."""
        tags: dict[int, tuple[int, Tags]] = {}
        for row, stream, seq, time_epoch_ms, entries, exits, undated, is_superseded in rows:
            if is_superseded:
                continue
            counter, name = streams[stream]
            after, mine = tags.get(counter, (row, ()))
            if row <= after:
                site = next(site for start, site in self._sites[counter] if row > start.crossing)
                mine = tags_of(counter=self._counters[counter], site=site)
                if site == self._sites[counter][0][1]:
                    tags[counter] = self._sites[counter][0][0].crossing, mine
            yield crossing_point(mine, f"{name}/{seq}" if undated else "", seq, time_epoch_ms, entries, exits)

    def _row_points(
        self, row: int, counter: int, received_epoch_ms: int, start: int | None, end: int | None,
        stored: int | None, duplicates: int | None, crossing_epoch_ms: int | None, status: str | None,
        stream: str | None, *figures: int,
    ) -> Iterator[Point]:  # fmt: skip
        name = self._counters[counter]
        site = next(site for after, site in self._sites[counter] if row > after.outbox)
        if start is not None and end is not None:
            yield from span_points(name, site, Span(start, end))
        fields: dict[str, Value] = json.loads(status) if status else {}
        receipt = zip(_RECEIPT_FIELDS, (stored, duplicates, crossing_epoch_ms), strict=True)
        fields |= {field: value for field, value in receipt if value is not None}
        if stored is not None and end is not None:
            fields["covered_to_ms"] = end
        if fields:
            yield status_point(name, site, fields, received_epoch_ms, row)
        if stream is not None:
            tags = tags_of(counter=name, site=site, stream=stream, ingest=self.ingest_id())
            yield stream_point(tags, dict(zip(_STREAM_FIELDS, figures, strict=True)), received_epoch_ms, row)

    @contextmanager
    def _snapshot(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection; its queries all see the journal as of one instant."""
        with translated(self.path):
            self._connection.execute("BEGIN")
            try:
                yield self._connection
            finally:
                self._connection.execute("COMMIT")


def _newest(connection: sqlite3.Connection) -> Cursor:
    return Cursor(
        *(
            connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]  # noqa: S608 - our own names
            for table in Cursor._fields
        )
    )


def _refill(connection: sqlite3.Connection, now_epoch_ms: int) -> None:
    """Add the coverage and the latest state of counters and streams to the outbox; remove the spans it still holds."""
    connection.execute("UPDATE outbox SET from_epoch_ms = NULL WHERE from_epoch_ms IS NOT NULL")
    # Not the time of pruned crossings: a resent span without its crossings would read as a zero.
    spans = connection.execute(
        "SELECT counter, max(from_epoch_ms, before), to_epoch_ms FROM coverage,"
        " (SELECT coalesce(max(before_epoch_ms), 0) AS before FROM pruning) WHERE to_epoch_ms > before ORDER BY 1, 2"
    )
    connection.executemany(
        "INSERT INTO outbox (counter, received_epoch_ms, from_epoch_ms, to_epoch_ms) VALUES (?, ?, ?, ?)",
        (
            (counter, now_epoch_ms, start, min(start + _DAY_MS, end))
            for counter, first, end in spans.fetchall()
            for start in range(first, end, _DAY_MS)
        ),
    )
    connection.execute(
        "INSERT INTO outbox (counter, received_epoch_ms, stored, duplicates, crossing_epoch_ms, status)"
        " SELECT counter, received_epoch_ms, 0, 0, crossing_epoch_ms, status FROM counter_state"
    )
    connection.execute(
        "INSERT INTO outbox (counter, received_epoch_ms, stream, first_seq, last_seq, kept, undated, conflicts)"
        " SELECT counter, received_epoch_ms, id, first_seq, last_seq, stored, undated, conflicts"
        " FROM stream JOIN counter_state USING (counter) WHERE name NOT GLOB ?", (HISTORY_PREFIX + "*",)
    )  # fmt: skip
