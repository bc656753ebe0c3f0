"""The whole application, from setup() to the last retry, as a process on this machine, with a real ingest."""

import base64
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest
import urllib3

from harness.installation import Installation, install
from tests.firmware.test_set_up import PEM
from tests.support.board import Board, Person
from tests.support.process_checks import until

pytestmark = pytest.mark.slow  # people walk in real time


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    """A server that knows the counter."""
    return install(tmp_path / "footfall")


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    """A new board, switched on; unplugged at the end."""
    one = Board(tmp_path / "board")
    one.switch_on()
    yield one
    one.unplug()


def settings_for(installation: Installation) -> dict[str, str]:
    """Return the settings that a technician types."""
    key = "whsec_" + base64.b64encode(installation.keys["ALLI1"]).decode()
    return {"counter": "ALLI1", "key": key, "url": installation.url, "ssid": "Library", "wifi_password": "long enough"}


def set_up(board: Board, installation: Installation) -> None:
    """Set the board up over the serial console and wait until it counts."""
    board.wait_for("set-up network open")
    board.type(*(f"set {name} {value}" for name, value in settings_for(installation).items()), "save")
    board.wait_for_restart()
    board.wait_for("queue formatted")


def stored(installation: Installation) -> list[tuple[int, int, int, int]]:
    """Return (stream, seq, time, direction) of every crossing in the journal, in the order of storage."""
    with closing(sqlite3.connect(f"file:{installation.journal}?mode=ro", uri=True)) as journal:
        rows = journal.execute(
            "SELECT stream, seq, time_epoch_ms, entries - exits FROM crossing ORDER BY id"
        ).fetchall()
    return [tuple(row) for row in rows]


def assert_equal(installation: Installation, walked: list[Person]) -> None:
    """Each person is stored once, with the right direction and time."""
    rows = stored(installation)
    assert [row[3] for row in rows] == [person.direction for person in walked]
    assert [row[2] for row in rows] == pytest.approx([person.at_ms for person in walked], abs=150)
    assert len({(row[0], row[1]) for row in rows}) == len(rows)


def test_board_that_was_never_set_up_opens_its_network_and_counts_nothing(board: Board) -> None:
    """It waits and says so; `save` reports everything that is missing."""
    board.wait_for("set-up network open; ssid=footfall-C0FFEE password=")
    board.walk()
    board.type("status", "save")
    board.wait_for("Not set up:")
    board.wait_for("Not saved.")
    assert not [line for line in board.lines if "crossing" in line]


def test_people_are_counted_through_a_network_that_goes_away(board: Board, installation: Installation) -> None:
    """People pass before the clock is set, with a network, without a server, and without WiFi."""
    set_up(board, installation)
    board.walk()
    time.sleep(1)
    board.order("ntp", "wifi up")
    with installation.serving():
        board.walk(-1)
        until(lambda: len(stored(installation)) == 2, "both are stored")
    board.walk()
    board.wait_for("no answer from 127.0.0.1")
    board.order("wifi down")
    board.wait_for("WiFi connection lost")
    board.walk()
    time.sleep(1.5)
    board.walk(-1)
    board.order("wifi up")
    with installation.serving():
        until(lambda: len(stored(installation)) == 5, "all are stored")
        counter = installation.get("/api/v1/counters")["counters"][0]
    assert_equal(installation, board.walked)
    assert (counter["lost"], counter["conflicts"], counter["undated"]) == (0, 0, 0)
    assert counter["status"]["firmware"] == "0.1.0"
    assert counter["status"]["aborted"] == 0


