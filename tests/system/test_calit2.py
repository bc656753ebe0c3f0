"""Fifteen weeks of a real door, through the real commands and the real server: every figure arrives as it was counted.

The data is CalIt2 Building People Counts (Ihler, Hutchins, Smyth; UCI Machine Learning Repository,
doi 10.24432/C5NG78, CC BY 4.0): half hours from 2005-07-24 to 2005-11-05 in Los Angeles. It is not part of Footfall.
Clocks went back on 2005-10-30; the data has 01:00 and 01:30 once that day. They are taken for the first pass. Of the
second pass the data says nothing, so nobody claims to have counted then: it is a gap, not zero.
"""

import csv
import os
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from footfall.model import Span, epoch_ms
from tests.support.installation import Installation, batch, install

REPOSITORY = Path(__file__).parents[2]
DATA = Path(os.environ.get("FOOTFALL_CALIT2", REPOSITORY.parent / "shared" / "data" / "calit2")) / "CalIt2.data"
TZ = ZoneInfo("America/Los_Angeles")
SITE = """
[sites.calit2]
name = "CalIt2"
code = "CAL"
timezone = "America/Los_Angeles"
hours = "00:00-24:00"
"""
PROFILES = """
[profiles.client]
site = "calit2"

[profiles.strict]
site = "calit2"
repeated_hour = "separate"
gap = "blank"
"""
COUNTER = "DOOR1"
CLOCKS_BACK = date(2005, 10, 30)
SECOND_PASS = Span(*(epoch_ms(datetime(2005, 10, 30, hour, tzinfo=UTC)) for hour in (9, 10)))
FIRST, LAST = "2005-07-24", "2005-11-05"
BATCH = 400

Flows = dict[date, dict[str, tuple[int, int]]]


@cache
def flows() -> Flows:
    """Return (entries, exits) by day and by the clock at the start of the half hour."""
    if not DATA.exists():
        pytest.skip(f"needs CalIt2.data (doi 10.24432/C5NG78) at {DATA}, or FOOTFALL_CALIT2 to name its folder")
    found: defaultdict[date, dict[str, tuple[int, int]]] = defaultdict(dict)
    with DATA.open(newline="") as file:
        for flow, day, clock, count in csv.reader(file):
            month, number, year = map(int, day.split("/"))
            half_hours = found[date(2000 + year, month, number)]
            entries, exits = half_hours.get(clock, (0, 0))
            half_hours[clock] = (entries + int(count), exits) if flow == "9" else (entries, exits + int(count))
    return found


def files() -> dict[str, bytes]:
    """Return the client's files of all days, by name, as the data gives them."""
    return {
        f"{day:%d_%m_%Y}_counterdata-1.csv": "".join(
            f"{day.year}-{day.month}-{day.day},{clock},{entries},{exits},{COUNTER},Counter 1,RDCentre,CalIt2,CAL\n"
            for clock, (entries, exits) in sorted(half_hours.items())
        ).encode()
        for day, half_hours in flows().items()
    }


@dataclass(frozen=True)
class Door:
    """An installation of one counter, and what it printed while it took its data in."""

    here: Installation
    told: str = ""

    def export(self, folder: Path, profile: str = "client") -> dict[str, bytes]:
        """Export every day to *folder*, and return the files by name."""
        self.here.run("export", "--from", FIRST, "--to", LAST, "--profile", profile, "--output", str(folder))
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def door(folder: Path) -> Installation:
    """Return a new installation with one counter at the door."""
    return install(folder, (COUNTER,), site=SITE, profile=PROFILES, more="earliest = 2005-01-01\n")


def take_files(folder: Path, content: dict[str, bytes]) -> Door:
    """Return a new installation that has imported the files *content*, all in one go."""
    here = door(folder)
    for name, one in content.items():
        (folder / name).write_bytes(one)
    return Door(here, here.run("import", "--profile", "client", *content).stdout.decode())


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Door:
    return take_files(tmp_path_factory.mktemp("imported") / "door", files())


@pytest.fixture(scope="module")
def exported(imported: Door) -> dict[str, bytes]:
    return imported.export(imported.here.folder / "out")


@pytest.fixture(scope="module")
def told_crossing_by_crossing(tmp_path_factory: pytest.TempPathFactory) -> Door:
    """An installation whose ingest was told of every person, in signed batches of a few hundred."""
    flows()  # before a server is started for nothing
    here = door(tmp_path_factory.mktemp("told") / "door")
    with here.serving():
        for body in batches():
            reply = here.post(body, counter=COUNTER)
            assert reply.status == 200, reply.body
    return Door(here)


