"""Figures and pictures of the pages: what is not known stays unknown, in sums and in what is drawn."""

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
from tests.support.pages import PARIS, TODAY, Scenery, fill, site_settings

ENGLISH, FRENCH = language_of("en"), language_of("fr")
DOORS = ("DOOR1", "DOOR2")
GAP = [(one, datetime(2026, 5, 19, 10, tzinfo=PARIS), datetime(2026, 5, 19, 12, tzinfo=PARIS)) for one in DOORS]
HALF_GAP = [("DOOR1", datetime(2026, 5, 18, 10, tzinfo=PARIS), datetime(2026, 5, 18, 12, tzinfo=PARIS))]


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ingest]:
    """Nine days until half past three; yesterday has a gap at both doors, the day before at one."""
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


def test_half_hour_is_known_wholly_in_part_not_at_all_or_still_to_come(ingest: Ingest) -> None:
    assert at(day_of(ingest, TODAY), "08:00") is Coverage.FULL
    assert at(day_of(ingest, TODAY), "15:00") is Coverage.FULL, "the last moments are on their way"
    assert at(day_of(ingest, TODAY), "15:30") is Coverage.FUTURE
    assert at(day_of(ingest, TODAY - timedelta(days=1)), "10:30") is Coverage.GAP
    assert at(day_of(ingest, TODAY - timedelta(days=2)), "10:30") is Coverage.PARTIAL
    assert day_of(ingest, TODAY - timedelta(days=30)).coverage is Coverage.GAP
    assert day_of(ingest, TODAY + timedelta(days=1)).coverage is Coverage.FUTURE


def test_knowledge_of_several_is_that_of_the_worst_of_those_that_have_begun(ingest: Ingest) -> None:
    today, yesterday = day_of(ingest, TODAY), day_of(ingest, TODAY - timedelta(days=1))
    assert today.coverage is Coverage.FULL
    assert yesterday.coverage is Coverage.PARTIAL
    assert coverage_of([]) is Coverage.FUTURE
    assert coverage_of([yesterday.by_label["10:00"], today.by_label["18:00"]]) is Coverage.GAP
    assert coverage_of([yesterday.by_label["10:00"], today.by_label["09:00"]]) is Coverage.PARTIAL


def test_people_inside_are_unknown_at_the_end_of_what_has_not_ended(ingest: Ingest) -> None:
    day = day_of(ingest, TODAY)
    assert day.by_label["15:00"].inside is None
    assert day.by_label["14:30"].inside is not None
    assert day.peak_inside == max(one.inside or 0 for one in day.half_hours) > 0


@pytest.mark.parametrize(("day", "halves"), [("2026-03-29", 46), ("2026-10-25", 50)])
def test_day_on_which_clocks_change_is_drawn_whole(ingest: Ingest, day: str, halves: int) -> None:
    found = day_of(ingest, date.fromisoformat(day), datetime(2026, 12, 1, tzinfo=UTC))
    assert len(found.half_hours) == halves
    assert "NaN" not in occupancy_chart(found, datetime(2026, 12, 1, tzinfo=UTC), None, 5, ENGLISH, "x")
    assert "nan" not in crossings_chart(found, found, ENGLISH, "x")


def test_gap_is_hatched_what_is_to_come_is_not_and_neither_is_a_bar(ingest: Ingest) -> None:
    yesterday, today = day_of(ingest, TODAY - timedelta(days=1)), day_of(ingest, TODAY)
    now_utc = ingest.context.now_utc()
    assert wide(occupancy_chart(yesterday, now_utc, None, None, ENGLISH, "x")).count('class="gap"') == 1
    assert wide(occupancy_chart(today, now_utc, 5, None, ENGLISH, "x")).count('class="gap"') == 0
    drawn = wide(crossings_chart(yesterday, None, ENGLISH, "x"))
    known = [one for one in yesterday.shown() if one.coverage is Coverage.FULL]
    assert drawn.count('class="entries"') == len(known) == len(yesterday.shown()) - 4
    drawn = wide(crossings_chart(today, None, ENGLISH, "x"))
    assert drawn.count('class="entries"') == sum(one.coverage is Coverage.FULL for one in today.shown())


def test_curve_is_broken_by_a_gap(ingest: Ingest) -> None:
    yesterday = day_of(ingest, TODAY - timedelta(days=1))
    assert (
        wide(occupancy_chart(yesterday, ingest.context.now_utc(), None, None, ENGLISH, "x")).count('class="line"') == 2
    )


