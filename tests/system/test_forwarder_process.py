"""`footfall ingest` with a real InfluxDB that fails in every way: every crossing arrives exactly once."""

import json
import os
import re
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3
from filelock import FileLock

from footfall import wire
from footfall.model import Span
from footfall.store.historical_counts import HALF_HOUR_MS
from footfall.store.journal_reader import JournalReader
from harness.installation import Installation, batch, install
from ingest.forwarder_process import LOCK_NAME
from tests.support.influx_fixtures import READ_TOKEN, TOKEN, InfluxDatabase, InfluxServer, running_influx_server
from tests.support.influx_proxy import InfluxProxy, influx_proxy
from tests.support.influx_stores import reading
from tests.support.process_checks import until

MONDAY_MS = 1_777_845_600_000
"""2026-05-04 00:00 in Paris."""

COUNTERS = ["ALLI1", "ALLI2"]
START, END = datetime(2026, 5, 3, tzinfo=UTC), datetime(2026, 5, 12, tzinfo=UTC)


@dataclass
class ForwardingSite:
    """An installation that forwards to an InfluxDB of its own, through a proxy that can fail."""

    installation: Installation
    server: InfluxServer
    proxy: InfluxProxy
    database: InfluxDatabase

    def send(self, first: int, last: int, wait_s: float = 0.0) -> None:
        """Let both counters send the days [first, last) after Monday, one batch per half hour."""
        with urllib3.PoolManager(retries=False, timeout=20) as pool:
            for half_hour in range(first * 48, last * 48):
                start = MONDAY_MS + half_hour * HALF_HOUR_MS
                for counter in COUNTERS:
                    seqs = range(half_hour * 10, half_hour * 10 + 10)
                    crossings = [(seq, start + seq % 10 * 170_001, 1 if seq % 3 else -1) for seq in seqs]
                    body = batch(*crossings, counter=counter, span=Span(start, start + HALF_HOUR_MS))
                    headers = self.installation.signed(body, counter)
                    answer = pool.request("POST", self.installation.url + wire.PATH, body=body, headers=headers)
                    assert answer.status == 200, answer.data
                time.sleep(wait_s)

    @contextmanager
    def sending(self, first: int, last: int, wait_s: float) -> Iterator[None]:
        """Send the days while the block runs; all are sent when it ends."""
        thread = threading.Thread(target=self.send, args=(first, last, wait_s))
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def progress(self) -> dict[str, object]:
        progress: dict[str, object] = self.installation.get("/api/v1/forwarder")
        return progress

    def wait_until_forwarded(self) -> None:
        """Return once nothing waits and nothing fails."""
        until(
            lambda: self.progress()["waiting"] == 0 and self.progress()["last_error"] is None,
            "everything is forwarded",
            60,
        )

    def wait_until_failing(self) -> None:
        until(lambda: self.progress()["last_error"] is not None, "the forwarder reports an error", 30)

    def doctor(self) -> str:
        return self.installation.run("doctor", check=False).stdout.decode()

    def answers(self) -> dict[str, int]:
        """Return the number of requests that ingest answered, by status."""
        text = urllib3.request("GET", f"{self.installation.url}/metrics", retries=False).data.decode()
        return {status: int(float(number)) for status, number in
                re.findall(r'^footfall_answers_total\{status="(\d+)"\} (\S+)', text, flags=re.MULTILINE)}  # fmt: skip

    def metric(self, name: str) -> int:
        """Return the value of the metric footfall_*name*, which has no labels."""
        text = urllib3.request("GET", f"{self.installation.url}/metrics", retries=False).data.decode()
        (value,) = re.findall(rf"^footfall_{name} (\S+)$", text, flags=re.MULTILINE)
        return int(float(value))

    def assert_everything_arrived_once(self, *, pieces_overlap: bool = False) -> None:
        """Compare InfluxDB with the journal: row by row, sums by both readers, coverage to the millisecond."""
        with closing(sqlite3.connect(self.installation.journal)) as connection:
            crossings = connection.execute(
                "SELECT counter.name, time_epoch_ms * 1000000 + seq % 1000000, entries, exits"
                " FROM crossing JOIN stream ON stream.id = stream JOIN counter ON counter.id = counter ORDER BY 1, 2"
            ).fetchall()
            (covered_ms,) = connection.execute("SELECT sum(to_epoch_ms - from_epoch_ms) FROM coverage").fetchone()
        points = self.database.query("SELECT counter, entries, exits FROM crossings")
        assert sorted((one["counter"], one["time"], one["entries"], one["exits"]) for one in points) == crossings
        assert crossings
        (row,) = self.database.query("SELECT sum(covered_ms) FROM spans")
        assert row["sum"] == covered_ms or (pieces_overlap and row["sum"] > covered_ms)
        with closing(JournalReader(self.installation.journal)) as journal, reading(
            self.database, lambda: datetime.now(UTC)
        ) as influx:  # fmt: skip
            assert influx.quarters(COUNTERS, START, END) == journal.quarters(COUNTERS, START, END)
            assert journal.quarters(COUNTERS, START, END)
            assert influx.covered_to(COUNTERS) == journal.covered_to(COUNTERS)


