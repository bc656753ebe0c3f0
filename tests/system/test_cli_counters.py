"""`footfall counter`: registers counters in footfall.toml and the key file, and ingest follows."""

import re
import stat
import time
import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from footfall.signing import parse_key
from harness.installation import Installation, batch, install

KEY = re.compile(r"whsec_[A-Za-z0-9+/]{43}=\n")
COMMENTED = """# Our library.
[ingest]
listen = "127.0.0.1:{port}"

[sites.alliance]
name = "Alliance"     # as the client reads it
timezone = "Europe/Paris"

# The main door.
[counters.ALLI1]
site = "alliance"
name = "Counter A"
location = "RDCentre"  # beside the lift

# What the client gets.
[profiles.alliance]
site = "alliance"

# The garden door, since May.
[counters."GARDEN.1"]
site = "alliance"
name = "Counter B"
location = "RDCentre"
# The end.
"""


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    made = install(tmp_path / "site")
    (made.folder / "footfall.toml").write_text(COMMENTED.format(port=made.port))
    return made


def config_of(here: Installation) -> str:
    return (here.folder / "footfall.toml").read_text()


def keys_of(here: Installation) -> dict[str, list[str]]:
    return tomllib.loads((here.data / "keys.toml").read_text())


def today() -> date:
    return datetime.now(ZoneInfo("Europe/Paris")).date()


def test_counter_that_is_added_is_registered_and_its_key_printed_once(here: Installation) -> None:
    before = config_of(here)
    done = here.run(
        "counter", "add", "DOOR.3", "--name", 'The "side" door', "--location", "Hôtel", "--since", "2026-05-04"
    )
    key = done.stdout.decode()
    assert KEY.fullmatch(key)
    assert key.strip() not in done.stderr.decode()
    assert keys_of(here)["DOOR.3"] == [key.strip()]
    assert stat.S_IMODE((here.data / "keys.toml").stat().st_mode) == 0o600
    assert config_of(here).startswith(before)
    assert tomllib.loads(config_of(here))["counters"]["DOOR.3"] == {
        "site": "alliance",
        "name": 'The "side" door',
        "location": "Hôtel",
        "since": date(2026, 5, 4),
    }
    listed = here.run("counter", "list").stdout.decode()
    assert re.search(r'DOOR\.3 +alliance +The "side" door +Hôtel +2026-05-04 +1 *\n', listed)
    assert "whsec_" not in listed


def test_counter_that_is_removed_has_no_key_and_a_last_day_and_every_comment_its_place(here: Installation) -> None:
    for counter in ("ALLI1", "GARDEN.1"):
        before, day = config_of(here), today()
        assert here.run("counter", "remove", counter).stdout == b""
        assert day == today(), "it was midnight: run it again"
        assert counter not in keys_of(here)
        lines = config_of(here).splitlines()
        until = lines.index(f"until = {day}")
        assert [*lines[:until], *lines[until + 1 :]] == before.splitlines()
        assert lines[until - 1].startswith("location = ")
        assert tomllib.loads(config_of(here))["counters"][counter]["until"] == day
        config = config_of(here).replace(f"until = {day}\n", "")
        (here.folder / "footfall.toml").write_text(config)


def test_counter_removed_twice_has_one_last_day(here: Installation) -> None:
    here.run("counter", "remove", "ALLI1")
    here.run("counter", "remove", "ALLI1")
    assert config_of(here).count("until = ") == 1
    assert "none: refused" in here.run("counter", "list").stdout.decode()


def test_configuration_that_would_break_is_left_as_it_was(here: Installation) -> None:
    """The file already has a mistake. The command leaves no other file behind either."""
    path = here.folder / "footfall.toml"
    path.write_text(config_of(here) + "[sites.b]\nname = 5\n")
    before = path.read_bytes()
    done = here.run("counter", "add", "X1", "--name", "N", "--location", "L", "--site", "b", check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert path.read_bytes() == before
    assert "X1" not in keys_of(here)
    assert sorted(one.name for one in here.folder.iterdir()) == ["data", "footfall.toml"]


def test_site_is_required_unless_there_is_only_one(here: Installation) -> None:
    with (here.folder / "footfall.toml").open("a") as file:
        file.write('[sites.annex]\nname = "Annex"\ntimezone = "Europe/Paris"\n')
    done = here.run("counter", "add", "X1", "--name", "N", "--location", "L", check=False)
    assert done.stderr.decode() == "footfall: a site is required (choose: --site alliance | --site annex)\n"
    assert KEY.fullmatch(
        here.run("counter", "add", "X1", "--name", "N", "--location", "L", "--site", "annex").stdout.decode()
    )


def test_old_key_is_valid_beside_the_new_one_until_the_rotation_is_finished(tmp_path: Path) -> None:
    """A running ingest notices each change, and the removal of a counter, within a moment."""
    here = install(tmp_path / "site")
    old = here.keys
    with here.serving():
        assert status_with(here, old) == 200
        new = {"ALLI1": parse_key(here.run("counter", "rotate-key", "ALLI1").stdout.decode().strip())}
        wait_for(here, new, 200)
        assert status_with(here, old) == 200
        assert here.run("counter", "list").stdout.count(b"2: rotating") == 1
        assert here.run("counter", "rotate-key", "ALLI1", "--finish").stdout == b""
        wait_for(here, old, 401)
        assert status_with(here, new) == 200
        here.run("counter", "remove", "ALLI1")
        wait_for(here, new, 401)


def test_rotation_begun_twice_never_takes_the_key_the_device_may_still_have(here: Installation) -> None:
    old = keys_of(here)["ALLI1"][0]
    lost = here.run("counter", "rotate-key", "ALLI1").stdout.decode().strip()
    done = here.run("counter", "rotate-key", "ALLI1", check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert "a key rotation of counter ALLI1 is already in progress (use --finish once " in done.stderr.decode()
    assert keys_of(here)["ALLI1"] == [lost, old]
    new = here.run("counter", "rotate-key", "ALLI1", "--again").stdout.decode().strip()
    assert keys_of(here)["ALLI1"] == [new, old]
    here.run("counter", "rotate-key", "ALLI1", "--finish")
    assert keys_of(here)["ALLI1"] == [new]


def status_with(here: Installation, keys: Mapping[str, bytes]) -> int:
    """Return what ingest answers to a heartbeat of ALLI1 signed with its key among *keys*."""
    here.keys = keys
    moment = int(time.time() * 1000)
    return here.post(batch((moment, moment, 1))).status


def wait_for(here: Installation, keys: Mapping[str, bytes], status: int) -> None:
    """Return once ingest answers *status* to ALLI1 with *keys*; it looks at its files once a second."""
    deadline = time.monotonic() + 20
    while status_with(here, keys) != status:
        assert time.monotonic() < deadline, f"ingest never answered {status}"
        time.sleep(0.2)
