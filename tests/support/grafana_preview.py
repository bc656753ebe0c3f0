"""Draws a schematic of the Occupancy dashboard from its real layout and data. Grafana draws it differently.

    python -m tests.support.grafana_preview docs/pictures/dashboard.svg

The JSON places the boxes, and the queries over the simulated week fill them.
"""

import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from footfall.model import epoch_ms
from tests.support.grafana import Frame, Json, Viewer, dashboard
from tests.support.grafana_transformations import transform
from tests.support.grafana_week import LIBRARY, NOW, PARIS, load, paris, simulated_week
from tests.support.influx_fixtures import running_influx_server

COLUMN, ROW, EDGE, HEAD = 44, 24, 4, 22
COLOURS = ("#3b78b8", "#d9822b", "#4d9a57", "#8d6cab", "#b8474a")
STYLE = 'font-family="sans-serif" font-size="11" fill="#24292f"'
Box = tuple[float, float, float, float]


def main(path: Path) -> None:
    """Write the picture to *path*."""
    with running_influx_server() as server:
        database = server.create()
        load(database, simulated_week())
        board = dashboard("occupancy")
        viewer = Viewer(database, paris(28, 0), NOW, {"site": LIBRARY.id}, PARIS)
        drawn: list[str] = []
        for panel in board["panels"]:
            drawn += _panel(
                panel, [] if panel["type"] == "row" else transform(viewer.frames(board, panel), panel, PARIS)
            )
    height = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"]) * ROW
    words = "Schematic of the dashboard's layout with data of a simulated week; not a screenshot."
    text = "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {24 * COLUMN} {height + 30}" {STYLE}>',
            f'<title>{escape(words)}</title><rect width="100%" height="100%" fill="#f4f5f7"/>',
            *drawn,
            f'<text x="8" y="{height + 19}" fill="#57606a">{escape(words)}</text>',
            "</svg>",
        ]
    )
    path.write_text(text + "\n", encoding="utf-8")


def _panel(panel: Json, frames: Sequence[Frame]) -> Iterator[str]:
    grid = panel["gridPos"]
    x, y, w, h = grid["x"] * COLUMN, grid["y"] * ROW, grid["w"] * COLUMN, grid["h"] * ROW
    if panel["type"] == "row":
        yield f'<text x="{x + 8}" y="{y + 17}" font-weight="bold">{escape(panel["title"])}</text>'
        return
    yield (
        f'<rect x="{x + EDGE / 2}" y="{y + EDGE / 2}" width="{w - EDGE}" height="{h - EDGE}" fill="#fff" '
        'stroke="#d0d7de" rx="3"/>'
    )
    yield f'<text x="{x + 9}" y="{y + 17}" font-weight="bold">{escape(panel["title"])}</text>'
    box = (x + 10, y + HEAD + 4, w - 20, h - HEAD - 14)
    kind = panel["type"]
    if kind == "stat":
        yield from _figures(frames, box)
    elif kind in {"bargauge", "piechart"}:
        yield from _bars(frames, box)
    elif kind == "state-timeline":
        yield from _strips(frames, box, 0 if "timeShift" in panel else epoch_ms(paris(28, 0)))
    elif kind == "table":
        yield from _cells(frames, box)
    else:
        yield from _graph(panel, frames, box)


def _figures(frames: Sequence[Frame], box: Box) -> Iterator[str]:
    x, y, w, h = box
    step = w / max(1, len(frames))
    for place, frame in enumerate(frames):
        name, value = frame.columns[1].name, frame.columns[1].values[-1]
        middle = x + step * (place + 0.5)
        size = 30 if len(frames) == 1 else 22
        yield f'<text x="{middle:.0f}" y="{y + h * 0.62:.0f}" font-size="{size}" text-anchor="middle">{value:g}</text>'
        yield f'<text x="{middle:.0f}" y="{y + h:.0f}" text-anchor="middle" fill="#57606a">{escape(name)}</text>'


def _bars(frames: Sequence[Frame], box: Box) -> Iterator[str]:
    x, y, w, h = box
    most = max(frame.columns[1].values[-1] for frame in frames)
    step = min(30.0, h / len(frames))
    for place, frame in enumerate(frames):
        name, value = frame.columns[1].name, frame.columns[1].values[-1]
        top = y + place * step
        length = (w - 120) * value / most
        yield f'<text x="{x}" y="{top + step * 0.6:.0f}">{escape(name)}</text>'
        colour = COLOURS[place % len(COLOURS)]
        yield f'<rect x="{x + 70}" y="{top + 2:.0f}" width="{length:.0f}" height="{step - 8:.0f}" fill="{colour}"/>'
        yield f'<text x="{x + 78 + length:.0f}" y="{top + step * 0.6:.0f}">{value:g}</text>'


