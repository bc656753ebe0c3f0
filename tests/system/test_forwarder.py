"""`footfall ingest` with a real InfluxDB that fails in every way: ingest takes all, and all arrives, exactly once."""

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
from ingest.forwarder_process import LOCK_NAME
from tests.support.influx_proxy import InfluxProxy, influx_proxy
from tests.support.influx_server import READ_TOKEN, TOKEN, InfluxDatabase, InfluxServer, running_influx_server
from tests.support.influx_stores import reading
from tests.support.installation import Installation, batch, install
from tests.support.processes import until

MONDAY_MS = 1_777_845_600_000
"""2026-05-04 00:00 in Paris."""

COUNTERS = ["ALLI1", "ALLI2"]
START, END = datetime(2026, 5, 3, tzinfo=UTC), datetime(2026, 5, 12, tzinfo=UTC)


@dataclass
class Office:
    """An installation that forwards, through a proxy that makes trouble, to an InfluxDB of its own."""

    installation: Installation
    server: InfluxServer
    proxy: InfluxProxy
    database: InfluxDatabase

    def send(self, first: int, last: int, wait_s: float = 0.0) -> None:
        """Let both counters send the days from *first* to before *last* after Monday, a batch for each half hour."""
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
        """Let the days be sent while the block runs; they are all sent when it ends."""
        thread = threading.Thread(target=self.send, args=(first, last, wait_s))
        thread.start()
        try:
            yield
        finally:
            thread.join()

    def progress(self) -> dict[str, object]:
        told: dict[str, object] = self.installation.get("/api/v1/forwarder")
        return told

    def wait_until_told(self) -> None:
        """Return once the forwarder has told InfluxDB all that is in the journal, and nothing is wrong."""
        until(lambda: self.progress()["waiting"] == 0 and self.progress()["last_error"] is None, "all is forwarded", 60)

    def wait_until_failing(self) -> None:
        until(lambda: self.progress()["last_error"] is not None, "the forwarder says what is wrong", 30)

    def doctor(self) -> str:
        return self.installation.run("doctor", check=False).stdout.decode()

    def answers(self) -> dict[str, int]:
        """Return how many requests ingest has answered, by status."""
        text = urllib3.request("GET", f"{self.installation.url}/metrics", retries=False).data.decode()
        return {status: int(float(number)) for status, number in
                re.findall(r'^footfall_answers_total\{status="(\d+)"\} (\S+)', text, flags=re.MULTILINE)}  # fmt: skip

    def metric(self, name: str) -> int:
        """Return the value of the metric footfall_*name*, which has no labels."""
        text = urllib3.request("GET", f"{self.installation.url}/metrics", retries=False).data.decode()
        (value,) = re.findall(rf"^footfall_{name} (\S+)$", text, flags=re.MULTILINE)
        return int(float(value))

    def assert_all_is_there_once(self, *, pieces_overlap: bool = False) -> None:
        """Compare InfluxDB with the journal: rows one by one, sums by both readers, coverage to the millisecond."""
        with closing(sqlite3.connect(self.installation.journal)) as connection:
            names = connection.execute(
                "SELECT counter.name, time_epoch_ms * 1000000 + seq % 1000000, entries, exits"
                " FROM crossing JOIN stream ON stream.id = stream JOIN counter ON counter.id = counter ORDER BY 1, 2"
            ).fetchall()
            (covered_ms,) = connection.execute("SELECT sum(to_epoch_ms - from_epoch_ms) FROM coverage").fetchone()
        points = self.database.query("SELECT counter, entries, exits FROM crossings")
        assert sorted((one["counter"], one["time"], one["entries"], one["exits"]) for one in points) == names
        assert names
        (told,) = self.database.query("SELECT sum(covered_ms) FROM spans")
        assert told["sum"] == covered_ms or (pieces_overlap and told["sum"] > covered_ms)
        with closing(JournalReader(self.installation.journal)) as journal, reading(
            self.database, lambda: datetime.now(UTC)
        ) as influx:  # fmt: skip
            assert influx.quarters(COUNTERS, START, END) == journal.quarters(COUNTERS, START, END)
            assert journal.quarters(COUNTERS, START, END)
            assert influx.covered_to(COUNTERS) == journal.covered_to(COUNTERS)


@contextmanager
def office_in(folder: Path, token: str = TOKEN) -> Iterator[Office]:
    with running_influx_server() as server, influx_proxy(server.url) as proxy:
        database = server.create("footfall")
        influxdb = f'[influxdb]\nurl = "{proxy.url}"\ntoken_file = "token"\ntimeout_s = 2\n'
        installation = install(folder / "footfall", more=influxdb)
        (installation.folder / "token").write_text(token + "\n")
        yield Office(installation, server, proxy, database)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with office_in(tmp_path) as opened:
        yield opened


