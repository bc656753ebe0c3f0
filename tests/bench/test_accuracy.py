"""The judge of accuracy is fair: every error is told once, and the old loop is what the old firmware did."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench import accuracy, old_firmware, picture
from bench.accuracy import Result, Verdict
from bench.walkers.intervals import Intervals
from bench.walkers.scenarios import SCENARIOS, Aim
from bench.walkers.trials import Crossing, Trial

STEP_MS = 50.0


def stay(from_ms: float, to_ms: float, direction: int = 1) -> Crossing:
    return Crossing((from_ms + to_ms) / 2, direction, from_ms, to_ms)


def beams(outer: str, inner: str) -> Trial:
    """Return a trial drawn as text, 50 ms a sign, # for interrupted."""
    drawn = [
        [(at * STEP_MS, (at + 1) * STEP_MS) for at, sign in enumerate(beam) if sign == "#"] for beam in (outer, inner)
    ]
    return Trial(drawn[0], drawn[1], (), 1, len(outer) * STEP_MS)


def test_what_was_told_in_time_and_direction_is_right() -> None:
    verdict = accuracy.verdict([stay(1000, 2000), stay(5000, 6000, -1)], [(1600, 1), (5400, -1)])
    assert verdict == Verdict(missed=0, extra=0, off_ms=100)


def test_a_wrong_direction_is_one_missed_and_one_extra() -> None:
    assert accuracy.verdict([stay(1000, 2000)], [(1500, -1)]) == Verdict(missed=1, extra=1)


def test_a_person_takes_one_crossing() -> None:
    assert accuracy.verdict([stay(1000, 2000)], [(1400, 1), (1500, 1)]).extra == 1


@pytest.mark.parametrize(("at_ms", "right"), [(499, False), (501, True), (2499, True), (2501, False)])
def test_half_a_second_of_grace_is_given_at_both_ends(at_ms: float, right: bool) -> None:
    assert accuracy.verdict([stay(1000, 2000)], [(at_ms, 1)]) == (
        Verdict(0, 0, abs(at_ms - 1500)) if right else Verdict(1, 1)
    )


def test_no_other_matching_would_find_more_pairs() -> None:
    """Who leaves first is served first: a long stay must not take what only a short one could have."""
    long, short = stay(1000, 9000), stay(1100, 2000)
    assert len(accuracy.matched([long, short], [2400, 8000])) == 2


def test_a_line_that_is_no_crossing_is_refused() -> None:
    with pytest.raises((KeyError, ValueError)):
        accuracy.parse_told("12,entrance")


@pytest.mark.parametrize(
    ("outer", "inner", "told"),
    [
        ("....####........................", "......####......................", [(300, 1)]),
        ("......####......................", "....####........................", [(300, -1)]),
        # Both are interrupted when it looks: it sleeps for half a second, and the person is through.
        (".##.............................", ".##.............................", []),
        # The second beam only after more than a second: no crossing.
        ("##..............................", "........................####....", []),
        # Turned back after a touch of the second beam: counted all the same.
        ("....########....................", "......##........................", [(300, 1)]),
        # A second person within the sleep of 600 ms after the first: never seen.
        ("####......####..................", "..####......####................", [(100, 1)]),
    ],
)
def test_old_loop_sees_what_it_looks_at(outer: str, inner: str, told: list[tuple[float, int]]) -> None:
    assert old_firmware.count(beams(outer, inner)) == told


def test_old_loop_counts_leaning_again_and_again() -> None:
    covered: Intervals = [(0.0, 10_000.0)]
    flicker: Intervals = [(at * 1000.0, at * 1000.0 + 300) for at in range(10)]
    assert len(old_firmware.count(Trial(covered, flicker, (), 1, 10_000.0))) >= 2


def test_tables_and_picture_tell_of_every_scenario() -> None:
    results = [Result(scenario.name, 100, Verdict(0, 1), Verdict(40, 200)) for scenario in SCENARIOS]
    table, drawing = accuracy.markdown(results), picture.draw(results)
    ET.fromstring(drawing)
    for scenario in SCENARIOS:
        assert f"| {scenario.title} | 100 | {scenario.aim.value} | 0 | 1 | 1.0 % | 40 | 200 | 240.0 % |" in table
        assert scenario.title.split("'")[0] in drawing


def test_reached_is_the_aim_and_not_a_person_more() -> None:
    names = {aim: next(scenario.name for scenario in SCENARIOS if scenario.aim is aim) for aim in Aim}
    for aim, most in ((Aim.ONE_PERCENT, 2), (Aim.FIVE_PERCENT, 10), (Aim.ZERO, 0)):
        assert Result(names[aim], 200, Verdict(0, most), Verdict(0, 0)).reached
        assert not Result(names[aim], 200, Verdict(1, most), Verdict(0, 0)).reached
    assert Result(names[Aim.TOLD], 200, Verdict(100, 0), Verdict(0, 0)).reached


def test_a_trace_program_that_fails_is_told(tmp_path: Path) -> None:
    failing = tmp_path / "trace"
    failing.write_text("#!/bin/sh\necho line 3: nonsense >&2\nexit 2\n")
    failing.chmod(0o755)
    with pytest.raises(RuntimeError, match="line 3: nonsense"):
        accuracy.detected(Trial([], [], (), 0, 0.0), 0.1, failing)
