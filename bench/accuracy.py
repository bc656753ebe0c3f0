"""How many people the firmware's detector and the old loop miss or invent, scenario by scenario.

The trials of a scenario are joined into one trace, which is piped into `firmware/build/trace`. A counted crossing is
right if a person crossed in that direction and was at the door then, give or take half a second. Each person matches
one crossing, and the matching is optimal, so no error counts twice. A person without a crossing is missed, a crossing
without a person is extra, and the error is (missed + extra) as a share of the people.
"""

import heapq
import os
import subprocess
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from statistics import median

from bench import old_firmware
from bench.walkers.scenarios import BY_NAME, SCENARIOS, Scenario, Target
from bench.walkers.trials import Trial, TrueCrossing, joined, lines

TRACE = Path(__file__).parent.parent / "firmware" / "build" / "trace"
GRACE_MS = 500.0
SEED = 2026
PEOPLE = 500

CountedCrossing = tuple[float, int]
"""A crossing as a counter reports it: (t_ms, +1 or -1)."""


@dataclass(frozen=True)
class Score:
    """The errors of one counter: people it missed, crossings it invented, and the error of its times."""

    missed: int
    extra: int
    off_ms: float | None = None  # median distance from the time when the trunk was midway

    @property
    def errors(self) -> int:
        return self.missed + self.extra


@dataclass(frozen=True)
class ScenarioResult:
    """One scenario: the number of *people* (of trials, where nobody crosses), and the errors of both counters."""

    name: str
    people: int
    new: Score
    old: Score

    @property
    def scenario(self) -> Scenario:
        return BY_NAME[self.name]

    @property
    def reached(self) -> bool:
        """Whether the new firmware meets the target."""
        most = {Target.ONE_PERCENT: 0.01, Target.FIVE_PERCENT: 0.05, Target.ZERO: 0.0, Target.NONE: float("inf")}
        return self.new.errors <= most[self.scenario.target] * self.people


def measure(
    say: Callable[[str], None], people: int = PEOPLE, seed: int = SEED, trace: Path = TRACE
) -> list[ScenarioResult]:
    """Return the results of all scenarios, measured in parallel on all cores."""
    if not trace.exists():
        raise SystemExit(f"{trace} does not exist; build it with: make firmware")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        pending = [pool.submit(judge, scenario.name, people, seed, trace) for scenario in SCENARIOS]
        results: list[ScenarioResult] = []
        for scenario, future in zip(SCENARIOS, pending, strict=True):
            say(f"accuracy: {scenario.title}")
            results.append(future.result())
    return results


def judge(name: str, people: int, seed: int = SEED, trace: Path = TRACE) -> ScenarioResult:
    """Return the errors of both counters on *people* of the scenario *name*."""
    trial = joined(BY_NAME[name].trials(people, seed))
    new = score(trial.truth, detected(trial, BY_NAME[name].spacing_m, trace))
    return ScenarioResult(name, trial.people, new, score(trial.truth, old_firmware.count(trial)))


def detected(trial: Trial, spacing_m: float, trace: Path = TRACE) -> list[CountedCrossing]:
    """Return the crossings that the program *trace* counts in *trial*."""
    run = subprocess.run(
        [str(trace), "--spacing-mm", str(round(spacing_m * 1000))],
        input=lines(trial), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode != 0:
        raise RuntimeError(f"{trace} failed with exit status {run.returncode}: {run.stderr}")
    return [parse_crossing(line) for line in run.stdout.splitlines()]


def parse_crossing(line: str) -> CountedCrossing:
    """Return a line `t_ms,entry` or `t_ms,exit` as a crossing. Raises ValueError or KeyError for any other line."""
    at_ms, _, direction = line.partition(",")
    return float(at_ms), {"entry": 1, "exit": -1}[direction]


def score(truth: Sequence[TrueCrossing], counted: Sequence[CountedCrossing]) -> Score:
    """Return how *counted* differs from *truth*."""
    pairs = [pair for way in (1, -1) for pair in matched(
        [crossing for crossing in truth if crossing.direction == way], sorted(at for at, each in counted if each == way)
    )]  # fmt: skip
    off_ms = median(abs(crossing.at_ms - at_ms) for crossing, at_ms in pairs) if pairs else None
    return Score(len(truth) - len(pairs), len(counted) - len(pairs), off_ms)


def matched(truth: Iterable[TrueCrossing], times_ms: Iterable[float]) -> list[tuple[TrueCrossing, float]]:
    """Return the largest set of pairs of a crossing and a time during its stay, extended by GRACE_MS at both ends.

    *times_ms* is sorted. Each time goes to the candidate that leaves first, which is optimal.
    """
    arriving = sorted(truth, key=lambda crossing: crossing.from_ms)
    waiting: list[tuple[float, int]] = []
    pairs: list[tuple[TrueCrossing, float]] = []
    arrived = 0
    for at_ms in times_ms:
        while arrived < len(arriving) and arriving[arrived].from_ms - GRACE_MS <= at_ms:
            heapq.heappush(waiting, (arriving[arrived].to_ms + GRACE_MS, arrived))
            arrived += 1
        while waiting and waiting[0][0] < at_ms:
            heapq.heappop(waiting)
        if waiting:
            pairs.append((arriving[heapq.heappop(waiting)[1]], at_ms))
    return pairs


def markdown(results: Iterable[ScenarioResult]) -> str:
    """Return *results* as a Markdown table."""
    rows = ["| scenario | people | target | missed | extra | error | old: missed | extra | error |",
            "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]  # fmt: skip
    for each in results:
        cells = [each.scenario.title, str(each.people), each.scenario.target.value]
        for counter in (each.new, each.old):
            cells += [str(counter.missed), str(counter.extra), percent(counter.errors, each.people)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def percent(part: int, whole: int) -> str:
    """Return *part* of *whole* in percent with one decimal; "0" only if *part* is 0."""
    return "0" if part == 0 else f"{max(0.1, 100 * part / whole):.1f} %"
