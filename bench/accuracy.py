"""How many people are missed or invented, scenario by scenario: the firmware's detector beside the loop it replaces.

Each scenario's trials are joined into one trace and piped into `firmware/build/trace`. What it prints is matched to the
truth: a crossing is right when it has the direction of somebody who was at the door, half a second of grace at both
ends, and each person takes one crossing. The matching is the best there is, so no error is counted twice. Whom nothing
matches is missed, what matches nobody is extra, and the error is (missed + extra) of the people.
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
from bench.walkers.scenarios import BY_NAME, SCENARIOS, Aim, Scenario
from bench.walkers.trials import Crossing, Trial, joined, lines

TRACE = Path(__file__).parent.parent / "firmware" / "build" / "trace"
GRACE_MS = 500.0
SEED = 2026
PEOPLE = 500

Told = tuple[float, int]
"""A crossing as a counter tells it: (t_ms, +1 or -1)."""


@dataclass(frozen=True)
class Verdict:
    """How one counter did: people it missed, crossings it made up, and by how much its times are off."""

    missed: int
    extra: int
    off_ms: float | None = None  # half of the matched crossings are nearer to the trunk's middle than this

    @property
    def errors(self) -> int:
        return self.missed + self.extra


@dataclass(frozen=True)
class Result:
    """One scenario: *people* who took part (trials, where nobody crosses), and how the two counters did."""

    name: str
    people: int
    new: Verdict
    old: Verdict

    @property
    def scenario(self) -> Scenario:
        return BY_NAME[self.name]

    @property
    def reached(self) -> bool:
        """Whether the new firmware is as good as is aimed at."""
        most = {Aim.ONE_PERCENT: 0.01, Aim.FIVE_PERCENT: 0.05, Aim.ZERO: 0.0, Aim.TOLD: float("inf")}
        return self.new.errors <= most[self.scenario.aim] * self.people


def measure(say: Callable[[str], None], people: int = PEOPLE, seed: int = SEED, trace: Path = TRACE) -> list[Result]:
    """Return the results of all scenarios, measured side by side on all cores."""
    if not trace.exists():
        raise SystemExit(f"{trace} is missing: run make firmware")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        pending = [pool.submit(judge, scenario.name, people, seed, trace) for scenario in SCENARIOS]
        results: list[Result] = []
        for scenario, answer in zip(SCENARIOS, pending, strict=True):
            say(f"walking: {scenario.title}")
            results.append(answer.result())
    return results


def judge(name: str, people: int, seed: int = SEED, trace: Path = TRACE) -> Result:
    """Return how both counters did with *people* of the scenario *name*."""
    trial = joined(BY_NAME[name].trials(people, seed))
    new = verdict(trial.truth, detected(trial, BY_NAME[name].spacing_m, trace))
    return Result(name, trial.people, new, verdict(trial.truth, old_firmware.count(trial)))


def detected(trial: Trial, spacing_m: float, trace: Path = TRACE) -> list[Told]:
    """Return the crossings that the program *trace* tells of *trial*."""
    run = subprocess.run(
        [str(trace), "--spacing-mm", str(round(spacing_m * 1000))],
        input=lines(trial), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if run.returncode != 0:
        raise RuntimeError(f"{trace} ended with {run.returncode}: {run.stderr}")
    return [parse_told(line) for line in run.stdout.splitlines()]


def parse_told(line: str) -> Told:
    """Return a line `t_ms,entry` or `t_ms,exit` as a crossing; anything else is a ValueError."""
    at_ms, _, direction = line.partition(",")
    return float(at_ms), {"entry": 1, "exit": -1}[direction]


def verdict(truth: Sequence[Crossing], told: Iterable[Told]) -> Verdict:
    """Return how *told* differs from *truth*."""
    counted = list(told)
    pairs = [pair for way in (1, -1) for pair in matched(
        [crossing for crossing in truth if crossing.direction == way], sorted(at for at, each in counted if each == way)
    )]  # fmt: skip
    off_ms = median(abs(crossing.at_ms - at_ms) for crossing, at_ms in pairs) if pairs else None
    return Verdict(len(truth) - len(pairs), len(counted) - len(pairs), off_ms)


def matched(truth: Iterable[Crossing], told_ms: Iterable[float]) -> list[tuple[Crossing, float]]:
    """Return the most pairs of a crossing and a time within its stay at the door, GRACE_MS more at both ends.

    Times in order, each to whom it may be and who leaves first: no other choice matches more.
    """
    arriving = sorted(truth, key=lambda crossing: crossing.from_ms)
    waiting: list[tuple[float, int]] = []
    pairs: list[tuple[Crossing, float]] = []
    come = 0
    for at_ms in told_ms:
        while come < len(arriving) and arriving[come].from_ms - GRACE_MS <= at_ms:
            heapq.heappush(waiting, (arriving[come].to_ms + GRACE_MS, come))
            come += 1
        while waiting and waiting[0][0] < at_ms:
            heapq.heappop(waiting)
        if waiting:
            pairs.append((arriving[heapq.heappop(waiting)[1]], at_ms))
    return pairs


def markdown(results: Iterable[Result]) -> str:
    """Return *results* as a table."""
    rows = ["| scenario | people | aim | missed | extra | error | old: missed | extra | error |",
            "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |"]  # fmt: skip
    for each in results:
        cells = [each.scenario.title, str(each.people), each.scenario.aim.value]
        for counter in (each.new, each.old):
            cells += [str(counter.missed), str(counter.extra), percent(counter.errors, each.people)]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def percent(part: int, whole: int) -> str:
    """Return *part* of *whole* with one decimal; 0 only when it is none."""
    return "0" if part == 0 else f"{max(0.1, 100 * part / whole):.1f} %"
