"""The detector's errors by the height of the beams, with the same people at each height.

Low beams hit prams and trolleys. High beams miss children and hit the elbows of runners. docs/accuracy.md, "How high to
hang the beams", draws the conclusion.
"""

import os
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from html import escape
from multiprocessing import get_context
from pathlib import Path

from bench.accuracy import SEED, TRACE, Score, detected, percent, score
from bench.walkers.bodies import BEAM_HEIGHT_M, Body, child
from bench.walkers.passages import random_way, walker
from bench.walkers.scenarios import BY_NAME, Scenario, Target
from bench.walkers.sensor import BeamPair, watch
from bench.walkers.trials import Trial, joined

HEIGHTS_M = (0.90, 1.00, 1.05, 1.10, 1.15, 1.20)
PEOPLE = 300
PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "heights.svg"

_AWAY_M = 1.3  # how far from the door a walk begins and ends


def small_child(chance: random.Random, beams: BeamPair) -> Trial:
    """Return one child of 0.95 to 1.15 m, three to five years old, at 0.5 to 1.6 m/s.

    The median height is 0.95 m at three, 1.10 m at five and 1.16 m at six (WHO, Child Growth Standards and Growth
    Reference 5 to 19 years).
    """
    return _alone(child(chance, beams.height_m, 0.95, 1.15), chance, beams)


def school_child(chance: random.Random, beams: BeamPair) -> Trial:
    """Return one child of 1.15 to 1.40 m, six to ten years old, at 0.5 to 1.6 m/s."""
    return _alone(child(chance, beams.height_m), chance, beams)


def _alone(body: Body, chance: random.Random, beams: BeamPair) -> Trial:
    way, speed = random_way(chance), chance.uniform(0.5, 1.6)
    return watch([walker(body, chance, way, speed, _AWAY_M).go(way * _AWAY_M, speed)], beams, chance)


@dataclass(frozen=True)
class PersonKind:
    """A kind of person. *title* heads the table's column, *panel* the picture's panel; without one it is not drawn."""

    scenario: Scenario
    title: str
    panel: str = ""

    @property
    def name(self) -> str:
        return self.scenario.name


_SCHOOL = Scenario("school", "children of 1.15 to 1.40 m", school_child, Target.NONE)
_SMALL = Scenario("small", "children of 0.95 to 1.15 m", small_child, Target.NONE)
KINDS = (
    PersonKind(BY_NAME["single"], "one person", "One person, six or older"),
    PersonKind(BY_NAME["running"], "running", "Running"),
    PersonKind(BY_NAME["file"], "in file"),
    PersonKind(BY_NAME["prams"], "behind a pram", "Behind a pram"),
    PersonKind(_SCHOOL, _SCHOOL.title),
    PersonKind(_SMALL, _SMALL.title, "Child of three to five"),
)
_SCENARIOS = {kind.name: kind.scenario for kind in KINDS}


@dataclass(frozen=True)
class HeightResult:
    """The detector's errors on *people* of the kind *name*, with beams *height_m* above the floor."""

    height_m: float
    name: str
    people: int
    score: Score

    @property
    def error(self) -> str:
        return percent(self.score.errors, self.people)


def measure(
    say: Callable[[str], None], people: int = PEOPLE, seed: int = SEED, trace: Path = TRACE
) -> list[HeightResult]:
    """Return the results of all kinds at all heights, measured in parallel on all cores."""
    if not trace.exists():
        raise SystemExit(f"{trace} does not exist; build it with: make firmware")
    wanted = [(height_m, kind) for height_m in HEIGHTS_M for kind in KINDS]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        pending = [pool.submit(judge, height_m, kind.name, people, seed, trace) for height_m, kind in wanted]
        results: list[HeightResult] = []
        for (height_m, kind), future in zip(wanted, pending, strict=True):
            say(f"beams at {height_m:.2f} m: {kind.title}")
            results.append(future.result())
    return results


def judge(height_m: float, name: str, people: int, seed: int = SEED, trace: Path = TRACE) -> HeightResult:
    """Return the detector's errors on *people* of the kind *name*, with beams *height_m* above the floor."""
    scenario = _SCENARIOS[name]
    trial = joined(scenario.trials(people, seed, height_m))
    return HeightResult(height_m, name, trial.people, score(trial.truth, detected(trial, scenario.spacing_m, trace)))


