"""What an export says besides its bytes, and what never changes the bytes."""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exporter.profile import Profile
from exporter.render import Export, export_buckets, render_export
from footfall.calendar import day_bounds, fold, local_instant, unknown
from footfall.model import QUARTER_MS, Arrival, Count, Quarter, Span, Tally, epoch_ms
from footfall.store.journal import Journal
from footfall.store.journal_reader import JournalReader
from tests.support.profiles import counter_table, read_profile
from tests.support.properties import UNHURRIED

DAY = date(2026, 5, 4)
AUTUMN = date(2026, 10, 25)
PROFILE = read_profile()


def covered(profile: Profile, day: date, *stretches: tuple[str, str], counter: str = "ALLI1") -> Export:
    """Return the file of a day on which *counter* counted in *stretches* ("08:00", "12:15") and no one entered."""
    quarters = []
    for start, end in stretches:
        first, last = (_at(day, profile, clock) for clock in (start, end))
        quarters += [Quarter(counter, one, 0, 0, QUARTER_MS) for one in range(first, last, QUARTER_MS)]
    return render_export(profile, day, fold(quarters, export_buckets(profile, day)))


def _at(day: date, profile: Profile, clock: str) -> int:
    return epoch_ms(local_instant(day, int(clock[:2]) * 60 + int(clock[3:]), profile.site.tz))


@pytest.mark.parametrize(
    ("stretches", "gaps"),
    [
        ([("08:00", "19:00")], ()),
        ([("00:00", "24:00")], ()),
        ([], ("ALLI1 08:00-19:00 (660 min unknown)",)),
        ([("08:00", "12:00")], ("ALLI1 12:00-19:00 (420 min unknown)",)),
        ([("08:00", "12:15"), ("13:00", "19:00")], ("ALLI1 12:00-13:00 (45 min unknown)",)),
        (
            [("08:30", "12:00"), ("12:30", "18:45")],
            (
                "ALLI1 08:00-08:30 (30 min unknown)",
                "ALLI1 12:00-12:30 (30 min unknown)",
                "ALLI1 18:30-19:00 (15 min unknown)",
            ),
        ),
        ([("19:00", "24:00")], ("ALLI1 08:00-19:00 (660 min unknown)",)),
    ],
)
def test_gaps_are_described_in_the_site_s_time(stretches: list[tuple[str, str]], gaps: tuple[str]) -> None:
    assert covered(read_profile(counters=counter_table(1)), DAY, *stretches).gaps == gaps


def test_gap_of_a_second_is_rounded_up_to_a_minute_for_each_counter() -> None:
    buckets = export_buckets(PROFILE, DAY)
    whole = [Tally(0, 0, bucket.length_ms, bucket.length_ms) for bucket in buckets]
    almost = [*whole[:3], Tally(5, 2, whole[3].length_ms - 1000, whole[3].length_ms), *whole[4:]]
    assert render_export(PROFILE, DAY, {"ALLI1": whole, "ALLI2": almost}).gaps == ("ALLI2 09:30-10:00 (1 min unknown)",)


def test_gap_over_the_repeated_hour_is_described_although_its_rows_are_merged() -> None:
    profile = read_profile('hours = "00:00-24:00"', counters=counter_table(1))
    assert covered(profile, AUTUMN, ("00:00", "02:00"), ("03:00", "24:00")).gaps == (
        "ALLI1 02:00-03:00 (120 min unknown)",
    )


def test_merged_row_is_a_gap_only_if_both_passes_are() -> None:
    profile = read_profile('hours = "02:00-03:00"', 'gap = "blank"', counters=counter_table(1))
    first_pass = [Tally(3, 1, 30, 30), Tally(0, 0, 0, 30), Tally(0, 0, 0, 30), Tally(0, 0, 0, 30)]
    export = render_export(profile, AUTUMN, {"ALLI1": first_pass})
    assert export.content.decode().splitlines() == [
        "2026-10-25,02:00:00,3,1,ALLI1,Counter A,RDCentre,Alliance,ALLI",
        "2026-10-25,02:30:00,,,ALLI1,Counter A,RDCentre,Alliance,ALLI",
    ]


