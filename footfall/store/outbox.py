"""The outbox: the part of a journal that InfluxDB has not been told yet, in an order in which it may be told.

    journal    crossing ...... | a b c d e |        outbox ...... | p q r |
                               ^           ^                      ^       ^
                             cursor  high-water              cursor  high-water

First the crossings up to the high-water mark, then the rows of the outbox up to it, then a new mark. So whoever finds a
span in InfluxDB finds every crossing in it that this journal had then: coverage never runs ahead of counts.

A row gives the same points each time it is read. Who forwards keeps only how far it came (shipments.py).
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
from footfall.store.journal import HISTORY_MARK, LOCK_TIMEOUT_S, Journal
from footfall.store.journal_schema import MIGRATIONS
from footfall.store.points import Point, Tags, Value, span_points, status_point, stream_point, tagged_crossing, tags_of
from footfall.store.sqlite import open_database, transaction, translated

MOST_KEPT = 20_000
"""Rows that were forwarded stay until they are so many: each time some go, ingest forgets what it remembers."""

MOST_TRIMMED = 5_000
"""Rows deleted in one transaction: after weeks without InfluxDB there are millions, and ingest waits 2 s at most."""

_SEED_MS = 24 * 60 * 60 * 1000
_HEARD = ("stored", "duplicates", "crossing_ms")
_FIGURES = ("first_seq", "last_seq", "kept", "undated", "conflicts")
_CROSSINGS = """
    SELECT id, stream, seq, time_epoch_ms, entries, exits, undated, told
    FROM crossing WHERE id > ? AND id <= ? ORDER BY id LIMIT ?
"""
_ROWS = f"""
    SELECT outbox.id, outbox.counter, received_epoch_ms, from_epoch_ms, to_epoch_ms, outbox.stored, duplicates,
           crossing_epoch_ms, status, stream.name, {", ".join("outbox." + figure for figure in _FIGURES)}
    FROM outbox LEFT JOIN stream ON stream.id = outbox.stream
    WHERE outbox.id > ? AND outbox.id <= ? ORDER BY outbox.id LIMIT ?
"""  # noqa: S608 - names of our own


class Cursor(NamedTuple):
    """How far: ids of ``crossing`` and of ``outbox``, each the last one that counts as reached."""

    crossing: int = 0
    outbox: int = 0


class Fingerprint(NamedTuple):
    """What the rows at a place say, to know them again in another copy of the journal."""

    crossing: str = ""
    outbox: str = ""


class Chunk(NamedTuple):
    """Points to be written together, and the place that is reached with them."""

    points: Iterable[Point]
    place: Cursor
    mark: Fingerprint


def set_forwarding(path: Path, *, is_on: bool, now_epoch_ms: int) -> None:
    """Let each arrival at the journal at *path* be put into the outbox from now on, or no longer.

    When it begins, what the journal covered until then is put there at once. When it ends, the outbox is emptied:
    should it begin again, everything is told again but the reports of counters. Raises StoreUnavailable.
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
            _tell_again(connection, now_epoch_ms)