def markdown(results: Sequence[HeightResult]) -> str:
    """Return *results* as a Markdown table with a row for each height and a column for each kind."""
    rows = [f"| height | {' | '.join(kind.title for kind in KINDS)} |", f"| ---: |{' ---: |' * len(KINDS)}"]
    for height_m in _heights(results):
        by_name = {result.name: result for result in results if result.height_m == height_m}
        cells = [_cell(by_name[kind.name]) for kind in KINDS]
        shown = f"{height_m:.2f} m"
        rows.append(f"| {f'**{shown}**' if height_m == BEAM_HEIGHT_M else shown} | {' | '.join(cells)} |")
    return "\n".join([*rows, "", f"Each cell: missed + extra, and the error, of {_people(results)}."])


def _cell(result: HeightResult) -> str:
    return f"{result.score.missed} + {result.score.extra}, {result.error}"


def _people(results: Sequence[HeightResult]) -> str:
    """Return how many people there were of each kind. A last trial with several people may exceed the number."""
    by_title = {kind.title: next(each.people for each in results if each.name == kind.name) for kind in KINDS}
    fewest = min(by_title.values())
    others = [f" ({people} {title})" for title, people in by_title.items() if people != fewest]
    return f"{fewest} people{''.join(others)}"


def _heights(results: Sequence[HeightResult]) -> list[float]:
    return sorted({result.height_m for result in results})


_WIDTH, _TOP, _DEEP = 920, 88, 150
_PANEL, _BETWEEN, _BAR = 200, 24, 22
_STYLE = """
    text { font: 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2933; }
    .name { font-weight: 600; font-size: 16px; }
    .small { font-size: 12.5px; fill: #52606d; } .here { font-size: 12.5px; font-weight: 600; }
    .grid { stroke: #cbd2d9; } .base { stroke: #7b8794; stroke-width: 1.5; }
    .bar { fill: #9db8d2; } .bar.at { fill: #1b62a5; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e4e7eb; } .small { fill: #b3bcc6; } .grid { stroke: #3e4c59; } .base { stroke: #8895a3; }
      .bar { fill: #47617b; } .bar.at { fill: #6db3f2; }
    }
"""


def draw(results: Sequence[HeightResult]) -> str:
    """Return *results* as SVG: a panel for each drawn kind, with a bar from 0 to 100 for each height."""
    drawn = [kind for kind in KINDS if kind.panel]
    parts = [
        '<text class="name" x="24" y="30">Missed and extra per 100 people, by the height of the beams in metres</text>'
    ]
    for number, kind in enumerate(drawn):
        parts += _panel([each for each in results if each.name == kind.name], kind, 24 + number * (_PANEL + _BETWEEN))
    body, height = "\n  ".join(parts), _TOP + _DEEP + 34
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" \
height="{height}" role="img" aria-labelledby="title desc">
  <title id="title">Errors by the height of the beams</title>
  <desc id="desc">{escape(_description(results, drawn))}</desc>
  <style>{_STYLE}  </style>
  {body}
</svg>
"""


def _panel(results: Sequence[HeightResult], kind: PersonKind, left: int) -> list[str]:
    floor = _TOP + _DEEP
    parts = [f'<text x="{left}" y="58">{escape(kind.panel)}</text>']
    for share in (0, 50, 100):
        y = floor - _DEEP * share / 100
        style = "grid" if share else "base"
        parts.append(f'<line class="{style}" x1="{left}" y1="{y:.0f}" x2="{left + _PANEL}" y2="{y:.0f}"/>')
    step = _PANEL / len(results)
    for number, result in enumerate(sorted(results, key=lambda each: each.height_m)):
        parts += _column(result, left + step * (number + 0.5))
    return parts


def _column(result: HeightResult, middle: float) -> list[str]:
    at = result.height_m == BEAM_HEIGHT_M
    style, text = ("bar at", "here") if at else ("bar", "small")
    share, floor = 100 * result.score.errors / result.people, _TOP + _DEEP
    label = f"{share:.0f}" if share >= 10 else result.error.removesuffix(" %")
    tall = max(1.5, _DEEP * min(share, 100.0) / 100) if share else 0.0
    anchor = f'x="{middle:.0f}" text-anchor="middle"'
    place = f'x="{middle - _BAR / 2:.0f}" y="{floor - tall:.1f}" width="{_BAR}" height="{tall:.1f}"'
    return [
        f'<rect class="{style}" {place} rx="1.5"/>',
        f'<text class="{text}" {anchor} y="{floor - tall - 5:.0f}">{label}</text>',
        f'<text class="{text}" {anchor} y="{floor + 18}">{result.height_m:.2f}</text>',
    ]


def _description(results: Sequence[HeightResult], drawn: Sequence[PersonKind]) -> str:
    return "; ".join(
        f"{kind.title}: "
        + ", ".join(f"{each.error} at {each.height_m:.2f} m" for each in results if each.name == kind.name)
        for kind in drawn
    )
