"""The client's file, byte for byte: tests/golden holds what a client's importer received, or would.

Counts are made up but fixed: a few people in each quarter hour, more at the second counter. In the first counter's
half hour from 08:30 of a plain day, 12 people come and 9 leave, as in the format's example.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from exporter.profile import Profile
from exporter.render import Export, export_buckets, render_export
from footfall.calendar import day_bounds, fold
from footfall.model import QUARTER_MS, Quarter, epoch_ms, from_epoch_ms
from tests.support.profiles import counter_table, read_profile

GOLDEN = Path(__file__).parents[1] / "golden"
PLAIN, SPRING, AUTUMN = "2026-05-04", "2026-03-29", "2026-10-25"
ALL_DAY = 'hours = "00:00-24:00"'
ONE_COUNTER = counter_table(1)
ACCENTS = counter_table(1).replace("Counter A", "Entrée; côté jardin").replace("RDCentre", "Médiathèque")


def people(profile: Profile, day: date) -> Iterator[Quarter]:
    """Yield what every counter of *profile* counted on *day*, all of it covered."""
    start_epoch_ms, end_epoch_ms = (epoch_ms(bound_utc) for bound_utc in day_bounds(day, profile.site.tz))
    for place, counter in enumerate(profile.counters):
        for number, start in enumerate(range(start_epoch_ms, end_epoch_ms, QUARTER_MS)):
            entries, exits = (5 * number + 3 * place) % 9, (7 * number + 2 * place + 5) % 11
            yield Quarter(counter.id, start, entries, exits, QUARTER_MS)


def in_trouble(quarters: Iterator[Quarter], profile: Profile) -> Iterator[Quarter]:
    """Leave out what ALLI1 counted from 10:00 to 11:30, and from 14:15 to 14:30; and ALLI2 all day, from 12:10 on."""
    for quarter in quarters:
        clock = f"{from_epoch_ms(quarter.start_epoch_ms).astimezone(profile.site.tz):%H:%M}"
        if quarter.counter == "ALLI2":
            if clock < "12:00":
                yield quarter
            elif clock == "12:00":
                yield quarter._replace(covered_ms=10 * 60_000)
        elif not ("10:00" <= clock < "11:30" or clock == "14:15"):
            yield quarter


def render(profile: Profile, day: str, trouble: str = "none") -> Export:
    """Return the file of *day*; *trouble* is `none`, `gap`, or `nothing` for an unknown day."""
    one = date.fromisoformat(day)
    known = iter(()) if trouble == "nothing" else people(profile, one)
    if trouble == "gap":
        known = in_trouble(known, profile)
    return render_export(profile, one, fold(known, export_buckets(profile, one)))


CASES = {
    "plain_day": (read_profile(), PLAIN, "none"),
    "spring": (read_profile(ALL_DAY, counters=ONE_COUNTER), SPRING, "none"),
    "autumn_merge": (read_profile(ALL_DAY, counters=ONE_COUNTER), AUTUMN, "none"),
    "autumn_separate": (read_profile(ALL_DAY, 'repeated_hour = "separate"', counters=ONE_COUNTER), AUTUMN, "none"),
    "gap_zero": (read_profile(), PLAIN, "gap"),
    "gap_blank": (read_profile('gap = "blank"'), PLAIN, "gap"),
    "gap_omit": (read_profile('gap = "omit"'), PLAIN, "gap"),
    "no_data_zero": (read_profile(), PLAIN, "nothing"),
    "no_data_blank": (read_profile('gap = "blank"'), PLAIN, "nothing"),
    "no_data_omit": (read_profile('gap = "omit"'), PLAIN, "nothing"),
    "label_end": (read_profile(ALL_DAY, 'label = "end"', counters=ONE_COUNTER), PLAIN, "none"),
    "label_end_spring": (read_profile('hours = "00:00-05:00"', 'label = "end"', counters=ONE_COUNTER), SPRING, "none"),
    "excel": (read_profile('separator = ";"', 'line_end = "crlf"', "header = true", 'encoding = "utf-8-sig"',
                           'date_format = "%d.%m.%Y"', 'time_format = "%H:%M"', counters=ACCENTS), PLAIN, "none"),
    "cp1252": (read_profile('separator = "\\t"', 'encoding = "cp1252"', counters=ACCENTS), PLAIN, "none"),
    "own_columns": (read_profile('columns = ["start_utc", "id", "exits", "entries", "covered"]', "header = true"),
                    PLAIN, "gap"),
    "one_counter_chosen": (read_profile('counters = ["ALLI2"]', 'hours = "12:00-14:00"'), PLAIN, "none"),
    "lord_howe_autumn": (read_profile(ALL_DAY, zone="Australia/Lord_Howe", counters=ONE_COUNTER), "2026-04-05", "none"),
    "lord_howe_spring": (read_profile(ALL_DAY, zone="Australia/Lord_Howe", counters=ONE_COUNTER), "2026-10-04", "none"),
    "chatham_autumn": (read_profile(ALL_DAY, 'repeated_hour = "separate"', zone="Pacific/Chatham",
                                    counters=ONE_COUNTER), "2026-04-05", "none"),
    "chatham_spring": (read_profile(ALL_DAY, zone="Pacific/Chatham", counters=ONE_COUNTER), "2026-09-27", "none"),
    "cairo_spring": (read_profile(ALL_DAY, zone="Africa/Cairo", counters=ONE_COUNTER), "2026-04-24", "none"),
    "cairo_autumn": (read_profile(ALL_DAY, zone="Africa/Cairo", counters=ONE_COUNTER), "2026-10-29", "none"),
    "apia_day_that_never_was": (read_profile(ALL_DAY, zone="Pacific/Apia"), "2011-12-30", "none"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_file_is_the_golden_one_to_the_byte(name: str) -> None:
    assert render(*CASES[name]).content == (GOLDEN / f"{name}.csv").read_bytes()


def test_every_golden_file_has_its_test() -> None:
    assert {path.stem for path in GOLDEN.glob("*.csv")} == set(CASES)
