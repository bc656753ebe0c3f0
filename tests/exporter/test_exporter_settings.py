"""Profiles and destinations of footfall.toml together: two that would overwrite each other, and where files go."""

from pathlib import Path

import pytest

from exporter.exporter_settings import FolderSettings
from tests.support.profiles import TWO_COUNTERS, problems_of, read_exporter, site_table

HEAD = site_table() + TWO_COUNTERS
SFTP = 'host = "sftp.example.org"\nuser = "footfall"\nagent = true\n'
FOLDER = 'kind = "folder"\nfolder = "share"\n'


def profiles(*settings: str, to: tuple[str, str] = ("one", "one")) -> str:
    """Return the tables of the profiles a and b; *settings* are further lines of both."""
    return "".join(
        f'[profiles.{name}]\nsite = "alliance"\ndeliver_from = 2026-05-04\ndestination = "{where}"\n'
        + "".join(f"{line}\n" for line in settings)
        for name, where in zip("ab", to, strict=True)
    )


def destinations(one: str, other: str = "") -> str:
    """Return the tables of the destinations one and, if it is given, other."""
    return f"[destinations.one]\n{one}" + (f"[destinations.other]\n{other}" if other else "")


@pytest.mark.parametrize("one", [SFTP, FOLDER])
def test_two_profiles_that_would_overwrite_each_other_are_a_problem(one: str) -> None:
    (problem,) = problems_of(HEAD + profiles() + destinations(one))
    assert problem == (
        "profiles a and b would both write 01_01_2027_counterdata-1.csv to one; "
        "put {site} or {profile} into file_name, or give each a folder of its own"
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SFTP, SFTP + 'port = 22\nfolder = "."\nhost_key = []\n'),
        (SFTP, SFTP.replace("sftp.", "SFTP.")),
        (SFTP + 'folder = "/in"\n', SFTP + 'folder = "/in/./"\n'),
        (FOLDER, FOLDER.replace("share", "./other/../share")),
    ],
)
def test_two_destinations_that_are_one_place_are_seen_through(one: str, other: str) -> None:
    text = HEAD + profiles(to=("one", "other")) + destinations(one, other)
    (problem,) = problems_of(text)
    assert problem.startswith("profiles a and b would both write 01_01_2027_counterdata-1.csv to one and other; ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *((SFTP, SFTP + line) for line in ("port = 2222\n", 'folder = "in"\n')),
        (SFTP, SFTP.replace("sftp.", "ftp.")),
        (SFTP, SFTP.replace('"footfall"', '"library"')),
        (FOLDER, FOLDER.replace("share", "mirror")),
        (SFTP + 'folder = "/nowhere/share"\n', FOLDER),
    ],
)
def test_two_places_may_have_files_of_one_name(one: str, other: str) -> None:
    assert read_exporter(HEAD + profiles(to=("one", "other")) + destinations(one, other)).profiles


def test_two_names_may_stand_in_one_place() -> None:
    text = HEAD + profiles('file_name = "{profile}_{day:%Y-%m-%d}.csv"') + destinations(FOLDER)
    assert read_exporter(text).profiles
    nowhere = HEAD + profiles().replace('destination = "one"\n', "")
    assert read_exporter(nowhere).profiles


def test_one_name_for_two_days_is_seen_too() -> None:
    """The file of 2 January would be that of 1 February of the other profile."""
    first, second = profiles().split("[profiles.b]")
    text = (
        f'{HEAD}{first}file_name = "{{day:%d_%m_%Y}}.csv"\n'
        f'[profiles.b]{second}file_name = "{{day:%m_%d_%Y}}.csv"\n{destinations(FOLDER)}'
    )
    assert "would both write 01_01_2027.csv" in next(iter(problems_of(text)))


def test_every_two_of_three_are_told() -> None:
    third = profiles().split("[profiles.b]")[0].replace("profiles.a", "profiles.c")
    pairs = [problem.split(" would ")[0] for problem in problems_of(HEAD + profiles() + third + destinations(FOLDER))]
    assert pairs == ["profiles a and b", "profiles a and c", "profiles b and c"]


@pytest.mark.parametrize("day", ["0001-01-01", "0002-01-01", "1999-12-31", "3000-01-01", "9999-12-31"])
def test_first_day_that_would_never_end_being_looked_for_is_a_problem(day: str) -> None:
    text = HEAD + profiles('file_name = "{profile}_{day:%Y-%m-%d}.csv"').replace("2026-05-04", day)
    assert list(problems_of(text + destinations(FOLDER))) == [
        f"profiles.{name}.deliver_from must be a day from 2000-01-01 to 2999-12-31" for name in "ab"
    ]


def test_folder_of_a_share_has_to_be_named_and_may_have_to_be_mounted() -> None:
    assert list(problems_of(HEAD + destinations('kind = "folder"\n'))) == ["destinations.one.folder is missing"]
    settings = read_exporter(HEAD + destinations(FOLDER, FOLDER + "mounted = true\n")).destinations
    assert list(settings.values()) == [
        FolderSettings("one", Path("/nowhere/share"), mounted=False),
        FolderSettings("other", Path("/nowhere/share"), mounted=True),
    ]