def test_days_and_heat_are_hatched_where_nobody_counted(ingest: Ingest) -> None:
    month = history_of(ingest, Length.MONTH, TODAY)
    drawn = wide(entries_by_day_chart(month.days, month.before, ENGLISH, "x"))
    gaps = [day for day in month.days if day.coverage is Coverage.GAP]
    partly = [day for day in month.days if day.coverage is Coverage.PARTIAL]
    assert drawn.count('class="gap"') == len(gaps) + len(partly)
    assert len(gaps) == 11, "the first to the eleventh of May"
    assert drawn.count('class="behind"') == 0, "of April nothing is known"
    week = history_of(ingest, Length.WEEK, TODAY)
    assert wide(heat_map_chart(week.heat_map, FRENCH, "x")).count('class="gap"') == 8, "four half hours, on two days"
    assert 'class="future"' in heat_map_chart(week.heat_map, FRENCH, "x")


def test_capacity_is_named_in_the_language_of_the_page(ingest: Ingest) -> None:
    day = day_of(ingest, TODAY)
    assert "Capacité 1\u202f200" in occupancy_chart(day, ingest.context.now_utc(), 5, 1200, FRENCH, "x")


def test_mean_of_the_heat_map_leaves_out_what_was_counted_in_part(ingest: Ingest) -> None:
    monday, week_before = TODAY - timedelta(days=2), TODAY - timedelta(days=9)
    cells = compute_heat_map([day_of(ingest, monday)])[0]
    assert cells[21].mean_entries is None
    assert cells[21].is_gap
    assert cells[18].mean_entries == day_of(ingest, monday).by_label["09:00"].total.entries
    assert compute_heat_map([day_of(ingest, week_before)])[0][18].mean_entries is None


def test_period_that_is_known_too_badly_is_not_compared(ingest: Ingest) -> None:
    """The difference would be that of the gaps."""
    assert history_of(ingest, Length.DAY, TODAY - timedelta(days=1)).difference is None
    assert history_of(ingest, Length.DAY, TODAY).difference is None, "yesterday has a gap"
    four = TODAY - timedelta(days=4)
    entries = [day_of(ingest, four - timedelta(days=number)).total.entries for number in (0, 1)]
    assert history_of(ingest, Length.DAY, four).difference == entries[0] - entries[1]
    assert history_of(ingest, Length.MONTH, TODAY).difference is None


def test_covered_is_the_part_of_the_opening_hours_so_far(ingest: Ingest) -> None:
    assert history_of(ingest, Length.DAY, TODAY).covered == 1.0
    assert history_of(ingest, Length.DAY, TODAY - timedelta(days=1)).covered == pytest.approx(18 / 22)
    assert covered_part([]) == 0.0


def wide(picture: Markup) -> str:
    """Return the one of the two pictures that is for wide screens."""
    return str(picture).split("<svg ")[1]


@given(st.floats(0, 1e6), st.integers(1, 8))
def test_axis_reaches_over_the_highest_in_even_axis_marks(highest: float, wanted: int) -> None:
    marks = axis_marks(highest, wanted=wanted)
    assert marks[0] == 0
    assert marks[-1] >= int(highest)
    assert len({high - low for low, high in pairwise(marks)}) == 1
    assert len(marks) <= wanted + 2


means = st.one_of(st.just(0.0), st.floats(0.01, 1e4))  # of whole numbers, over a month at most


@given(means, means)
def test_only_zero_has_the_shade_of_zero(value: float, most: float) -> None:
    assert (shade_of(value, most) == 0) == (value <= 0 or most <= 0)
    assert shade_of(value, most) <= 5


def test_texts_in_a_picture_are_escaped_and_numbers_are_short() -> None:
    made = element("text", "<b>&", x=1.26, y=3.0, aria_label='"<', class_="a", gone=None)
    assert made == '<text x="1.3" y="3" aria-label="&#34;&lt;" class="a">&lt;b&gt;&amp;</text>'
    assert path([(0.0, 1.0), (2.0, 3.5)], closed_at=9.0) == "M0,1L2,3.5V9H0Z"
    assert path([]) == ""


@pytest.mark.parametrize(("length", "days"), [(Length.DAY, 1), (Length.WEEK, 7), (Length.MONTH, 29)])
def test_periods_follow_each_other_without_a_hole(length: Length, days: int) -> None:
    period = period_around(length, date(2028, 2, 29))
    assert len(period.days) == days
    assert period.before().last + timedelta(days=1) == period.first
    assert period.after().first - timedelta(days=1) == period.last
    assert period.after().before() == period


def test_no_picture_of_nothing_has_a_figure_that_is_none() -> None:
    """A site without opening hours today, without people, without a day."""
    site = Site("s", "S", "S", PARIS, Hours(480, 1140), capacity=None, reset=240)
    now_utc = local_instant(TODAY, 600, PARIS)
    empty = SiteDay(site, TODAY, ())
    drawn = [occupancy_chart(empty, now_utc, None, None, ENGLISH, "x"), crossings_chart(empty, None, ENGLISH, "x"),
             entries_by_day_chart([empty], [], ENGLISH, "x"), heat_map_chart({}, ENGLISH, "x")]  # fmt: skip
    assert not re.search("nan|inf|None", "".join(drawn))
    assert empty.total == Tally()
    assert empty.busiest is None
