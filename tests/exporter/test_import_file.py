"""parse_export reads what render writes."""

import json
import random
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.import_file import NEEDED, ended_by, parse_export
from exporter.profile import DEFAULT_COLUMNS, Profile
from exporter.render import export_buckets, render_export
from footfall.calendar import local_instant
from footfall.errors import InvalidHistory
from footfall.model import Tally, epoch_ms
from footfall.store.historical_counts import ImportedHalfHour
from tests.support.profiles import counter_table, read_profile
from tests.support.properties import UNHURRIED

DAYS = [
    ("Europe/Paris", date(2026, 5, 4)),
    ("Europe/Paris", date(2026, 3, 29)),
    ("Europe/Paris", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Pacific/Chatham", date(2026, 4, 5)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 29)),
    ("America/Havana", date(2025, 11, 2)),
]
NAMES = [
    "Counter A",
    'the "left" one, by the lift',
    "Entrée; côté jardin|",
    "1-2",
]
ROW = b"2026-5-4,08:30:00,12,9,ALLI1,Counter A,RDCentre,Alliance,ALLI\n"


@st.composite
def profiles(draw: st.DrawFn, zone: str) -> Profile:
    """Return a profile whose files can be read back."""
    others = [column for column in DEFAULT_COLUMNS if column not in NEEDED]
    columns = [*NEEDED, *draw(st.lists(st.sampled_from(others), unique=True))]
    lines = {
        "columns": draw(st.permutations(columns)),
        "date_format": draw(st.sampled_from(["%Y-%-m-%-d", "%d/%m/%y", "%-d.%-m.%Y", "%Y%j"])),
        "time_format": draw(st.sampled_from(["%H:%M:%S", "%-Hh%M", "%M past %-H"])),
        "label": draw(st.sampled_from(["start", "end"])),
        "hours": draw(st.sampled_from(["00:00-24:00", "08:00-19:00", "01:30-03:30"])),
        "repeated_hour": draw(st.sampled_from(["merge", "separate"])),
        "gap": draw(st.sampled_from(["zero", "blank", "omit"])),
        "separator": draw(st.sampled_from([",", ";", "\t", "|", "-", " "])),
        "line_end": draw(st.sampled_from(["lf", "crlf"])),
        "header": draw(st.booleans()),
        "encoding": draw(st.sampled_from(["utf-8", "utf-8-sig"])),
    }
    counters = "".join(counter_table(number) for number in range(1, draw(st.integers(1, 3)) + 1))
    counters = counters.replace('"Counter A"', json.dumps(draw(st.sampled_from(NAMES))))
    return read_profile(
        *(f"{name} = {json.dumps(value)}" for name, value in lines.items()), zone=zone, counters=counters
    )


@st.composite
def exports(draw: st.DrawFn) -> tuple[Profile, date, dict[str, list[Tally]]]:
    """Return a profile, a day and its tallies: gaps, counted half hours, and some covered only in part."""
    zone, day = draw(st.sampled_from(DAYS))
    profile = draw(profiles(zone))
    chance = random.Random(draw(st.integers(0, 2**32)))
    lengths_ms = [bucket.length_ms for bucket in export_buckets(profile, day)]

    def tally(length_ms: int) -> Tally:
        covered_ms = chance.choice([0, 60_000, length_ms])
        return (
            Tally(chance.randrange(99), chance.randrange(2), covered_ms, length_ms)
            if covered_ms
            else Tally(0, 0, 0, length_ms)
        )

    return profile, day, {counter.id: [tally(one) for one in lengths_ms] for counter in profile.counters}


def rows_of(profile: Profile, day: date, tallies: Mapping[str, Sequence[Tally]]) -> list[ImportedHalfHour]:
    """Return the half hours that a file should have, in its order. If passes are merged, the first has the sums."""
    starts: dict[tuple[str, str], int] = {}
    sums: dict[tuple[str, int], Tally] = {}
    for number, bucket in enumerate(export_buckets(profile, day)):
        for counter in profile.counters:
            start = epoch_ms(bucket.start_utc)
            if profile.repeated_hour == "merge":
                start = starts.setdefault((counter.id, f"{bucket.start_local:%H:%M}"), start)
            sums[counter.id, start] = sums.get((counter.id, start), Tally()) + tallies[counter.id][number]
    return [
        ImportedHalfHour(*name, tally.entries, tally.exits)
        for name, tally in sums.items()
        if profile.gap == "zero" or not tally.is_gap
    ]


@given(exports())
@settings(UNHURRIED, max_examples=150)
def test_what_was_written_is_read_back(export: tuple[Profile, date, dict[str, list[Tally]]]) -> None:
    """If rows are omitted, the file does not say which pass of a repeated hour a row belongs to."""
    profile, day, tallies = export
    content = render_export(profile, day, tallies).content
    read = parse_export(profile, content, "file.csv")
    wanted = rows_of(profile, day, tallies)
    if profile.gap == "omit" and profile.repeated_hour == "separate":
        assert [one[0::2] + one[3:] for one in read] == [one[0::2] + one[3:] for one in wanted]
    else:
        assert read == wanted


@given(exports())
@settings(UNHURRIED, max_examples=100)
def test_export_of_what_was_read_back_gives_the_same_bytes(
    export: tuple[Profile, date, dict[str, list[Tally]]],
) -> None:
    """Only the same rows, in another order, if rows are omitted and both passes have rows of their own."""
    profile, day, tallies = export
    content = render_export(profile, day, tallies).content
    again: dict[str, list[Tally]] = {}
    buckets = export_buckets(profile, day)
    for counter, start_epoch_ms, entries, exits in parse_export(profile, content, "file.csv"):
        known_of = again.setdefault(counter, [Tally(length_ms=bucket.length_ms) for bucket in buckets])
        number = [epoch_ms(bucket.start_utc) for bucket in buckets].index(start_epoch_ms)
        known_of[number] = Tally(entries, exits, buckets[number].length_ms, buckets[number].length_ms)
    rendered = render_export(profile, day, again).content
    if profile.gap == "omit" and profile.repeated_hour == "separate":
        lines, lines_before = (file.decode(profile.encoding).splitlines() for file in (rendered, content))
        assert sorted(lines) == sorted(lines_before)
    else:
        assert rendered == content


def test_golden_file_is_read_back() -> None:
    golden = Path(__file__).parents[1] / "golden"
    read = parse_export(read_profile(), (golden / "plain_day.csv").read_bytes(), "plain_day.csv")
    assert len(read) == 44
    assert read[2] == ImportedHalfHour(
        "ALLI1", epoch_ms(local_instant(date(2026, 5, 4), 510, read_profile().site.tz)), 12, 9
    )


def test_rows_of_several_days_keep_their_order_and_blank_lines_are_ignored() -> None:
    later = ROW.replace(b"2026-5-4", b"2026-05-05").replace(b"ALLI1,", b"ALLI2,")
    found = parse_export(read_profile(), later + b"\r\n" + ROW, "file.csv")
    assert [(one.counter, one.entries, one.exits) for one in found] == [("ALLI2", 12, 9), ("ALLI1", 12, 9)]
    assert found[0].start_epoch_ms - found[1].start_epoch_ms == 24 * 3_600_000


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_line_end_ends_a_line(end: bytes) -> None:
    rows = ROW + ROW.replace(b"08:30", b"09:00")
    assert len(parse_export(read_profile(), rows.replace(b"\n", end), "file.csv")) == 2


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b"2026-5-4,08:30:00,12,9,ALLI1", "5 columns instead of 9"),
        (ROW.replace(b"ALLI1", b"ALLI9"), "counter 'ALLI9' is not in the profile; register it"),
        (ROW.replace(b"2026-5-4", b"2026-13-4"), "does not match format"),
        (ROW.replace(b"2026-5-4", b"29.5.2026"), "does not match format"),
        (ROW.replace(b"08:30:00", b"8h30"), "does not match format"),
        (ROW.replace(b"08:30", b"08:15"), "no half hour starts at 2026-05-04 08:15 in Europe/Paris"),
        (ROW.replace(b"2026-5-4,08:30", b"2026-3-29,02:30"), "no half hour starts at 2026-03-29 02:30 in Europe/Paris"),
        (ROW.replace(b"12", b"-1"), "entries is '-1', not a count"),
        (ROW.replace(b"12", b"1.5"), "entries is '1.5', not a count"),
        (ROW.replace(b"12", b"\xd9\xa1"), "entries is '\u0661', not a count"),
        (ROW.replace(b"12", b"1000000000"), "entries is '1000000000', not a count"),
        (ROW.replace(b",9,", b",,"), "exits is '', not a count"),
        (ROW.replace(b"Counter A", b'"Counter A'), "unexpected end of data"),
        (ROW.replace(b"08:30", b"09:00"), "counter ALLI1 has the half hour 2026-05-04 09:00 more than once"),
    ],
)  # fmt: skip
def test_invalid_row_is_named_by_file_and_line(row: bytes, why: str) -> None:
    before = ROW.replace(b"08:30", b"09:00") + ROW.replace(b"08:30", b"09:30")
    with pytest.raises(InvalidHistory) as caught:
        parse_export(read_profile(), before + row, "in/may.csv")
    assert caught.value.message.startswith("in/may.csv, line 3: ")
    assert why in caught.value.message
    assert caught.value.hint == "the file must be in the format of profile alliance"


