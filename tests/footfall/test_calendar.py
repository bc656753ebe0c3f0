"""Local days and their half hours, where clocks change and where they do not."""

import random
import zoneinfo
from collections import Counter as Tallied
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall.calendar import buckets_of, day_bounds, fold, local_instant, unknown
from footfall.model import QUARTER_MS, Bucket, Hours, Quarter, Tally, epoch_ms, from_epoch_ms
from tests.support.properties import UNHURRIED

PARIS = ZoneInfo("Europe/Paris")
QUARTER = timedelta(milliseconds=QUARTER_MS)
ZONES = sorted(zoneinfo.available_timezones() - {"localtime", "Factory"})


def labels(buckets: tuple[Bucket, ...]) -> list[str]:
    return [f"{bucket.start_local:%H:%M}" for bucket in buckets]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Change(NamedTuple):
    """A day, how many half hours it has, and what a clock on the wall shows around the change."""

    zone: str
    day: str
    half_hours: int
    shown: str


CHANGES = [
    Change("Europe/Paris", "2026-05-04", 48, "00:00 00:30 01:00 01:30 02:00 02:30 03:00"),
    Change("Europe/Paris", "2026-03-29", 46, "00:00 00:30 01:00 01:30 03:00 03:30 04:00"),
    Change("Europe/Paris", "2026-10-25", 50, "00:00 00:30 01:00 01:30 02:00 02:30 02:00 02:30 03:00"),
    Change("Asia/Kathmandu", "2026-05-04", 48, "00:00 00:30 01:00 01:30 02:00"),  # 5:45 ahead of UTC
    # Half an hour, at 02:00.
    Change("Australia/Lord_Howe", "2026-10-04", 47, "01:00 01:30 02:30 03:00"),
    Change("Australia/Lord_Howe", "2026-04-05", 49, "01:00 01:30 01:30 02:00"),
    # At 02:45 and 03:45, in the middle of a half hour.
    Change("Pacific/Chatham", "2026-09-27", 46, "02:00 02:30 04:00 04:30"),
    Change("Pacific/Chatham", "2026-04-05", 50, "02:30 03:00 03:30 03:00 03:30 04:00"),
    # Midnight is skipped, and the hour before it is repeated.
    Change("Africa/Cairo", "2026-04-24", 46, "01:00 01:30 02:00"),
    Change("Africa/Cairo", "2026-10-29", 50, "22:30 23:00 23:30 23:00 23:30"),
    Change("Africa/Cairo", "2026-10-30", 48, "00:00 00:30 01:00"),
    # Midnight is skipped, and the hour after it is repeated.
    Change("America/Havana", "2026-03-08", 46, "01:00 01:30 02:00"),
    Change("America/Havana", "2025-11-02", 50, "00:00 00:30 00:00 00:30 01:00"),
    # The day that Samoa left out when it crossed the date line.
    Change("Pacific/Apia", "2011-12-29", 48, "23:00 23:30"),
    Change("Pacific/Apia", "2011-12-30", 0, ""),
    Change("Pacific/Apia", "2011-12-31", 48, "00:00 00:30"),
    # At 02:00 now; until 2011 a minute after midnight, and back into the evening before.
    Change("America/St_Johns", "2026-03-08", 46, "01:30 03:00 03:30"),
    Change("America/St_Johns", "2026-11-01", 50, "01:00 01:30 01:00 01:30 02:00"),
    Change("America/St_Johns", "2011-03-13", 46, "00:00 01:30 02:00"),
    Change("America/St_Johns", "2010-11-07", 50, "00:00 23:30 00:00 00:30"),
    # Changes of the zone itself: three hours, and half an hour back to the South's time.
    Change("Antarctica/Casey", "2020-10-04", 42, "00:00 03:30 04:00"),
    Change("Asia/Pyongyang", "2018-05-04", 47, "22:30 23:00"),
    # From 23:30 to 00:30: the jump begins on one day and ends on the next.
    Change("America/Toronto", "1919-03-30", 47, "22:30 23:00"),
    Change("America/Toronto", "1919-03-31", 47, "00:30 01:00"),
]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change.zone}-{change.day}")
def test_day_has_its_half_hours_and_they_are_labelled_as_the_clock_shows(change: Change) -> None:
    buckets = buckets_of(date.fromisoformat(change.day), ZoneInfo(change.zone))
    assert len(buckets) == change.half_hours
    assert change.shown in " ".join(labels(buckets))


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        ("Europe/Paris", "2026-05-04", "2026-05-03T22:00", "2026-05-04T22:00"),
        ("Europe/Paris", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Paris", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00", "2026-04-24T21:00"),
        ("America/Havana", "2025-11-02", "2025-11-02T04:00", "2025-11-03T05:00"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", "2011-12-30T10:00"),
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30", "1919-04-01T04:00"),
        ("America/St_Johns", "2010-11-07", "2010-11-07T02:30", "2010-11-08T03:30"),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00", "2026-04-05T13:30"),
    ],
)
def test_day_runs_from_its_first_instant_to_that_of_the_next(zone: str, day: str, start: str, end: str) -> None:
    assert day_bounds(date.fromisoformat(day), ZoneInfo(zone)) == (utc(start), utc(end))


