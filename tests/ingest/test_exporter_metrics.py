"""/metrics shows what the exporter recorded at its last look, and nothing if it has not run."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date

import pytest
from prometheus_client.parser import text_string_to_metric_families

from footfall.store.ledger import Ledger
from footfall.store.ledger_schema import FILE_NAME, RecordedProfile, Standing, State
from tests.support.ingest_app import NOON_MS, Ingest

PROFILES = [RecordedProfile("client", "alliance", "sftp.example.org"), RecordedProfile("sheet", "alliance", "")]
OWED = [
    Standing("client", date(2026, 5, 1), State.BLOCKED, NOON_MS, attempts=1),
    Standing("client", date(2026, 5, 2), State.RETRYING, NOON_MS, attempts=1),
    Standing("client", date(2026, 5, 3), State.RETRYING, NOON_MS, attempts=1),
]


@pytest.fixture
def ledger(ingest: Ingest) -> Iterator[Ledger]:
    with closing(Ledger(ingest.installation.data / FILE_NAME)) as opened:
        yield opened


def figures_of(ingest: Ingest, name: str) -> dict[tuple[str, ...], float]:
    families = text_string_to_metric_families(ingest.client.get("/metrics").text)
    samples = [one for family in families for one in family.samples if one.name == name]
    return {tuple(value for _, value in sorted(one.labels.items())): one.value for one in samples}


def test_days_owed_are_counted_by_profile_and_state_also_where_there_is_none(ingest: Ingest, ledger: Ledger) -> None:
    ledger.record_look(NOON_MS, PROFILES, OWED)
    states = {state.value: 0 for state in State if state is not State.DELIVERED} | {"blocked": 1, "retrying": 2}
    assert figures_of(ingest, "footfall_exporter_days") == {
        ("client", "alliance", state): days for state, days in states.items()
    }
    assert figures_of(ingest, "footfall_exporter_last_look_timestamp_seconds") == {(): NOON_MS / 1000}
    assert figures_of(ingest, "footfall_readable")["exporter",] == 1


def test_exporter_that_has_not_run_here_has_no_figures(ingest: Ingest) -> None:
    assert figures_of(ingest, "footfall_exporter_days") == {}
    assert figures_of(ingest, "footfall_exporter_last_look_timestamp_seconds") == {}
    assert figures_of(ingest, "footfall_readable")["exporter",] == 1
    assert not (ingest.installation.data / FILE_NAME).exists()


def test_ledger_that_cannot_be_read_is_reported_and_takes_no_other_metric_along(ingest: Ingest, ledger: Ledger) -> None:
    ledger._connection.execute("PRAGMA user_version = 99")
    assert figures_of(ingest, "footfall_readable") == {("store",): 1, ("forwarder",): 1, ("exporter",): 0}
    assert figures_of(ingest, "footfall_exporter_days") == {}
