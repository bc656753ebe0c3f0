"""People inside: since the last reset, never below zero, on days where clocks change too."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall.calendar import buckets_of, local_instant
from footfall.model import Hours, Quarter, Site, Tally
from footfall.occupancy import last_reset, occupancy_of, occupancy_through

RESET = datetime(2026, 5, 4, 2, tzinfo=UTC)


def site(zone: str = "Europe/Paris", reset: int = 4 * 60) -> Site:
    return Site("alliance", "Alliance", "ALLI", ZoneInfo(zone), Hours(480, 1140), None, reset)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def quarter(entries: int, exits: int) -> Quarter:
    return Quarter("ALLI1", 0, entries, exits, 0)


def test_people_inside_are_entries_minus_exits() -> None:
    occupancy = occupancy_of([quarter(12, 9), quarter(3, 2)], RESET)
    assert (occupancy.inside, occupancy.entries, occupancy.exits, occupancy.reset_utc) == (4, 15, 11, RESET)


def test_nobody_is_inside_before_anybody_came() -> None:
    assert occupancy_of([], RESET).inside == 0


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50))))
def test_people_inside_are_never_below_zero_and_the_counts_stay_as_counted(sums: list[tuple[int, int]]) -> None:
    occupancy = occupancy_of([quarter(*both) for both in sums], RESET)
    assert occupancy.inside >= 0
    assert occupancy.entries == sum(entries for entries, _ in sums)
    assert occupancy.exits == sum(exits for _, exits in sums)
    assert occupancy.inside in (0, occupancy.entries - occupancy.exits)


@pytest.mark.parametrize(
    ("zone", "reset", "now", "expected"),
    [
        # an ordinary day: 04:00 in Paris is 02:00 UTC
        ("Europe/Paris", 240, "2026-05-04 02:00", "2026-05-04 02:00"),
        ("Europe/Paris", 240, "2026-05-04 01:59:59.999", "2026-05-03 02:00"),
        ("Europe/Paris", 240, "2026-05-04 23:59", "2026-05-04 02:00"),
        ("Europe/Paris", 0, "2026-05-03 22:00", "2026-05-03 22:00"),
        # spring: the clock jumps from 02:00 to 03:00, at 01:00 UTC
        ("Europe/Paris", 240, "2026-03-29 02:00", "2026-03-29 02:00"),
        ("Europe/Paris", 240, "2026-03-29 01:59", "2026-03-28 03:00"),
        ("Europe/Paris", 150, "2026-03-29 01:30", "2026-03-29 01:30"),  # 02:30 was jumped over
        ("Europe/Paris", 150, "2026-03-29 01:29", "2026-03-28 01:30"),
        # autumn: from 03:00 back to 02:00, at 01:00 UTC; the first 02:30 counts, and the second changes nothing
        ("Europe/Paris", 240, "2026-10-25 03:00", "2026-10-25 03:00"),
        ("Europe/Paris", 150, "2026-10-25 00:30", "2026-10-25 00:30"),
        ("Europe/Paris", 150, "2026-10-25 01:30", "2026-10-25 00:30"),
        ("Europe/Paris", 150, "2026-10-25 00:29", "2026-10-24 00:30"),
        # far from Greenwich
        ("Pacific/Auckland", 240, "2026-05-03 16:00", "2026-05-03 16:00"),
        ("America/Los_Angeles", 240, "2026-05-04 10:59", "2026-05-03 11:00"),
    ],
)
def test_last_reset_is_the_latest_one_that_has_been(zone: str, reset: int, now: str, expected: str) -> None:
    assert last_reset(site(zone, reset), utc(now)) == utc(expected)


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["Europe/Paris", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu"]),
    st.integers(0, 47),
    st.datetimes(datetime(2010, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - hypothesis wants them naive, and adds UTC
)
def test_last_reset_is_the_latest_of_all_days_resets(zone: str, half_hours: int, now: datetime) -> None:
    now_utc, reset = now.replace(tzinfo=UTC), half_hours * 30
    days = [date.fromordinal(now.toordinal() + offset) for offset in range(-4, 4)]
    resets = [local_instant(day, reset, ZoneInfo(zone)) for day in days]
    found = last_reset(site(zone, reset), now_utc)
    assert found == max(instant for instant in resets if instant <= now_utc)
    assert now_utc - found < timedelta(hours=26)


def tallies(*sums: tuple[int, int]) -> list[Tally]:
    return [Tally(entries, exits) for entries, exits in sums]


def test_people_inside_run_on_from_bucket_to_bucket() -> None:
    buckets = buckets_of(date(2026, 5, 4), ZoneInfo("Europe/Paris"), Hours(480, 600))
    before = [quarter(5, 2)]
    assert occupancy_through(site(), tallies((10, 3), (0, 4), (2, 9), (1, 0)), buckets, before) == [10, 6, 0, 0]


def test_exits_that_outnumber_entries_are_kept_while_the_display_shows_zero() -> None:
    """Two exits too many: the next two entries only make up for them."""
    buckets = buckets_of(date(2026, 5, 4), ZoneInfo("Europe/Paris"), Hours(480, 570))
    assert occupancy_through(site(), tallies((0, 2), (2, 0), (3, 0)), buckets, []) == [0, 0, 3]


def test_people_inside_restart_from_zero_in_the_bucket_that_starts_at_the_reset() -> None:
    """Reset at 04:00: the bucket of 03:30 still adds to the day before, that of 04:00 starts from zero."""
    buckets = buckets_of(date(2026, 5, 4), ZoneInfo("Europe/Paris"), Hours(180, 300))
    assert occupancy_through(site(), tallies((1, 0), (1, 0), (3, 1), (4, 0)), buckets, [quarter(7, 0)]) == [8, 9, 2, 6]


def test_buckets_over_two_resets_restart_twice() -> None:
    zone = ZoneInfo("Europe/Paris")
    buckets = [
        *buckets_of(date(2026, 5, 3), zone, Hours(210, 270)),
        *buckets_of(date(2026, 5, 4), zone, Hours(240, 270)),
    ]
    assert occupancy_through(site(), tallies((5, 0), (1, 0), (2, 0)), buckets, [quarter(100, 0)]) == [105, 1, 2]


def test_one_bucket_adds_to_the_people_already_inside() -> None:
    buckets = buckets_of(date(2026, 5, 4), ZoneInfo("Europe/Paris"), Hours(480, 510))
    assert occupancy_through(site(), tallies((4, 1)), buckets, [quarter(5, 2)]) == [6]


def test_people_inside_of_no_buckets_are_no_numbers() -> None:
    assert occupancy_through(site(), [], [], [quarter(1, 0)]) == []


def test_totals_and_buckets_must_match() -> None:
    buckets = buckets_of(date(2026, 5, 4), ZoneInfo("Europe/Paris"), Hours(480, 540))
    with pytest.raises(ValueError, match="zip"):
        occupancy_through(site(), tallies((1, 0)), buckets, [])
