"""Fifteen weeks of counts from a real door pass through the real commands and the real server unchanged.

The data is CalIt2 Building People Counts (Ihler, Hutchins, Smyth; UCI Machine Learning Repository,
doi 10.24432/C5NG78, CC BY 4.0): half hours from 2005-07-24 to 2005-11-05 in Los Angeles. It is not part of Footfall.
Clocks went back on 2005-10-30, but the data has 01:00 and 01:30 only once. The tests take them for the first pass of
that hour. The second pass has no data, so no batch claims it: it is a gap, not zero.
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
from harness.installation import Installation, batch, install

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
    """Return (entries, exits) by day and by local time at the start of the half hour."""
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
    """Return the expected files of the client, by name."""
    return {
        f"{day:%d_%m_%Y}_counterdata-1.csv": "".join(
            f"{day.year}-{day.month}-{day.day},{clock},{entries},{exits},{COUNTER},Counter 1,RDCentre,CalIt2,CAL\n"
            for clock, (entries, exits) in sorted(half_hours.items())
        ).encode()
        for day, half_hours in flows().items()
    }


@dataclass(frozen=True)
class LoadedDoor:
    """An installation with one counter, after its data was loaded, and the output of the import."""

    here: Installation
    printed: str = ""

    def export(self, folder: Path, profile: str = "client") -> dict[str, bytes]:
        """Export every day to *folder*, and return the files by name."""
        self.here.run("export", "--from", FIRST, "--to", LAST, "--profile", profile, "--output", str(folder))
        return {path.name: path.read_bytes() for path in folder.iterdir()}


def door(folder: Path) -> Installation:
    """Return a new installation with one counter at the door."""
    return install(folder, (COUNTER,), site=SITE, profile=PROFILES, more="earliest = 2005-01-01\n")


def import_files(folder: Path, content: dict[str, bytes]) -> LoadedDoor:
    """Return a new installation that has imported the files in *content* with one command."""
    here = door(folder)
    for name, one in content.items():
        (folder / name).write_bytes(one)
    return LoadedDoor(here, here.run("import", "--profile", "client", *content).stdout.decode())


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> LoadedDoor:
    return import_files(tmp_path_factory.mktemp("imported") / "door", files())


@pytest.fixture(scope="module")
def exported(imported: LoadedDoor) -> dict[str, bytes]:
    return imported.export(imported.here.folder / "out")


@pytest.fixture(scope="module")
def sent_over_http(tmp_path_factory: pytest.TempPathFactory) -> LoadedDoor:
    """An installation whose ingest received every crossing, in signed batches of a few hundred."""
    flows()  # may skip: before a server starts
    here = door(tmp_path_factory.mktemp("sent") / "door")
    with here.serving():
        for body in batches():
            reply = here.post(body, counter=COUNTER)
            assert reply.status == 200, reply.body
    return LoadedDoor(here)


def crossings() -> Iterator[tuple[int, int]]:
    """Yield (time in epoch ms, direction) of every crossing, spread evenly over its half hour.

    The repeated hour is taken as its first pass (fold 0).
    """
    length_ms = 1_800_000
    for day, half_hours in flows().items():
        for clock, (entries, exits) in half_hours.items():
            start_epoch_ms = epoch_ms(datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=TZ).astimezone(UTC))
            yield from ((start_epoch_ms + length_ms * number // entries, 1) for number in range(entries))
            yield from ((start_epoch_ms + length_ms * (number + 1) // exits - 1, -1) for number in range(exits))


def batches() -> Iterator[bytes]:
    """Yield batches with every crossing, in order, whose spans cover everything but the second pass."""
    days = [
        datetime(day.year, day.month, day.day, tzinfo=TZ) for day in (min(flows()), max(flows()) + timedelta(days=1))
    ]
    start, end = (epoch_ms(one.astimezone(UTC)) for one in days)
    numbered = [(seq, *crossing) for seq, crossing in enumerate(sorted(crossings()))]
    for span in (Span(start, SECOND_PASS.from_epoch_ms), Span(SECOND_PASS.to_epoch_ms, end)):
        mine = [one for one in numbered if span.from_epoch_ms <= one[1] < span.to_epoch_ms]
        cuts = [span.from_epoch_ms, *(mine[number][1] for number in range(BATCH, len(mine), BATCH)), span.to_epoch_ms]
        for number, part in enumerate(pairwise(cuts)):
            sent = mine[number * BATCH : (number + 1) * BATCH]
            yield batch(*sent, counter=COUNTER, span=Span(*part))


def test_data_is_complete() -> None:
    assert {len(half_hours) for half_hours in flows().values()} == {48}
    assert (str(min(flows())), str(max(flows())), len(flows())) == (FIRST, LAST, 105)


def test_import_stores_every_half_hour(imported: LoadedDoor) -> None:
    assert imported.printed == "imported 105 files: 5040 half hours stored, 0 already known\n"


def test_export_equals_import(exported: dict[str, bytes]) -> None:
    assert exported == files()


def test_totals_are_those_of_the_data(exported: dict[str, bytes]) -> None:
    rows = [row.split(b",") for content in exported.values() for row in content.splitlines()]
    assert (sum(int(row[2]) for row in rows), sum(int(row[3]) for row in rows)) == (19_597, 18_837)


def test_export_imported_into_another_installation_gives_the_same_bytes(
    exported: dict[str, bytes], tmp_path: Path
) -> None:
    again = import_files(tmp_path / "door", exported)
    assert again.export(tmp_path / "out") == exported


def test_second_import_adds_nothing(imported: LoadedDoor, exported: dict[str, bytes], tmp_path: Path) -> None:
    printed = imported.here.run("import", "--profile", "client", *exported).stdout.decode()
    assert printed == "imported 105 files: 0 half hours stored, 5040 already known\n"
    assert imported.export(tmp_path) == exported


def test_repeated_hour_has_its_counts_in_the_first_pass(imported: LoadedDoor, exported: dict[str, bytes]) -> None:
    name = f"{CLOCKS_BACK:%d_%m_%Y}_counterdata-1.csv"
    assert exported[name].count(b"\n") == 48
    strict = imported.here.run("export", "--day", str(CLOCKS_BACK), "--profile", "strict", "--output", "-").stdout
    rows = [row.split(b",")[1:4] for row in strict.splitlines()]
    passes = [row for row in rows if row[0].startswith(b"01:")]
    known = [[clock.encode(), b"%d" % entries, b"%d" % exits]
             for clock, (entries, exits) in flows()[CLOCKS_BACK].items() if clock.startswith("01:")]  # fmt: skip
    assert len(rows) == 50
    assert passes == [*known, [b"01:00:00", b"", b""], [b"01:30:00", b"", b""]]


def test_crossings_sent_over_http_make_the_same_files(
    sent_over_http: LoadedDoor, exported: dict[str, bytes], tmp_path: Path
) -> None:
    assert sent_over_http.export(tmp_path) == exported


def test_crossings_sent_over_http_leave_the_same_gap(
    sent_over_http: LoadedDoor, imported: LoadedDoor, tmp_path: Path
) -> None:
    sent = sent_over_http.export(tmp_path / "sent", "strict")
    assert sent == imported.export(tmp_path / "imported", "strict")