def make_down(office: Office) -> Callable[[], None]:
    office.server.stop()
    return office.server.start


def make_frozen(office: Office) -> Callable[[], None]:
    office.server.freeze()
    return office.server.thaw


def make_read_only(office: Office) -> Callable[[], None]:
    office.server.make_read_only()
    return office.server.make_writable


def make_slow(office: Office) -> Callable[[], None]:
    office.proxy.delay_s = 2.5

    def quick() -> None:
        office.proxy.delay_s = 0

    return quick


def answer_with(status: int, **headers: str) -> Callable[[Office], Callable[[], None]]:
    def make(office: Office) -> Callable[[], None]:
        office.proxy.status, office.proxy.headers = status, headers

        def well() -> None:
            office.proxy.status = 0

        return well

    return make


OUTAGES = {
    "stopped": (make_down, ("502", "InfluxDB")),
    "frozen": (make_frozen, ("timed out", "slow, or frozen")),
    "read-only": (make_read_only, ("InfluxDB", "its disk")),
    "slow": (make_slow, ("timed out", "slow, or frozen")),
    "429": (answer_with(429, **{"Retry-After": "3"}), ("answered 429", "fewer requests")),
    "503": (answer_with(503, **{"Retry-After": "2"}), ("answered 503", "it is tried again")),
    "401": (answer_with(401), ("answered 401", "does not know the token")),
    "403": (answer_with(403), ("answered 403", "let the token")),
    "404": (answer_with(404), ("answered 404", "make bucket footfall")),
}


@pytest.mark.parametrize("outage", OUTAGES)
def test_outage_costs_nothing_but_time(office: Office, outage: str) -> None:
    """A day before it, a day during it, and doctor says what is wrong; ingest answers as if nothing were."""
    make, words = OUTAGES[outage]
    with office.installation.serving():
        office.send(0, 1)
        office.wait_until_told()
        end = make(office)
        office.send(1, 2)
        office.wait_until_failing()
        said = office.doctor()
        assert all(word in said for word in words), said
        assert "rows wait; since" in said
        assert office.metric("forwarder_waiting_rows") == office.progress()["waiting"]
        assert urllib3.request("GET", f"{office.installation.url}/healthz", retries=False).status == 200
        assert urllib3.request("GET", f"{office.installation.url}/readyz", retries=False).status == 200
        end()
        office.wait_until_told()
        assert (office.metric("forwarder_waiting_rows"), office.metric("forwarder_lag_seconds")) == (0, 0)
        assert office.metric("forwarder_points_written_total") == office.progress()["points_written"]
        assert "rows wait; since" not in office.doctor()
        assert set(office.answers()) == {"200"}
    office.assert_all_is_there_once()


@pytest.mark.slow
def test_week_with_influxdb_killed_twenty_times_is_there_once(office: Office) -> None:
    with office.installation.serving():
        with office.sending(0, 7, 0.02):
            for number in range(20):
                office.server.kill()
                time.sleep(0.05 * (number % 4))
                office.server.start()
                time.sleep(0.3)
        office.wait_until_told()
        assert set(office.answers()) == {"200"}
    office.assert_all_is_there_once()


def test_forwarder_and_ingest_killed_again_and_again_tell_all_once(office: Office) -> None:
    for number in range(5):
        with office.installation.serving() as process:
            office.send(number, number + 1)
            if number < 4:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
            else:
                office.wait_until_told()
    office.assert_all_is_there_once()


def test_influxdb_started_empty_is_told_everything_again(office: Office) -> None:
    """The volume is lost, an operator makes the bucket anew: the forwarder notices by itself."""
    with office.installation.serving():
        office.send(0, 2)
        office.wait_until_told()
        office.server.empty()
        office.server.start()
        office.send(2, 3)
        office.wait_until_failing()
        assert "make bucket footfall" in office.doctor()
        office.server.create("footfall")
        office.wait_until_told()
        until(lambda: bool(office.database.query("SELECT count(entries) FROM crossings")), "it is told again")
        office.wait_until_told()
    office.assert_all_is_there_once()


@pytest.mark.parametrize("status", [400, 422])
def test_refused_points_are_shown_to_a_person_who_sends_them_again(office: Office, status: int) -> None:
    office.proxy.refuses, office.proxy.refusal_status = re.compile(rb"^crossings,counter=ALLI2.*[15]7$"), status
    with office.installation.serving():
        office.send(0, 1)
        office.wait_until_told()
        shown = office.installation.run("quarantine", "--json").stdout.decode().splitlines()
        assert office.progress()["quarantined"] == len(shown) > 0
        first = json.loads(shown[0])
        assert (first["measurement"], first["tags"]["counter"]) == ("crossings", "ALLI2")
        assert "field type conflict" in first["reason"]
        assert f"refused {len(shown)} points for good" in office.doctor()
        assert f"{len(shown)} still refused" in office.installation.run("quarantine", "--resend").stdout.decode()
        office.proxy.refuses = None
        said = office.installation.run("quarantine", "--resend").stdout.decode()
        assert said == f"{len(shown)} points written, 0 still refused\n"
        assert office.installation.run("quarantine").stdout == b"the quarantine is empty\n"
        until(lambda: told_of_quarantine(office) == 0, "the forwarder says that nothing is refused")
        assert set(office.answers()) == {"200"}
    office.assert_all_is_there_once()


