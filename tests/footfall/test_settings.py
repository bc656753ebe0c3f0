"""footfall.toml: every problem is told at once, in words that say what to write."""

from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall.environment import Environment
from footfall.errors import ConfigError
from footfall.model import Hours
from footfall.settings import ConfigFile, Setting, Table, find_config, parse_hours, read_config

SETTINGS = tuple(
    Setting(name, "") for name in ("text", "flag", "number", "pick", "many", "day", "clock", "hours", "zone")
)


def table(**values: object) -> tuple[Table, list[str]]:
    problems: list[str] = []
    return Table("sites.alliance", values, SETTINGS, problems), problems


def config_of(folder: Path, text: str) -> ConfigFile:
    path = folder / "footfall.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_good_values_are_read_without_a_problem() -> None:
    read, problems = table(
        text="Alliance", flag=True, number=5, pick="b", many=["x", "y"], day=date(2026, 5, 4), clock="20:00",
        hours="08:00-19:00", zone="Europe/Paris",
    )  # fmt: skip
    assert read.text("text") == read.optional_text("text") == "Alliance"
    assert read.flag("flag", False) is True
    assert read.whole("number", None, 1, 10) == 5
    assert read.choice("pick", "a", ("a", "b")) == "b"
    assert read.texts("many") == ("x", "y")
    assert read.day("day") == read.required_day("day") == date(2026, 5, 4)
    assert read.clock("clock", None) == 20 * 60
    assert read.hours("hours", None) == Hours(8 * 60, 19 * 60)
    assert read.timezone("zone") == ZoneInfo("Europe/Paris")
    assert problems == []


def test_what_is_not_written_has_its_default_or_is_missing() -> None:
    read, problems = table()
    assert read.text("text", "default") == "default"
    assert read.optional_text("text") is None
    assert read.flag("flag", True) is True
    assert read.day("day") is None
    assert problems == []
    read.text("text")
    read.required_day("day")
    read.timezone("zone")
    read.clock("clock", None)
    assert problems == [f"sites.alliance.{name} is missing" for name in ("text", "day", "zone", "clock")]


@pytest.mark.parametrize("value", ["", " ", 5, True, [], {}])
def test_text_is_never_empty_nor_something_else(value: object) -> None:
    read, problems = table(text=value)
    read.text("text")
    assert problems == ["sites.alliance.text must be a text that is not empty"]


@pytest.mark.parametrize("value", [1, 0, "true", "yes"])
def test_flag_is_true_or_false_only(value: object) -> None:
    read, problems = table(flag=value)
    assert read.flag("flag", False) is False
    assert problems == ["sites.alliance.flag must be true or false"]


@pytest.mark.parametrize("value", [0, 11, -5, 5.0, "5", True])
def test_number_outside_its_bounds_or_of_another_kind_is_a_problem(value: object) -> None:
    read, problems = table(number=value)
    read.whole("number", 5, 1, 10)
    assert problems == ["sites.alliance.number must be a whole number from 1 to 10"]


@pytest.mark.parametrize("value", ["8:00", "24:01", "25:00", "08:60", "08:00:00", "٠٨:٠٠", "08:00 ", 8, 8.0, ""])
def test_clock_time_that_is_none_is_a_problem(value: object) -> None:
    read, problems = table(clock=value)
    read.clock("clock", 0)
    assert problems == ['sites.alliance.clock must be a time like "20:00"']


@settings(deadline=None)
@given(st.integers(0, 47), st.integers(1, 48))
def test_hours_are_written_as_they_are_read(opens: int, closes: int) -> None:
    hours = Hours(opens * 30, closes * 30)
    if opens >= closes:
        with pytest.raises(ValueError, match="must end after they start"):
            parse_hours(str(hours))
    else:
        assert parse_hours(str(hours)) == hours


@pytest.mark.parametrize("value", ["", "08:00", "08:00/19:00", "08:10-19:00", "08:00-18:59", "08:00-24:30", "-", 8])
def test_hours_that_are_none_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match="must"):
        parse_hours(value)


@pytest.mark.parametrize("value", ["Europe/Atlantis", "Europe", "", "../zone", "/etc/localtime", "a\0b", "é", 5])
def test_time_zone_that_is_none_is_a_problem(value: object) -> None:
    read, problems = table(zone=value)
    read.timezone("zone")
    assert len(problems) == 1
    assert problems[0].startswith("sites.alliance.zone is no IANA time zone: ")


@pytest.mark.parametrize("value", ["2026-05-04", 20260504, True])
def test_date_in_quotes_is_a_problem(value: object) -> None:
    read, problems = table(day=value)
    read.day("day")
    assert problems == ["sites.alliance.day must be a date without quotes, 2026-05-04"]


