"""The people of a day: believable, complete, and the same for the same seed."""

from collections import Counter as Tallied
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import accumulate
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footfall.calendar import day_bounds, local_instant
from footfall.errors import FootfallError
from footfall.model import Hours, Site, epoch_ms
from simulator.people import MINUTE_MS, Crossing, visitors_on, visits_of_day, walk_day
from simulator.truth_file import read_truth, write_truth

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


def test_weekdays_differ_and_the_same_seed_brings_the_same_week() -> None:
    week = [visitors_on(PLAIN_DAY + timedelta(days=number), 1000, 3) for number in range(7)]
    assert week == [visitors_on(PLAIN_DAY + timedelta(days=number), 1000, 3) for number in range(7)]
    assert len(set(week)) == 7
    assert 600 < min(week) < max(week) < 1400


@given(zones, days, opening_hours, st.integers(0, 60), st.integers(0, 4), st.integers(0, 2**32), st.integers(1, 3))
def test_everyone_who_comes_leaves_within_the_day(
    zone: str, day: date, halves: tuple[int, int], people: int, staff: int, seed: int, doors: int
) -> None:
    """Each person is one entry and one exit, inside is never negative, and zero in the end: in any zone, on any day."""
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
def test_visitors_keep_to_the_hours_on_the_wall_and_staff_frame_them(day: date) -> None:
    """On days where clocks change too, opening is 08:00 by the clock on the wall."""
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


def test_the_day_has_a_trickle_a_lunch_peak_and_a_rush_out() -> None:
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


def test_doors_are_used_by_weight_and_some_leave_by_another() -> None:
    visits = visits_of_day(library(), PLAIN_DAY, DOORS, people=2000, seed=3, weights={"ALLI2": 5.0, "ALLI3": 0.0})
    used = Tallied(visit.entry.counter for visit in visits)
    assert used["ALLI2"] > 3 * used["ALLI1"] > 0
    assert used["ALLI3"] == 0
    assert any(visit.entry.counter != visit.exit.counter for visit in visits)


def test_the_seed_decides_the_day() -> None:
    first, again, other = (walk_day(library(), PLAIN_DAY, DOORS, people=50, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_nobody_comes_on_a_day_that_never_was_or_without_doors() -> None:
    """Apia went from 2011-12-29 to 2011-12-31."""
    assert walk_day(library("Pacific/Apia"), date(2011, 12, 30), DOORS, people=10, seed=1) == ()
    assert walk_day(library(), PLAIN_DAY, (), people=10, seed=1) == ()


def test_opening_hours_around_the_clock_stay_within_the_day() -> None:
    walked = walk_day(library(hours=Hours(0, 1440)), PLAIN_DAY, DOORS, people=100, seed=1)
    assert len(walked) == 206
    assert walked[0].time_epoch_ms >= epoch_ms(local_instant(PLAIN_DAY, 0, ZoneInfo("Europe/Paris")))


def test_truth_is_written_and_read_back(tmp_path: Path) -> None:
    walked = walk_day(library(), PLAIN_DAY, DOORS, people=20, seed=1)
    write_truth(tmp_path / "truth.csv", walked)
    assert (tmp_path / "truth.csv").read_text().splitlines()[0] == "counter,time_epoch_ms,direction"
    assert read_truth(tmp_path / "truth.csv") == walked


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "does not start with"),
        ("counter,time_epoch_ms,direction\nALLI1,5,1\nALLI1,6,2\n", "line 3: 'ALLI1,6,2' is no crossing"),
        ("counter,time_epoch_ms,direction\nALLI1,soon,1\n", "line 2"),
        ("counter,time_epoch_ms,direction\nALLI1,5\n", "line 2"),
    ],
)
def test_a_wrong_truth_names_file_and_line(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "truth.csv").write_text(text)
    with pytest.raises(FootfallError, match=complaint):
        read_truth(tmp_path / "truth.csv")


def test_a_truth_that_is_not_there_or_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(FootfallError, match="cannot be read"):
        read_truth(tmp_path / "truth.csv")
    with pytest.raises(FootfallError, match="cannot be written"):
        write_truth(tmp_path / "no" / "truth.csv", ())


def hours_of(crossings: Iterable[Crossing], site: Site) -> Tallied[int]:
    """Return how many of *crossings* fall in each hour of PLAIN_DAY on the wall."""
    midnight = epoch_ms(day_bounds(PLAIN_DAY, site.tz)[0])
    hour_ms = timedelta(hours=1) // timedelta(milliseconds=1)
    return Tallied((crossing.time_epoch_ms - midnight) // hour_ms for crossing in crossings)
