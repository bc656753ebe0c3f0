"""The dashboards show what the real processes write: ingest, its forwarder and the exporter."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from footfall import wire
from footfall.model import Span, epoch_ms
from harness.influx_server import TOKEN, InfluxDatabase
from harness.installation import PROFILE, SITE, Installation, install
from tests.support.grafana import Frame, Json, Viewer, dashboard, dashboard_names, panels
from tests.support.grafana_alerts import firing, rules
from tests.support.grafana_transformations import transform
from tests.support.influx_fixtures import running_influx_server
from tests.support.process_checks import until
from tests.support.zones import zone_where_it_is_day

pytestmark = pytest.mark.slow

PEOPLE = 40
STATUS = wire.Status(
    firmware="1.0.0", uptime_s=86_400, rssi_dbm=-61, heap_bytes=31_000, queued=2, dropped=0, aborted=3,
    outer_blocked_s=0, inner_blocked_s=0,
)  # fmt: skip
EMPTY = {"Last errors", "Aborted passages"}
"""Panels that show nothing here: there is no failed delivery, and only one status report to compare."""


@contextmanager
def running(folder: Path, zone: ZoneInfo) -> Iterator[tuple[Installation, InfluxDatabase]]:
    """Run the services of an installation in *zone*, with InfluxDB and a client's folder."""
    yesterday = datetime.now(UTC).astimezone(zone).date() - timedelta(days=1)
    with running_influx_server() as server:
        database = server.create("footfall")
        more = f'\n[influxdb]\nurl = "{server.url}"\ntoken_file = "token"\n'
        more += '[destinations.share]\nkind = "folder"\nfolder = "share"\n'
        profile = PROFILE + f'destination = "share"\ndeliver_from = {yesterday}\n'
        site = SITE.replace("Europe/Paris", zone.key)
        here = install(folder / "footfall", site=site, more=more, profile=profile)
        (here.folder / "token").write_text(TOKEN + "\n")
        (here.folder / "share").mkdir()
        with here.serving("ingest"):
            here.run("simulate", "--day", str(yesterday), "--people", str(PEOPLE))
            send_now(here)
            with here.serving("exporter"):
                wait_for(database, "SELECT * FROM deliveries")
                wait_for(database, "SELECT * FROM exporter")
                until(lambda: here.get("/api/v1/forwarder")["waiting"] == 0, "everything is forwarded")
                wait_for(database, "SELECT * FROM forwarder")
                yield here, database


def send_now(here: Installation) -> None:
    """Send three entries and one exit from each counter, all within the last second."""
    for counter in ("ALLI1", "ALLI2"):
        now = epoch_ms(datetime.now(UTC))
        crossings = [(seq, now - 50 + seq * 10, direction) for seq, direction in enumerate((1, 1, 1, -1))]
        body = wire.render_body(counter, "feed", Span(now - 60_000, now), crossings, STATUS)  # type: ignore[arg-type]
        assert here.post(body, counter=counter).status == 200


def wait_for(database: InfluxDatabase, influxql: str) -> None:
    until(lambda: bool(database.query(influxql)), influxql)


def drawn(board: Json, viewer: Viewer) -> dict[str, list[Frame]]:
    return {panel["title"]: transform(viewer.frames(board, panel), panel, viewer.zone) for panel in panels(board)}


def test_every_panel_shows_what_the_services_wrote(tmp_path: Path) -> None:
    """From the counter's batch through the real processes to the panel: every field keeps its name."""
    zone = zone_where_it_is_day()  # elsewhere today's file might be due
    with running(tmp_path, zone) as (_, database):
        end = datetime.now(UTC)
        viewer = Viewer(database, end - timedelta(days=2), end, {"site": "alliance"}, zone)
        shown = {
            title: frames for name in dashboard_names() for title, frames in drawn(dashboard(name), viewer).items()
        }
        alerts = {uid: firing(rule, database, end) for uid, rule in rules().items()}
    week_before = {title for title in shown if title.endswith(("one week earlier", "a week ago"))}
    nothing = {title for title, frames in shown.items() if not any(len(frame) for frame in frames)}
    assert nothing == EMPTY | week_before
    (inside,) = shown["People inside now"]
    assert inside.column("inside") == [4]
    (capacity,) = (frame for frame in shown["Occupancy and capacity"] if frame.ref_id == "B")
    assert capacity.column("capacity") == [120]
    (report,) = shown["Status"]
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
    brief = {uid for uid in alerts if uid.endswith("-silent")}  # may hold as a quarter hour begins, but not for 10 min
    assert {uid for uid, labels in alerts.items() if labels} <= brief
    assert None not in alerts.values()