@contextmanager
def site_in(folder: Path, token: str = TOKEN) -> Iterator[ForwardingSite]:
    with running_influx_server() as server, influx_proxy(server.url) as proxy:
        database = server.create("footfall")
        influxdb = f'[influxdb]\nurl = "{proxy.url}"\ntoken_file = "token"\ntimeout_s = 2\n'
        installation = install(folder / "footfall", more=influxdb)
        (installation.folder / "token").write_text(token + "\n")
        yield ForwardingSite(installation, server, proxy, database)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ForwardingSite]:
    with site_in(tmp_path) as opened:
        yield opened


def make_down(here: ForwardingSite) -> Callable[[], None]:
    here.server.stop()
    return here.server.start


def make_frozen(here: ForwardingSite) -> Callable[[], None]:
    here.server.freeze()
    return here.server.thaw


def make_read_only(here: ForwardingSite) -> Callable[[], None]:
    here.server.make_read_only()
    return here.server.make_writable


def make_slow(here: ForwardingSite) -> Callable[[], None]:
    here.proxy.delay_s = 2.5

    def restore() -> None:
        here.proxy.delay_s = 0

    return restore


def answer_with(status: int, **headers: str) -> Callable[[ForwardingSite], Callable[[], None]]:
    def make(here: ForwardingSite) -> Callable[[], None]:
        here.proxy.status, here.proxy.headers = status, headers

        def restore() -> None:
            here.proxy.status = 0

        return restore

    return make


