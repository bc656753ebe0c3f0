"""Points that InfluxDB refuses go to quarantine or are dropped; all others are written."""

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from footfall.model import QUARTER_MS
from footfall.store.points import NS_PER_MS, Point
from tests.support.forwarder_rig import ForwarderRig
from tests.support.journals import START_MS

TOO_OLD = (
    "points beyond retention policy",
    "points beyond retention policy or outside permissible write window",
    (
        "dropped 2 points outside retention policy of duration 24h0m0s - oldest point crossings,counter=ALLI1 at"
        " 2026-05-04T08:00:00Z dropped because it violates a Retention Policy Lower Bound at 2026-05-20T19:06:17Z"
    ),
)
"""The messages of older and newer versions (docs.influxdata.com, InfluxDB 2.x, Troubleshoot)."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[ForwarderRig]:
    with closing(ForwarderRig(tmp_path)) as opened:
        yield opened


def test_refused_points_go_to_quarantine_and_the_others_are_written(rig: ForwarderRig) -> None:
    rig.influx.refuses = lambda point: point.measurement == "crossings" and point.time_ns % NS_PER_MS in (3, 4, 11)
    rig.entries(0, 15)
    rig.work()
    assert rig.seqs() == [seq for seq in range(15) if seq not in (3, 4, 11)]
    refused = rig.state.quarantined_points()
    assert [one.point.time_ns % NS_PER_MS for one in refused] == [3, 4, 11]
    assert all("field type conflict" in one.reason for one in refused)
    assert refused[0].point == Point(
        "crossings", (("counter", "ALLI1"), ("site", "alliance")), {"entries": 1, "exits": 0},
        (START_MS - QUARTER_MS + 3000) * NS_PER_MS + 3,
    )  # fmt: skip
    assert rig.waiting() == 0


def test_point_refused_twice_is_in_quarantine_once(rig: ForwarderRig) -> None:
    rig.influx.refuses = lambda point: point.measurement == "crossings"
    rig.entries(0, 2)
    rig.work()
    rig.state.request_resend()
    rig.work()
    assert len(rig.state.quarantined_points()) == 2
    rig.state.release(rig.state.quarantined_points()[:1])
    assert rig.state.quarantine_size() == 1


def test_full_quarantine_stops_the_forwarder_and_loses_nothing(tmp_path: Path) -> None:
    with closing(ForwarderRig(tmp_path, max_quarantined=3)) as rig:
        rig.influx.refuses = lambda point: point.measurement == "crossings"
        rig.entries(0, 20)
        rig.work()
        assert rig.state.quarantine_size() == 3
        assert "footfall quarantine" in rig.state.progress().hint
        rig.influx.refuses = lambda _: False
        rig.later(61)
        rig.work()
        quarantined = [one.point.time_ns % NS_PER_MS for one in rig.state.quarantined_points()]
        assert sorted({*rig.seqs(), *quarantined}) == list(range(20))


@pytest.mark.parametrize("reason", TOO_OLD)
def test_points_older_than_the_retention_are_dropped(rig: ForwarderRig, reason: str) -> None:
    """They would fill the quarantine, which is for points that an operator can fix."""
    rig.influx.reason = reason
    rig.influx.refuses = lambda point: point.time_ns % NS_PER_MS in (1, 3) and point.measurement == "crossings"
    rig.entries(0, 6)
    rig.work()
    assert rig.seqs() == [0, 2, 4, 5]
    assert rig.state.quarantine_size() == 0
    assert rig.state.progress().expired == 2
    assert rig.state.progress().written == 4 + 6 + 6 + 6, "crossings, spans, status and streams"


def test_points_outside_a_write_window_go_to_quarantine(rig: ForwarderRig) -> None:
    """They need not be old: InfluxDB's clock may be wrong."""
    rig.influx.reason = (
        "dropped 0 points outside retention policy of duration 24h0m0s and 1 points outside write window"
    )
    rig.influx.refuses = lambda point: point.time_ns % NS_PER_MS == 1 and point.measurement == "crossings"
    rig.entries(0, 3)
    rig.work()
    assert rig.seqs() == [0, 2]
    assert rig.state.quarantine_size() == 1


def test_refused_status_point_is_dropped(rig: ForwarderRig, caplog: pytest.LogCaptureFixture) -> None:
    """A newer one follows. In quarantine, one a minute would fill it and stop the crossings too."""
    rig.influx.refuses = lambda point: point.measurement in ("sites", "forwarder")
    rig.work()
    requests = len(rig.influx.requests)
    with caplog.at_level(logging.ERROR):
        for second in range(120):
            rig.later(1)
            rig.entries(second, second + 1)
            rig.work()
    assert rig.state.quarantine_size() == 0
    assert len(rig.seqs()) == 120
    reports = [points for points in rig.influx.requests[requests:] if points[0].measurement == "forwarder"]
    assert len(reports) == 2, "one a minute"
    assert len(caplog.messages) <= 1


def test_too_large_requests_are_halved(rig: ForwarderRig) -> None:
    rig.influx.max_points = 2
    rig.entries(0, 9)
    rig.work()
    assert rig.seqs() == list(range(9))
    assert rig.state.quarantine_size() == 0


def test_refused_point_is_reported_before_any_span(rig: ForwarderRig) -> None:
    """A reader of the span must know that a crossing in it may be missing."""
    rig.influx.refuses = lambda point: point.measurement == "crossings" and point.time_ns % NS_PER_MS == 1
    rig.entries(0, 3)
    rig.work()
    order = [
        (point.measurement, point.fields.get("quarantined")) for request in rig.influx.requests for point in request
    ]
    assert ("forwarder", 1) in order[: order.index(("spans", None))]
