"""The days and charts of the pages: a gap stays a gap in every total and in every chart."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from footfall.calendar import local_instant
from footfall.model import Hours, Site, Tally
from ingest.pages.charts.day_charts import crossings_chart, occupancy_chart
from ingest.pages.charts.drawing import axis_marks, element, path
from ingest.pages.charts.entries_by_day_chart import entries_by_day_chart
from ingest.pages.charts.heat_map_chart import heat_map_chart, shade_of
from ingest.pages.heat_map import compute_heat_map
from ingest.pages.history_page import History, covered_part, read_history
from ingest.pages.language import language_of
from ingest.pages.periods import Length, period_around
from ingest.pages.site_days import Coverage, SiteDay, coverage_of, read_days
from tests.support.ingest_app import Ingest, ingest_in_process
from tests.support.page_scenery import PARIS, TODAY, Scenery, fill, site_settings

ENGLISH, FRENCH = language_of("en"), language_of("fr")
DOORS = ("DOOR1", "DOOR2")
GAP = [(one, datetime(2026, 5, 19, 10, tzinfo=PARIS), datetime(2026, 5, 19, 12, tzinfo=PARIS)) for one in DOORS]
HALF_GAP = [("DOOR1", datetime(2026, 5, 18, 10, tzinfo=PARIS), datetime(2026, 5, 18, 12, tzinfo=PARIS))]


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    """Nine days until 15:20. Yesterday has a gap at both doors, the day before at one."""
    scenery = Scenery(days=9, people=60, gaps=[*GAP, *HALF_GAP])
    with ingest_in_process(tmp_path_factory.mktemp("figures") / "footfall", **site_settings(scenery)) as found:
        fill(found, scenery)
        yield found


def day_of(ingest: Ingest, day: date, now_utc: datetime | None = None) -> SiteDay:
    parts = ingest.context
    site = parts.registry().sites["mediatheque"]
    (found,) = read_days(
        parts.reader, site, parts.registry().counters_of(site.id), [day], now_utc or parts.now_utc(), slack_s=180
    )
    return found


def history_of(ingest: Ingest, length: Length, day: date) -> History:
    return read_history(ingest.context, ingest.context.registry().sites["mediatheque"], length, day)


def at(day: SiteDay, label: str) -> Coverage:
    return day.by_label[label].coverage


def test_half_hour_is_full_partial_a_gap_or_future(ingest: Ingest) -> None:
    assert at(day_of(ingest, TODAY), "08:00") is Coverage.FULL
    assert at(day_of(ingest, TODAY), "15:00") is Coverage.FULL, "the last moments are in transit"
    assert at(day_of(ingest, TODAY), "15:30") is Coverage.FUTURE
    assert at(day_of(ingest, TODAY - timedelta(days=1)), "10:30") is Coverage.GAP
    assert at(day_of(ingest, TODAY - timedelta(days=2)), "10:30") is Coverage.PARTIAL
    assert day_of(ingest, TODAY - timedelta(days=30)).coverage is Coverage.GAP
    assert day_of(ingest, TODAY + timedelta(days=1)).coverage is Coverage.FUTURE


def test_combined_coverage_ignores_the_future(ingest: Ingest) -> None:
    today, yesterday = day_of(ingest, TODAY), day_of(ingest, TODAY - timedelta(days=1))
    assert today.coverage is Coverage.FULL
    assert yesterday.coverage is Coverage.PARTIAL
    assert coverage_of([]) is Coverage.FUTURE
    assert coverage_of([yesterday.by_label["10:00"], today.by_label["18:00"]]) is Coverage.GAP
    assert coverage_of([yesterday.by_label["10:00"], today.by_label["09:00"]]) is Coverage.PARTIAL


def test_people_inside_are_unknown_until_the_half_hour_ends(ingest: Ingest) -> None:
    day = day_of(ingest, TODAY)
    assert day.by_label["15:00"].inside is None
    assert day.by_label["14:30"].inside is not None
    assert day.peak_inside == max(one.inside or 0 for one in day.half_hours) > 0


@pytest.mark.parametrize(("day", "halves"), [("2026-03-29", 46), ("2026-10-25", 50)])
def test_day_on_which_clocks_change_is_drawn_in_full(ingest: Ingest, day: str, halves: int) -> None:
    found = day_of(ingest, date.fromisoformat(day), datetime(2026, 12, 1, tzinfo=UTC))
    assert len(found.half_hours) == halves
    assert "NaN" not in occupancy_chart(found, datetime(2026, 12, 1, tzinfo=UTC), None, 5, ENGLISH, "x")
    assert "nan" not in crossings_chart(found, found, ENGLISH, "x")


def test_gap_is_hatched_and_the_future_is_blank(ingest: Ingest) -> None:
    yesterday, today = day_of(ingest, TODAY - timedelta(days=1)), day_of(ingest, TODAY)
    now_utc = ingest.context.now_utc()
    assert wide(occupancy_chart(yesterday, now_utc, None, None, ENGLISH, "x")).count('class="gap"') == 1
    assert wide(occupancy_chart(today, now_utc, 5, None, ENGLISH, "x")).count('class="gap"') == 0
    drawn = wide(crossings_chart(yesterday, None, ENGLISH, "x"))
    known = [one for one in yesterday.shown() if one.coverage is Coverage.FULL]
    assert drawn.count('class="entries"') == len(known) == len(yesterday.shown()) - 4
    drawn = wide(crossings_chart(today, None, ENGLISH, "x"))
    assert drawn.count('class="entries"') == sum(one.coverage is Coverage.FULL for one in today.shown())


def test_gap_breaks_the_curve(ingest: Ingest) -> None:
    yesterday = day_of(ingest, TODAY - timedelta(days=1))
    assert (
        wide(occupancy_chart(yesterday, ingest.context.now_utc(), None, None, ENGLISH, "x")).count('class="line"') == 2
    )


def test_gaps_are_hatched_by_day_and_in_the_heat_map(ingest: Ingest) -> None:
    month = history_of(ingest, Length.MONTH, TODAY)
    drawn = wide(entries_by_day_chart(month.days, month.before, ENGLISH, "x"))
    gaps = [day for day in month.days if day.coverage is Coverage.GAP]
    partly = [day for day in month.days if day.coverage is Coverage.PARTIAL]
    assert drawn.count('class="gap"') == len(gaps) + len(partly)
    assert len(gaps) == 11, "the first to the eleventh of May"
    assert drawn.count('class="behind"') == 0, "all of April is a gap"
    week = history_of(ingest, Length.WEEK, TODAY)
    assert wide(heat_map_chart(week.heat_map, FRENCH, "x")).count('class="gap"') == 8, "four half hours, on two days"
    assert 'class="future"' in heat_map_chart(week.heat_map, FRENCH, "x")


def test_capacity_label_is_translated(ingest: Ingest) -> None:
    day = day_of(ingest, TODAY)
    assert "Capacité 1\u202f200" in occupancy_chart(day, ingest.context.now_utc(), 5, 1200, FRENCH, "x")


def test_heat_map_mean_excludes_partial_half_hours(ingest: Ingest) -> None:
    monday, week_before = TODAY - timedelta(days=2), TODAY - timedelta(days=9)
    cells = compute_heat_map([day_of(ingest, monday)])[0]
    assert cells[21].mean_entries is None
    assert cells[21].is_gap
    assert cells[18].mean_entries == day_of(ingest, monday).by_label["09:00"].total.entries
    assert compute_heat_map([day_of(ingest, week_before)])[0][18].mean_entries is None


def test_period_with_too_little_coverage_is_not_compared(ingest: Ingest) -> None:
    """The difference would come from the gaps."""
    assert history_of(ingest, Length.DAY, TODAY - timedelta(days=1)).difference is None
    assert history_of(ingest, Length.DAY, TODAY).difference is None, "yesterday has a gap"
    four = TODAY - timedelta(days=4)
    entries = [day_of(ingest, four - timedelta(days=number)).total.entries for number in (0, 1)]
    assert history_of(ingest, Length.DAY, four).difference == entries[0] - entries[1]
    assert history_of(ingest, Length.MONTH, TODAY).difference is None


def test_covered_is_a_part_of_the_opening_hours_so_far(ingest: Ingest) -> None:
    assert history_of(ingest, Length.DAY, TODAY).covered == 1.0
    assert history_of(ingest, Length.DAY, TODAY - timedelta(days=1)).covered == pytest.approx(18 / 22)
    assert covered_part([]) == 0.0


def wide(picture: Markup) -> str:
    """Return the picture for wide screens."""
    return str(picture).split("<svg ")[1]


@given(st.floats(0, 1e6), st.integers(1, 8))
def test_axis_covers_the_highest_value_in_even_steps(highest: float, wanted: int) -> None:
    marks = axis_marks(highest, wanted=wanted)
    assert marks[0] == 0
    assert marks[-1] >= int(highest)
    assert len({high - low for low, high in pairwise(marks)}) == 1
    assert len(marks) <= wanted + 2


means = st.one_of(st.just(0.0), st.floats(0.01, 1e4))  # means of whole numbers over a month at most


@given(means, means)
def test_only_zero_gets_the_lightest_shade(value: float, most: float) -> None:
    assert (shade_of(value, most) == 0) == (value <= 0 or most <= 0)
    assert shade_of(value, most) <= 5


def test_svg_texts_are_escaped_and_numbers_short() -> None:
    made = element("text", "<b>&", x=1.26, y=3.0, aria_label='"<', class_="a", gone=None)
    assert made == '<text x="1.3" y="3" aria-label="&#34;&lt;" class="a">&lt;b&gt;&amp;</text>'
    assert path([(0.0, 1.0), (2.0, 3.5)], closed_at=9.0) == "M0,1L2,3.5V9H0Z"
    assert path([]) == ""


@pytest.mark.parametrize(("length", "days"), [(Length.DAY, 1), (Length.WEEK, 7), (Length.MONTH, 29)])
def test_periods_follow_each_other_without_a_gap(length: Length, days: int) -> None:
    period = period_around(length, date(2028, 2, 29))
    assert len(period.days) == days
    assert period.before().last + timedelta(days=1) == period.first
    assert period.after().first - timedelta(days=1) == period.last
    assert period.after().before() == period


def test_charts_of_an_empty_day_contain_no_broken_numbers() -> None:
    """No half hours, no people, no previous day."""
    site = Site("s", "S", "S", PARIS, Hours(480, 1140), capacity=None, reset=240)
    now_utc = local_instant(TODAY, 600, PARIS)
    empty = SiteDay(site, TODAY, ())
    drawn = [occupancy_chart(empty, now_utc, None, None, ENGLISH, "x"), crossings_chart(empty, None, ENGLISH, "x"),
             entries_by_day_chart([empty], [], ENGLISH, "x"), heat_map_chart({}, ENGLISH, "x")]  # fmt: skip
    assert not re.search("nan|inf|None", "".join(drawn))
    assert empty.total == Tally()
    assert empty.busiest is None
