"""Health checks and metrics: the process answers, a write succeeds, and the numbers match the journal."""

import json
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from footfall.store.forwarder_state import FILE_NAME as FORWARDER_STATE
from footfall.store.forwarder_state import ForwarderState
from footfall.store.outbox import set_forwarding
from tests.support.ingest_app import HEARTBEAT, NOON_MS, Ingest, ingest_in_process

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


@contextmanager
def no_file_may_grow(journal: Path) -> Iterator[None]:
    """Let the system refuse every write past the current size of the journal's log."""
    size = journal.with_name(journal.name + "-wal").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def figures_of(ingest: Ingest) -> Figures:
    answer = ingest.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.mimetype == "text/plain"
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def figure(figures: Figures, name: str, **labels: str) -> float:
    return figures[name, frozenset(labels.items())]


def test_process_that_answers_is_healthy_even_if_the_journal_is_locked(ingest: Ingest) -> None:
    assert ingest.get("/healthz") == {"status": "ok"}
    with ingest.locked():
        assert ingest.get("/healthz") == {"status": "ok"}


def test_ready_means_a_write_reached_the_disk(ingest: Ingest) -> None:
    before = ingest.stored()
    assert ingest.get("/readyz") == {"status": "ready"}
    probe = ingest.journal._connection.execute("SELECT written_epoch_ms FROM probe").fetchall()
    assert probe == [(NOON_MS,)]
    assert ingest.stored() == before, "the probe is no count"


def assert_not_ready_but_healthy(ingest: Ingest) -> None:
    answer = ingest.client.get("/readyz")
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert json.loads(answer.data)["error"]["code"] == "store_unavailable"
    assert ingest.get("/healthz") == {"status": "ok"}


def test_full_disk_is_not_ready_until_there_is_space(ingest: Ingest) -> None:
    ingest.keep((1, NOON_MS, 1), span=HEARTBEAT)
    with no_file_may_grow(ingest.installation.journal):
        assert_not_ready_but_healthy(ingest)
        assert_not_ready_but_healthy(ingest)
    assert ingest.get("/readyz") == {"status": "ready"}
    ingest.keep((2, NOON_MS, 1), span=HEARTBEAT)


def test_locked_journal_is_not_ready_until_it_is_free(ingest: Ingest) -> None:
    with ingest.locked():
        assert_not_ready_but_healthy(ingest)
    assert ingest.get("/readyz") == {"status": "ready"}