@pytest.mark.parametrize(
    ("since", "until", "in_the_file"),
    [
        ("2026-05-04", "2026-05-04", True),
        ("2026-05-05", None, False),
        (None, "2026-05-03", False),
        ("2026-05-01", "2026-05-31", True),
        (None, None, True),
    ],
)
def test_counter_is_in_the_file_of_the_days_it_counted(since: str | None, until: str | None, in_the_file: bool) -> None:
    days = "".join(f"{name} = {day}\n" for name, day in (("since", since), ("until", until)) if day)
    export = covered(read_profile(counters=counter_table(1) + counter_table(2, days)), DAY, ("08:00", "19:00"))
    assert (b"ALLI2" in export.content) is in_the_file
    assert export.rows == (44 if in_the_file else 22)
    assert export.gaps == (("ALLI2 08:00-19:00 (660 min unknown)",) if in_the_file else ())


def test_counter_is_in_the_file_of_a_day_it_counted_although_out_of_service() -> None:
    profile = read_profile(counters=counter_table(1, "until = 2026-05-03\n"))
    assert covered(profile, DAY).rows == 0
    assert covered(profile, DAY, ("12:00", "12:15")).rows == 22
    assert covered(profile, DAY, ("08:00", "19:00")).rows == 22
    assert render_export(profile, DAY, {"ALLI1": unknown(export_buckets(profile, DAY))}).rows == 0


def test_export_has_its_day_its_rows_and_its_sums() -> None:
    buckets = export_buckets(PROFILE, DAY)
    tallies = [Tally(number, 1, 1, 1) for number in range(len(buckets))]
    export = render_export(PROFILE, DAY, {"ALLI1": tallies, "stranger": tallies})
    assert (export.profile, export.day, export.file_name) == ("alliance", DAY, "04_05_2026_counterdata-1.csv")
    assert (export.rows, export.entries, export.exits) == (44, sum(range(22)), 22)
    assert export.content.count(b"\n") == 44
    assert b"stranger" not in export.content


CROSSINGS = [
    Count(seq, epoch_ms(day_bounds(AUTUMN, PROFILE.site.tz)[0]) + seq * 311_000, seq % 2, (seq + 1) % 2)
    for seq in range(290)
]  # over all of the 25 hours


@contextmanager
def journal_in(folder: Path) -> Iterator[tuple[Journal, JournalReader]]:
    journal = Journal(folder / "journal.sqlite")
    reader = JournalReader(journal.path)
    try:
        yield journal, reader
    finally:
        reader.close()
        journal.close()


def batches(cuts: Sequence[int]) -> list[Arrival]:
    """Return CROSSINGS as batches that end at *cuts*, each with the span from the one before."""
    ends = [0, *sorted(cuts), len(CROSSINGS)]
    found = []
    for first, last in pairwise(ends):
        counts = tuple(CROSSINGS[first:last])
        if counts:
            span = Span(_time(first), _time(last))
            found.append(Arrival("ALLI1", "9f3c2a1b", counts, span, received_epoch_ms=_time(last)))
    return found


def _time(number: int) -> int:
    return (CROSSINGS[0].time_epoch_ms or 0) + number * 311_000


def file_of(profile: Profile, day: date, reader: JournalReader) -> Export:
    start_utc, end_utc = day_bounds(day, profile.site.tz)
    quarters = reader.quarters(["ALLI1"], start_utc, end_utc)
    return render_export(profile, day, fold(quarters, export_buckets(profile, day)))


@given(st.lists(st.integers(1, 289), max_size=8, unique=True), st.randoms(use_true_random=False), st.integers(0, 6))
@settings(UNHURRIED, max_examples=25)
def test_any_order_and_repetition_of_batches_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], chance: random.Random, repeated: int
) -> None:
    """Batches may overlap: an answer was lost, and the next batch had more crossings."""
    profile = read_profile('hours = "00:00-24:00"', 'gap = "blank"', 'repeated_hour = "separate"')
    sent = [*batches(cuts), *batches(cuts[: len(cuts) // 2])]
    sent += chance.choices(sent, k=repeated)
    chance.shuffle(sent)
    with journal_in(tmp_path_factory.mktemp("plain")) as (journal, reader):
        journal.append(batches([]))
        plain = file_of(profile, AUTUMN, reader)
    with journal_in(tmp_path_factory.mktemp("shuffled")) as (journal, reader):
        for arrival in sent:
            journal.append([arrival])
        assert file_of(profile, AUTUMN, reader) == plain
    assert plain.gaps == ("ALLI2 00:00-00:00 (1500 min unknown)",)
    assert plain.entries + plain.exits == 290
