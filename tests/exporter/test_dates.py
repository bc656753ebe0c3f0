"""Dates and times as a profile writes them."""

import locale
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.dates import SAMPLE_DAYS, SAMPLE_TIMES, check_format, is_unambiguous, parse_moment, render_moment
from tests.support.properties import UNHURRIED

DAY_LETTERS = "Yymdj"
MOMENT = datetime.combine(date(2026, 5, 4), time(8, 5, 9))


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("%Y-%-m-%-d", "2026-5-4"),
        ("%d_%m_%Y", "04_05_2026"),
        ("%-d.%-m.%y", "4.5.26"),
        ("%Y%j", "2026124"),
        ("%-j", "124"),
        ("%H:%M:%S", "08:05:09"),
        ("%-Hh%-M", "8h5"),
        ("100%% %Y", "100% 2026"),
        ("%%-d", "%-d"),
        ("day %d", "day 04"),
    ],
)
def test_moment_is_written_as_the_pattern_says(pattern: str, written: str) -> None:
    assert render_moment(MOMENT, pattern) == written


def test_years_have_four_digits_and_two() -> None:
    assert render_moment(date(987, 1, 1), "%Y %-Y %y") == "0987 987 87"
    assert render_moment(date(2001, 1, 1), "%y %-y") == "01 1"


@pytest.mark.parametrize("letter", "aAbBpPcxXzZGuUVWwfsehDTlkI")
def test_code_that_depends_on_a_language_or_a_clock_is_refused(letter: str) -> None:
    with pytest.raises(ValueError, match=f"has the code %{letter}; allowed are %Y, %y, %m, %d, %j, and each without"):
        check_format(f"%Y-{letter}%{letter}", DAY_LETTERS)


@pytest.mark.parametrize("pattern", ["%H", "%Y %M", "%", "%Y-%", "%-", "%-%", "%\n", "%Ey", "%_d"])
def test_code_that_is_not_allowed_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="has the code %"):
        check_format(pattern, DAY_LETTERS)


def test_pattern_without_codes_is_valid() -> None:
    assert check_format("no code, 100 %%", DAY_LETTERS) == "no code, 100 %%"


def test_machine_s_language_changes_nothing() -> None:
    """A code that writes words would fail here if another language is installed."""
    before = locale.setlocale(locale.LC_TIME)
    try:
        locale.setlocale(locale.LC_TIME, "")
        written = render_moment(MOMENT, "%Y %y %m %d %H %M %S %j")
    finally:
        locale.setlocale(locale.LC_TIME, before)
    assert written == "2026 26 05 04 08 05 09 124"


ORDERS = ["Ymd", "dmY", "mdY", "dmy", "Yj", "jy"]
BETWEEN = st.text(st.sampled_from("-_/. :T%|"), min_size=1, max_size=3).map(lambda text: text.replace("%", "%%"))


@st.composite
def patterns(draw: st.DrawFn, orders: list[str]) -> str:
    """Return the letters of one of *orders*, each padded or not, with something between any two."""
    letters = draw(st.sampled_from(orders))
    return "".join(f"{draw(BETWEEN)}%{draw(st.sampled_from(['', '-']))}{letter}" for letter in letters)


@given(patterns(ORDERS), st.dates(date(2010, 1, 1), date(2068, 12, 31)))
@settings(UNHURRIED, max_examples=200)
def test_day_that_was_written_is_read_back(pattern: str, day: date) -> None:
    """From 2010 on: %-y writes earlier years with one digit, which strptime does not accept."""
    assert check_format(pattern, DAY_LETTERS) == pattern
    assert parse_moment(render_moment(day, pattern), pattern).date() == day
    assert is_unambiguous(pattern, SAMPLE_DAYS)


@given(patterns(["HMS", "HM", "MH"]), st.integers(0, 24 * 60 - 1))
@UNHURRIED
def test_time_that_was_written_is_read_back(pattern: str, minutes: int) -> None:
    moment = datetime.combine(date(2026, 5, 4), time()) + timedelta(minutes=minutes)
    assert parse_moment(render_moment(moment, pattern), pattern).time() == moment.time()
    assert is_unambiguous(pattern, SAMPLE_TIMES)


@pytest.mark.parametrize("text", ["4.5.2026", "04.05.2026", "4.05.2026"])
def test_leading_zeros_are_optional(text: str) -> None:
    assert parse_moment(text, "%d.%m.%Y") == parse_moment(text, "%-d.%-m.%Y") == datetime.combine(MOMENT, time())


@pytest.mark.parametrize(
    ("text", "pattern", "why"),
    [
        ("2026-13-1", "%Y-%m-%d", "does not match"),
        ("2026-02-29", "%Y-%m-%d", "day"),
        ("2026-5-4 ", "%Y-%m-%d", "unconverted"),
        ("", "%Y", "does not match"),
        ("26/26", "%y/%y", "cannot be read back"),
    ],
)
def test_text_that_does_not_match_the_pattern_is_refused(text: str, pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_moment(text, pattern)


@pytest.mark.parametrize("pattern", ["%Y", "%m-%d", "%Y-%d", "%j", "%Y-%m", "%d%%", "%Y%-m%-d", "no code"])
def test_pattern_that_writes_two_days_alike_is_found(pattern: str) -> None:
    """The last but one: 2027-1-11 and 2027-11-1 would both be 2027111."""
    assert not is_unambiguous(pattern, SAMPLE_DAYS)


@pytest.mark.parametrize("pattern", ["%H", "%M", "%-H%-M", "no code"])
def test_pattern_that_writes_two_half_hours_alike_is_found(pattern: str) -> None:
    """%-H%-M is one of them: 1:30 and 13:00 would both be 130."""
    assert not is_unambiguous(pattern, SAMPLE_TIMES)
