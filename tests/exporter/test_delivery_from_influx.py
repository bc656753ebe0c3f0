"""The exporter on InfluxDB: the same bytes as from the journal, and never a file with holes."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from exporter.delivery_job import DeliveryJob
from footfall.errors import StoreUnavailable
from footfall.model import epoch_ms
from footfall.store.influx_reader import InfluxReader
from footfall.store.influxql import InfluxQL
from footfall.store.outbox import Cursor
from tests.support.exporter_rig import ExporterRig, file_of, rig
from tests.support.influx_fixtures import InfluxDatabase
from tests.support.influx_stores import ForwardedJournal, config_of, forwarded, write_forwarder

DAY = "2026-05-04"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ExporterRig]:
    with rig(tmp_path) as one:
        yield one


@pytest.fixture
def forwarder(here: ExporterRig, influx_database: InfluxDatabase) -> Iterator[ForwardedJournal]:
    """Forwards the rig's journal to InfluxDB, step by step."""
    with forwarded(here.journal.path, influx_database) as one:
        yield one


def job_on_influx(here: ExporterRig, database: InfluxDatabase) -> DeliveryJob:
    """Return the rig's job, reading *database* instead of the journal."""
    job = here.job()
    job._reader = InfluxReader(InfluxQL(config_of(database)), lambda: here.now_utc)
    return job


def test_file_from_influxdb_is_that_from_the_journal(
    here: ExporterRig, forwarder: ForwardedJournal, influx_database: InfluxDatabase
) -> None:
    here.at(DAY, "19:30")
    for minute in range(0, 60, 7):
        here.enter(DAY, f"09:{minute:02}", counter="ALLI2" if minute % 2 else "ALLI1")
    here.cover(DAY, DAY)
    here.at(DAY, "20:00")
    forwarder.forward()
    (profile,) = here.profiles.values()
    export = job_on_influx(here, influx_database).render(profile, here.now_utc.date())
    assert export == here.job().render(profile, here.now_utc.date())
    assert export.entries == 9


def test_day_waits_while_the_forwarder_lags(
    here: ExporterRig, forwarder: ForwardedJournal, influx_database: InfluxDatabase
) -> None:
    """A day that InfluxDB does not have yet is late. It goes out, whole, once InfluxDB has it."""
    here.cover("2026-05-03", "2026-05-03")
    forwarder.forward()
    here.at(DAY, "19:30")
    here.enter(DAY, "18:59", people=3)
    here.cover(DAY, DAY)
    here.at(DAY, "20:00")
    job = job_on_influx(here, influx_database)
    assert here.steps(job) == 0
    assert [one.state.name for one in job.owed()] == ["LATE"]
    assert here.client.attempts == []
    forwarder.forward()
    assert here.steps(job) == 1
    assert b"2026-5-4,18:30:00,3,0,ALLI1" in (here.client.folder / file_of(DAY)).read_bytes()


def test_day_never_goes_out_with_spans_but_without_their_crossings(
    here: ExporterRig, forwarder: ForwardedJournal, influx_database: InfluxDatabase
) -> None:
    """Wherever a forwarder stops, it has written no span without the crossings in it."""
    here.at(DAY, "19:30")
    here.enter(DAY, "10:00", people=2)
    here.cover(DAY, DAY)
    here.at(DAY, "20:00")
    job = job_on_influx(here, influx_database)
    high_water_mark = forwarder.outbox.high_water_mark(forwarder.sites)
    while chunk := forwarder.outbox.next_chunk(forwarder.cursor, high_water_mark, 1):
        for point in chunk.points:
            forwarder._writer.write([point])
            if here.steps(job):
                assert b"2026-5-4,10:00:00,2,0,ALLI1" in (here.client.folder / file_of(DAY)).read_bytes()
        forwarder.cursor = chunk.cursor
    assert here.client.attempts == [file_of(DAY)]