def _strips(frames: Sequence[Frame], box: Box, since: float) -> Iterator[str]:
    """Draw a strip for each counter, from the instant *since*, where the panel begins."""
    x, y, w, h = box
    step = min(24.0, h / len(frames))
    for place, frame in enumerate(frames):
        top = y + place * step
        values = [value for at, value in zip(*(c.values for c in frame.columns), strict=True) if at >= since]
        width = (w - 70) / len(values)
        yield f'<text x="{x}" y="{top + step * 0.6:.0f}">{escape(frame.columns[1].name)}</text>'
        for number, value in enumerate(values):
            colour = "#c4372c" if value == 0 else "#4d9a57" if value > 0.999 else "#d9a02b"
            left = x + 70 + number * width
            yield f'<rect x="{left:.1f}" y="{top:.0f}" width="{width:.1f}" height="{step - 5:.0f}" fill="{colour}"/>'


def _cells(frames: Sequence[Frame], box: Box) -> Iterator[str]:
    """Draw the heat map of weekdays."""
    x, y, w, h = box
    (matrix,) = frames
    days, hours = matrix.columns[0].values, matrix.columns[1:]
    most = max(value or 0 for column in hours for value in column.values)
    width, height = (w - 50) / len(hours), (h - 14) / len(days)
    for row, day in enumerate(days):
        yield f'<text x="{x}" y="{y + 12 + (row + 0.7) * height:.0f}">{escape(day)}</text>'
    for number, column in enumerate(hours):
        left = x + 50 + number * width
        if column.name.endswith(":00"):
            yield f'<text x="{left:.0f}" y="{y + 8:.0f}" font-size="9">{column.name}</text>'
        for row, value in enumerate(column.values):
            if value is not None:
                yield (
                    f'<rect x="{left:.1f}" y="{y + 12 + row * height:.1f}" width="{width - 1:.1f}" '
                    f'height="{height - 1:.1f}" fill="#5b3c88" fill-opacity="{0.05 + 0.95 * value / most:.2f}"/>'
                )


def _graph(panel: Json, frames: Sequence[Frame], box: Box) -> Iterator[str]:
    x, y, w, h = box
    columns = [(frame.columns[0].values, column) for frame in frames for column in frame.columns[1:]]
    down = {
        one["matcher"]["options"]
        for one in panel["fieldConfig"]["overrides"]
        for item in one["properties"]
        if item == {"id": "custom.transform", "value": "negative-Y"}
    }
    signed = [(times, c.name, [v and (-v if c.name in down else v) for v in c.values]) for times, c in columns]
    numbers = [value for _, _, values in signed for value in values if value is not None]
    low, high = float(min(0, *numbers)), float(max(1, *numbers))
    first = float(min(times[0] for times, _, _ in signed))
    last = float(max(2 * times[-1] - times[-2] for times, _, _ in signed))
    bars = panel["type"] == "barchart" or panel["fieldConfig"]["defaults"]["custom"].get("drawStyle") == "bars"

    def across(time: float) -> float:
        return x + (w - 8) * (time - first) / (last - first)

    def up(value: float) -> float:
        return y + (h - 14) * (high - value) / (high - low)

    yield f'<line x1="{x}" x2="{x + w}" y1="{up(0):.1f}" y2="{up(0):.1f}" stroke="#8c959f"/>'
    for place, (times, name, values) in enumerate(signed):
        colour = COLOURS[place % len(COLOURS)]
        yield f'<text x="{x + 100 * place}" y="{y + h:.0f}" fill="{colour}">{escape(name)}</text>'
        drawn = [(across(time), up(value)) for time, value in zip(times, values, strict=True) if value is not None]
        if bars:
            width = (w - 8) / len(times) * 0.8 / (1 if down else len(signed))
            shift = 0 if down else place * width
            for left, top in drawn:
                yield (
                    f'<rect x="{left + shift:.1f}" y="{min(top, up(0)):.1f}" width="{width:.1f}" '
                    f'height="{abs(top - up(0)):.1f}" fill="{colour}"/>'
                )
        else:
            points = " ".join(f"{left:.1f},{top:.1f}" for left, top in drawn)
            yield f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


if __name__ == "__main__":
    main(Path(sys.argv[1]))
