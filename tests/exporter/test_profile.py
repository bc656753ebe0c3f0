"""A profile of footfall.toml: its defaults, its errors, its days and its file's name."""

import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
import tomlkit

from exporter.profile import COLUMNS, Profile, ProfileTable
from footfall.errors import ConfigError
from footfall.model import Counter, Hours, Site
from footfall.settings import settings_of
from tests.support.profiles import TWO_COUNTERS, counter_table, problems_of, read_exporter, read_profile, site_table

DAY = date(2026, 5, 4)
HEAD = site_table() + TWO_COUNTERS


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_defaults_are_those_of_the_first_client() -> None:
    assert read_profile() == Profile(
        name="alliance",
        site=Site("alliance", "Alliance", "ALLI", ZoneInfo("Europe/Paris"), Hours(480, 1140), None, 240),
        counters=(
            Counter("ALLI1", "alliance", "Counter A", "RDCentre"),
            Counter("ALLI2", "alliance", "Counter B", "RDCentre"),
        ),
        destination=None,
        deliver_from=None,
        deliver_at=20 * 60,
        give_up_at=12 * 60,
        redeliver_days=7,
        file_name="{day:%d_%m_%Y}_counterdata-1.csv",
        columns=("date", "bucket", "entries", "exits", "id", "name", "location", "site", "code"),
        date_format="%Y-%-m-%-d",
        time_format="%H:%M:%S",
        label="start",
        hours=Hours(480, 1140),
        repeated_hour="merge",
        gap="zero",
        separator=",",
        line_end="\n",
        header=False,
        encoding="utf-8",
    )


def test_writing_every_default_changes_nothing() -> None:
    """What docs and errors call a default is the default."""
    written = [
        f"{name} = {tomlkit.item(one.default).as_string()}"
        for name, one in settings_of(ProfileTable).items()
        if one.default is not None
    ]
    assert len(written) == 14
    assert read_profile(*written) == read_profile()


def test_file_has_the_site_s_hours_unless_it_says_otherwise() -> None:
    assert read_profile(hours="10:00-18:30").hours == Hours(600, 1110)
    assert read_profile('hours = "00:00-24:00"', hours="10:00-18:30").hours == Hours(0, 1440)


def test_counters_are_ordered_by_id_however_they_are_written() -> None:
    counters = counter_table(2) + counter_table(1) + counter_table(3)
    assert [one.id for one in read_profile(counters=counters).counters] == ["ALLI1", "ALLI2", "ALLI3"]
    chosen = read_profile('counters = ["ALLI3", "ALLI1"]', counters=counters)
    assert [one.id for one in chosen.counters] == ["ALLI1", "ALLI3"]


def test_every_problem_is_reported_at_once_and_names_its_setting() -> None:
    wrong = """
[profiles.alliance]
site = "alliance"
counters = ["ALLI1", "ALLI9"]
destination = "client"
deliver_at = "8 pm"
give_up_at = "24:30"
redeliver_days = -1
file_name = "counterdata.csv"
columns = ["date", "people"]
date_format = "%d %B"
time_format = "%I:%M"
label = "middle"
hours = "08:15-19:00"
repeated_hour = "skip"
gap = "null"
separator = ";;"
line_end = "cr"
header = "yes"
encoding = "utf-16"
gaps = "zero"
"""
    unpadded = "and each without leading zeros, such as %-d"
    assert list(problems_of(HEAD + wrong)) == [
        "profiles.alliance.gaps is not a setting; did you mean `gap`?",
        'profiles.alliance.deliver_at must be a time like "20:00"',
        'profiles.alliance.give_up_at must be a time like "20:00"',
        "profiles.alliance.redeliver_days must be a whole number from 0 to 366, in days",
        "profiles.alliance.file_name must contain the whole day, {day:%Y-%m-%d}: two days must not share a file",
        "profiles.alliance.columns must be a list of " + ", ".join(COLUMNS),
        f"profiles.alliance.date_format has the code %B; allowed are %Y, %y, %m, %d, %j, {unpadded}",
        f"profiles.alliance.time_format has the code %I; allowed are %H, %M, %S, {unpadded}",
        "profiles.alliance.label must be one of start, end",
        "profiles.alliance.repeated_hour must be one of merge, separate",
        "profiles.alliance.gap must be one of zero, blank, omit",
        "profiles.alliance.separator must be one character, neither a quote nor a line end",
        "profiles.alliance.line_end must be one of lf, crlf",
        "profiles.alliance.header must be true or false",
        "profiles.alliance.encoding must be one of utf-8, utf-8-sig, latin-1, cp1252",
        "profiles.alliance.hours must start and end on a half hour",
        "profiles.alliance.deliver_from is missing: write the first day to deliver, like 2026-05-04",
        "profiles.alliance.counters names 'ALLI9', which is not a counter of site 'alliance'",
        "profiles.alliance.destination names an unknown destination: 'client'",
    ]


