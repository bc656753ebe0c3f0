"""The forwarder's state survives an upgrade; progress and quarantine are read from another process."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from footfall.store import forwarder_state
from footfall.store.forwarder_state import ForwarderProgress, ForwarderState
from footfall.store.outbox import Cursor, Fingerprint
from footfall.store.points import Point
from footfall.store.sqlite import migrate


def test_state_of_schema_1_is_migrated_and_keeps_progress_and_quarantine(tmp_path: Path) -> None:
    path = tmp_path / "forwarder.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, forwarder_state._MIGRATIONS[:1], "state")
        connection.execute(
            "UPDATE progress SET crossing = 7, outbox = 8, crossing_mark = 'c', outbox_mark = 'o', written = 90,"
            " expired = 2, witness_ns = 5, is_again = 0, error = 'down', hint = 'start it', failing_epoch_ms = 3,"
            " next_try_epoch_ms = 4"
        )
        name = json.dumps(["crossings", [["counter", "ALLI1"]], 6])
        connection.execute("INSERT INTO quarantine VALUES (1, ?, ?, 'odd', 9)", (name, json.dumps({"entries": 1})))
    with closing(ForwarderState(path)) as state:
        assert state.progress() == ForwarderProgress(
            cursor=Cursor(7, 8),
            fingerprint=Fingerprint("c", "o"),
            written=90,
            expired=2,
            canary_ns=5,
            resend_requested=False,
            error="down",
            hint="start it",
            failing_epoch_ms=3,
            next_try_epoch_ms=4,
        )
        (one,) = state.quarantined_points()
        assert one.point == Point("crossings", (("counter", "ALLI1"),), {"entries": 1}, 6)
        assert (one.reason, one.refused_epoch_ms) == ("odd", 9)


def test_new_state_requests_a_resend(tmp_path: Path) -> None:
    """A lost state must not skip rows: they may be lost in InfluxDB too."""
    with closing(ForwarderState(tmp_path / "forwarder.sqlite")) as state:
        assert state.progress().resend_requested
        assert state.progress().cursor == Cursor()