def test_day_past_its_deadline_waits_for_an_influxdb_that_was_down_to_catch_up(
    here: ExporterRig, forwarder: ForwardedJournal, influx_database: InfluxDatabase
) -> None:
    """InfluxDB is back at 01:00 the next day: no counter is late, and no file goes out with the evening as a gap."""
    here.at(DAY, "12:00")
    here.cover_until(DAY, timedelta(hours=12))
    forwarder.forward()
    write_forwarder(influx_database, "a", epoch_ms(here.now_utc))
    here.at(DAY, "19:30")
    here.enter(DAY, "18:59", people=3)
    here.cover(DAY, DAY)
    here.at("2026-05-05", "13:00")
    job = job_on_influx(here, influx_database)
    assert here.steps(job) == 0
    write_forwarder(influx_database, "a", epoch_ms(here.now_utc), waiting=3, lag_s=63_000)
    assert here.steps(job) == 0
    assert [one.state.name for one in job.owed()] == ["STORE_BEHIND"]
    forwarder.forward()
    assert here.steps(job) == 1
    assert b"2026-5-4,18:30:00,3,0,ALLI1" in (here.client.folder / file_of(DAY)).read_bytes()


@pytest.mark.parametrize(("clock", "steps"), [("11:59", 0), ("12:00", 0), ("12:02", 1)])
def test_day_goes_out_with_gaps_once_influxdb_has_everything_up_to_the_deadline(
    here: ExporterRig, forwarder: ForwardedJournal, influx_database: InfluxDatabase, clock: str, steps: int
) -> None:
    here.at(DAY, "12:00")
    here.cover_until(DAY, timedelta(hours=12))
    forwarder.forward()
    here.at("2026-05-05", clock)
    write_forwarder(influx_database, "a", epoch_ms(here.now_utc) - 30_000)
    assert here.steps(job_on_influx(here, influx_database)) == steps


def test_day_goes_out_with_gaps_a_day_later_if_influxdb_never_catches_up(
    here: ExporterRig, forwarder: ForwardedJournal, influx_database: InfluxDatabase
) -> None:
    """Ingest's machine is gone: the client gets the file with its gaps, a day later."""
    here.at(DAY, "12:00")
    here.cover_until(DAY, timedelta(hours=12))
    forwarder.forward()
    job = job_on_influx(here, influx_database)
    here.at("2026-05-06", "11:59")
    assert here.steps(job) == 0
    here.at("2026-05-06", "12:00")
    assert here.steps(job) == 1


def test_influxdb_that_lost_everything_replaces_no_delivered_file(
    here: ExporterRig, forwarder: ForwardedJournal, influx_database: InfluxDatabase
) -> None:
    """Neither while it is empty nor while it is refilled. Late data goes out once everything is back."""
    here.at(DAY, "19:30")
    here.enter(DAY, "10:00", people=2)
    here.cover(DAY, DAY)
    here.at(DAY, "20:00")
    forwarder.forward()
    job = job_on_influx(here, influx_database)
    assert here.steps(job) == 1
    before = (here.client.folder / file_of(DAY)).read_bytes()
    for measurement in ("crossings", "spans", "status", "streams"):
        influx_database.query(f"DROP MEASUREMENT {measurement}")
    here.enter(DAY, "11:00", people=3)
    here.wait(minutes=20)
    assert here.steps(job) == 0
    assert [one.state.name for one in job.owed()] == ["KEPT_BACK"]
    forwarder.cursor = Cursor()
    high_water_mark = forwarder.outbox.high_water_mark(forwarder.sites)
    while chunk := forwarder.outbox.next_chunk(forwarder.cursor, high_water_mark, 1):
        for point in chunk.points:
            forwarder._writer.write([point])
            if here.steps(job):
                assert b"2026-5-4,11:00:00,3,0,ALLI1" in (here.client.folder / file_of(DAY)).read_bytes()
            else:
                assert (here.client.folder / file_of(DAY)).read_bytes() == before
        forwarder.cursor = chunk.cursor
    here.wait(minutes=20)
    here.steps(job)
    assert here.client.attempts == [file_of(DAY)] * 2
    assert b"2026-5-4,10:00:00,2,0,ALLI1" in (here.client.folder / file_of(DAY)).read_bytes()


def test_influxdb_that_is_down_leaves_the_day_owed(
    here: ExporterRig, forwarder: ForwardedJournal, influx_database: InfluxDatabase
) -> None:
    here.cover(DAY, DAY)
    here.at(DAY, "20:00")
    forwarder.forward()
    job = job_on_influx(here, replace(influx_database, url="http://127.0.0.1:9"))
    with pytest.raises(StoreUnavailable):
        job.step()
    assert here.client.attempts == []
    assert here.steps(job_on_influx(here, influx_database)) == 1
