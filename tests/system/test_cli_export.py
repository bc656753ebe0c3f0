"""`footfall export`, `deliveries` and `import`: the client's file by hand, on a real journal and ledger."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from footfall.calendar import day_bounds, local_instant
from footfall.model import Arrival, Count, Span, epoch_ms
from footfall.store.journal import Journal
from harness.installation import SITE, Installation, install
from tests.support.zones import zone_where_it_is_day

TZ = ZoneInfo("Europe/Paris")
DAY = date(2026, 5, 4)
DELIVERED = """
[profiles.alliance]
site = "alliance"
destination = "share"
deliver_from = {since}
deliver_at = "24:00"
[destinations.share]
kind = "folder"
folder = "share"
"""
EXCEL = """
[profiles.alliance]
site = "alliance"
line_end = "crlf"
encoding = "utf-8-sig"
"""


def count(here: Installation, first: date, last: date) -> None:
    """Report that both counters counted from *first* to *last*; daily at 08:30, 12 enter and 9 leave at ALLI1."""
    with journal_of(here) as journal:
        start_utc, end_utc = day_bounds(first, TZ)[0], day_bounds(last, TZ)[1]
        span = Span(epoch_ms(start_utc), epoch_ms(end_utc))
        counts = [
            Count(number, epoch_ms(local_instant(first + timedelta(days=number), 8 * 60 + 30, TZ)), 12, 9)
            for number in range((last - first).days + 1)
        ]
        received_epoch_ms = int(time.time() * 1000)
        journal.append([
            Arrival("ALLI1", "s", tuple(counts), span, received_epoch_ms),
            Arrival("ALLI2", "s", (), span, received_epoch_ms),
        ])  # fmt: skip


@contextmanager
def journal_of(here: Installation) -> Iterator[Journal]:
    with closing(Journal(here.journal)) as journal:
        yield journal


def file_of(day: date) -> bytes:
    """Return what the client should get of *day*."""
    rows = []
    for half_hour in range(16, 38):
        clock = f"{day.year}-{day.month}-{day.day},{half_hour // 2:02}:{half_hour % 2 * 30:02}:00"
        rows.append(f"{clock},{'12,9' if half_hour == 17 else '0,0'},ALLI1,Counter 1,RDCentre,Alliance,ALLI\n")
        rows.append(f"{clock},0,0,ALLI2,Counter 2,RDCentre,Alliance,ALLI\n")
    return "".join(rows).encode()


def name_of(day: date) -> str:
    return f"{day:%d_%m_%Y}_counterdata-1.csv"


def today() -> date:
    return datetime.now(TZ).date()


@pytest.fixture
def here(tmp_path: Path) -> Installation:
    return install(tmp_path / "site")


def test_day_is_printed_to_the_byte_and_nothing_else(here: Installation) -> None:
    count(here, DAY, DAY)
    done = here.run("export", "--day", str(DAY), "--output", "-")
    assert (done.stdout, done.stderr) == (file_of(DAY), b"")


def test_byte_order_mark_and_line_ends_go_through_a_pipe_unchanged(tmp_path: Path) -> None:
    here = install(tmp_path / "site", profile=EXCEL)
    count(here, DAY, DAY)
    printed = here.run("export", "--day", str(DAY), "--output", "-", PYTHONUTF8="0", LC_ALL="C").stdout
    assert printed == b"\xef\xbb\xbf" + file_of(DAY).replace(b"\n", b"\r\n")


def test_file_is_written_under_its_name_or_to_output(here: Installation) -> None:
    count(here, DAY, DAY)
    printed = here.run("export", "--day", str(DAY)).stderr.decode()
    assert printed == f"wrote {name_of(DAY)}: 44 rows, 12 entries, 9 exits\n"
    here.run("export", "--day", str(DAY), "--output", "new/may.csv")
    (here.folder / "out").mkdir()
    here.run("export", "--day", str(DAY), "--output", "out")
    for path in (name_of(DAY), "new/may.csv", f"out/{name_of(DAY)}"):
        assert (here.folder / path).read_bytes() == file_of(DAY)
    failed = here.run("export", "--day", str(DAY), "--output", "footfall.toml/x.csv", check=False)
    assert failed.returncode == 2
    assert failed.stderr.startswith(b"footfall: cannot write footfall.toml/x.csv: ")


def test_several_days_are_written_into_a_folder_and_their_gaps_printed(here: Installation) -> None:
    count(here, DAY, DAY + timedelta(days=1))
    done = here.run("export", "--from", "2026-05-04", "--to", "2026-05-06", "--output", "may")
    files = {path.name: path.read_bytes() for path in (here.folder / "may").iterdir()}
    days = [DAY + timedelta(days=number) for number in range(3)]
    assert files == {name_of(day): file_of(day) for day in days[:2]} | {
        name_of(days[2]): file_of(days[2]).replace(b"12,9", b"0,0")
    }
    assert "06_05_2026_counterdata-1.csv has gaps: ALLI1 08:00-19:00 (660 min unknown)" in done.stderr.decode()
    assert done.stderr.count(b"has gaps") == 1


def test_days_are_back_filled_at_the_destination_and_recorded(tmp_path: Path) -> None:
    here = install(tmp_path / "site", profile=DELIVERED.format(since="2026-05-05"))
    (here.folder / "share").mkdir()
    count(here, DAY, DAY + timedelta(days=1))
    here.run("export", "--from", "2026-05-04", "--to", "2026-05-05", "--deliver")
    assert {path.name: path.read_bytes() for path in (here.folder / "share").iterdir()} == {
        name_of(day): file_of(day) for day in (DAY, DAY + timedelta(days=1))
    }
    shown = here.run("deliveries", "--last", "1").stdout.decode().splitlines()
    assert shown[1].split()[2:] == ["alliance", "2026-05-05", "share", "delivered", "44", str(len(file_of(DAY)))]


def test_one_command_delivers_all_that_is_owed_and_failures_stay_owed(tmp_path: Path) -> None:
    since = today() - timedelta(days=3)
    here = install(tmp_path / "site", profile=DELIVERED.format(since=since))
    days = [since + timedelta(days=number) for number in range(3)]
    count(here, since, today())
    assert shown(here, "--owed") == [[str(day), "alliance", "owed: goes out at the next look"] for day in days]
    share = here.folder / "share"
    share.write_text("not a folder")
    done = here.run("export", "--deliver", check=False)
    assert done.returncode == 2
    assert done.stderr.decode().splitlines()[-1] == "footfall: 3 days not delivered (see above; they stay owed)"
    printed = done.stderr.decode().splitlines()[:-1]
    action = f"deliver {{}} to {share}: it is not a folder (correct the destination's folder in footfall.toml)"
    assert printed == ["footfall: " + action.format(name_of(day)) for day in days]
    hint = "correct the destination's folder in footfall.toml; then: footfall export --deliver"
    assert shown(here, "--owed") == [[str(day), "alliance", "blocked: needs action", hint] for day in days]
    share.unlink()
    share.mkdir()
    here.run("export", "--deliver")
    assert {path.name: path.read_bytes() for path in share.iterdir()} == {name_of(day): file_of(day) for day in days}
    assert here.run("deliveries", "--owed").stdout == b"nothing is owed\n"
    attempts = here.run("deliveries").stdout.decode()
    assert (attempts.count(" delivered "), attempts.count("it is not a folder")) == (3, 3)


def test_share_that_is_not_mounted_is_retried_later(tmp_path: Path) -> None:
    here = install(tmp_path / "site", profile=DELIVERED.format(since=today() - timedelta(days=1)))
    count(here, today() - timedelta(days=1), today())
    assert here.run("export", "--deliver", check=False).returncode == 2
    done = here.run("export", "--deliver")
    assert ": failed: will be retried (in " in done.stderr.decode()
    assert ", attempt 2" in done.stderr.decode()


def test_late_day_is_printed_and_left_to_wait(tmp_path: Path) -> None:
    """It can still be delivered by hand."""
    zone = zone_where_it_is_day()
    now = datetime.now(zone).date()
    yesterday = now - timedelta(days=1)
    profile = DELIVERED.format(since=yesterday).replace('"24:00"', '"20:00"\ngive_up_at = "19:30"')
    here = install(tmp_path / "site", site=SITE.replace("Europe/Paris", zone.key), profile=profile)
    (here.folder / "share").mkdir()
    with journal_of(here):
        printed = here.run("export", "--deliver").stderr.decode()
    assert printed == (
        f"alliance/{yesterday}: waiting for late counters (ALLI1, ALLI2; goes out anyway at {now} 19:30)\n"
    )
    here.run("export", "--day", str(yesterday), "--deliver")
    assert [path.name for path in (here.folder / "share").iterdir()] == [name_of(yesterday)]


def test_import_of_an_export_gives_the_same_export_and_other_figures_are_refused(here: Installation) -> None:
    path = here.folder / "may.csv"
    path.write_bytes(file_of(DAY))
    assert here.run("import", "may.csv").stdout == b"imported 1 file: 44 half hours stored, 0 already known\n"
    assert here.run("export", "--day", str(DAY), "--output", "-").stdout == file_of(DAY)
    assert here.run("import", "may.csv").stdout == b"imported 1 file: 0 half hours stored, 44 already known\n"
    path.write_bytes(file_of(DAY).replace(b"12,9", b"13,9") + file_of(DAY + timedelta(days=1)))
    done = here.run("import", "may.csv", check=False)
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "footfall: may.csv: 1 half hour already known with other figures; the first: ALLI1 at 2026-05-04 06:30 UTC has "
        "12 entries and 9 exits here, 13 and 9 in the file (nothing of this file was imported; if the figures here are "
        "right, remove those rows from it)\n"
    )
    assert here.run("export", "--day", "2026-05-05", "--output", "-").stdout == file_of(
        DAY + timedelta(days=1)
    ).replace(b"12,9", b"0,0")


def test_import_of_half_hours_to_come_is_refused(here: Installation) -> None:
    tomorrow = today() + timedelta(days=1)
    (here.folder / "next.csv").write_bytes(file_of(tomorrow))
    done = here.run("import", "next.csv", check=False)
    assert done.returncode == 2
    assert done.stderr.decode() == ("footfall: next.csv has half hours that have not ended yet (check its dates)\n")


def shown(here: Installation, *options: str) -> list[list[str]]:
    """Return the rows that `footfall deliveries` shows, cell by cell, without the heading."""
    lines = here.run("deliveries", *options).stdout.decode().splitlines()
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in lines[1:]]