def test_power_cuts_lose_and_double_nobody(board: Board, installation: Installation) -> None:
    """The plug is pulled after each person, with and without a network; the queue continues where it was."""
    set_up(board, installation)
    with installation.serving():
        for round_ in range(4):
            board.order("ntp", "wifi up" if round_ % 2 else "wifi down")
            time.sleep(0.3)
            before = sum("crossing " in line for line in board.lines)
            board.walk(1 if round_ < 2 else -1)
            board.wait_for("crossing ", before + 1)
            board.unplug()
            board.switch_on()
        board.wait_for("queue opened", 4)
        board.order("ntp", "wifi up")
        until(lambda: len(stored(installation)) == 4, "all are stored")
        counter = installation.get("/api/v1/counters")["counters"][0]
    assert_equal(installation, board.walked)
    assert len({row[0] for row in stored(installation)}) == 1, "one stream"
    assert (counter["lost"], counter["conflicts"], counter["undated"]) == (0, 0, 0)


def test_counting_goes_on_past_the_wrap_of_micros(tmp_path: Path, installation: Installation) -> None:
    """micros() wraps after 71.6 minutes without effect."""
    board = Board(tmp_path / "board", first_micros=2**32 - 6_000_000)
    board.switch_on()
    try:
        set_up(board, installation)
        board.order("ntp", "wifi up")
        with installation.serving():
            for _ in range(9):
                board.walk()
                time.sleep(0.6)
            until(lambda: len(stored(installation)) == 9, "all are stored")
        assert_equal(installation, board.walked)
    finally:
        board.unplug()


def test_wrong_key_keeps_everything_until_it_is_corrected(board: Board, installation: Installation) -> None:
    """A 401 drops nothing: the crossing waits, and is stored once when the key is right."""
    set_up(board, installation)
    good = settings_for(installation)["key"]
    board.type("set key whsec_" + base64.b64encode(bytes(32)).decode(), "save")
    board.wait_for_restart()
    board.order("ntp", "wifi up")
    with installation.serving():
        board.wait_for("queue opened")
        board.walk()
        board.wait_for("crossing 1: entry")
        board.wait_for("error: the server refused the counter's id or key")
        board.type(f"set key {good}", "save")
        board.wait_for_restart()
        board.order("ntp", "wifi up")
        until(lambda: len(stored(installation)) == 1, "it is stored")
    assert_equal(installation, board.walked)


def test_server_s_date_sets_a_clock_that_no_network_time_set(board: Board, installation: Installation) -> None:
    """Without NTP the Date header is enough; crossings before it get the right time too."""
    set_up(board, installation)
    board.walk()
    time.sleep(1)
    board.order("wifi up")
    with installation.serving():
        until(lambda: len(stored(installation)) == 1, "it is stored")
    row = stored(installation)[0]
    assert row[2] == pytest.approx(board.walked[0].at_ms, abs=1_200)  # Date has whole seconds


def page(board: Board, method: str = "GET", path: str = "/", **fields: str) -> urllib3.BaseHTTPResponse:
    """Send a request to the board's set-up page."""
    url = f"http://127.0.0.1:{board.portal_port}{path}"
    if method == "POST":
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return urllib3.request("POST", url, body=urlencode(fields), headers=form, retries=False, timeout=20)
    return urllib3.request(method, url, redirect=False, retries=False, timeout=20)


def test_set_up_by_the_page(board: Board, installation: Installation) -> None:
    """Wrong values are reported and nothing is saved; right ones are saved; secrets are never shown."""
    board.wait_for("set-up network open")
    fields = settings_for(installation)
    assert page(board).status == 200
    wrong = page(board, "POST", "/save", **(fields | {"url": "nowhere", "outer_pin": "16"}))
    assert wrong.status == 422
    assert b"GPIO16 (D0) has no interrupt" in wrong.data
    assert b"It must be http://HOST" in wrong.data
    assert fields["key"].encode() not in wrong.data + page(board).data
    saved = page(board, "POST", "/save", url=fields["url"], outer_pin="5", key="")
    assert saved.status == 200
    board.wait_for_restart()
    board.wait_for("queue formatted")
    board.type("show")
    board.wait_for("ssid             Library")
    board.wait_for("key              (set)")
    board.order("ntp", "wifi up")
    with installation.serving():
        board.walk()
        until(lambda: len(stored(installation)) == 1, "it is stored")