def test_third_pass_of_an_hour_that_is_repeated_once_is_refused() -> None:
    row = ROW.replace(b"2026-5-4,08:30", b"2026-10-25,02:30")
    first, second = parse_export(read_profile(), row * 2, "file.csv")
    assert second.start_epoch_ms - first.start_epoch_ms == 3_600_000
    with pytest.raises(InvalidHistory, match="line 3: counter ALLI1 has the half hour 2026-10-25 02:30 more than once"):
        parse_export(read_profile(), row * 3, "file.csv")


def test_line_of_an_error_counts_lines_of_the_file_not_rows() -> None:
    """A name that contains a line end takes two lines."""
    row = ROW.replace(b"Counter A", b'"Counter\nA"')
    with pytest.raises(InvalidHistory, match="line 3: entries"):
        parse_export(read_profile(), row + ROW.replace(b"08:30", b"09:00").replace(b"12", b"x") + ROW, "file.csv")


def test_file_in_another_encoding_is_refused_whole() -> None:
    with pytest.raises(InvalidHistory, match=r"^old\.csv is not utf-8: ") as caught:
        parse_export(read_profile(), ROW.replace(b"Counter A", "Entrée".encode("cp1252")), "old.csv")
    assert caught.value.hint == "set `encoding` in the profile"


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ('columns = ["date", "entries", "exits"]', "has no column bucket, id"),
        ('date_format = "%d.%m"', "writes different days or half hours alike"),
        ('date_format = "%Y%-m%-d"', "writes different days or half hours alike"),
        ('time_format = "%H"', "writes different days or half hours alike"),
    ],
)
def test_profile_with_ambiguous_dates_or_times_is_refused(setting: str, why: str) -> None:
    """A date without a year would be read as 1900."""
    with pytest.raises(InvalidHistory, match=f"profile alliance {why}: its files cannot be read back") as caught:
        parse_export(read_profile(setting), b"", "file.csv")
    assert "--profile NAME" in caught.value.hint