def test_one_value_of_the_wrong_kind_is_a_problem_of_its_setting() -> None:
    for name in settings_of(ProfileTable):
        problems = problems_of(f'{HEAD}[profiles.a]\nsite = "alliance"\n[profiles.b]\n{name} = {{}}\n')
        assert any(problem.startswith(f"profiles.b.{name} ") for problem in problems), name


@pytest.mark.parametrize(
    ("site", "problem"),
    [("", "profiles.b.site is missing"), ('site = "b"', "profiles.b.site names an unknown site: 'b'")],
)
def test_profile_without_its_site_is_a_problem(site: str, problem: str) -> None:
    assert list(problems_of(f"{HEAD}[profiles.b]\n{site}\n")) == [problem]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "must be a non-empty string"),
        ("{day:%Y-%m}.csv", "must contain the whole day"),
        ("{day:%m-%d}.csv", "must contain the whole day"),
        ("{day:%Y%-m%-d}.csv", "must contain the whole day"),  # 2027-1-11 and 2027-11-1
        ("{day:%Y-%b-%d}.csv", "has the code %b"),
        ("{day:%Y-%m-%d}_{client}.csv", "may have only {day:FORMAT}"),
        ("{day}.csv", "may have only {day:FORMAT}"),
        ("in/{day:%Y-%m-%d}.csv", "must be a plain file name, no folder"),
        ("{day:%Y/%m/%d}.csv", "must be a plain file name, no folder"),
        ("..\\\\{day:%Y-%m-%d}.csv", "must be a plain file name, no folder"),
        (".{day:%Y-%m-%d}.csv", "must be a plain file name, no folder and no dot"),
    ],
)
def test_file_name_that_cannot_be_used_is_refused(name: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=r"profiles\.alliance\.file_name " + re.escape(problem)):
        read_profile(f'file_name = "{name}"')


def test_site_code_that_leads_out_of_the_folder_is_refused_at_set_up() -> None:
    head = HEAD.replace('"ALLI"', '"ALLI/1"')
    (problem,) = problems_of(head + '[profiles.a]\nsite = "alliance"\nfile_name = "{code}_{day:%Y%m%d}.csv"')
    assert problem.endswith("no folder and no dot in front, not 'ALLI/1_20270101.csv'")


@pytest.mark.parametrize(
    ("file_name", "written"),
    [
        ("{day:%d_%m_%Y}_counterdata-1.csv", "04_05_2026_counterdata-1.csv"),
        ("{site}.{code}.{profile}.{day:%Y%j}.txt", "alliance.ALLI.alliance.2026124.txt"),
        ("{day:%d}-{day:%m}-{day:%y}", "04-05-26"),
        ("100%_{day:%Y%m%d}%U", "100%_20260504%U"),
    ],
)
def test_file_name_holds_the_day_and_the_names_asked_for(file_name: str, written: str) -> None:
    assert read_profile(f'file_name = "{file_name}"').file_name_of(DAY) == written


def test_text_the_encoding_cannot_write_is_refused_at_set_up() -> None:
    counters = counter_table(1).replace("RDCentre", "図書館")
    with pytest.raises(ConfigError, match=r"profiles\.alliance\.encoding cannot write '図書館'; use utf-8"):
        read_profile('encoding = "cp1252"', counters=counters)
    assert read_profile('encoding = "utf-8-sig"', counters=counters).encoding == "utf-8-sig"