def test_date_with_a_time_is_a_problem(tmp_path: Path) -> None:
    read = config_of(tmp_path, "day = 2026-05-04T08:00:00").top(SETTINGS, ())
    assert read.day("day") is None


def test_choice_of_something_else_tells_what_there_is() -> None:
    read, problems = table(pick="c")
    assert read.choice("pick", "a", ("a", "b")) == "a"
    assert problems == ["sites.alliance.pick must be one of a, b"]


@pytest.mark.parametrize("value", [5, [5], [""], ["x", 5], {}])
def test_list_of_something_else_than_texts_is_a_problem(value: object) -> None:
    read, problems = table(many=value)
    read.texts("many")
    assert problems == ["sites.alliance.many must be a text or a list of texts"]


def test_single_text_is_a_list_of_one() -> None:
    read, _ = table(many="x")
    assert read.texts("many") == ("x",)


@pytest.mark.parametrize(("name", "near"), [("txt", "text"), ("hour", "hours"), ("numbre", "number"), ("Zone", "zone")])
def test_unknown_setting_suggests_the_near_one(name: str, near: str) -> None:
    _, problems = table(**{name: 1})
    assert problems == [f"sites.alliance.{name} is not a setting; did you mean `{near}`?"]


def test_unknown_setting_like_no_other_is_told_without_a_guess() -> None:
    _, problems = table(qqqqqq=1)
    assert problems == ["sites.alliance.qqqqqq is not a setting"]


def test_value_where_a_table_belongs_is_a_problem(tmp_path: Path) -> None:
    config = config_of(tmp_path, 'ingest = 5\nsites = "here"\n[counters]\nALLI1 = 5\n')
    config.table("ingest", SETTINGS)
    list(config.named("sites", SETTINGS))
    list(config.named("counters", SETTINGS))
    assert config.problems == [
        "ingest must be a table, [ingest]",
        "sites must hold tables, [sites.NAME]",
        "counters.ALLI1 must be a table, [counters.ALLI1]",
    ]


@pytest.mark.parametrize("name", ["a b", "", "é", "a/b", ".a", "x" * 65, "a\n"])
def test_name_of_a_table_that_could_not_be_sent_is_a_problem(tmp_path: Path, name: str) -> None:
    written = name.replace("\n", "\\n")
    config = config_of(tmp_path, f'[sites."{written}"]\n')
    list(config.named("sites", SETTINGS))
    assert config.problems == [f"sites.{name!r}: a name is 1 to 64 letters, digits, `_`, `.` and `-`"]


def test_all_problems_are_told_in_one_error_each_once(tmp_path: Path) -> None:
    config = config_of(tmp_path, "[sites.a]\nflag = 5\nnumber = 50\nnumbr = 1\n")
    for _ in range(2):  # two readers of one table find the same
        for _, read in config.named("sites", SETTINGS):
            read.flag("flag", False)
            read.whole("number", 5, 1, 10)
            read.text("text")
    with pytest.raises(ConfigError) as caught:
        config.finish()
    assert caught.value.source == str(tmp_path / "footfall.toml")
    assert caught.value.problems == (
        "sites.a.numbr is not a setting; did you mean `number`?",
        "sites.a.flag must be true or false",
        "sites.a.number must be a whole number from 1 to 10",
        "sites.a.text is missing",
    )
    assert caught.value.message.startswith(f"{tmp_path / 'footfall.toml'} has 4 problems:\n  sites.a.numbr")
    assert all(problem in caught.value.message for problem in caught.value.problems)


def test_file_without_a_problem_passes(tmp_path: Path) -> None:
    config_of(tmp_path, "").finish()


@pytest.mark.parametrize("content", [b"[sites", b"\xff = 1", b"a = 1\na = 2", b"a = nan nan", b"a = 2026-02-30", b"\0"])
def test_file_that_is_no_toml_is_one_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "footfall.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="is not TOML"):
        read_config(path)


def test_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no such file") as caught:
        read_config(tmp_path / "footfall.toml")
    assert "footfall init" in caught.value.hint


def test_folder_instead_of_a_file_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_config(tmp_path)


def test_named_file_beats_the_environment_which_beats_the_working_folder() -> None:
    environment = Environment({"FOOTFALL_CONFIG": "/etc/footfall.toml"})
    assert find_config("here.toml", environment) == Path("here.toml")
    assert find_config(None, environment) == Path("/etc/footfall.toml")
    assert find_config(None, Environment({})) == Path("footfall.toml")
