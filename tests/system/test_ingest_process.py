"""`footfall ingest` as a real process: how it starts, refuses to start, picks up changes and ends."""

import os
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from footfall import signing
from footfall.model import Span
from harness.installation import Installation, batch, install
from tests.support.journals import contents
from tests.support.process_checks import holders_of, require_proc, until


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path / "footfall")


def heartbeat(counter: str = "ALLI1") -> bytes:
    now_ms = int(time.time() * 1000)
    return batch(counter=counter, span=Span(now_ms - 60_000, now_ms))


def log_of(installation: Installation) -> str:
    return (installation.folder / "ingest.log").read_text()


def refusal_of(installation: Installation, **variables: str) -> str:
    """Run `footfall ingest`, which must exit with status 2 and no traceback, and return its message."""
    done = installation.run("ingest", check=False, **variables)
    assert done.returncode == 2
    message = done.stderr.decode()
    assert message.startswith("footfall: ")
    assert "Traceback" not in message + done.stdout.decode()
    return message


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_cleanly(installation: Installation, number: signal.Signals) -> None:
    with installation.serving() as process:
        assert installation.post(heartbeat()).status == 200
        process.send_signal(number)
        assert process.wait(30) == 0
    assert "Traceback" not in log_of(installation)
    assert "ERROR" not in log_of(installation)


def test_batches_acknowledged_while_it_ends_are_stored(installation: Installation) -> None:
    acknowledged: list[int] = []

    def send() -> None:
        for seq in range(10_000):
            body = batch((seq, int(time.time() * 1000), 1))
            try:
                if installation.post(body).status == 200:
                    acknowledged.append(seq)
            except Exception:  # noqa: BLE001 - any error means that there was no answer
                return

    with installation.serving() as process:
        sender = threading.Thread(target=send)
        sender.start()
        until(lambda: len(acknowledged) >= 20, "twenty batches are acknowledged")
        process.terminate()
        assert process.wait(30) == 0
        sender.join()
    with closing(sqlite3.connect(installation.journal)) as connection:
        stored = {seq for (seq,) in connection.execute("SELECT seq FROM crossing")}
    assert set(acknowledged) <= stored


def test_port_in_use_is_reported_in_one_line(installation: Installation) -> None:
    with installation.serving():
        message = refusal_of(installation)
        assert message.count("\n") == 1
        assert f"127.0.0.1:{installation.port}" in message
        assert "Address already in use" in message
        assert installation.post(heartbeat()).status == 200


@pytest.mark.parametrize("listen", ["here", "127.0.0.1", "127.0.0.1:99999", "192.0.2.1:8080"])
def test_unusable_address_is_reported_in_one_line(installation: Installation, listen: str) -> None:
    message = refusal_of(installation, FOOTFALL_LISTEN=listen)
    assert message.count("\n") == 1
    assert "FOOTFALL_LISTEN must be" in message or "Cannot assign requested address" in message


def test_all_problems_of_the_configuration_are_reported_at_once(installation: Installation) -> None:
    with (installation.folder / "footfall.toml").open("a") as file:
        file.write('[ingest.legacy]\nenabled = "yes"\n[counters.ALLI3]\nsite = "nowhere"\nname = "C"\nplace = "D"\n')
    (installation.data / "keys.toml").write_text('ALLI1 = ["secret"]\n')
    message = refusal_of(installation)
    for problem in (
        "footfall.toml has 5 problems:",
        "ingest.legacy.enabled must be true or false",
        "counters.ALLI3.place is not a setting",
        "counters.ALLI3.site names an unknown site: 'nowhere'; known: alliance",
        "counters.ALLI3.location is missing",
        "keys.toml: ALLI1: a key starts with whsec_",
    ):
        assert problem in message
    assert not installation.journal.exists()


def test_missing_configuration_says_how_to_create_it(tmp_path: Path) -> None:
    assert "footfall init" in refusal_of(Installation(tmp_path, 0))


def test_missing_data_folder_says_how_to_create_it(installation: Installation, tmp_path: Path) -> None:
    assert "footfall init" in refusal_of(installation, FOOTFALL_DATA=str(tmp_path / "nowhere"))


def test_journal_of_a_newer_footfall_is_refused_and_not_touched(installation: Installation) -> None:
    with closing(sqlite3.connect(installation.journal)) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert "written by a newer Footfall (schema 99" in refusal_of(installation)
    assert contents(installation.journal) == []


def test_file_that_is_not_a_journal_is_refused_and_not_touched(installation: Installation) -> None:
    installation.journal.write_bytes(b"2026-5-4,08:30:00,12,9,ALLI1\n" * 100)
    assert "Restore from a backup" in refusal_of(installation)
    assert installation.journal.read_bytes() == b"2026-5-4,08:30:00,12,9,ALLI1\n" * 100


def add_counter(installation: Installation, name: str) -> Installation:
    """Register the counter *name* with `footfall counter add`, and return the installation that has its key."""
    printed = installation.run("counter", "add", name, "--name", "New", "--location", "Hall").stdout.decode()
    keys = {**installation.keys, name: signing.parse_key(printed.strip())}
    return Installation(installation.folder, installation.port, keys)


def test_counter_added_while_running_is_accepted(installation: Installation) -> None:
    with installation.serving():
        more = add_counter(installation, "ALLI3")
        until(lambda: more.post(heartbeat("ALLI3"), counter="ALLI3").status == 200, "the new counter is accepted")
        assert installation.post(heartbeat()).status == 200
    assert "reloaded footfall.toml, keys.toml" in log_of(installation)


def test_counter_removed_while_running_is_refused(installation: Installation) -> None:
    with installation.serving():
        assert installation.post(heartbeat()).status == 200
        installation.run("counter", "remove", "ALLI1")
        until(lambda: installation.post(heartbeat()).status == 401, "the removed counter is refused")


def test_configuration_broken_while_running_changes_nothing(installation: Installation) -> None:
    with installation.serving():
        (installation.folder / "footfall.toml").write_text("[sites")

        def is_logged() -> bool:
            assert installation.post(heartbeat()).status == 200
            return "change ignored, keeping the last good configuration" in log_of(installation)

        until(is_logged, "the log reports the broken file")


def test_restarted_worker_knows_counters_added_since(installation: Installation) -> None:
    require_proc()
    with installation.serving() as process:
        more = add_counter(installation, "ALLI3")
        until(lambda: more.post(heartbeat("ALLI3"), counter="ALLI3").status == 200, "the new counter is accepted")
        (worker,) = holders_of(installation.journal)
        assert worker != process.pid
        os.kill(worker, signal.SIGKILL)
        until(lambda: holders_of(installation.journal) not in ({worker}, set()), "a new worker runs")
        installation.wait_ready()
        assert more.post(heartbeat("ALLI3"), counter="ALLI3").status == 200


def test_worker_ends_with_its_supervisor(installation: Installation) -> None:
    """An orphan would hold the port and the journal."""
    require_proc()
    with installation.serving() as process:
        os.kill(process.pid, signal.SIGKILL)
        process.wait(30)
        until(lambda: not holders_of(installation.journal), "the worker has ended")
    with installation.serving():
        assert installation.post(heartbeat()).status == 200
