"""Every attempt and the owed days reach InfluxDB sooner or later, and never delay a delivery."""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from exporter.delivery_reporter import CHUNK, PAUSE_S, DeliveryReporter
from exporter.scheduler import look, report
from footfall.errors import PointsRefused, StoreUnavailable
from footfall.store.influx_writer import InfluxWriter
from footfall.store.points import Point
from tests.support.exporter_rig import ExporterRig, file_of, profile_table, rig
from tests.support.influx_fixtures import InfluxDatabase
from tests.support.influx_stores import config_of

DAYS = ["2026-05-04", "2026-05-05"]
Write = Callable[[Sequence[Point]], None]


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ExporterRig]:
    """A rig whose two days are covered, on the evening of the second."""
    with rig(tmp_path, profile_table(), profile_table("copy", to="mirror")) as one:
        one.cover(DAYS[0], DAYS[-1])
        one.at(DAYS[-1], "20:00")
        yield one


@pytest.fixture
def write(influx_database: InfluxDatabase) -> Iterator[Write]:
    with closing(InfluxWriter(config_of(influx_database))) as writer:
        yield writer.write


def reporter_of(here: ExporterRig, write: Write) -> DeliveryReporter:
    return DeliveryReporter(here.ledger, write, lambda: here.now_utc)


def report_now(here: ExporterRig, reporter: DeliveryReporter) -> None:
    report(here.job, reporter)


def test_every_attempt_is_reported_as_the_ledger_has_it(
    here: ExporterRig, write: Write, influx_database: InfluxDatabase
) -> None:
    """deliveries: one point an attempt, failed ones with what to do; tags profile and site."""
    here.client.fault = "permanent"
    here.steps()
    here.client.fault = "none"
    here.ledger.release()
    here.wait(seconds=60)
    here.steps()
    reporter = reporter_of(here, write)
    report_now(here, reporter)
    rows = {
        (row["profile"], row["day"], row["attempts"]): row for row in influx_database.query("SELECT * FROM deliveries")
    }
    recorded = {(one.profile, str(one.day), one.ok): one for one in here.ledger.deliveries(100)}
    assert len(rows) == len(recorded) == 5
    failed, sent = rows["alliance", DAYS[0], 1], rows["alliance", DAYS[0], 2]
    assert (failed["ok"], failed["error"]) == (
        False,
        f"deliver {file_of(DAYS[0])} to client: failed on demand (clear the fault)",
    )
    assert (sent["ok"], sent["error"], sent["site"], sent["destination"]) == (True, "", "alliance", "client")
    truth = recorded["alliance", DAYS[0], True]
    assert (sent["rows"], sent["bytes"], sent["sha256"], sent["took_ms"], sent["gaps"]) == (
        truth.rows, truth.bytes, truth.sha256, truth.took_ms, len(truth.gaps)
    )  # fmt: skip
    assert sent["time"] // 1_000_000 == truth.started_epoch_ms


def test_owed_days_are_reported_for_each_profile_even_if_there_are_none(
    here: ExporterRig, write: Write, influx_database: InfluxDatabase
) -> None:
    """exporter: days owed, those of them past give_up_at, and those that are blocked."""
    here.client.fault = "permanent"
    look(here.job, threading.Event())
    here.at("2026-05-05", "20:01")
    report_now(here, reporter_of(here, write))
    rows = {row["profile"]: row for row in influx_database.query("SELECT * FROM exporter")}
    assert {name: (row["owed"], row["overdue"], row["waiting"]) for name, row in rows.items()} == {
        "alliance": (2, 1, 2),
        "copy": (0, 0, 0),
    }
    assert {row["site"] for row in rows.values()} == {"alliance"}


def test_attempt_reported_twice_is_stored_once(
    here: ExporterRig, write: Write, influx_database: InfluxDatabase
) -> None:
    here.steps()
    reporter = reporter_of(here, write)
    for _ in range(2):
        report_now(here, reporter)
        reporter.report_all_again()
    assert len(influx_database.query("SELECT * FROM deliveries")) == 4


def test_reported_attempts_are_not_reported_again_without_need(here: ExporterRig) -> None:
    written: list[Point] = []
    here.steps()
    for _ in range(2):
        report_now(here, reporter_of(here, written.extend))
    assert [one.measurement for one in written].count("deliveries") == 4


def test_influxdb_that_is_down_delays_no_delivery_and_gets_the_report_later(
    here: ExporterRig, caplog: pytest.LogCaptureFixture
) -> None:
    """The ledger has every attempt. The failure is logged once, and retried after a minute."""
    written: list[Point] = []
    tried: list[int] = []

    def away(points: Sequence[Point]) -> None:
        tried.append(len(points))
        raise StoreUnavailable("InfluxDB is down", hint="start it")

    reporter = reporter_of(here, away)
    here.steps()
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            report_now(here, reporter)
            here.wait(seconds=PAUSE_S / 2)
    assert tried == [4, 4]
    assert [record.message for record in caplog.records].count(
        "failed to report deliveries, will retry: InfluxDB is down; start it"
    ) == 1
    assert len(list((here.folder / "client").iterdir())) == 2
    report_now(here, reporter_of(here, written.extend))
    assert [one.measurement for one in written] == ["deliveries"] * 4 + ["exporter"] * 2


def test_retry_after_is_respected_within_a_limit(here: ExporterRig) -> None:
    tried: list[int] = []

    def busy(points: Sequence[Point]) -> None:
        tried.append(1)
        raise StoreUnavailable("busy", hint="", retry_after_s=10_000)

    reporter = reporter_of(here, busy)
    for seconds in (0, 200, 99, 2):
        here.wait(seconds=seconds)
        report_now(here, reporter)
    assert len(tried) == 2


def test_refused_point_does_not_stop_the_others(here: ExporterRig, caplog: pytest.LogCaptureFixture) -> None:
    written: list[Point] = []

    def picky(points: Sequence[Point]) -> None:
        if any(one.fields.get("day") == DAYS[0] for one in points):
            raise PointsRefused("type conflict", hint="look")
        written.extend(points)

    here.steps()
    report_now(here, reporter_of(here, picky))
    assert sum(one.measurement == "deliveries" for one in written) == 2
    assert caplog.text.count("InfluxDB refused a point about deliveries: type conflict; look") == 2
    assert here.ledger.unreported(10) == []


def test_ledger_of_years_is_reported_in_chunks(here: ExporterRig) -> None:
    here.steps()
    (one,) = here.ledger.deliveries(1)
    for _ in range(CHUNK):
        here.ledger.record_failed(one, 0, is_blocked=False)
    sizes: list[int] = []
    report_now(here, reporter_of(here, lambda points: sizes.append(len(points))))
    assert sizes[:2] == [CHUNK, 4]


def test_bug_in_the_reporter_does_not_end_the_daemon(here: ExporterRig, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Sequence[Point]) -> None:
        raise ZeroDivisionError("a bug")

    report_now(here, reporter_of(here, broken))
    assert "please report it" in caplog.text