def test_half_hour_keeps_the_offset_it_starts_and_ends_with() -> None:
    before = buckets_of(date(2026, 3, 29), PARIS)[3]
    assert before.start_local.isoformat() == "2026-03-29T01:30:00+01:00"
    assert before.end_local.isoformat() == "2026-03-29T03:00:00+02:00"
    assert before.length_ms == 30 * 60_000


@pytest.mark.parametrize(
    ("day", "hours", "shown"),
    [
        ("2026-05-04", Hours(8 * 60, 9 * 60 + 30), "08:00 08:30 09:00"),
        ("2026-03-29", Hours(2 * 60, 3 * 60), ""),
        ("2026-03-29", Hours(60, 3 * 60 + 30), "01:00 01:30 03:00"),
        ("2026-10-25", Hours(2 * 60 + 30, 3 * 60), "02:30 02:30"),
    ],
)
def test_hours_choose_half_hours_by_the_clock_on_the_wall(day: str, hours: Hours, shown: str) -> None:
    assert " ".join(labels(buckets_of(date.fromisoformat(day), PARIS, hours))) == shown


@pytest.mark.parametrize(
    ("zone", "day", "minutes", "instant"),
    [
        ("Europe/Paris", "2026-05-04", 20 * 60, "2026-05-04T18:00"),
        ("Europe/Paris", "2026-05-04", 24 * 60, "2026-05-04T22:00"),
        ("Europe/Paris", "2026-10-25", 150, "2026-10-25T00:30"),  # shown twice: the first time
        ("Europe/Paris", "2026-03-29", 150, "2026-03-29T01:30"),  # never shown: an hour and a half after 01:00
    ],
)
def test_local_instant_is_the_first_time_a_clock_shows_it(zone: str, day: str, minutes: int, instant: str) -> None:
    assert local_instant(date.fromisoformat(day), minutes, ZoneInfo(zone)) == utc(instant)


@st.composite
def zone_days(draw: st.DrawFn) -> tuple[ZoneInfo, date]:
    """Return a zone and a day of 2015 to 2035, as a rule next to a change of its clocks, where it has any that year."""
    zone = ZoneInfo(draw(st.sampled_from(ZONES)))
    first = date(draw(st.integers(2015, 2035)), 1, 1)
    days = [first + timedelta(days=number) for number in range(365)]
    offsets = [datetime(day.year, day.month, day.day, 12, tzinfo=zone).utcoffset() for day in days]
    changes = [number for number in range(364) if offsets[number] != offsets[number + 1]]
    near = st.sampled_from(changes) if changes else st.nothing()
    return zone, days[draw(near | st.integers(0, 363))] + timedelta(days=draw(st.integers(-1, 2)))


@given(zone_days())
@settings(UNHURRIED, max_examples=300)
def test_days_tile_time_and_half_hours_tile_the_day(zone_day: tuple[ZoneInfo, date]) -> None:
    zone, day = zone_day
    start_utc, end_utc = day_bounds(day, zone)
    assert day_bounds(day - timedelta(days=1), zone)[1] == start_utc
    assert day_bounds(day + timedelta(days=1), zone)[0] == end_utc
    assert timedelta(hours=20) <= end_utc - start_utc <= timedelta(hours=28)
    buckets = buckets_of(day, zone)
    assert [bucket.start_utc for bucket in buckets] == [start_utc, *(bucket.end_utc for bucket in buckets[:-1])]
    assert buckets[-1].end_utc == end_utc
    assert {bucket.length_ms for bucket in buckets} == {30 * 60_000}


