"""Simulated people: believable, complete, and the same for the same seed."""

from collections import Counter as Tallied
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.calendar import day_bounds, local_instant
from footfall.model import Hours, Site, epoch_ms
from simulator.people import MINUTE_MS, Crossing, visitors_on, visits_of_day, walk_day

DOORS = ("ALLI1", "ALLI2", "ALLI3")
PLAIN_DAY = date(2026, 5, 4)
LIBRARY_HOURS = Hours(8 * 60, 19 * 60)

zones = st.sampled_from(
    ["Europe/Paris", "UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"]
)
days = st.one_of(
    st.sampled_from([date(2026, 3, 29), date(2026, 10, 25), date(2026, 4, 24), date(2026, 4, 5), date(2011, 12, 30)]),
    st.dates(date(2000, 1, 1), date(2037, 12, 31)),
)
opening_hours = st.tuples(st.integers(0, 47), st.integers(1, 48)).filter(lambda two: two[0] < two[1])


def library(zone: str = "Europe/Paris", hours: Hours = LIBRARY_HOURS) -> Site:
    return Site("alliance", "Alliance", "ALLI", ZoneInfo(zone), hours, capacity=None, reset=240)


def test_weekdays_differ_and_one_seed_gives_one_week() -> None:
    week = [visitors_on(PLAIN_DAY + timedelta(days=number), 1000, 3) for number in range(7)]
    assert week == [visitors_on(PLAIN_DAY + timedelta(days=number), 1000, 3) for number in range(7)]
    assert len(set(week)) == 7
    assert 600 < min(week) < max(week) < 1400


@given(zones, days, opening_hours, st.integers(0, 60), st.integers(0, 4), st.integers(0, 2**32), st.integers(1, 3))
def test_everyone_who_comes_leaves_within_the_day(
    zone: str, day: date, halves: tuple[int, int], people: int, staff: int, seed: int, doors: int
) -> None:
    """One entry and one exit each; occupancy is never negative and ends at zero, in any zone on any day."""
    site = library(zone, Hours(halves[0] * 30, halves[1] * 30))
    walked = walk_day(site, day, DOORS[:doors], people=people, seed=seed, staff=staff)
    start, end = (epoch_ms(bound_utc) for bound_utc in day_bounds(day, site.tz))
    inside = list(accumulate((crossing.direction for crossing in walked), initial=0))
    assert len(walked) in {2 * (people + staff), 0}
    assert min(inside) == 0
    assert inside[-1] == 0
    assert all(start <= crossing.time_epoch_ms < end for crossing in walked)
    assert [crossing.time_epoch_ms for crossing in walked] == sorted(crossing.time_epoch_ms for crossing in walked)
    assert {crossing.counter for crossing in walked} <= set(DOORS[:doors])


@pytest.mark.parametrize("day", [PLAIN_DAY, date(2026, 3, 29), date(2026, 10, 25)])
def test_visitors_keep_to_local_opening_hours_and_staff_come_first_and_leave_last(day: date) -> None:
    """Also on days when clocks change: opening is 08:00 local time."""
    site = library()
    opening, closing = (epoch_ms(local_instant(day, minutes, site.tz)) for minutes in (8 * 60, 19 * 60))
    visitors = visits_of_day(site, day, DOORS, people=800, seed=1, staff=0)
    everyone = visits_of_day(site, day, DOORS, people=800, seed=1, staff=3)
    staff = [visit for visit in everyone if visit.entry.time_epoch_ms < opening]
    assert all(opening <= visit.entry.time_epoch_ms < closing for visit in visitors)
    assert all(visit.exit.time_epoch_ms <= closing + 10 * MINUTE_MS for visit in visitors)
    assert all(visit.exit.time_epoch_ms - visit.entry.time_epoch_ms >= MINUTE_MS for visit in visitors)
    assert len(staff) == 3
    last_visitor_out = max(visit.exit.time_epoch_ms for visit in visitors)
    assert min(visit.exit.time_epoch_ms for visit in staff) >= last_visitor_out > closing - 10 * MINUTE_MS


def test_day_has_a_slow_start_a_lunch_peak_and_a_rush_at_closing() -> None:
    site = library()
    visits = visits_of_day(site, PLAIN_DAY, DOORS, people=3000, seed=7, staff=0)
    came = hours_of((visit.entry for visit in visits), site)
    left = hours_of((visit.exit for visit in visits), site)
    assert came[12] == max(came.values())
    assert came[8] < came[10] < came[12]
    assert came[18] < came[16] / 2
    assert left[18] + left[19] > 1.5 * came[18]


def test_most_people_stay_minutes_and_some_stay_hours() -> None:
    visits = visits_of_day(library(), PLAIN_DAY, DOORS, people=3000, seed=7)
    stays = sorted((visit.exit.time_epoch_ms - visit.entry.time_epoch_ms) // MINUTE_MS for visit in visits)
    assert 20 <= stays[1500] <= 50
    assert stays[2850] > 90


def test_first_door_is_the_busiest_and_some_people_leave_by_another() -> None:
    visits = visits_of_day(library(), PLAIN_DAY, DOORS, people=2000, seed=3)
    used = Tallied(visit.entry.counter for visit in visits)
    assert used["ALLI1"] > 1.5 * used["ALLI2"] > 1.5 * used["ALLI3"] > 0
    assert any(visit.entry.counter != visit.exit.counter for visit in visits)


def test_the_seed_decides_the_day() -> None:
    first, again, other = (walk_day(library(), PLAIN_DAY, DOORS, people=50, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_nobody_comes_on_a_day_that_does_not_exist_or_without_doors() -> None:
    """Apia skipped 2011-12-30."""
    assert walk_day(library("Pacific/Apia"), date(2011, 12, 30), DOORS, people=10, seed=1) == ()
    assert walk_day(library(), PLAIN_DAY, (), people=10, seed=1) == ()


def test_site_open_around_the_clock_has_all_crossings_within_the_day() -> None:
    walked = walk_day(library(hours=Hours(0, 1440)), PLAIN_DAY, DOORS, people=100, seed=1)
    assert len(walked) == 206
    assert walked[0].time_epoch_ms >= epoch_ms(local_instant(PLAIN_DAY, 0, ZoneInfo("Europe/Paris")))


def hours_of(crossings: Iterable[Crossing], site: Site) -> Tallied[int]:
    """Return the number of *crossings* in each local hour of PLAIN_DAY."""
    midnight = epoch_ms(day_bounds(PLAIN_DAY, site.tz)[0])
    hour_ms = timedelta(hours=1) // timedelta(milliseconds=1)
    return Tallied((crossing.time_epoch_ms - midnight) // hour_ms for crossing in crossings)