def crossings() -> Iterator[tuple[int, int]]:
    """Yield (time in epoch ms, direction) of everybody: spread over the half hour, from its first to its last instant.

    Of the repeated hour, the clock's reading is the first pass: fold 0.
    """
    length_ms = 1_800_000
    for day, half_hours in flows().items():
        for clock, (entries, exits) in half_hours.items():
            start_epoch_ms = epoch_ms(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=TZ).astimezone(UTC))
            yield from ((start_epoch_ms + length_ms * number // entries, 1) for number in range(entries))
            yield from ((start_epoch_ms + length_ms * (number + 1) // exits - 1, -1) for number in range(exits))


def batches() -> Iterator[bytes]:
    """Yield bodies that tell of everybody, in order, and together claim all but the second pass."""
    days = [
        datetime(day.year, day.month, day.day, tzinfo=TZ) for day in (min(flows()), max(flows()) + timedelta(days=1))
    ]
    start, end = (epoch_ms(one.astimezone(UTC)) for one in days)
    everybody = [(seq, *crossing) for seq, crossing in enumerate(sorted(crossings()))]
    for span in (Span(start, SECOND_PASS.from_epoch_ms), Span(SECOND_PASS.to_epoch_ms, end)):
        mine = [one for one in everybody if span.from_epoch_ms <= one[1] < span.to_epoch_ms]
        cuts = [span.from_epoch_ms, *(mine[number][1] for number in range(BATCH, len(mine), BATCH)), span.to_epoch_ms]
        for number, part in enumerate(pairwise(cuts)):
            told = mine[number * BATCH : (number + 1) * BATCH]
            yield batch(*told, counter=COUNTER, span=Span(*part))


def test_data_is_what_its_readme_says() -> None:
    assert {len(half_hours) for half_hours in flows().values()} == {48}
    assert (str(min(flows())), str(max(flows())), len(flows())) == (FIRST, LAST, 105)


def test_every_file_of_the_client_is_taken_whole(imported: Door) -> None:
    assert imported.told == "imported 105 files: 5040 half hours stored, 0 already known\n"


def test_every_half_hour_comes_out_as_it_went_in(exported: dict[str, bytes]) -> None:
    assert exported == files()


def test_nobody_is_lost_and_nobody_added(exported: dict[str, bytes]) -> None:
    rows = [row.split(b",") for content in exported.values() for row in content.splitlines()]
    assert (sum(int(row[2]) for row in rows), sum(int(row[3]) for row in rows)) == (19_597, 18_837)


def test_export_of_an_import_imported_elsewhere_gives_the_same_bytes_again(
    exported: dict[str, bytes], tmp_path: Path
) -> None:
    again = take_files(tmp_path / "door", exported)
    assert again.export(tmp_path / "out") == exported


def test_import_once_more_adds_nothing(imported: Door, exported: dict[str, bytes], tmp_path: Path) -> None:
    told = imported.here.run("import", "--profile", "client", *exported).stdout.decode()
    assert told == "imported 105 files: 0 half hours stored, 5040 already known\n"
    assert imported.export(tmp_path) == exported


def test_hour_the_clock_shows_twice_has_its_figures_in_the_first_pass(
    imported: Door, exported: dict[str, bytes]
) -> None:
    name = f"{CLOCKS_BACK:%d_%m_%Y}_counterdata-1.csv"
    assert exported[name].count(b"\n") == 48
    strict = imported.here.run("export", "--day", str(CLOCKS_BACK), "--profile", "strict", "--output", "-").stdout
    rows = [row.split(b",")[1:4] for row in strict.splitlines()]
    passes = [row for row in rows if row[0].startswith(b"01:")]
    known = [[clock.encode(), b"%d" % entries, b"%d" % exits]
             for clock, (entries, exits) in flows()[CLOCKS_BACK].items() if clock.startswith("01:")]  # fmt: skip
    assert len(rows) == 50
    assert passes == [*known, [b"01:00:00", b"", b""], [b"01:30:00", b"", b""]]


def test_people_told_of_one_by_one_over_http_make_the_same_files(
    told_crossing_by_crossing: Door, exported: dict[str, bytes], tmp_path: Path
) -> None:
    assert told_crossing_by_crossing.export(tmp_path) == exported


def test_people_told_of_one_by_one_leave_the_same_gap(
    told_crossing_by_crossing: Door, imported: Door, tmp_path: Path
) -> None:
    told = told_crossing_by_crossing.export(tmp_path / "told", "strict")
    assert told == imported.export(tmp_path / "imported", "strict")
