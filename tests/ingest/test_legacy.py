"""``POST /``: rows of old devices, whose clock is local and whose time is the END of the half hour."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from footfall.errors import ConfigError
from footfall.model import epoch_ms
from footfall.store.historical_counts import HALF_HOUR_MS
from harness.installation import batch
from tests.support.ingest_app import Ingest, ingest_in_process
from tests.support.journals import coverage_of, quarters_of

ROW = "2026-5-4,08:30:00,12,9,ALLI1,Counter A,RDCentre,Alliance,ALLI"


def row(day: str = "2026-5-4", clock: str = "08:30:00", entries: str = "12", exits: str = "9") -> str:
    return f"{day},{clock},{entries},{exits},ALLI1,Counter A,RDCentre,Alliance,ALLI"


def post(ingest: Ingest, content: str | bytes, *, address: str = "127.0.0.1") -> TestResponse:
    return ingest.client.post("/", data=content, content_type="text/plain", environ_base={"REMOTE_ADDR": address})


def utc_ms(text: str) -> int:
    return epoch_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


def half_hours(ingest: Ingest) -> dict[int, tuple[int, int]]:
    """Return (entries, exits) of every quarter hour with entries, by its start."""
    return {one.start_epoch_ms: (one.entries, one.exits) for one in quarters_of(ingest.journal) if one.entries}


def error_of(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, json.loads(answer.data)["error"]["field"]


def test_rows_are_refused_unless_enabled(ingest: Ingest) -> None:
    answer = post(ingest, ROW)
    assert answer.status_code == 404
    assert "[ingest.legacy]" in answer.text
    assert ingest.stored() == []


def test_row_is_stored_in_the_half_hour_that_ends_at_its_time(legacy_ingest: Ingest) -> None:
    answer = post(legacy_ingest, ROW)
    assert (answer.status_code, answer.data) == (200, b'{"stored": 1, "duplicates": 0}\n')
    start_ms = utc_ms("2026-05-04 06:00")
    assert half_hours(legacy_ingest) == {start_ms: (12, 9)}, "08:00 to 08:30 in Paris"
    assert coverage_of(legacy_ingest.journal) == [(start_ms, start_ms + HALF_HOUR_MS)]


@pytest.mark.parametrize("same", [row("2026-05-04"), row(clock="8:30:0"), f" {row()} ", f"{ROW}\r\n", f"\n{ROW}\n\n"])
def test_row_is_read_padded_or_not_with_or_without_line_ends(legacy_ingest: Ingest, same: str) -> None:
    post(legacy_ingest, ROW)
    assert post(legacy_ingest, same).json == {"stored": 0, "duplicates": 1}


def test_row_sent_twice_is_stored_once(legacy_ingest: Ingest) -> None:
    post(legacy_ingest, ROW)
    before = legacy_ingest.stored()
    assert post(legacy_ingest, ROW).json == {"stored": 0, "duplicates": 1}
    assert legacy_ingest.stored() == before


def test_row_resent_with_other_counts_is_refused_and_the_first_stays(legacy_ingest: Ingest) -> None:
    post(legacy_ingest, ROW)
    before = legacy_ingest.stored()
    answer = post(legacy_ingest, row(entries="13"))
    assert error_of(answer) == (409, "row")
    assert "already has 12 entries and 9 exits in that half hour, not 13 and 9" in answer.text
    assert legacy_ingest.stored() == before
    assert legacy_ingest.log.lines[-1].startswith("ERROR ingest.legacy: refused a row from an old device: ALLI1")


def test_row_of_a_half_hour_counted_live_is_not_added(legacy_ingest: Ingest) -> None:
    legacy_ingest.keep((1, utc_ms("2026-05-04 06:10"), 1))
    assert post(legacy_ingest, row(entries="1", exits="0")).json == {"stored": 0, "duplicates": 1}
    assert post(legacy_ingest, row(entries="2", exits="0")).status_code == 409


def test_second_row_in_a_body_is_refused_with_the_first(legacy_ingest: Ingest) -> None:
    assert post(legacy_ingest, f"{row()}\n{row(clock='09:00:00')}\r\n").status_code == 400
    assert half_hours(legacy_ingest) == {}


@pytest.mark.parametrize("name", [b"Caf\xc3\xa9", b"Caf\xe9", b"A\x85B", "A\u2028B".encode(), b"", b"\x1b[31m"])
def test_ignored_columns_may_hold_any_bytes(legacy_ingest: Ingest, name: bytes) -> None:
    assert post(legacy_ingest, ROW.encode().replace(b"Counter A", name)).status_code == 200


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("127.0.0.1", 200),
        ("127.255.255.254", 200),
        ("128.0.0.1", 403),
        ("192.0.2.1", 403),
        ("::1", 403),
        ("2001:db8::5", 200),
        ("2001:db9::5", 403),
        ("::ffff:127.0.0.1", 200),  # an IPv4 client of an ingest that listens on [::]
        ("::ffff:192.0.2.1", 403),
        ("", 403),
    ],
)
def test_row_is_accepted_from_allowed_networks_only(legacy_ingest: Ingest, address: str, status: int) -> None:
    assert post(legacy_ingest, ROW, address=address).status_code == status
    assert bool(legacy_ingest.stored()) == (status == 200)


@pytest.mark.parametrize("networks", ["", "networks = []\n", "networks = [5]\n", 'networks = ["10.0.0.1/8"]\n'])
def test_enabling_without_valid_networks_is_a_problem(tmp_path: Path, networks: str) -> None:
    with (
        pytest.raises(ConfigError, match=r"ingest\.legacy\.networks must"),
        ingest_in_process(tmp_path / "footfall", more=f"[ingest.legacy]\nenabled = true\n{networks}"),
    ):
        pass


def test_midnight_ends_the_last_half_hour_of_the_day_before(legacy_ingest: Ingest) -> None:
    post(legacy_ingest, row("2026-5-4", "00:00:00"))
    assert half_hours(legacy_ingest) == {utc_ms("2026-05-03 21:30"): (12, 9)}, "23:30 to 24:00 of 3 May in Paris"


@pytest.mark.parametrize(
    ("clock", "now", "start"),
    [
        # 25 October in Paris: 03:00 becomes 02:00 at 01:00 UTC, and a clock shows 02:00 to 03:00 twice.
        ("02:00:00", "00:01", "23:30"),  # of the 24th; the second 02:00 is still to come
        ("02:00:00", "01:01", "00:30"),
        ("02:30:00", "00:31", "00:00"),
        ("02:30:00", "01:31", "01:00"),
        ("03:00:00", "02:01", "01:30"),
    ],
)
def test_repeated_time_means_the_latest_pass_that_is_over(
    legacy_ingest: Ingest, clock: str, now: str, start: str
) -> None:
    legacy_ingest.clock.now_ms = utc_ms(f"2026-10-25 {now}")
    assert post(legacy_ingest, row("2026-10-25", clock)).json == {"stored": 1, "duplicates": 0}
    day = "2026-10-24" if start == "23:30" else "2026-10-25"
    assert half_hours(legacy_ingest) == {utc_ms(f"{day} {start}"): (12, 9)}


def test_prompt_rows_of_an_autumn_night_are_kept_apart(legacy_ingest: Ingest) -> None:
    shown = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00", "03:30"]  # on the device's clock
    for number, clock in enumerate(shown):
        legacy_ingest.clock.now_ms = utc_ms("2026-10-24 23:30") + number * HALF_HOUR_MS + 1000
        assert post(legacy_ingest, row("2026-10-25", f"{clock}:00", entries=str(number + 1))).status_code == 200
    first_ms = utc_ms("2026-10-24 23:00")
    assert half_hours(legacy_ingest) == {first_ms + n * HALF_HOUR_MS: (n + 1, 9) for n in range(len(shown))}


def test_late_and_resent_rows_of_a_repeated_hour_are_each_stored_once(legacy_ingest: Ingest) -> None:
    legacy_ingest.clock.now_ms = utc_ms("2026-10-25 09:00")
    for entries, status in (("5", 200), ("5", 200), ("7", 200), ("7", 200), ("9", 409)):
        assert post(legacy_ingest, row("2026-10-25", "02:30:00", entries=entries)).status_code == status
    assert half_hours(legacy_ingest) == {utc_ms("2026-10-25 00:00"): (5, 9), utc_ms("2026-10-25 01:00"): (7, 9)}


def test_row_of_a_skipped_time_is_refused(legacy_ingest: Ingest) -> None:
    legacy_ingest.clock.now_ms = utc_ms("2026-03-29 12:00")
    answer = post(legacy_ingest, row("2026-3-29", "02:30:00"))
    assert (answer.status_code, (answer.json or {})["error"]["field"]) == (400, "time")
    assert half_hours(legacy_ingest) == {}


def test_row_after_the_spring_jump_follows_at_once(legacy_ingest: Ingest) -> None:
    legacy_ingest.clock.now_ms = utc_ms("2026-03-29 12:00")
    post(legacy_ingest, row("2026-3-29", "02:00:00"))
    post(legacy_ingest, row("2026-3-29", "03:30:00", entries="5"))
    assert half_hours(legacy_ingest) == {utc_ms("2026-03-29 00:30"): (12, 9), utc_ms("2026-03-29 01:00"): (5, 9)}


@pytest.mark.parametrize(
    ("content", "field"),
    [
        ("", "row"),
        ("\n \n", "row"),
        ("hello", "row"),
        (ROW + ",more", "row"),
        (ROW.rsplit(",", 1)[0], "row"),
        (row("4/5/2026"), "date"),
        (row("26-5-4"), "date"),
        (row("2026-13-4"), "date"),
        (row("2026-2-30"), "date"),
        (row("0000-1-1"), "date"),
        (row("0001-1-1", "00:00:00"), "date"),
        (row("9999-12-31", "23:30:00"), "time"),
        (row("٢٠٢٦-5-4"), "date"),
        (row("2014-12-31"), "date"),
        (row(clock="08:31:00"), "time"),
        (row(clock="08:30:01"), "time"),
        (row(clock="08:30"), "time"),
        (row(clock="24:00:00"), "date"),
        (row(clock="12:30:00"), "time"),  # it is 12:05
        (row("2026-5-5"), "time"),
        (row(entries="-1"), "entries"),
        (row(entries="1.5"), "entries"),
        (row(entries=""), "entries"),
        (row(entries="٣"), "entries"),
        (row(entries="100001"), "entries"),
        (row(exits="99999999999999999999"), "exits"),
        (row(exits="x"), "exits"),
    ],
)
def test_malformed_row_is_refused_by_column_and_not_stored(legacy_ingest: Ingest, content: str, field: str) -> None:
    assert error_of(post(legacy_ingest, content.encode())) == (400, field)
    assert legacy_ingest.stored() == []


def test_row_ahead_by_the_clock_tolerance_is_accepted(legacy_ingest: Ingest) -> None:
    legacy_ingest.clock.now_ms = utc_ms("2026-05-04 06:25")
    assert post(legacy_ingest, ROW).status_code == 200
    legacy_ingest.clock.now_ms -= 1
    assert error_of(post(legacy_ingest, row(clock="08:30:00", entries="1"))) == (400, "time")


def test_row_and_batches_of_one_counter_add_up_on_its_day(legacy_ingest: Ingest) -> None:
    post(legacy_ingest, ROW)
    body = batch((1, utc_ms("2026-05-04 06:40"), 1))
    assert legacy_ingest.post(body).status_code == 200
    assert sum(entries for entries, _ in half_hours(legacy_ingest).values()) == 13
