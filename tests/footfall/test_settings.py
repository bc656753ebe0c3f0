"""footfall.toml: every problem is reported at once, in words that say what to write."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from footfall.environment import Environment
from footfall.errors import ConfigError
from footfall.model import Hours
from footfall.setting_kinds import (
    ADDRESS,
    CLOCK,
    FLAG,
    HALF_HOUR,
    HOURS,
    TEXT,
    TEXTS,
    TIMEZONE,
    Address,
    choice,
    day,
    parse_hours,
    whole,
)  # fmt: skip
from footfall.settings import ConfigFile, Table, find_config, inner, optional, read_config, setting, settings_of


@dataclass(frozen=True, kw_only=True)
class InnerTable(Table):
    PATH = "ingest.inner"
    flag: bool = setting(FLAG, "", True)


@dataclass(frozen=True, kw_only=True)
class ManyTable(Table):
    """A setting of each kind, each with a default or not needed."""

    PATH = "ingest"
    text: str = setting(TEXT, "", "default")
    flag: bool = setting(FLAG, "", False)
    number: int = setting(whole(1, 10), "", 5, variable="NUMBER")
    pick: str = setting(choice("a", "b"), "", "a", variable="PICK")
    many: tuple[str, ...] = setting(TEXTS, "", ["x"])
    day: date | None = optional(day(), "")
    clock: int = setting(CLOCK, "", "19:00")
    reset: int = setting(HALF_HOUR, "", "04:00")
    hours: Hours = setting(HOURS, "", "08:00-19:00")
    zone: ZoneInfo = setting(TIMEZONE, "", "UTC")
    listen: Address = setting(ADDRESS, "", "127.0.0.1:80", variable="LISTEN")
    inner: InnerTable = inner(InnerTable)


@dataclass(frozen=True, kw_only=True)
class RequiredTable(Table):
    """Settings without a default."""

    PATH = "sites.ID"
    text: str = setting(TEXT, "")
    zone: ZoneInfo = setting(TIMEZONE, "")
    number: int = setting(whole(1, 10), "")
    flag: bool = setting(FLAG, "", False)
    note: str | None = optional(TEXT, "")


def read(**values: object) -> tuple[ManyTable, list[str]]:
    config = ConfigFile(Path("/nowhere/footfall.toml"), {"ingest": values})
    return config.read(ManyTable), config.problems


def config_of(folder: Path, text: str) -> ConfigFile:
    path = folder / "footfall.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_good_values_are_read_without_a_problem() -> None:
    table, problems = read(
        text="Alliance", flag=True, number=7, pick="b", many=["x", "y"], day=date(2026, 5, 4), clock="20:00",
        reset="23:30", hours="09:00-18:00", zone="Europe/Paris", listen="[::1]:8080", inner={"flag": False},
    )  # fmt: skip
    assert problems == []
    assert table == ManyTable(
        text="Alliance", flag=True, number=7, pick="b", many=("x", "y"), day=date(2026, 5, 4), clock=20 * 60,
        reset=23 * 60 + 30, hours=Hours(9 * 60, 18 * 60), zone=ZoneInfo("Europe/Paris"), listen=Address("::1", 8080),
        inner=InnerTable(flag=False),
    )  # fmt: skip


def test_what_is_not_written_has_its_default() -> None:
    table, problems = read()
    assert problems == []
    assert table == ManyTable()
    assert (table.text, table.flag, table.day, table.clock, table.inner.flag) == ("default", False, None, 19 * 60, True)
    assert (table.hours, table.listen, table.many) == (Hours(480, 1140), Address("127.0.0.1", 80), ("x",))


def test_setting_without_a_default_is_required_unless_it_is_optional(tmp_path: Path) -> None:
    config = config_of(tmp_path, "[sites.alliance]\n")
    table = config.named(RequiredTable)["alliance"]
    assert config.problems == [f"sites.alliance.{name} is missing" for name in ("text", "zone", "number")]
    assert (table.text, table.zone, table.note) == ("", ZoneInfo("UTC"), None)
    assert [name for name, one in settings_of(RequiredTable).items() if one.is_required] == ["text", "zone", "number"]


@pytest.mark.parametrize("value", ["", " ", 5, True, [], {}])
def test_text_is_never_empty_nor_something_else(value: object) -> None:
    assert read(text=value)[1] == ["ingest.text must be a non-empty string"]


@pytest.mark.parametrize("value", ["a\nb", "a\x1b[0m", "\x00"])
def test_text_is_one_printable_line(value: str) -> None:
    assert read(text=value)[1] == ["ingest.text must be one line of printable characters"]


@pytest.mark.parametrize("value", [1, 0, "true", "yes"])
def test_flag_is_true_or_false_only(value: object) -> None:
    table, problems = read(flag=value)
    assert table.flag is False
    assert problems == ["ingest.flag must be true or false"]


@pytest.mark.parametrize("value", [0, 11, -5, 5.0, "5", True])
def test_number_outside_its_bounds_or_of_another_kind_is_a_problem(value: object) -> None:
    assert read(number=value)[1] == ["ingest.number must be a whole number from 1 to 10"]


def test_unit_of_a_number_is_in_the_message() -> None:
    with pytest.raises(ValueError, match=r"^must be a whole number from 1 to 300, in seconds$"):
        whole(1, 300, "seconds").parse(0)


@pytest.mark.parametrize("value", ["8:00", "24:01", "25:00", "08:60", "08:00:00", "٠٨:٠٠", "08:00 ", 8, 8.0, ""])
def test_clock_time_that_is_none_is_a_problem(value: object) -> None:
    assert read(clock=value)[1] == ['ingest.clock must be a time like "20:00"']


@pytest.mark.parametrize("value", ["04:15", "24:00"])
def test_half_hour_of_the_day_is_neither_between_two_nor_the_end_of_the_day(value: str) -> None:
    assert read(reset=value)[1] == ["ingest.reset must be on a half hour, before 24:00"]


@pytest.mark.parametrize("value", ["127.0.0.1", "8080", ":8080", "127.0.0.1:", "127.0.0.1:65536", "a:٨", 8080])
def test_address_without_a_port_is_a_problem(value: object) -> None:
    assert read(listen=value)[1] == ['ingest.listen must be an address and a port, like "127.0.0.1:8080"']


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("192.168.1.5:80", "http://192.168.1.5:80"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
    ],
)
def test_address_everywhere_is_reached_over_the_loopback(listen: str, url: str) -> None:
    assert read(listen=listen)[0].listen.url == url


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
    (problem,) = read(zone=value)[1]
    assert problem.startswith("ingest.zone is not an IANA time zone: ")


@pytest.mark.parametrize("value", ["2026-05-04", 20260504, True])
def test_date_in_quotes_is_a_problem(value: object) -> None:
    assert read(day=value)[1] == ["ingest.day must be a date without quotes, like 2026-05-04"]


def test_date_with_a_time_is_a_problem(tmp_path: Path) -> None:
    config = config_of(tmp_path, "[ingest]\nday = 2026-05-04T08:00:00")
    assert config.read(ManyTable).day is None
    assert config.problems == ["ingest.day must be a date without quotes, like 2026-05-04"]


def test_choice_of_something_else_lists_the_choices() -> None:
    table, problems = read(pick="c")
    assert table.pick == "a"
    assert problems == ["ingest.pick must be one of a, b"]


@pytest.mark.parametrize("value", [5, [5], [""], ["x", 5], {}])
def test_list_of_something_else_than_strings_is_a_problem(value: object) -> None:
    assert read(many=value)[1] == ["ingest.many must be a string or a list of strings"]


def test_single_string_is_a_list_of_one() -> None:
    assert read(many="x")[0].many == ("x",)


@pytest.mark.parametrize(("name", "near"), [("txt", "text"), ("hour", "hours"), ("numbre", "number"), ("Zone", "zone")])
def test_unknown_setting_suggests_the_near_one(name: str, near: str) -> None:
    assert read(**{name: 1})[1] == [f"ingest.{name} is not a setting; did you mean `{near}`?"]


def test_unknown_setting_like_no_other_is_reported_without_a_guess() -> None:
    assert read(qqqqqq=1)[1] == ["ingest.qqqqqq is not a setting"]


def test_settings_that_another_class_declares_are_no_problem_for_a_part_of_the_table() -> None:
    @dataclass(frozen=True, kw_only=True)
    class PartOfTable(Table):
        PATH = "ingest"
        listen: Address = setting(ADDRESS, "", "127.0.0.1:80")

    config = ConfigFile(Path("/nowhere/footfall.toml"), {"ingest": {"listen": "[::]:1", "flag": True}})
    assert config.read(PartOfTable, is_whole=False).listen == Address("::", 1)
    assert config.problems == []
    config.read(PartOfTable)
    assert config.problems == ["ingest.flag is not a setting"]


def test_problem_of_an_inner_table_names_it() -> None:
    assert read(inner={"flg": 1})[1] == ["ingest.inner.flg is not a setting; did you mean `flag`?"]
    assert read(inner=5)[1] == ["ingest.inner must be a table, [ingest.inner]"]


def test_environment_beats_the_file_and_its_problems_name_the_variable() -> None:
    config = ConfigFile(Path("/nowhere/footfall.toml"), {"ingest": {"pick": "a", "listen": "0.0.0.0:1"}})
    table = config.read(ManyTable, Environment({"PICK": "b", "LISTEN": ""}))
    assert (table.pick, table.listen, config.problems) == ("b", Address("0.0.0.0", 1), [])
    config.read(ManyTable, Environment({"PICK": "c", "LISTEN_FILE": "/nowhere/address"}))
    choice_, file = config.problems
    assert choice_ == "PICK must be one of a, b"
    assert file.startswith("LISTEN_FILE: /nowhere/address cannot be read")


def test_wrong_value_that_the_environment_overrides_is_still_a_problem() -> None:
    config = ConfigFile(Path("/nowhere/footfall.toml"), {"ingest": {"pick": "c"}})
    assert config.read(ManyTable, Environment({"PICK": "b"})).pick == "b"
    assert config.problems == ["ingest.pick must be one of a, b"]


def test_secret_that_cannot_be_read_is_a_problem_and_differs_from_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("word\n")
    config = config_of(tmp_path, "")
    assert config.secret(Environment({}), "TOKEN") is None
    assert config.secret(Environment({}), "TOKEN", "a.token_file", "secret") == "word"
    assert config.secret(Environment({"TOKEN": "other"}), "TOKEN", "a.token_file", "secret") == "other"
    assert config.problems == []
    assert config.secret(Environment({}), "TOKEN", "a.token_file", "gone") == ""
    assert config.problems[0].startswith(f"a.token_file: {tmp_path / 'gone'} cannot be read")


def test_value_where_a_table_belongs_is_a_problem(tmp_path: Path) -> None:
    @dataclass(frozen=True, kw_only=True)
    class RepeatedTable(Table):
        PATH = "counters.ID"

    config = config_of(tmp_path, 'ingest = 5\nsites = "here"\n[counters]\nALLI1 = 5\n')
    config.read(ManyTable)
    config.named(RequiredTable)
    config.named(RepeatedTable)
    assert config.problems == [
        "ingest must be a table, [ingest]",
        "sites must hold tables, [sites.ID]",
        "counters.ALLI1 must be a table, [counters.ALLI1]",
    ]


@pytest.mark.parametrize("name", ["a b", "", "é", "a/b", ".a", "x" * 65, "a\n"])
def test_name_of_a_table_that_could_not_be_sent_is_a_problem(tmp_path: Path, name: str) -> None:
    written = name.replace("\n", "\\n")
    config = config_of(tmp_path, f'[sites."{written}"]\ntext = "x"\nzone = "UTC"\nnumber = 1\n')
    config.named(RequiredTable)
    assert config.problems == [f"sites.{name!r}: a name is 1 to 64 letters, digits, `_`, `.` and `-`"]


def test_all_problems_are_reported_in_one_error_each_once(tmp_path: Path) -> None:
    config = config_of(tmp_path, '[sites.a]\nflag = 5\nnumber = 50\nnumbr = 1\nzone = "UTC"\n')
    for _ in range(2):  # two readers of one table find the same
        config.named(RequiredTable)
    with pytest.raises(ConfigError) as caught:
        config.finish()
    assert caught.value.source == str(tmp_path / "footfall.toml")
    assert caught.value.problems == (
        "sites.a.numbr is not a setting; did you mean `number`?",
        "sites.a.text is missing",
        "sites.a.number must be a whole number from 1 to 10",
        "sites.a.flag must be true or false",
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
    with pytest.raises(ConfigError, match="no such file") as caught:
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