class Outbox:
    """A journal's outbox, open for its forwarder. For one thread."""

    def __init__(self, path: Path) -> None:
        """Open the journal at *path*. Raises StoreUnavailable where there is none of this version."""
        self.path = path
        if not path.exists():
            raise StoreUnavailable(f"there is no journal at {path}", hint="start ingest once (footfall up)")
        self._connection = open_database(path, MIGRATIONS, mode="rw", timeout_s=LOCK_TIMEOUT_S)
        self._ingest = ""
        self._counters: dict[int, str] = {}
        self._sites: dict[int, list[tuple[Cursor, str]]] = {}

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def ingest(self) -> str:
        """Return the name of this journal's ingest, which it keeps for ever."""
        if not self._ingest:
            with self._reading() as connection:
                row = connection.execute("SELECT ingest FROM forwarding").fetchone()
            if row is None:
                raise StoreUnavailable(f"{self.path} is not forwarded yet", hint="start ingest with InfluxDB set up")
            self._ingest = str(row[0])
        return self._ingest

    def waiting(self, place: Cursor, now_epoch_ms: int) -> tuple[int, int]:
        """Return how many rows come after *place*, and for how long (s) the oldest of the outbox has been waiting."""
        with self._reading() as connection:
            newest = _newest(connection)
            row = connection.execute(
                "SELECT received_epoch_ms FROM outbox WHERE id > ? ORDER BY id LIMIT 1", (place.outbox,)
            ).fetchone()
        rows = sum(max(0, last - reached) for last, reached in zip(newest, place, strict=True))
        return rows, max(0, now_epoch_ms - row[0]) // 1000 if row else 0

    def high_water_mark(self, sites: Mapping[str, str]) -> Cursor:
        """Return the place of the newest rows. *sites* has the site of each counter as of now.

        Rows that come after a counter changed its site are of the new site; those before stay of the old one, at
        every retry. So a change is written into the journal before the first of them is forwarded.
        """
        with self._reading() as connection:
            newest = _newest(connection)
            if not self._misplaced(connection, sites):
                return newest
        self.place(sites)
        return self.high_water_mark(sites)

    def place(self, sites: Mapping[str, str]) -> None:
        """Note the site of each counter as of now, *sites*: what comes from here on was counted there."""
        with self._reading() as connection:
            if not self._misplaced(connection, sites):
                return
        with transaction(self._connection, self.path):
            for counter, site, was_placed in self._misplaced(self._connection, sites):
                after = _newest(self._connection) if was_placed else Cursor()
                self._connection.execute(
                    "INSERT OR REPLACE INTO placement VALUES (?, ?, ?, ?)", (counter, *after, site)
                )

    def is_known(self, place: Cursor, mark: Fingerprint) -> bool:
        """Return whether this journal's rows at *place* still say *mark*. A restored backup's may not."""
        return self._mark(place) == mark

    def next_chunk(self, place: Cursor, high_water_mark: Cursor, most: int) -> Chunk | None:
        """Return the points of up to *most* rows between *place* and *high_water_mark*; None where there are none.

        A row gives one point as a rule, but a long span gives one for each of its quarter hours.
        """
        with self._reading() as connection:
            rows = connection.execute(_CROSSINGS, (place.crossing, high_water_mark.crossing, most)).fetchall()
            points: Iterator[Point] = self._crossing_points(rows, self._streams_of({row[1] for row in rows}))
            reached = place._replace(crossing=rows[-1][0]) if rows else place
            if not rows:
                rows = connection.execute(_ROWS, (place.outbox, high_water_mark.outbox, most)).fetchall()
                points = (point for row in rows for point in self._points(*row))
                reached = place._replace(outbox=rows[-1][0]) if rows else place
        return Chunk(points, reached, self._mark(reached)) if rows else None

    def trim(self, place: Cursor) -> None:
        """Delete some rows of the outbox before *place*, if they are many."""
        with self._reading() as connection:
            (oldest,) = connection.execute("SELECT coalesce(min(id), 0) FROM outbox").fetchone()
        if place.outbox - oldest >= MOST_KEPT:
            with transaction(self._connection, self.path):
                before = min(place.outbox, oldest + MOST_TRIMMED)
                self._connection.execute("DELETE FROM outbox WHERE id < ?", (before,))

    def tell_again(self, now_epoch_ms: int) -> None:
        """Put into the outbox again what was deleted there: what is covered, and the last that was heard."""
        with transaction(self._connection, self.path):
            (oldest,) = self._connection.execute("SELECT coalesce(min(id), 1) FROM outbox").fetchone()
            if oldest > 1:
                _tell_again(self._connection, now_epoch_ms)

    def _misplaced(self, connection: sqlite3.Connection, sites: Mapping[str, str]) -> list[tuple[int, str, bool]]:
        """Return (counter, site, was placed before) for each counter that is not at its site of *sites*."""
        self._counters = dict(connection.execute("SELECT id, name FROM counter"))
        self._sites = {}
        for counter, crossing, outbox, site in connection.execute("SELECT * FROM placement ORDER BY 1, 2 DESC, 3 DESC"):
            self._sites.setdefault(counter, []).append((Cursor(crossing, outbox), site))
        found = []
        for counter, name in self._counters.items():
            placed = self._sites.get(counter)
            site = sites.get(name, placed[0][1] if placed else "")  # removed counters keep the last that is known
            if placed is None or placed[0][1] != site:
                found.append((counter, site, placed is not None))
        return found

    def _mark(self, place: Cursor) -> Fingerprint:
        with self._reading() as connection:
            found = []
            for question, last in ((_CROSSINGS, place.crossing), (_ROWS, place.outbox)):
                row = connection.execute(question, (last - 1, last, 1)).fetchone()
                found.append(json.dumps(row) if row and last else "")
        return Fingerprint(*found)

    def _streams_of(self, streams: Iterable[int]) -> Mapping[int, tuple[int, str]]:
        """Return (counter, name) of each of *streams*."""
        rows = self._connection.execute(
            "SELECT id, counter, name FROM stream WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(streams)),),
        )
        return {stream: (counter, name) for stream, counter, name in rows}

    def _crossing_points(
        self, rows: Iterable[tuple[int, ...]], streams: Mapping[int, tuple[int, str]]
    ) -> Iterator[Point]:
        """Yield the points of *rows*. There may be millions: what is the same for all of a counter is made once."""
        tags: dict[int, tuple[int, Tags]] = {}
        for row, stream, seq, time_epoch_ms, entries, exits, undated, told in rows:
            if told:
                continue
            counter, name = streams[stream]
            after, mine = tags.get(counter, (row, ()))
            if row <= after:
                site = next(site for place, site in self._sites[counter] if row > place.crossing)
                mine = tags_of(counter=self._counters[counter], site=site)
                if site == self._sites[counter][0][1]:
                    tags[counter] = self._sites[counter][0][0].crossing, mine
            yield tagged_crossing(mine, f"{name}/{seq}" if undated else "", seq, time_epoch_ms, entries, exits)

    def _points(
        self, row: int, counter: int, received_epoch_ms: int, start: int | None, end: int | None,
        stored: int | None, duplicates: int | None, crossing_epoch_ms: int | None, status: str | None,
        stream: str | None, *figures: int,
    ) -> Iterator[Point]:  # fmt: skip
        name = self._counters[counter]
        site = next(site for after, site in self._sites[counter] if row > after.outbox)
        if start is not None and end is not None:
            yield from span_points(name, site, Span(start, end))
        heard: dict[str, Value] = json.loads(status) if status else {}
        told = zip(_HEARD, (stored, duplicates, crossing_epoch_ms), strict=True)
        heard |= {field: value for field, value in told if value is not None}
        if stored is not None and end is not None:
            heard["covered_to_ms"] = end
        if heard:
            yield status_point(name, site, heard, received_epoch_ms, row)
        if stream is not None:
            tags = tags_of(counter=name, site=site, stream=stream, ingest=self.ingest())
            yield stream_point(tags, dict(zip(_FIGURES, figures, strict=True)), received_epoch_ms, row)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection, on which all questions see the journal as of one instant."""
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


def _tell_again(connection: sqlite3.Connection, now_epoch_ms: int) -> None:
    """Put what is covered, and what was last heard, into the outbox, in place of the pieces that are there."""
    connection.execute("UPDATE outbox SET from_epoch_ms = NULL WHERE from_epoch_ms IS NOT NULL")
    # Of the time of which crossings were pruned nothing is told: without them its spans would say that nobody came.
    spans = connection.execute(
        "SELECT counter, max(from_epoch_ms, before), to_epoch_ms FROM coverage,"
        " (SELECT coalesce(max(before_epoch_ms), 0) AS before FROM pruning) WHERE to_epoch_ms > before ORDER BY 1, 2"
    )
    connection.executemany(
        "INSERT INTO outbox (counter, received_epoch_ms, from_epoch_ms, to_epoch_ms) VALUES (?, ?, ?, ?)",
        (
            (counter, now_epoch_ms, start, min(start + _SEED_MS, end))
            for counter, first, end in spans.fetchall()
            for start in range(first, end, _SEED_MS)
        ),
    )
    connection.execute(
        "INSERT INTO outbox (counter, received_epoch_ms, stored, duplicates, crossing_epoch_ms, status)"
        " SELECT counter, received_epoch_ms, 0, 0, crossing_epoch_ms, status FROM sighting"
    )
    connection.execute(
        "INSERT INTO outbox (counter, received_epoch_ms, stream, first_seq, last_seq, kept, undated, conflicts)"
        " SELECT counter, received_epoch_ms, id, first_seq, last_seq, stored, undated, conflicts"
        " FROM stream JOIN sighting USING (counter) WHERE name NOT GLOB ?", (HISTORY_MARK + "*",)
    )  # fmt: skip