def test_points_that_a_person_gives_up_are_in_the_journal_alone(office: Office) -> None:
    office.proxy.refuses = re.compile(rb"^crossings,counter=ALLI2.*7$")
    with office.installation.serving():
        for seq in (1, 7, 12):
            at_ms = MONDAY_MS + seq
            body = batch((seq, at_ms, 1), counter="ALLI2", span=Span(at_ms, at_ms + 1))
            assert office.installation.post(body, counter="ALLI2").status == 200
        office.wait_until_told()
        until(lambda: office.progress()["quarantined"] == 1, "one point is refused")
        assert "counter=ALLI2" in office.installation.run("quarantine").stdout.decode()
        said = office.installation.run("quarantine", "--forget").stdout.decode()
        assert said == "1 point discarded; the journal still has the crossings\n"
        assert office.progress()["quarantined"] == office.metric("forwarder_quarantined_points") == 0
        assert office.installation.run("quarantine", "--forget", "--resend", check=False).returncode == 2
    assert [one["time"] % 1000 for one in office.database.query("SELECT entries FROM crossings")] == [1, 12]


def told_of_quarantine(office: Office) -> int:
    (last,) = office.database.query("SELECT last(quarantined) FROM forwarder")
    return int(last["last"])


def test_a_person_may_have_everything_told_again_and_it_adds_nothing(office: Office) -> None:
    with office.installation.serving():
        office.send(0, 1)
        office.wait_until_told()
        written = office.progress()["points_written"]
        assert b"will be written to InfluxDB again" in office.installation.run("forwarder", "--again").stdout
        until(lambda: office.progress()["points_written"] != written, "it is being told again")
        office.wait_until_told()
    office.assert_all_is_there_once()


def test_import_and_what_was_there_before_forwarding_are_told(office: Office) -> None:
    """InfluxDB is set up late, and history is imported later still."""
    toml = office.installation.folder / "footfall.toml"
    text = toml.read_text()
    toml.write_text(re.sub(r"\[influxdb\][^[]*", "", text))
    with office.installation.serving():
        office.send(0, 1)
    toml.write_text(text)
    exported = office.installation.run("export", "--day", "2026-05-04", "--output", "-").stdout
    (office.installation.folder / "day.csv").write_bytes(exported.replace(b"2026-5-4", b"2026-5-6"))
    with office.installation.serving():
        assert b"44 half hours kept" in office.installation.run("import", "day.csv").stdout
        office.wait_until_told()
    office.assert_all_is_there_once()


def test_without_influxdb_nothing_is_forwarded_and_a_forwarder_says_so(tmp_path: Path) -> None:
    installation = install(tmp_path / "footfall")
    with installation.serving():
        assert installation.post(batch((1, int(time.time() * 1000), 1))).status == 200
        assert installation.get("/api/v1/forwarder")["forwarding"] is False
    assert not list(installation.data.glob("forwarder*"))
    done = installation.run("forwarder", check=False)
    assert (done.returncode, done.stderr) == (
        2, b"footfall: InfluxDB is not configured (set influxdb.url; see docs/operations.md, Forwarding)\n"
    )  # fmt: skip
    assert installation.run("quarantine").stdout == b"the quarantine is empty; nothing has been forwarded yet\n"


def test_second_forwarder_is_refused_and_the_first_ends_with_ingest(office: Office) -> None:
    with office.installation.serving() as process:
        office.send(0, 1)
        office.wait_until_told()
        done = office.installation.run("forwarder", check=False)
        assert done.returncode == 2
        assert b"another forwarder works" in done.stderr
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    with FileLock(office.installation.data / LOCK_NAME, timeout=30):  # nobody has it any more
        pass
    with office.installation.serving():
        now_ms = int(time.time() * 1000)
        assert office.installation.post(batch((1, now_ms, 1), span=Span(now_ms - 1000, now_ms + 1))).status == 200
        office.wait_until_told()


def test_token_that_may_not_write_is_a_matter_for_a_person(tmp_path: Path) -> None:
    with office_in(tmp_path, READ_TOKEN) as office, office.installation.serving():
        office.send(0, 1)
        office.wait_until_failing()
        assert "answered 403" in office.doctor()
        assert "ERROR ingest.forwarder" in (office.installation.folder / "ingest.log").read_text()
        assert office.progress()["quarantined"] == 0
