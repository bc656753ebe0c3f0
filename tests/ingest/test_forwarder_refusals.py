"""Points that InfluxDB will never take are set aside or passed over; all others are written, and nothing stops."""

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from footfall.model import QUARTER_MS
from footfall.store.points import NS_PER_MS, Point
from tests.support.forwarder_desk import Desk
from tests.support.journals import START_MS

TOO_OLD = (
    "points beyond retention policy",
    "points beyond retention policy or outside permissible write window",
    (
        "dropped 2 points outside retention policy of duration 24h0m0s - oldest point crossings,counter=ALLI1 at"
        " 2026-05-04T08:00:00Z dropped because it violates a Retention Policy Lower Bound at 2026-05-20T19:06:17Z"
    ),
)
"""The words of old and of new versions (docs.influxdata.com, InfluxDB 2.x, Troubleshoot)."""


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with closing(Desk(tmp_path)) as opened:
        yield opened


def test_refused_points_are_set_aside_and_the_others_written(desk: Desk) -> None:
    desk.influx.refuses = lambda point: point.measurement == "crossings" and point.time_ns % NS_PER_MS in (3, 4, 11)
    desk.entries(0, 15)
    desk.work()
    assert desk.seqs() == [seq for seq in range(15) if seq not in (3, 4, 11)]
    refused = desk.shipments.refused()
    assert [one.point.time_ns % NS_PER_MS for one in refused] == [3, 4, 11]
    assert all("field type conflict" in one.reason for one in refused)
    assert refused[0].point == Point(
        "crossings", (("counter", "ALLI1"), ("site", "alliance")), {"entries": 1, "exits": 0},
        (START_MS - QUARTER_MS + 3000) * NS_PER_MS + 3,
    )  # fmt: skip
    assert desk.waiting() == 0


def test_point_refused_twice_is_in_quarantine_once(desk: Desk) -> None:
    desk.influx.refuses = lambda point: point.measurement == "crossings"
    desk.entries(0, 2)
    desk.work()
    desk.shipments.ask_again()
    desk.work()
    assert len(desk.shipments.refused()) == 2
    desk.shipments.release(desk.shipments.refused()[:1])
    assert desk.shipments.quarantined() == 1


def test_when_too_much_is_refused_it_stops_and_loses_nothing(tmp_path: Path) -> None:
    """Then it is not about points: a person must look."""
    with closing(Desk(tmp_path, most_quarantined=3)) as desk:
        desk.influx.refuses = lambda point: point.measurement == "crossings"
        desk.entries(0, 20)
        desk.work()
        assert desk.shipments.quarantined() == 3
        assert "footfall quarantine" in desk.shipments.progress().hint
        desk.influx.refuses = lambda _: False
        desk.later(61)
        desk.work()
        resent = [one.point.time_ns % NS_PER_MS for one in desk.shipments.refused()]
        assert sorted({*desk.seqs(), *resent}) == list(range(20))


@pytest.mark.parametrize("reason", TOO_OLD)
def test_points_older_than_influxdb_keeps_are_passed_over(desk: Desk, reason: str) -> None:
    """However many they are: quarantine is for what a person can mend, and 10,000 there stop the forwarder."""
    desk.influx.reason = reason
    desk.influx.refuses = lambda point: point.time_ns % NS_PER_MS in (1, 3) and point.measurement == "crossings"
    desk.entries(0, 6)
    desk.work()
    assert desk.seqs() == [0, 2, 4, 5]
    assert desk.shipments.quarantined() == 0
    assert desk.shipments.progress().expired == 2
    assert desk.shipments.progress().written == 4 + 6 + 6 + 6, "crossings, spans, status and streams"


def test_points_outside_a_write_window_are_set_aside(desk: Desk) -> None:
    """Of them InfluxDB does not say that they are old: perhaps its clock is wrong, and a person must look."""
    desk.influx.reason = (
        "dropped 0 points outside retention policy of duration 24h0m0s and 1 points outside write window"
    )
    desk.influx.refuses = lambda point: point.time_ns % NS_PER_MS == 1 and point.measurement == "crossings"
    desk.entries(0, 3)
    desk.work()
    assert desk.seqs() == [0, 2]
    assert desk.shipments.quarantined() == 1


def test_point_of_how_things_are_now_that_is_refused_stops_nothing(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """The next one tells the same. In quarantine they would be 10,000 within hours, and stop the crossings too."""
    desk.influx.refuses = lambda point: point.measurement in ("sites", "forwarder")
    desk.work()
    requests = len(desk.influx.requests)
    with caplog.at_level(logging.ERROR):
        for second in range(120):
            desk.later(1)
            desk.entries(second, second + 1)
            desk.work()
    assert desk.shipments.quarantined() == 0
    assert len(desk.seqs()) == 120
    looks = [points for points in desk.influx.requests[requests:] if points[0].measurement == "forwarder"]
    assert len(looks) == 2, "one a minute"
    assert len(caplog.messages) <= 1


def test_requests_too_large_are_halved(desk: Desk) -> None:
    desk.influx.most_points = 2
    desk.entries(0, 9)
    desk.work()
    assert desk.seqs() == list(range(9))
    assert desk.shipments.quarantined() == 0


def test_refused_point_is_told_of_before_any_span_is(desk: Desk) -> None:
    """Whoever reads the span must know that a crossing in it may be missing."""
    desk.influx.refuses = lambda point: point.measurement == "crossings" and point.time_ns % NS_PER_MS == 1
    desk.entries(0, 3)
    desk.work()
    order = [
        (point.measurement, point.fields.get("quarantined")) for request in desk.influx.requests for point in request
    ]
    assert ("forwarder", 1) in order[: order.index(("spans", None))]