OUTAGES = {
    "stopped": (make_down, ("502", "InfluxDB")),
    "frozen": (make_frozen, ("timed out", "slow or frozen")),
    "read-only": (make_read_only, ("InfluxDB", "its disk")),
    "slow": (make_slow, ("timed out", "slow or frozen")),
    "429": (answer_with(429, **{"Retry-After": "3"}), ("answered 429", "limits the request rate")),
    "503": (answer_with(503, **{"Retry-After": "2"}), ("answered 503", "Footfall retries")),
    "401": (answer_with(401), ("answered 401", "does not know the token")),
    "403": (answer_with(403), ("answered 403", "lacks permission")),
    "404": (answer_with(404), ("answered 404", "create bucket footfall")),
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_outage_loses_nothing(here: ForwardingSite, outage: str) -> None:
    """One day before the outage, one during it. Doctor reports the cause; ingest is not affected."""
    make, words = OUTAGES[outage]
    with here.installation.serving():
        here.send(0, 1)
        here.wait_until_forwarded()
        end = make(here)
        here.send(1, 2)
        here.wait_until_failing()
        report = here.doctor()
        assert all(word in report for word in words), report
        assert re.search(r"backlog of \d+ rows?, failing since", report)
        assert here.metric("forwarder_waiting_rows") == here.progress()["waiting"]
        assert urllib3.request("GET", f"{here.installation.url}/healthz", retries=False).status == 200
        assert urllib3.request("GET", f"{here.installation.url}/readyz", retries=False).status == 200
        end()
        here.wait_until_forwarded()
        assert (here.metric("forwarder_waiting_rows"), here.metric("forwarder_lag_seconds")) == (0, 0)
        assert here.metric("forwarder_points_written_total") == here.progress()["points_written"]
        assert "failing since" not in here.doctor()
        assert set(here.answers()) == {"200"}
    here.assert_everything_arrived_once()


@pytest.mark.slow
def test_week_arrives_once_though_influxdb_is_killed_twenty_times(here: ForwardingSite) -> None:
    with here.installation.serving():
        with here.sending(0, 7, 0.02):
            for number in range(20):
                here.server.kill()
                time.sleep(0.05 * (number % 4))
                here.server.start()
                time.sleep(0.3)
        here.wait_until_forwarded()
        assert set(here.answers()) == {"200"}
    here.assert_everything_arrived_once()


def test_everything_arrives_once_though_ingest_and_forwarder_are_killed(here: ForwardingSite) -> None:
    for number in range(5):
        with here.installation.serving() as process:
            here.send(number, number + 1)
            if number < 4:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
            else:
                here.wait_until_forwarded()
    here.assert_everything_arrived_once()


def test_influxdb_that_restarts_empty_gets_everything_again(here: ForwardingSite) -> None:
    """The volume is lost and an operator creates the bucket again: the forwarder notices by itself."""
    with here.installation.serving():
        here.send(0, 2)
        here.wait_until_forwarded()
        here.server.empty()
        here.server.start()
        here.send(2, 3)
        here.wait_until_failing()
        assert "create bucket footfall" in here.doctor()
        here.server.create("footfall")
        here.wait_until_forwarded()
        until(lambda: bool(here.database.query("SELECT count(entries) FROM crossings")), "a crossing is resent")
        here.wait_until_forwarded()
    here.assert_everything_arrived_once()


@pytest.mark.parametrize("status", [400, 422])
def test_operator_lists_refused_points_and_resends_them(here: ForwardingSite, status: int) -> None:
    here.proxy.refuses, here.proxy.refusal_status = re.compile(rb"^crossings,counter=ALLI2.*[15]7$"), status
    with here.installation.serving():
        here.send(0, 1)
        here.wait_until_forwarded()
        shown = here.installation.run("quarantine", "--json").stdout.decode().splitlines()
        assert here.progress()["quarantined"] == len(shown) > 0
        first = json.loads(shown[0])
        assert (first["measurement"], first["tags"]["counter"]) == ("crossings", "ALLI2")
        assert "field type conflict" in first["reason"]
        assert f"refused {len(shown)} points" in here.doctor()
        assert f"{len(shown)} still refused" in here.installation.run("quarantine", "--resend").stdout.decode()
        here.proxy.refuses = None
        output = here.installation.run("quarantine", "--resend").stdout.decode()
        assert output == f"{len(shown)} points written, 0 still refused\n"
        assert here.installation.run("quarantine").stdout == b"the quarantine is empty\n"
        until(lambda: reported_quarantine(here) == 0, "the forwarder reports an empty quarantine")
        assert set(here.answers()) == {"200"}
    here.assert_everything_arrived_once()


def test_points_that_an_operator_discards_stay_in_the_journal(here: ForwardingSite) -> None:
    here.proxy.refuses = re.compile(rb"^crossings,counter=ALLI2.*7$")
    with here.installation.serving():
        for seq in (1, 7, 12):
            at_ms = MONDAY_MS + seq
            body = batch((seq, at_ms, 1), counter="ALLI2", span=Span(at_ms, at_ms + 1))
            assert here.installation.post(body, counter="ALLI2").status == 200
        here.wait_until_forwarded()
        until(lambda: here.progress()["quarantined"] == 1, "one point is refused")
        assert "counter=ALLI2" in here.installation.run("quarantine").stdout.decode()
        assert (
            here.installation.run("quarantine", "--forget").stdout
            == b"1 point discarded; the journal still has the crossings\n"
        )
        assert here.progress()["quarantined"] == here.metric("forwarder_quarantined_points") == 0
        assert here.installation.run("quarantine", "--forget", "--resend", check=False).returncode == 2
    assert [one["time"] % 1000 for one in here.database.query("SELECT entries FROM crossings")] == [1, 12]


def reported_quarantine(here: ForwardingSite) -> int:
    (last,) = here.database.query("SELECT last(quarantined) FROM forwarder")
    return int(last["last"])


def test_resend_of_everything_adds_nothing(here: ForwardingSite) -> None:
    with here.installation.serving():
        here.send(0, 1)
        here.wait_until_forwarded()
        written = here.progress()["points_written"]
        assert b"will resend everything in the journal" in here.installation.run("forwarder", "--again").stdout
        until(lambda: here.progress()["points_written"] != written, "the resend has begun")
        here.wait_until_forwarded()
    here.assert_everything_arrived_once()


def test_imports_and_counts_from_before_forwarding_are_sent(here: ForwardingSite) -> None:
    """InfluxDB is configured late, and a file is imported later still."""
    toml = here.installation.folder / "footfall.toml"
    text = toml.read_text()
    toml.write_text(re.sub(r"\[influxdb\][^[]*", "", text))
    with here.installation.serving():
        here.send(0, 1)
    toml.write_text(text)
    exported = here.installation.run("export", "--day", "2026-05-04", "--output", "-").stdout
    (here.installation.folder / "day.csv").write_bytes(exported.replace(b"2026-5-4", b"2026-5-6"))
    with here.installation.serving():
        assert b"44 half hours stored" in here.installation.run("import", "day.csv").stdout
        here.wait_until_forwarded()
    here.assert_everything_arrived_once()


def test_nothing_is_forwarded_without_influxdb(tmp_path: Path) -> None:
    installation = install(tmp_path / "footfall")
    with installation.serving():
        assert installation.post(batch((1, int(time.time() * 1000), 1))).status == 200
        assert installation.get("/api/v1/forwarder")["forwarding"] is False
    assert not list(installation.data.glob("forwarder*"))
    done = installation.run("forwarder", check=False)
    assert (done.returncode, done.stderr) == (
        2, b"footfall: InfluxDB is not configured (set influxdb.url; see docs/operate.md, Forwarding)\n"
    )  # fmt: skip
    assert installation.run("quarantine").stdout == b"the quarantine is empty; nothing has been forwarded yet\n"


def test_second_forwarder_is_refused_and_the_first_ends_with_ingest(here: ForwardingSite) -> None:
    with here.installation.serving() as process:
        here.send(0, 1)
        here.wait_until_forwarded()
        done = here.installation.run("forwarder", check=False)
        assert done.returncode == 2
        assert b"another forwarder is running" in done.stderr
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with FileLock(here.installation.data / LOCK_NAME, timeout=30):  # free once the forwarder has ended
        pass
    with here.installation.serving():
        now_ms = int(time.time() * 1000)
        assert here.installation.post(batch((1, now_ms, 1), span=Span(now_ms - 1000, now_ms + 1))).status == 200
        here.wait_until_forwarded()


def test_token_without_write_permission_is_logged_as_an_error(tmp_path: Path) -> None:
    with site_in(tmp_path, READ_TOKEN) as here, here.installation.serving():
        here.send(0, 1)
        here.wait_until_failing()
        assert "answered 403" in here.doctor()
        assert "ERROR ingest.forwarder" in (here.installation.folder / "ingest.log").read_text()
        assert here.progress()["quarantined"] == 0
