"""Accuracy: every error counts once, and the simulated old loop behaves like the old firmware."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bench import accuracy, accuracy_picture, old_firmware
from bench.accuracy import ScenarioResult, Score
from bench.walkers.intervals import Intervals
from bench.walkers.scenarios import SCENARIOS, Target
from bench.walkers.trials import Trial, TrueCrossing

STEP_MS = 50.0


def stay(from_ms: float, to_ms: float, direction: int = 1) -> TrueCrossing:
    return TrueCrossing((from_ms + to_ms) / 2, direction, from_ms, to_ms)


def beams(outer: str, inner: str) -> Trial:
    """Return a trial drawn as text: 50 ms a character, # for interrupted."""
    drawn = [
        [(at * STEP_MS, (at + 1) * STEP_MS) for at, sign in enumerate(beam) if sign == "#"] for beam in (outer, inner)
    ]
    return Trial(drawn[0], drawn[1], (), 1, len(outer) * STEP_MS)


def test_crossing_with_right_time_and_direction_is_right() -> None:
    score = accuracy.score([stay(1000, 2000), stay(5000, 6000, -1)], [(1600, 1), (5400, -1)])
    assert score == Score(missed=0, extra=0, off_ms=100)


def test_wrong_direction_is_one_missed_and_one_extra() -> None:
    assert accuracy.score([stay(1000, 2000)], [(1500, -1)]) == Score(missed=1, extra=1)


def test_each_person_matches_one_crossing() -> None:
    assert accuracy.score([stay(1000, 2000)], [(1400, 1), (1500, 1)]).extra == 1


@pytest.mark.parametrize(("at_ms", "right"), [(499, False), (501, True), (2499, True), (2501, False)])
def test_times_may_be_half_a_second_off_at_both_ends(at_ms: float, right: bool) -> None:
    assert accuracy.score([stay(1000, 2000)], [(at_ms, 1)]) == (
        Score(0, 0, abs(at_ms - 1500)) if right else Score(1, 1)
    )


def test_matching_is_optimal() -> None:
    """A long stay must not take the only crossing that a short stay could match."""
    long, short = stay(1000, 9000), stay(1100, 2000)
    assert len(accuracy.matched([long, short], [2400, 8000])) == 2


def test_line_that_is_not_a_crossing_is_refused() -> None:
    with pytest.raises((KeyError, ValueError)):
        accuracy.parse_crossing("12,entrance")


@pytest.mark.parametrize(
    ("outer", "inner", "counted"),
    [
        ("....####........................", "......####......................", [(300, 1)]),
        ("......####......................", "....####........................", [(300, -1)]),
        # Both beams are interrupted when the loop polls: it sleeps for half a second, and the person is gone.
        (".##.............................", ".##.............................", []),
        # The second beam is interrupted more than a second later: no crossing.
        ("##..............................", "........................####....", []),
        # Turned back after touching the second beam: counted anyway.
        ("....########....................", "......##........................", [(300, 1)]),
        # A second person during the sleep of 600 ms after the first: missed.
        ("####......####..................", "..####......####................", [(100, 1)]),
    ],
)
def test_old_loop_counts_only_what_it_polls(outer: str, inner: str, counted: list[tuple[float, int]]) -> None:
    assert old_firmware.count(beams(outer, inner)) == counted


def test_old_loop_counts_a_leaning_person_repeatedly() -> None:
    covered: Intervals = [(0.0, 10_000.0)]
    flicker: Intervals = [(at * 1000.0, at * 1000.0 + 300) for at in range(10)]
    assert len(old_firmware.count(Trial(covered, flicker, (), 1, 10_000.0))) >= 2


def test_table_and_picture_show_every_scenario() -> None:
    results = [ScenarioResult(scenario.name, 100, Score(0, 1), Score(40, 200)) for scenario in SCENARIOS]
    table, drawing = accuracy.markdown(results), accuracy_picture.draw(results)
    ET.fromstring(drawing)
    for scenario in SCENARIOS:
        assert f"| {scenario.title} | 100 | {scenario.target.value} | 0 | 1 | 1.0 % | 40 | 200 | 240.0 % |" in table
        assert scenario.title.split("'")[0] in drawing


def test_reached_is_true_up_to_the_target_exactly() -> None:
    names = {target: next(scenario.name for scenario in SCENARIOS if scenario.target is target) for target in Target}
    for target, most in ((Target.ONE_PERCENT, 2), (Target.FIVE_PERCENT, 10), (Target.ZERO, 0)):
        assert ScenarioResult(names[target], 200, Score(0, most), Score(0, 0)).reached
        assert not ScenarioResult(names[target], 200, Score(1, most), Score(0, 0)).reached
    assert ScenarioResult(names[Target.NONE], 200, Score(100, 0), Score(0, 0)).reached


def test_failure_of_the_trace_program_is_reported(tmp_path: Path) -> None:
    failing = tmp_path / "trace"
    failing.write_text("#!/bin/sh\necho line 3: nonsense >&2\nexit 2\n")
    failing.chmod(0o755)
    with pytest.raises(RuntimeError, match="line 3: nonsense"):
        accuracy.detected(Trial([], [], (), 0, 0.0), 0.1, failing)