@pytest.mark.parametrize(
    "path", ["/api/v1/counters", "/api/v1/sites/alliance/occupancy", "/api/v1/sites/alliance/buckets"]
)
def test_read_of_an_unreadable_journal_is_answered_503(ingest: Ingest, path: str) -> None:
    (version,) = ingest.journal._connection.execute("PRAGMA user_version").fetchone()
    ingest.journal._connection.execute("PRAGMA user_version = 99")
    answer = ingest.client.get(path)
    assert (answer.status_code, json.loads(answer.data)["error"]["code"]) == (503, "store_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    ingest.journal._connection.execute(f"PRAGMA user_version = {version}")
    assert ingest.client.get(path).status_code == 200


def test_metrics_of_an_unreadable_journal_are_missing_and_the_others_are_not(ingest: Ingest) -> None:
    """An unknown value is absent, not 0, and footfall_readable says so."""
    ingest.keep((1, NOON_MS, 1), span=HEARTBEAT)
    (version,) = ingest.journal._connection.execute("PRAGMA user_version").fetchone()
    ingest.journal._connection.execute("PRAGMA user_version = 99")
    figures = figures_of(ingest)
    assert figure(figures, "footfall_readable", part="store") == 0
    assert not [name for name, _ in figures if name.startswith(("footfall_occupancy", "footfall_counter"))]
    assert figure(figures, "footfall_crossings_stored_total") == 1
    assert figure(figures, "footfall_journal_bytes") > 0
    ingest.journal._connection.execute(f"PRAGMA user_version = {version}")
    figures = figures_of(ingest)
    assert figure(figures, "footfall_readable", part="store") == 1
    assert figure(figures, "footfall_occupancy", site="alliance") == 1


@pytest.fixture
def forwarding(tmp_path: Path) -> Iterator[Ingest]:
    """An ingest that forwards to an InfluxDB which is down."""
    more = '[influxdb]\nurl = "http://127.0.0.1:9"\ntoken_file = "token"\n'
    (tmp_path / "footfall").mkdir()
    (tmp_path / "footfall" / "token").write_text("secret\n")
    (tmp_path / "footfall" / "token").chmod(0o600)
    with ingest_in_process(tmp_path / "footfall", more=more) as found:
        set_forwarding(found.installation.journal, is_on=True, now_epoch_ms=NOON_MS)
        yield found


def test_state_file_of_a_newer_forwarder_hides_no_other_metric(forwarding: Ingest) -> None:
    """After a downgrade: the error names the schema, and the other metrics stay."""
    forwarding.keep((1, NOON_MS, 1), span=HEARTBEAT)
    path = forwarding.installation.journal.with_name(FORWARDER_STATE)
    with closing(ForwarderState(path)):
        pass
    assert figure(figures_of(forwarding), "footfall_forwarder_waiting_rows") == 2
    assert forwarding.get("/api/v1/forwarder")["points_expired"] == 0
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 99")
        other.execute("ALTER TABLE progress ADD COLUMN more TEXT")
    figures = figures_of(forwarding)
    assert figure(figures, "footfall_readable", part="forwarder") == 0
    assert figure(figures, "footfall_readable", part="store") == 1
    assert figure(figures, "footfall_occupancy", site="alliance") == 1
    answer = forwarding.client.get("/api/v1/forwarder")
    assert (answer.status_code, json.loads(answer.data)["error"]["code"]) == (503, "store_unavailable")
    assert "schema 99" in answer.text


def test_metrics_count_what_became_of_batches(ingest: Ingest) -> None:
    ingest.keep((1, NOON_MS, 1), (2, NOON_MS, 1), (5, NOON_MS, -1), span=HEARTBEAT)
    ingest.keep((1, NOON_MS, -1), (2, NOON_MS, 1), span=HEARTBEAT)
    ingest.post(b"{", headers={"Content-Type": "application/json"})
    figures = figures_of(ingest)
    assert figure(figures, "footfall_crossings_stored_total") == 3
    assert figure(figures, "footfall_crossings_duplicate_total") == 2
    assert figure(figures, "footfall_crossings_conflict_total") == 1
    assert figure(figures, "footfall_answers_total", status="200") == 2
    assert figure(figures, "footfall_answers_total", status="400") == 1
    assert figure(figures, "footfall_commit_batches_count") == 2
    assert figure(figures, "footfall_commit_batches_sum") == 2
    assert figure(figures, "footfall_commit_seconds_count") == 2


def test_metrics_show_sites_and_counters(ingest: Ingest) -> None:
    ingest.keep((1, NOON_MS, 1), (2, NOON_MS, 1), (5, NOON_MS, -1), span=HEARTBEAT)
    figures = figures_of(ingest)
    where = {"site": "alliance", "counter": "ALLI1"}
    assert figure(figures, "footfall_occupancy", site="alliance") == 1
    assert figure(figures, "footfall_counter_lost_crossings", **where) == 2
    assert figure(figures, "footfall_counter_lost_crossings", site="alliance", counter="ALLI2") == 0
    assert figure(figures, "footfall_counter_last_seen_timestamp_seconds", **where) == NOON_MS / 1000
    assert not [key for key in figures if "last_seen" in key[0] and ("counter", "ALLI2") in key[1]], "never heard from"
    assert figure(figures, "footfall_journal_bytes") > 10_000


def test_every_metric_has_a_help_text_and_our_prefix(ingest: Ingest) -> None:
    families = list(text_string_to_metric_families(ingest.client.get("/metrics").text))
    assert all(family.name.startswith("footfall_") and family.documentation for family in families)
    assert len(families) >= 10