def test_page_is_for_guests_of_the_set_up_network_only(board: Board) -> None:
    """The web server listens on the library's network too, but refuses requests from there."""
    board.wait_for("set-up network open")
    board.order("guest other")
    time.sleep(0.2)
    assert page(board).status == 403
    assert page(board, "POST", "/save", counter="X").status == 403
    assert page(board, "GET", "/generate_204").status == 403
    board.order("guest own")
    time.sleep(0.2)
    leads_to = page(board, "GET", "/generate_204")
    assert (leads_to.status, leads_to.headers["Location"]) == (302, "http://192.168.4.1/")


def test_counting_goes_on_while_the_button_opens_the_set_up_network(board: Board, installation: Installation) -> None:
    """FLASH held for three seconds; people pass meanwhile and afterwards."""
    set_up(board, installation)
    board.order("ntp", "wifi up", "pin 0 0")
    with installation.serving():
        for _ in range(4):
            board.walk()
            time.sleep(0.7)
        board.order("pin 0 1")
        board.wait_for("set-up network open", 2)
        assert page(board).status == 200
        board.walk(-1)
        until(lambda: len(stored(installation)) == 5, "all are stored")
    assert_equal(installation, board.walked)


def test_torn_settings_open_the_set_up_network(board: Board, installation: Installation) -> None:
    """The counter rejects a truncated settings file and keeps the queue."""
    set_up(board, installation)
    board.walk()
    board.wait_for("crossing 1: entry")
    board.unplug()
    path = board.folder / "files" / "settings.txt"
    path.write_bytes(path.read_bytes()[:-20])
    board.switch_on()
    board.wait_for("error: settings damaged")
    board.wait_for("set-up network open", 2)
    board.type(*(f"set {name} {value}" for name, value in settings_for(installation).items()), "save")
    board.wait_for_restart()
    board.wait_for("queue opened; queued=1")


def test_certificate_is_saved_only_when_complete(board: Board) -> None:
    """`ca` reads a pasted certificate; one that a power cut interrupts is never used."""
    board.wait_for("set-up network open")
    kept = board.folder / "files" / "ca.pem"
    board.type("ca", *PEM.splitlines()[:5])
    until((board.folder / "files" / "new").exists, "the first lines are written")
    board.unplug()
    assert not kept.exists()
    board.switch_on()
    board.type("ca", *PEM.splitlines(), "show")
    board.wait_for("Certificate saved")
    board.wait_for("ca               (set)")
    assert kept.read_text() == PEM
    board.type("ca none")
    board.wait_for("Certificate removed.")
    assert not kept.exists()


def test_queue_is_formatted_only_when_asked_twice(board: Board, installation: Installation) -> None:
    """`format queue` once does nothing; twice begins a new stream."""
    set_up(board, installation)
    board.walk()
    board.wait_for("crossing 1: entry")
    board.type("format queue")
    board.wait_for("Type format queue again to confirm")
    board.type("status")
    board.wait_for("1 waiting, 0 dropped")
    board.type("format queue", "format queue")
    board.wait_for_restart()
    board.wait_for("queue opened; queued=0")


def test_no_span_covers_a_blocked_beam(board: Board, installation: Installation) -> None:
    """While a beam is blocked the counter says so, and the server has no coverage for that time."""
    set_up(board, installation)
    board.order("ntp", "wifi up")
    with installation.serving():
        board.wait_for("batch acknowledged")
        board.order("pin 5 0")
        board.wait_for("counting stopped")
        blocked_s = time.time()
        time.sleep(2)
        board.order("pin 5 1")
        board.wait_for("counting resumed")
        clear_s = time.time()
        board.walk()
        until(lambda: len(stored(installation)) == 1, "it is stored")
    with closing(sqlite3.connect(f"file:{installation.journal}?mode=ro", uri=True)) as journal:
        spans = journal.execute("SELECT from_epoch_ms, to_epoch_ms FROM coverage").fetchall()
    assert spans, "something is covered"
    middle_ms = (blocked_s + clear_s) / 2 * 1000
    assert not [span for span in spans if span[0] <= middle_ms < span[1]]
