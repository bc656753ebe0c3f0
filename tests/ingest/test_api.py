"""The reading API: sites, occupancy, half hours, counters. A gap is null, never zero."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from footfall.model import Span, epoch_ms
from harness.installation import batch
from tests.support.ingest_app import HEARTBEAT, NOON_MS, Ingest, ingest_in_process

MINUTE_MS = 60_000
OCCUPANCY = "/api/v1/sites/alliance/occupancy"
BUCKETS = "/api/v1/sites/alliance/buckets"


def utc_ms(text: str) -> int:
    return epoch_ms(datetime.fromisoformat(text).replace(tzinfo=UTC))


def people(ingest: Ingest, *moments: tuple[str, int], counter: str = "ALLI1", first: int = 1) -> None:
    """Send crossings of (time in UTC, direction) with a span that covers nothing."""
    crossings = [(seq, utc_ms(text), direction) for seq, (text, direction) in enumerate(moments, first)]
    ingest.keep(*crossings, counter=counter, span=Span(NOON_MS, NOON_MS))


def bucket_at(ingest: Ingest, start: str, day: str = "2026-05-04") -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        one for one in ingest.get(f"{BUCKETS}?day={day}")["buckets"] if one["start"] == start
    ]
    assert len(found) == 1
    return found[0]


def counters(ingest: Ingest) -> dict[str, dict[str, Any]]:
    return {one["id"]: one for one in ingest.get("/api/v1/counters")["counters"]}


def test_sites_are_listed_as_configured(ingest: Ingest) -> None:
    assert ingest.get("/api/v1/sites") == {
        "sites": [
            {"id": "alliance", "name": "Alliance", "code": "ALLI", "timezone": "Europe/Paris", "hours": "08:00-19:00",
             "capacity": 120}
        ]
    }  # fmt: skip


def test_occupancy_is_entries_minus_exits_of_all_counters_since_the_reset(ingest: Ingest) -> None:
    people(ingest, ("2026-05-04 01:59", 1), ("2026-05-04 02:00", 1), ("2026-05-04 08:00", 1), ("2026-05-04 09:00", -1))
    people(ingest, ("2026-05-04 10:00", 1), counter="ALLI2")
    assert ingest.get(OCCUPANCY) == {
        "site": "alliance",
        "name": "Alliance",
        "at": "2026-05-04T12:05:00+02:00",
        "occupancy": 2,
        "capacity": 120,
        "entries": 3,
        "exits": 1,
        "since": "2026-05-04T04:00:00+02:00",
        "complete": True,
        "silent_counters": [],
    }


def test_occupancy_is_never_below_zero(ingest: Ingest) -> None:
    people(ingest, ("2026-05-04 08:00", -1), ("2026-05-04 08:01", -1), ("2026-05-04 08:02", 1))
    found = ingest.get(OCCUPANCY)
    assert (found["occupancy"], found["entries"], found["exits"]) == (0, 1, 2)


def test_occupancy_starts_again_from_zero_at_the_reset(ingest: Ingest) -> None:
    people(ingest, ("2026-05-04 08:00", 1))
    ingest.clock.now_ms = utc_ms("2026-05-05 01:59:59")
    assert ingest.get(OCCUPANCY)["occupancy"] == 1
    ingest.clock.now_ms = utc_ms("2026-05-05 02:00")
    assert ingest.get(OCCUPANCY)["occupancy"] == 0


def test_occupancy_is_not_complete_while_a_counter_is_silent(ingest: Ingest) -> None:
    ingest.keep(span=HEARTBEAT)
    found = ingest.get(OCCUPANCY)
    assert (found["complete"], found["silent_counters"]) == (False, ["ALLI2"]), "never heard from"
    ingest.keep(counter="ALLI2", span=HEARTBEAT)
    assert ingest.get(OCCUPANCY)["complete"] is True
    ingest.clock.now_ms += 180_000
    assert ingest.get(OCCUPANCY)["complete"] is True
    ingest.clock.now_ms += 1
    assert ingest.get(OCCUPANCY)["silent_counters"] == ["ALLI1", "ALLI2"]


@pytest.mark.parametrize(
    ("days", "silent"),
    [
        ("until = 2026-05-03", ["ALLI1", "ALLI2"]),
        ("until = 2026-05-04", ["ALLI1", "ALLI2", "GONE"]),
        ("since = 2026-05-05", ["ALLI1", "ALLI2"]),
        ("since = 2026-05-04", ["ALLI1", "ALLI2", "GONE"]),
    ],
)
def test_counter_out_of_service_today_is_not_reported_silent(tmp_path: Path, days: str, silent: list[str]) -> None:
    more = f'[counters.GONE]\nsite = "alliance"\nname = "Gone"\nlocation = "RDCentre"\n{days}\n'
    with ingest_in_process(tmp_path / "footfall", more=more) as ingest:
        assert ingest.get(OCCUPANCY)["silent_counters"] == silent


def test_gap_is_null_and_covered_quiet_is_zero(ingest: Ingest) -> None:
    """08:00 to 08:30 is fully covered and empty, 08:30 to 09:00 half covered, and a gap follows."""
    start_ms = utc_ms("2026-05-04 06:00")
    ingest.keep(span=Span(start_ms, start_ms + 45 * MINUTE_MS))
    quiet = bucket_at(ingest, "2026-05-04T08:00:00+02:00")
    half = bucket_at(ingest, "2026-05-04T08:30:00+02:00")
    gap = bucket_at(ingest, "2026-05-04T09:00:00+02:00")
    assert quiet["counters"] == {
        "ALLI1": {"entries": 0, "exits": 0, "covered": 1.0},
        "ALLI2": {"entries": None, "exits": None, "covered": 0.0},
    }
    assert (quiet["entries"], quiet["covered"]) == (0, 0.5), "one of two counters reported"
    assert half["counters"]["ALLI1"] == {"entries": 0, "exits": 0, "covered": 0.5}
    assert (gap["entries"], gap["exits"], gap["covered"]) == (None, None, 0.0)
    assert gap["counters"]["ALLI1"] == {"entries": None, "exits": None, "covered": 0.0}


def test_crossings_outside_all_spans_still_count(ingest: Ingest) -> None:
    people(ingest, ("2026-05-04 06:00", 1), ("2026-05-04 06:29:59.999", -1), ("2026-05-04 06:30", 1))
    found = bucket_at(ingest, "2026-05-04T08:00:00+02:00")
    assert (found["entries"], found["exits"], found["covered"]) == (1, 1, 0.0)


def test_buckets_are_those_of_today_by_default(ingest: Ingest) -> None:
    found = ingest.get(BUCKETS)
    assert (found["site"], found["day"], found["timezone"]) == ("alliance", "2026-05-04", "Europe/Paris")
    ingest.clock.now_ms = utc_ms("2026-05-04 22:00")
    assert ingest.get(BUCKETS)["day"] == "2026-05-05", "it is midnight in Paris"


@pytest.mark.parametrize(("day", "number"), [("2026-05-04", 48), ("2026-03-29", 46), ("2026-10-25", 50)])
def test_day_has_as_many_half_hours_as_its_clock_shows(ingest: Ingest, day: str, number: int) -> None:
    buckets = ingest.get(f"{BUCKETS}?day={day}")["buckets"]
    assert len(buckets) == number
    assert [one["end"] for one in buckets[:-1]] == [one["start"] for one in buckets[1:]]
    assert len({one["start"] for one in buckets}) == number, "the two passes of a repeated hour differ in their offset"


def test_occupancy_at_the_end_of_each_bucket_runs_on_from_the_day_before_to_the_reset(ingest: Ingest) -> None:
    people(ingest, ("2026-05-03 20:00", 1), ("2026-05-03 22:10", 1), ("2026-05-04 02:10", 1), ("2026-05-04 02:40", -1))
    found = [one["occupancy"] for one in ingest.get(BUCKETS)["buckets"]]
    assert found[:10] == [2, 2, 2, 2, 2, 2, 2, 2, 1, 0]
    assert found[23] == 0
    assert found[24:] == [None] * 24, "12:00 to 12:30 is not over yet at 12:05"


@pytest.mark.parametrize(
    "day", ["", "tomorrow", "2026-5-4", "20260504", "2026-W19-1", "2026-02-30", "2026-05-04T00:00", "1970-12-31",
            "9999-01-01", "0001-01-01", "-2026-05-04", "2026-05-04 ", "%D9%A2026-05-04"],
)  # fmt: skip
def test_invalid_day_is_refused(ingest: Ingest, day: str) -> None:
    answer = ingest.client.get(f"{BUCKETS}?day={day}")
    assert (answer.status_code, json.loads(answer.data)["error"]["field"]) == (400, "day")


@pytest.mark.parametrize("day", ["1971-01-01", "9998-12-31", "2000-02-29"])
def test_day_long_ago_or_far_ahead_is_all_gaps(ingest: Ingest, day: str) -> None:
    assert {one["entries"] for one in ingest.get(f"{BUCKETS}?day={day}")["buckets"]} == {None}


def test_counter_is_listed_with_its_status_and_its_losses(ingest: Ingest) -> None:
    ingest.keep((1, NOON_MS - 5000, 1), (4, None, 1), span=HEARTBEAT)
    ingest.keep((1, NOON_MS - 5000, -1), span=HEARTBEAT)
    status = {"firmware": "1.0.0", "uptime_s": 86_400, "rssi_dbm": -61}
    body = json.loads(batch(span=HEARTBEAT)) | {"status": status}
    assert ingest.post(json.dumps(body).encode()).status_code == 200
    assert counters(ingest)["ALLI1"] == {
        "id": "ALLI1",
        "site": "alliance",
        "name": "Counter 1",
        "location": "RDCentre",
        "state": "counting",
        "last_seen": "2026-05-04T12:05:00+02:00",
        "last_crossing": "2026-05-04T12:04:55+02:00",
        "covered_to": "2026-05-04T12:05:00+02:00",
        "lost": 2,
        "undated": 1,
        "conflicts": 1,
        "status": status,
    }


def test_counter_is_never_heard_then_counting_then_silent(ingest: Ingest) -> None:
    assert counters(ingest)["ALLI1"]["state"] == "never heard"
    assert counters(ingest)["ALLI1"]["last_seen"] is None
    ingest.keep(span=HEARTBEAT)
    assert counters(ingest)["ALLI1"]["state"] == "counting"
    ingest.clock.now_ms += 180_001
    assert counters(ingest)["ALLI1"]["state"] == "silent"


def test_counters_are_listed_by_id(tmp_path: Path) -> None:
    with ingest_in_process(tmp_path / "footfall", counters=("C3", "A1", "B2")) as ingest:
        assert list(counters(ingest)) == ["A1", "B2", "C3"]


def test_site_without_counters_is_all_gaps(tmp_path: Path) -> None:
    with ingest_in_process(tmp_path / "footfall", counters=()) as ingest:
        assert ingest.get("/api/v1/counters") == {"counters": []}
        assert ingest.get(OCCUPANCY)["complete"] is False
        assert {one["entries"] for one in ingest.get(BUCKETS)["buckets"]} == {None}
