"""The heat map: weekdays down, half hours across, darker for more entries."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from markupsafe import Markup

from ingest.pages.charts.drawing import Size, element, in_both_sizes, picture
from ingest.pages.heat_map import HeatCell
from ingest.pages.language import Language

SHADES = 6
_ROW_HEIGHT = 24.0


def heat_map_chart(rows: Mapping[int, Sequence[HeatCell]], language: Language, label: str) -> Markup:
    """Return a row for each weekday of *rows*; gaps are hatched."""
    slots = _slots_worth_drawing(rows)
    most = max((cell.mean_entries or 0.0 for row in rows.values() for cell in row), default=0.0)

    def draw(base: Size) -> Markup:
        size = replace(base, height=12.0 + _ROW_HEIGHT * len(rows) + 24.0, top=6.0)
        step = size.inner_width / max(1, len(slots))
        parts: list[Markup] = []
        for line, (weekday, cells) in enumerate(sorted(rows.items())):
            top = size.top + line * _ROW_HEIGHT
            parts.append(element("text", language.weekday(weekday), x=size.left - 6, y=top + 16, class_="scale"))
            for column, slot in enumerate(slots):
                parts.append(_cell(cells[slot], size.left + column * step, top, step, most))
        for column, slot in enumerate(slots):
            if slot % (2 * size.hours_between_labels) == 0:
                x = size.left + column * step
                parts.append(element("text", f"{slot // 2:02}", x=x, y=size.height - 8, class_="hour first"))
        return picture(size, parts, label)

    return in_both_sizes(draw)


def shade_of(value: float, most: float) -> int:
    """Return the shade of *value*, from 0 for zero to SHADES - 1 for *most*. Only zero gets shade 0."""
    if value <= 0 or most <= 0:
        return 0
    return min(SHADES - 1, 1 + int((SHADES - 1) * value / most))


def _cell(cell: HeatCell, x: float, y: float, width: float, most: float) -> Markup:
    if cell.mean_entries is not None:
        kind = f"heat-{shade_of(cell.mean_entries, most)}"
    elif cell.is_gap:
        kind = "gap" if cell.is_open else "closed"
    else:
        kind = "future"
    return element("rect", x=x + 0.5, y=y + 0.5, width=width - 1.0, height=_ROW_HEIGHT - 1.0, class_=kind)


def _slots_worth_drawing(rows: Mapping[int, Sequence[HeatCell]]) -> list[int]:
    """Return consecutive half hours of the wall clock, from the first that is open or has entries to the last."""
    worth = [
        slot for row in rows.values() for slot, cell in enumerate(row) if cell.is_open or cell.mean_entries
    ] or [0, 47]  # fmt: skip
    return list(range(min(worth), max(worth) + 1))
