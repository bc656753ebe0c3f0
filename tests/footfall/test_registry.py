"""Sites, counters and keys: checked together, and read again while the service runs."""

import logging
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from footfall import keys
from footfall.environment import Environment
from footfall.errors import ConfigError, UnknownCounter
from footfall.model import Counter, Hours, Site
from footfall.registry import Registry, data_folder, live_registry, load_registry
from footfall.settings import read_config
from footfall.signing import new_key, parse_key
from harness.installation import Installation, install

MINIMAL = '[sites.alliance]\nname = "Alliance"\ntimezone = "Europe/Paris"\n'
COUNTER = '[counters.ALLI1]\nsite = "alliance"\nname = "Counter A"\nlocation = "RDCentre"\n'


class SteppedSeconds:
    """Monotonic seconds that a test moves on."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    return install(tmp_path / "footfall")


def registry_of(folder: Path, text: str) -> Registry:
    (folder / "footfall.toml").write_text(text)
    config = read_config(folder / "footfall.toml")
    registry = load_registry(config, folder)
    config.finish()
    return registry


def problems_of(folder: Path, text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        registry_of(folder, text)
    return caught.value.problems


def test_site_that_says_only_what_it_must_has_the_defaults(tmp_path: Path) -> None:
    registry = registry_of(tmp_path, MINIMAL)
    assert registry.sites == {
        "alliance": Site("alliance", "Alliance", "alliance", ZoneInfo("Europe/Paris"), Hours(480, 1140), None, 240)
    }


def test_site_and_counter_are_what_is_written(tmp_path: Path) -> None:
    more = 'code = "ALLI"\nhours = "00:00-24:00"\ncapacity = 120\nreset = "23:30"\n'
    registry = registry_of(tmp_path, MINIMAL + more + COUNTER + "since = 2026-05-04\nuntil = 2026-05-04\n")
    assert registry.sites["alliance"] == Site(
        "alliance", "Alliance", "ALLI", ZoneInfo("Europe/Paris"), Hours(0, 1440), 120, 23 * 60 + 30
    )
    day = date(2026, 5, 4)
    assert registry.counters == {"ALLI1": Counter("ALLI1", "alliance", "Counter A", "RDCentre", day, day)}
    assert registry.site_of("ALLI1").id == "alliance"


def test_counters_of_a_site_are_ordered_by_id(tmp_path: Path) -> None:
    other = MINIMAL.replace("alliance", "other")
    text = MINIMAL + other + COUNTER.replace("ALLI1", "Z") + COUNTER + COUNTER.replace("ALLI1", "B")
    registry = registry_of(tmp_path, text + COUNTER.replace("ALLI1", "A").replace("alliance", "other"))
    assert [counter.id for counter in registry.counters_of("alliance")] == ["ALLI1", "B", "Z"]


def test_all_problems_of_both_files_are_reported_in_one_error(tmp_path: Path) -> None:
    (tmp_path / keys.FILE_NAME).write_text('ALLI1 = ["secret"]\n')
    assert problems_of(
        tmp_path,
        '[sites.alliance]\nname = ""\ntimezone = "Mars"\nhours = "19:00-08:00"\n'
        'capacity = 0\nreset = "04:10"\nopen = 1\n'
        '[counters.ALLI1]\nsite = "alliances"\nlocation = "RDCentre"\nsince = 2026-05-05\nuntil = 2026-05-04\n'
        '[counters."a b"]\nsite = "alliance"\nname = "B"\nlocation = "C"\n',
    ) == (
        "sites.alliance.open is not a setting",
        "sites.alliance.name must be a non-empty string",
        "sites.alliance.timezone is not an IANA time zone: 'Mars'; write one like \"Europe/Paris\"",
        "sites.alliance.hours must end after they start, at 24:00 at the latest",
        "sites.alliance.capacity must be a whole number from 1 to 10000000",
        "sites.alliance.reset must be on a half hour, before 24:00",
        "counters.ALLI1.name is missing",
        "counters.'a b': a name is 1 to 64 letters, digits, `_`, `.` and `-`",
        "counters.ALLI1.site names an unknown site: 'alliances'; known: alliance",
        "counters.ALLI1.until is before `since`",
        f"{tmp_path / keys.FILE_NAME}: ALLI1: a key starts with whsec_",
    )


def test_counter_without_any_site_says_to_write_one(tmp_path: Path) -> None:
    assert "write a [sites.ID] table first" in problems_of(tmp_path, COUNTER)[0]


@pytest.mark.parametrize("reset", ["04:15", "24:00", "4:00"])
def test_reset_lies_on_a_half_hour_of_the_day(tmp_path: Path, reset: str) -> None:
    assert problems_of(tmp_path, f'{MINIMAL}reset = "{reset}"\n')[0].startswith("sites.alliance.reset must be")


def test_data_folder_stands_beside_the_file_unless_named(tmp_path: Path) -> None:
    (tmp_path / "footfall.toml").write_text('data = "here"\n')
    config = read_config(tmp_path / "footfall.toml")
    assert data_folder(config, Environment({})) == tmp_path.resolve() / "here"
    assert data_folder(config, Environment({"FOOTFALL_DATA": "/srv/footfall"})) == Path("/srv/footfall")


def test_unknown_table_suggests_the_near_one(tmp_path: Path) -> None:
    (tmp_path / "footfall.toml").write_text("[site.alliance]\n")
    config = read_config(tmp_path / "footfall.toml")
    data_folder(config, Environment({}))
    assert config.problems == ["site is not a setting; did you mean `sites`?"]


def test_keys_are_returned_only_for_registered_counters_that_have_some(tmp_path: Path) -> None:
    newest, before = new_key(), new_key()
    written = {"ALLI1": (newest, before), "GONE": (new_key(),), "ALLI2": ()}
    keys.write_keys(tmp_path / keys.FILE_NAME, written)
    registry = registry_of(tmp_path, MINIMAL + COUNTER + COUNTER.replace("ALLI1", "ALLI2"))
    assert registry.keys_of("ALLI1") == (parse_key(newest), parse_key(before))
    for name in ("GONE", "ALLI2", "NOBODY"):
        with pytest.raises(UnknownCounter, match=name) as caught:
            registry.keys_of(name)
        assert "footfall counter add" in caught.value.hint


def live(installation: Installation, clock: SteppedSeconds) -> Callable[[], Registry]:
    path = installation.folder / "footfall.toml"
    config = read_config(path)
    first = load_registry(config, installation.data)
    config.finish()
    return live_registry(path, installation.data, first, clock)


def add_counter(installation: Installation, name: str) -> None:
    """Register *name* as `footfall counter add` does: the key first, then the counter; each file replaced whole."""
    path = installation.data / keys.FILE_NAME
    keys.write_keys(path, {**keys.read_keys(path), name: (new_key(),)})
    replace(installation, config_text(installation) + COUNTER.replace("ALLI1", name))


def config_text(installation: Installation) -> str:
    return (installation.folder / "footfall.toml").read_text()


def replace(installation: Installation, text: str) -> None:
    beside = installation.folder / "footfall.part"
    beside.write_text(text)
    beside.replace(installation.folder / "footfall.toml")


def test_counter_added_while_running_is_known_a_second_later(installation: Installation) -> None:
    clock = SteppedSeconds()
    registry = live(installation, clock)
    assert set(registry().counters) == {"ALLI1", "ALLI2"}
    add_counter(installation, "ALLI3")
    clock.now_s = 0.9
    assert "ALLI3" not in registry().counters, "the files are looked at once a second at most"
    clock.now_s = 1.0
    assert len(registry().keys_of("ALLI3")) == 1


def test_rotated_key_and_removed_counter_are_known_a_second_later(installation: Installation) -> None:
    clock = SteppedSeconds()
    registry = live(installation, clock)
    path = installation.data / keys.FILE_NAME
    new = new_key()
    keys.write_keys(path, {"ALLI1": (new, *keys.read_keys(path)["ALLI1"])})
    clock.now_s += 1
    assert registry().keys_of("ALLI1") == (parse_key(new), installation.keys["ALLI1"])
    with pytest.raises(UnknownCounter):
        registry().keys_of("ALLI2")


@pytest.mark.parametrize("broken", ["[sites", "", '[counters.ALLI1]\nsite = "gone"\n'])
def test_broken_file_leaves_the_last_good_registry_and_is_reported_once(
    installation: Installation, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    clock = SteppedSeconds()
    registry = live(installation, clock)
    good, text = registry(), config_text(installation)
    replace(installation, broken or "nothing = 1\n[sites.alliance]\n")
    with caplog.at_level(logging.INFO):
        for _ in range(3):
            clock.now_s += 1
            assert registry() is good
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "change ignored" in caplog.text
    replace(installation, text)
    clock.now_s += 1
    assert registry() == good
    assert registry() is not good


def test_missing_file_leaves_the_last_good_registry(installation: Installation) -> None:
    clock = SteppedSeconds()
    registry = live(installation, clock)
    good = registry()
    (installation.folder / "footfall.toml").unlink()
    clock.now_s += 1
    assert registry() is good


def test_edit_that_keeps_size_and_time_is_noticed_when_the_file_was_replaced(installation: Installation) -> None:
    clock = SteppedSeconds()
    registry = live(installation, clock)
    stamp = (installation.folder / "footfall.toml").stat()
    replace(installation, config_text(installation).replace("Counter 1", "Counter X"))
    os.utime(installation.folder / "footfall.toml", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    clock.now_s += 1
    assert registry().counters["ALLI1"].name == "Counter X"


def test_registry_is_as_the_files_are_now_however_old_the_first_one_is(installation: Installation) -> None:
    """A restarted worker gets the registry that its supervisor read long ago."""
    config = read_config(installation.folder / "footfall.toml")
    old = load_registry(config, installation.data)
    add_counter(installation, "ALLI3")
    registry = live_registry(config.path, installation.data, old, SteppedSeconds())
    assert "ALLI3" in registry().counters


def test_registry_starts_from_the_first_one_where_the_files_are_broken(installation: Installation) -> None:
    config = read_config(installation.folder / "footfall.toml")
    old = load_registry(config, installation.data)
    replace(installation, "[sites")
    registry = live_registry(config.path, installation.data, old, SteppedSeconds())
    assert registry() is old
