"""The detector on box walkers, independent of the bench: costs that fit only the bench's walkers fail here."""

import subprocess

import pytest

from tests.support.box_walkers import BoxTrial, Walkers
from tests.support.firmware import program

APART_MS = 20_000  # between two trials, so that none belongs to the one before
SEED = 3


def reported(trials: list[BoxTrial]) -> list[list[str]]:
    """Return the crossings that `trace` reports for each trial, in one run."""
    lines, starts, start_ms = [], [], 0
    for trial in trials:
        start_ms += APART_MS
        starts.append(start_ms)
        lines += [f"{start_ms + at_ms},{outer},{inner}\n" for at_ms, outer, inner in trial.changes]
        start_ms += trial.changes[-1][0]
    run = subprocess.run(
        [program("trace"), "--spacing-mm", str(trials[0].spacing_mm)],
        input="".join(lines), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[list[str]] = [[] for _ in trials]
    for line in run.stdout.split():
        at_ms, way = line.split(",")
        found[sum(begin <= int(at_ms) for begin in starts) - 1].append(way)
    return found


def errors(trials: list[BoxTrial]) -> int:
    """Return the number of missing and extra crossings; a wrong direction is both."""
    return sum(
        abs(each.count(way) - trial.truth.count(way))
        for trial, each in zip(trials, reported(trials), strict=True)
        for way in ("entry", "exit")
    )


@pytest.mark.parametrize("name", ["single", "slow", "running", "file", "opposite", "overtaken", "standing"])
def test_at_most_one_in_thirty_is_missed_or_extra(name: str) -> None:
    """People with stiff and swinging arms, from 0.15 to 4 m/s, alone, in file, opposite, and stopping in the door."""
    trials = Walkers(SEED).trials(name, 30)
    assert errors(trials) <= sum(len(trial.truth) for trial in trials) // 30


@pytest.mark.parametrize("name", ["file_with_arms", "running_file"])
def test_arms_between_people_in_file_cost_few(name: str) -> None:
    """An arm that swings ahead may fill the gap behind the person in front: at most 4 % of people are wrong."""
    trials = Walkers(SEED).trials(name, 20)
    assert errors(trials) <= sum(len(trial.truth) for trial in trials) // 25


def test_a_pram_and_its_pusher_are_one() -> None:
    """Solid prams with their pusher up to 60 cm behind; the gap is open, closed, or holds hands."""
    assert errors(Walkers(SEED).trials("pram", 40)) <= 2


@pytest.mark.parametrize("name", ["turn", "leaning"])
def test_nobody_is_invented(name: str) -> None:
    """Neither turning round with arms through both beams nor leaning with fidgets counts."""
    assert errors(Walkers(SEED).trials(name, 40)) == 0


def test_flicker_is_nobody() -> None:
    """Blips of 1 to 80 ms count nothing, unless two of them have the outline of a runner."""
    assert errors(Walkers(SEED).trials("noise", 50)) <= 1


@pytest.mark.parametrize("spacing_mm", [60, 150, 200])
def test_other_spacings_do_nearly_as_well(spacing_mm: int) -> None:
    walkers = Walkers(SEED, spacing_mm)
    assert errors(walkers.trials("single", 30)) <= 1
    assert errors(walkers.trials("slow", 10)) == 0
    assert errors(walkers.trials("turn", 30)) <= 1
