"""The dashboards show what the real services write: ingest, its forwarder and the exporter, as processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from footfall import wire
from footfall.model import Span, epoch_ms
from tests.support.grafana import Frame, Json, Viewer, dashboard, dashboard_names, panels
from tests.support.grafana_alerts import firing, rules
from tests.support.grafana_transformations import transform
from tests.support.influx_server import TOKEN, InfluxDatabase, running_influx_server
from tests.support.installation import PROFILE, Installation, install
from tests.support.processes import until

pytestmark = pytest.mark.slow

PARIS = ZoneInfo("Europe/Paris")
PEOPLE = 40
STATUS = wire.Status(
    firmware="1.0.0", uptime_s=86_400, rssi_dbm=-61, heap_bytes=31_000, queued=2, dropped=0, aborted=3,
    outer_blocked_s=0, inner_blocked_s=0,
)  # fmt: skip
EMPTY = {"Last errors", "Aborted passages"}
"""Panels that rightly show nothing in what happens here: no failure, and one report, to which nothing is compared."""


@contextmanager
def running(folder: Path) -> Iterator[tuple[Installation, InfluxDatabase]]:
    """Give an installation with InfluxDB and a folder for a client, its services running."""
    yesterday = datetime.now(UTC).astimezone(PARIS).date() - timedelta(days=1)
    with running_influx_server() as server:
        database = server.create("footfall")
        more = f'\n[influxdb]\nurl = "{server.url}"\ntoken_file = "token"\n'
        more += '[destinations.share]\nkind = "folder"\nfolder = "share"\n'
        profile = PROFILE + f'destination = "share"\ndeliver_from = {yesterday}\n'
        here = install(folder / "footfall", more=more, profile=profile)
        (here.folder / "token").write_text(TOKEN + "\n")
        (here.folder / "share").mkdir()
        with here.serving("ingest"):
            here.run("simulate", "--day", str(yesterday), "--people", str(PEOPLE))
            send_now(here)
            with here.serving("exporter"):
                wait_for(database, "SELECT * FROM deliveries")
                wait_for(database, "SELECT * FROM exporter")
                until(lambda: here.get("/api/v1/forwarder")["waiting"] == 0, "all is forwarded")
                wait_for(database, "SELECT * FROM forwarder")
                yield here, database


def send_now(here: Installation) -> None:
    """Let both counters tell of three who came and one who left, in the last moments."""
    for counter in ("ALLI1", "ALLI2"):
        now = epoch_ms(datetime.now(UTC))
        crossings = [(seq, now - 50 + seq * 10, direction) for seq, direction in enumerate((1, 1, 1, -1))]
        body = wire.render_body(counter, "feed", Span(now - 60_000, now), crossings, STATUS)  # type: ignore[arg-type]
        assert here.post(body, counter=counter).status == 200


def wait_for(database: InfluxDatabase, influxql: str) -> None:
    until(lambda: bool(database.query(influxql)), influxql)


def drawn(board: Json, viewer: Viewer) -> dict[str, list[Frame]]:
    return {panel["title"]: transform(viewer.frames(board, panel), panel, PARIS) for panel in panels(board)}


def test_every_panel_shows_what_the_services_wrote(tmp_path: Path) -> None:
    """From the counter's batch to the panel through the product's processes; no field has another name on the way."""
    with running(tmp_path) as (_, database):
        end = datetime.now(UTC)
        viewer = Viewer(database, end - timedelta(days=2), end, {"site": "alliance"}, PARIS)
        shown = {
            title: frames for name in dashboard_names() for title, frames in drawn(dashboard(name), viewer).items()
        }
        alerts = {uid: firing(rule, database, end) for uid, rule in rules().items()}
    week_before = {title for title in shown if "a week" in title}
    nothing = {title for title, frames in shown.items() if not any(len(frame) for frame in frames)}
    assert nothing == EMPTY | week_before
    (inside,) = shown["People inside now"]
    assert inside.column("inside") == [4]
    (capacity,) = (frame for frame in shown["Inside, against capacity"] if frame.ref_id == "B")
    assert capacity.column("capacity") == [120]
    (report,) = shown["Last report"]
    assert {(row["counter"], row["firmware"], row["uptime"], row["queued"]) for row in report.rows()} == {
        ("ALLI1", "1.0.0", 86_400, 2),
        ("ALLI2", "1.0.0", 86_400, 2),
    }
    (attempts,) = shown["Attempts"]
    assert [(row["profile"], row["destination"], row["ok"]) for row in attempts.rows()] == [("alliance", "share", True)]
    (losses,) = shown["Losses"]
    assert set(losses.column("lost")) == {0}
    (weekdays,) = shown["Entries by weekday and half hour"]
    entries = sum(column.values[0] or 0 for column in weekdays.columns[1:])
    assert entries == PEOPLE + 3  # and the staff
    a_quarter_just_began = {
        uid for uid in alerts if uid.endswith("-silent")
    }  # these hold for a moment; see their `for`
    assert {uid for uid, labels in alerts.items() if labels} <= a_quarter_just_began
    assert None not in alerts.values()
