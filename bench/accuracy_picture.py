"""docs/pictures/accuracy.svg: the errors of both counters, scenario by scenario."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from bench.accuracy import ScenarioResult, Score, percent
from bench.walkers.scenarios import Target

PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "accuracy.svg"

_GROUPS = (
    ("People through the door: missed and extra per 100", (Target.ONE_PERCENT, Target.FIVE_PERCENT)),
    ("Nobody through the door: false counts per 100 trials", (Target.ZERO,)),
    ("No target: missed and extra per 100", (Target.NONE,)),
)
_WIDTH, _LEFT, _RIGHT = 920, 332, 836
_ROW, _BAR = 30, 9
_STYLE = """
    text { font: 14px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2933; }
    .name { font-weight: 600; font-size: 16px; }
    .small { font-size: 12.5px; fill: #52606d; }
    .grid { stroke: #cbd2d9; } .base { stroke: #7b8794; stroke-width: 1.5; }
    .old { fill: #c98a5f; } .new { fill: #1b62a5; }
    .told { font-size: 11.5px; fill: #93390a; } .tnew { font-size: 12.5px; font-weight: 600; fill: #1b62a5; }
    @media (prefers-color-scheme: dark) {
      text { fill: #e4e7eb; } .small { fill: #b3bcc6; } .grid { stroke: #3e4c59; } .base { stroke: #8895a3; }
      .old { fill: #a8663a; } .new { fill: #6db3f2; } .told { fill: #f3a06d; } .tnew { fill: #8cc4f5; }
    }
"""


def draw(results: Sequence[ScenarioResult]) -> str:
    """Return *results* as SVG, two bars a scenario from 0 to 100. Longer bars are cut and marked."""
    parts: list[str] = []
    y = 64
    for title, aims in _GROUPS:
        shown = [result for result in results if result.scenario.target in aims]
        parts.append(f'<text class="name" x="24" y="{y}">{title}</text>')
        y += 14
        parts += _grid(y, len(shown))
        for result in shown:
            parts += _row(result, y)
            y += _ROW
        y += 52
    legend = (
        '<rect class="old" x="24" y="18" width="22" height="10" rx="2"/><text class="small" x="54" y="28">'
        "old firmware</text>"
        '<rect class="new" x="250" y="18" width="22" height="10" rx="2"/><text class="small" x="280" y="28">'
        "this firmware</text>"
    )
    body = "\n  ".join([legend, *parts])
    height = y - 20
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" \
height="{height}" role="img" aria-labelledby="title desc">
  <title id="title">Errors by scenario, the old firmware and this one</title>
  <desc id="desc">{escape(_description(results))}</desc>
  <style>{_STYLE}  </style>
  {body}
</svg>
"""


def _grid(y: int, rows: int) -> list[str]:
    bottom = y + rows * _ROW
    parts = []
    for value in range(0, 101, 25):
        x = _x(value)
        kind = "grid" if value else "base"
        parts.append(f'<line class="{kind}" x1="{x:.0f}" y1="{y}" x2="{x:.0f}" y2="{bottom}"/>')
        parts.append(f'<text class="small" x="{x:.0f}" y="{bottom + 16}" text-anchor="middle">{value}</text>')
    return parts


def _row(result: ScenarioResult, y: int) -> list[str]:
    old, new = _share(result.old, result), _share(result.new, result)
    label = f"{percent(result.old.errors, result.people)}{' ▸' if old > 100 else ''}"
    return [
        f'<text x="{_LEFT - 12}" y="{y + 19}" text-anchor="end">{escape(result.scenario.title)}</text>',
        _bar("old", old, y + 4),
        f'<text class="told" x="{_x(old) + 6:.0f}" y="{y + 13}">{label}</text>',
        _bar("new", new, y + 16),
        f'<text class="tnew" x="{_x(new) + 6:.0f}" y="{y + 26}">{percent(result.new.errors, result.people)}</text>',
    ]


def _bar(kind: str, share: float, y: int) -> str:
    width = max(1.5, _x(share) - _LEFT) if share else 0
    return f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="1.5"/>'


def _x(share: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * min(share, 100.0) / 100


def _share(score: Score, result: ScenarioResult) -> float:
    return 100 * score.errors / result.people


def _description(results: Sequence[ScenarioResult]) -> str:
    rows = (
        (each.scenario.title, percent(each.new.errors, each.people), percent(each.old.errors, each.people))
        for each in results
    )
    return "; ".join(f"{title}: {new}, before {old}" for title, new, old in rows)