@given(zone_days())
@settings(UNHURRIED, max_examples=300)
def test_every_quarter_of_the_date_belongs_to_one_half_hour_and_no_other_does(zone_day: tuple[ZoneInfo, date]) -> None:
    """The date is read off each quarter by itself, with no day's start to go by."""
    zone, day = zone_day
    noon_utc = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    around = [noon_utc + number * QUARTER for number in range(-48 * 4, 48 * 4)]
    of_the_date = [quarter_utc for quarter_utc in around if quarter_utc.astimezone(zone).date() == day]
    in_buckets = Tallied(
        quarter_utc
        for bucket in buckets_of(day, zone)
        for quarter_utc in (bucket.start_utc, bucket.start_utc + QUARTER)
    )
    assert in_buckets == dict.fromkeys(of_the_date, 1)


@st.composite
def quarters_around(draw: st.DrawFn) -> list[Quarter]:
    """Return quarters of two counters over the longest day and an hour on either side, in any order."""
    start_utc, end_utc = (epoch_ms(bound_utc) for bound_utc in day_bounds(date(2026, 10, 25), PARIS))
    quarter = st.builds(
        lambda counter, number, *counts: Quarter(counter, start_utc + number * QUARTER_MS, *counts),
        st.sampled_from(["A", "B"]),
        st.integers(-4, (end_utc - start_utc) // QUARTER_MS + 3),
        st.integers(0, 99),
        st.integers(0, 99),
        st.integers(0, QUARTER_MS),
    )
    return draw(st.lists(quarter, max_size=60))


@given(quarters_around(), st.randoms(use_true_random=False))
@UNHURRIED
def test_folded_sums_equal_those_of_the_quarters_in_the_day_in_any_order(
    quarters: list[Quarter], chance: random.Random
) -> None:
    start_utc, end_utc = day_bounds(date(2026, 10, 25), PARIS)
    buckets = buckets_of(date(2026, 10, 25), PARIS)
    folded = fold(quarters, buckets)
    for counter in ("A", "B"):
        mine = [one for one in quarters if one.counter == counter and
                start_utc <= from_epoch_ms(one.start_epoch_ms) < end_utc]  # fmt: skip
        total = sum(folded.get(counter, []), Tally())
        assert total.entries == sum(one.entries for one in mine)
        assert total.exits == sum(one.exits for one in mine)
        assert total.covered_ms == sum(one.covered_ms for one in mine)
        assert total.length_ms == (25 * 3_600_000 if mine else 0)
    chance.shuffle(quarters)
    assert fold(quarters, buckets) == folded


def test_quarter_lands_in_the_half_hour_that_holds_it() -> None:
    """Chatham's clocks change at 02:45, 14:00 UTC: between the two quarters of one half hour."""
    buckets = buckets_of(date(2026, 9, 27), ZoneInfo("Pacific/Chatham"))
    change_epoch_ms = epoch_ms(utc("2026-09-26T14:00"))
    quarters = [Quarter("A", change_epoch_ms - QUARTER_MS, 1, 3, 5), Quarter("A", change_epoch_ms, 2, 1, 7)]
    folded = fold(quarters, buckets)["A"]
    at = labels(buckets).index("02:30")
    assert folded[at] == Tally(3, 4, 12, 30 * 60_000)
    assert [tally for tally in folded if not tally.is_gap] == [folded[at]]


def test_quarter_outside_the_buckets_is_ignored_and_the_next_one_counts() -> None:
    buckets = buckets_of(date(2026, 5, 4), PARIS)
    first_epoch_ms = epoch_ms(buckets[0].start_utc)
    before, inside = Quarter("A", first_epoch_ms - QUARTER_MS, 9, 9, 9), Quarter("A", first_epoch_ms, 1, 2, 3)
    assert fold([before, inside], buckets)["A"][0] == Tally(1, 2, 3, 30 * 60_000)


def test_half_hours_nobody_spoke_of_are_gaps_and_covered_ones_without_people_are_not() -> None:
    buckets = buckets_of(date(2026, 5, 4), PARIS)
    first_epoch_ms = epoch_ms(buckets[0].start_utc)
    folded = fold([Quarter("A", first_epoch_ms, 0, 0, QUARTER_MS)], buckets)["A"]
    assert [tally.is_gap for tally in folded[:3]] == [False, True, True]
    assert not folded[0].is_whole
    assert folded[1:] == unknown(buckets)[1:]
    assert fold([], buckets) == {}


@pytest.mark.parametrize(
    ("day", "minutes"), [(date(2026, 5, 4), 0), (date(2026, 10, 25), 150), (date(2026, 3, 29), 150)]
)
def test_local_instant_is_in_utc(day: date, minutes: int) -> None:
    """Whatever zone the machine is in: the instant carries UTC itself, not an equal offset."""
    assert local_instant(day, minutes, PARIS).tzinfo is UTC