@pytest.mark.parametrize("separator", ["", '"', "\\n", "\\r", "ab"])
def test_separator_is_one_character_that_no_reader_mistakes(separator: str) -> None:
    with pytest.raises(ConfigError, match="separator must be one character"):
        read_profile(f"separator = '{separator}'" if separator == '"' else f'separator = "{separator}"')


def test_column_named_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="columns names a column twice"):
        read_profile('columns = ["date", "date"]')


def test_only_profile_need_not_be_named_and_others_must() -> None:
    one = read_exporter(f'{HEAD}[profiles.a]\nsite = "alliance"\n')
    assert one.profile(None) is one.profile("a")
    with pytest.raises(ConfigError, match="unknown profile 'b'; known: a"):
        one.profile("b")
    two = read_exporter(f'{HEAD}[profiles.a]\nsite = "alliance"\n[profiles.b]\nsite = "alliance"\n')
    with pytest.raises(ConfigError, match="several profiles: a, b"):
        two.profile(None)


@pytest.mark.parametrize(
    ("settings", "day", "ends", "due", "give_up"),
    [
        ((), "2026-05-04", "2026-05-04T17:00", "2026-05-04T18:00", "2026-05-05T10:00"),
        # Clocks go forward in the night, and back: the same clock times, other instants.
        ((), "2026-03-28", "2026-03-28T18:00", "2026-03-28T19:00", "2026-03-29T10:00"),
        ((), "2026-10-24", "2026-10-24T17:00", "2026-10-24T18:00", "2026-10-25T11:00"),
        # Before the hours have ended: the next day's.
        (('deliver_at = "06:00"',), "2026-05-04", "2026-05-04T17:00", "2026-05-05T04:00", "2026-05-05T10:00"),
        (('deliver_at = "19:00"',), "2026-05-04", "2026-05-04T17:00", "2026-05-04T17:00", "2026-05-05T10:00"),
        (('give_up_at = "20:00"',), "2026-05-04", "2026-05-04T17:00", "2026-05-04T18:00", "2026-05-04T18:00"),
        # A file of 24 hours ends with its day.
        (('hours = "00:00-24:00"',), "2026-05-04", "2026-05-04T22:00", "2026-05-05T18:00", "2026-05-06T10:00"),
        (('hours = "00:00-24:00"', 'deliver_at = "00:00"'), "2026-10-25",
         "2026-10-25T23:00", "2026-10-25T23:00", "2026-10-26T11:00"),
        (('hours = "00:00-24:00"', 'deliver_at = "24:00"'), "2026-03-29",
         "2026-03-29T22:00", "2026-03-29T22:00", "2026-03-30T10:00"),
        # 02:30 is never shown on one night, and twice on the other.
        (('hours = "00:00-02:30"', 'deliver_at = "02:30"'), "2026-10-25",
         "2026-10-25T01:30", "2026-10-26T01:30", "2026-10-26T11:00"),
        (('hours = "00:00-02:30"', 'deliver_at = "04:00"'), "2026-03-29",
         "2026-03-29T01:00", "2026-03-29T02:00", "2026-03-29T10:00"),
    ],
)  # fmt: skip
def test_day_ends_is_due_and_given_up_by_the_site_s_clock(
    settings: tuple[str, ...], day: str, ends: str, due: str, give_up: str
) -> None:
    profile, one = read_profile(*settings), date.fromisoformat(day)
    assert [profile.ends_utc(one), profile.due_utc(one), profile.give_up_utc(one)] == [
        utc(ends),
        utc(due),
        utc(give_up),
    ]


@pytest.mark.parametrize(
    ("zone", "day", "ends"),
    [
        ("Africa/Cairo", "2026-04-23", "2026-04-23T22:00"),  # the next day starts at 01:00
        ("Africa/Cairo", "2026-10-29", "2026-10-29T22:00"),  # 23:00 twice
        ("America/Havana", "2025-11-01", "2025-11-02T04:00"),  # midnight twice
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-04T13:00"),
        ("Pacific/Apia", "2011-12-29", "2011-12-30T10:00"),  # the next day is not there
    ],
)
def test_file_of_a_whole_day_ends_where_the_next_day_starts(zone: str, day: str, ends: str) -> None:
    assert read_profile('hours = "00:00-24:00"', zone=zone).ends_utc(date.fromisoformat(day)) == utc(ends)