def test_header_is_skipped_if_the_profile_writes_one() -> None:
    head = ",".join(DEFAULT_COLUMNS).encode() + b"\n"
    assert len(parse_export(read_profile("header = true"), head + ROW, "file.csv")) == 1
    assert len(parse_export(read_profile("header = true"), ROW, "file.csv")) == 1
    with pytest.raises(InvalidHistory, match="line 1"):
        parse_export(read_profile(), head + ROW, "file.csv")


def test_half_hour_has_ended_once_its_last_instant_is_past() -> None:
    half_hours = [ImportedHalfHour("ALLI1", 1_000, 1, 1), ImportedHalfHour("ALLI1", 2_000, 1, 1)]
    assert ended_by(half_hours, 1_802_000)
    assert not ended_by(half_hours, 1_801_999)
    assert ended_by([], 0)


def test_zero_that_was_not_covered_stays_a_gap() -> None:
    """With the column ``covered``, a gap written as 0,0 is not read as a zero."""
    profile = read_profile('columns = ["date", "bucket", "entries", "exits", "id", "covered"]')
    content = b"2026-5-4,08:00:00,0,0,ALLI1,0\n2026-5-4,08:30:00,0,0,ALLI1,100\n"
    assert [one.start_epoch_ms for one in parse_export(profile, content, "file")] == [1777876200000]
