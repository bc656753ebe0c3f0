"""The pictures of the pages. Each is drawn twice, for wide and for narrow screens, so that its letters can be read.

A stretch nobody counted in is hatched, one counted in part carries a hatched foot; neither is ever drawn as zero.
Whoever cannot see them has the table that stands behind each picture in the page.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from ingest.pages.figures import Day, HalfHour, HeatCell, Knowledge
from ingest.pages.language import Language
from ingest.pages.svg import element, path, steps

HEAT_SHADES = 6
_FOOT = 5.0  # the height of the hatched foot of what is known in part


@dataclass(frozen=True)
class Size:
    """A picture's size and margins, in its own units; one unit is about one pixel where it is meant for."""

    name: str
    width: float
    height: float
    left: float
    right: float = 8.0
    top: float = 14.0
    bottom: float = 24.0
    hours_between_labels: int = 2

    @property
    def inner_width(self) -> float:
        """The width of the plot itself."""
        return self.width - self.left - self.right

    @property
    def floor(self) -> float:
        """Where zero lies."""
        return self.height - self.bottom


WIDE = Size("wide", 880.0, 260.0, 44.0)
NARROW = Size("narrow", 340.0, 240.0, 34.0, hours_between_labels=4)


def twice(draw: Callable[[Size], Markup]) -> Markup:
    """Return what *draw* makes for both sizes; the style sheet shows one of them."""
    return draw(WIDE) + draw(NARROW)


def occupancy_chart(
    day: Day, now_utc: datetime, inside_now: int | None, capacity: int | None, language: Language, label: str
) -> Markup:
    """Return the people inside through *day*: an area, its end *inside_now* where the day is today."""

    def draw(size: Size) -> Markup:
        plot = _Plot(day.shown(), size)
        highest = max(day.most_inside, inside_now or 0, capacity or 0, 4)
        marks = steps(highest)
        height = _heights(size, marks[-1])
        parts = [*plot.closed(), *_grid(size, marks, height, language), *plot.gaps(), *plot.hours()]
        for run in _runs(plot, day, now_utc, inside_now):
            points = [(x, height(value)) for x, value in run]
            parts.append(element("path", d=path(points, closed_at=size.floor), class_="area"))
            parts.append(element("path", d=path(points), class_="line"))
            if inside_now is not None and run[-1][0] == plot.at(now_utc):
                parts.append(element("circle", cx=points[-1][0], cy=points[-1][1], r=4, class_="now"))
        if capacity:
            y, right = height(capacity), size.width - size.right
            parts.append(element("line", x1=size.left, x2=right, y1=y, y2=y, class_="capacity"))
            text = language.gettext("Capacity") + f" {language.number(capacity)}"
            parts.append(element("text", text, x=right, y=y - 4, class_="capacity-label"))
        return _picture(size, parts, label)

    return twice(draw)


def crossings_chart(day: Day, behind: Day | None, language: Language, label: str) -> Markup:
    """Return the entries (up) and exits (down) of each half hour of *day*, those of *behind* as outlines behind."""

    def draw(size: Size) -> Markup:
        plot = _Plot(day.shown(), size)
        theirs = behind.by_label if behind else {}
        drawn = [*plot.half_hours, *(theirs[one.label] for one in plot.half_hours if one.label in theirs)]
        up = max((one.total.entries for one in drawn), default=0)
        down = max((one.total.exits for one in drawn), default=0)
        marks = steps(max(up, down, 2), wanted=3)
        middle = (size.top + size.floor) / 2
        scale = (middle - size.top) / marks[-1]
        parts = [*plot.closed(), *plot.gaps()]
        for mark in sorted({*marks, *(-mark for mark in marks)}):
            y = middle - mark * scale
            parts.append(element("line", x1=size.left, x2=size.width - size.right, y1=y, y2=y, class_="grid"))
            parts.append(element("text", language.number(abs(mark)), x=size.left - 6, y=y + 4, class_="scale"))
        for number, one in enumerate(plot.half_hours):
            left, width = plot.left_of(number), plot.step
            if one.label in theirs and theirs[one.label].knowledge is not Knowledge.GAP:
                other = theirs[one.label].total
                parts.append(_bar(left, width, middle - other.entries * scale, middle, 0.04, "behind"))
                parts.append(_bar(left, width, middle, middle + other.exits * scale, 0.04, "behind"))
            if one.knowledge in (Knowledge.COUNTED, Knowledge.PARTLY):
                parts.append(_bar(left, width, middle - one.total.entries * scale, middle, 0.18, "entries"))
                parts.append(_bar(left, width, middle, middle + one.total.exits * scale, 0.18, "exits"))
            if one.knowledge is Knowledge.PARTLY:
                parts.append(_bar(left, width, middle - _FOOT / 2, middle + _FOOT / 2, 0.0, "gap"))
        parts += plot.hours()
        return _picture(size, parts, label)

    return twice(draw)


def days_chart(days: Sequence[Day], before: Sequence[Day], language: Language, label: str) -> Markup:
    """Return the entries of each of *days*, those of the days of the period *before* as outlines behind."""

    def draw(size: Size) -> Markup:
        marks = steps(max([day.total.entries for day in (*days, *before)] + [4]))
        height = _heights(size, marks[-1])
        parts = _grid(size, marks, height, language)
        step = size.inner_width / len(days)
        room = 34.0 if len(days) <= 7 else 22.0
        every = max(1, -(-int(room) // int(step)))
        for number, day in enumerate(days):
            left = size.left + number * step
            if number < len(before) and before[number].knowledge is not Knowledge.GAP:
                top = height(before[number].total.entries)
                parts.append(_bar(left, step, top, size.floor, 0.04, "behind"))
            if day.knowledge is Knowledge.GAP:
                parts.append(_bar(left, step, size.top, size.floor, 0.0, "gap"))
            elif day.knowledge is not Knowledge.AHEAD:
                parts.append(_bar(left, step, height(day.total.entries), size.floor, 0.18, "entries"))
            if day.knowledge is Knowledge.PARTLY:
                parts.append(_bar(left, step, size.floor - _FOOT, size.floor, 0.0, "gap"))
            if number % every == 0:
                text = language.weekday(day.day.weekday()) if len(days) <= 7 else str(day.day.day)
                parts.append(element("text", text, x=left + step / 2, y=size.height - 8, class_="hour"))
        return _picture(size, parts, label)

    return twice(draw)


def heat_chart(rows: Mapping[int, Sequence[HeatCell]], language: Language, label: str) -> Markup:
    """Return weekday by half hour, the darker the more entries; unknown cells hatched."""
    slots = _busy_slots(rows)
    most = max((cell.mean_entries or 0.0 for row in rows.values() for cell in row), default=0.0)

    def draw(size: Size) -> Markup:
        high = 24.0
        size = Size(size.name, size.width, 12.0 + high * len(rows) + 24.0, size.left, size.right, 6.0, 24.0,
                    size.hours_between_labels)  # fmt: skip
        step = size.inner_width / max(1, len(slots))
        parts: list[Markup] = []
        for line, (weekday, cells) in enumerate(sorted(rows.items())):
            top = size.top + line * high
            parts.append(element("text", language.weekday(weekday), x=size.left - 6, y=top + 16, class_="scale"))
            for column, slot in enumerate(slots):
                parts.append(_cell(cells[slot], size.left + column * step, top, step, high, most))
        for column, slot in enumerate(slots):
            if slot % (2 * size.hours_between_labels) == 0:
                x = size.left + column * step
                parts.append(element("text", f"{slot // 2:02}", x=x, y=size.height - 8, class_="hour first"))
        return _picture(size, parts, label)

    return twice(draw)


def shade_of(value: float, most: float) -> int:
    """Return the shade, 0 to HEAT_SHADES - 1, of *value* where *most* is the darkest. Only zero has shade 0."""
    if value <= 0 or most <= 0:
        return 0
    return min(HEAT_SHADES - 1, 1 + int((HEAT_SHADES - 1) * value / most))


def _cell(cell: HeatCell, x: float, y: float, width: float, height: float, most: float) -> Markup:
    if cell.mean_entries is not None:
        kind = f"heat-{shade_of(cell.mean_entries, most)}"
    else:
        kind = "gap" if cell.is_gap and cell.is_open else "closed" if cell.is_gap else "ahead"
    return element("rect", x=x + 0.5, y=y + 0.5, width=width - 1.0, height=height - 1.0, class_=kind)


def _busy_slots(rows: Mapping[int, Sequence[HeatCell]]) -> list[int]:
    """Return the half hours of the wall clock worth drawing, without a hole between them."""
    worth = [
        slot for row in rows.values() for slot, cell in enumerate(row) if cell.is_open or cell.mean_entries
    ] or [0, 47]  # fmt: skip
    return list(range(min(worth), max(worth) + 1))


class _Plot:
    """Half hours side by side, between the margins of a size."""

    def __init__(self, half_hours: Sequence[HalfHour], size: Size) -> None:
        self.half_hours = half_hours
        self.size = size
        self.step = size.inner_width / max(1, len(half_hours))

    def left_of(self, number: int) -> float:
        return self.size.left + number * self.step

    def at(self, moment_utc: datetime) -> float | None:
        """Return where *moment_utc* lies; None outside the plot."""
        for number, one in enumerate(self.half_hours):
            if one.bucket.start_utc <= moment_utc < one.bucket.end_utc:
                part = (moment_utc - one.bucket.start_utc) / (one.bucket.end_utc - one.bucket.start_utc)
                return self.left_of(number) + part * self.step
        return None

    def closed(self) -> Iterator[Markup]:
        """Yield a shade over what is not opening hours."""
        for first, last in _stretches([not one.is_open for one in self.half_hours]):
            yield self._band(first, last, "closed")

    def gaps(self) -> Iterator[Markup]:
        """Yield a hatched band over each stretch nobody counted in."""
        for first, last in _stretches([one.knowledge is Knowledge.GAP for one in self.half_hours]):
            yield self._band(first, last, "gap")

    def hours(self) -> Iterator[Markup]:
        """Yield the hours under the plot."""
        for number, one in enumerate(self.half_hours):
            start = one.bucket.start_local
            if start.minute == 0 and start.hour % self.size.hours_between_labels == 0:
                x = self.left_of(number)
                yield element("line", x1=x, x2=x, y1=self.size.floor, y2=self.size.floor + 4, class_="tick")
                yield element("text", f"{start.hour:02}", x=x, y=self.size.height - 7, class_="hour")

    def _band(self, first: int, last: int, kind: str) -> Markup:
        left = self.left_of(first)
        height = self.size.floor - self.size.top
        width = self.step * (last - first + 1)
        return element("rect", x=left, y=self.size.top, width=width, height=height, class_=kind)


def _runs(
    plot: _Plot, day: Day, now_utc: datetime, inside_now: int | None
) -> Iterator[list[tuple[float, float]]]:  # fmt: skip
    """Yield the stretches of (x, people inside) between gaps; the last one ends now, where the day is today."""
    first = day.half_hours.index(plot.half_hours[0]) if plot.half_hours else 0
    before = day.half_hours[first - 1].inside if first else 0
    run: list[tuple[float, float]] = []
    for number, one in enumerate(plot.half_hours):
        if one.knowledge is Knowledge.GAP or one.inside is None:
            if len(run) > 1 and one.knowledge is Knowledge.GAP:
                yield run
                run = []
            before = one.inside
            if one.inside is None:
                break
            continue
        if not run and before is not None:
            run.append((plot.left_of(number), before))
        run.append((plot.left_of(number + 1), one.inside))
        before = one.inside
    here = plot.at(now_utc)
    if here is not None and inside_now is not None:
        number = int((here - plot.size.left) / plot.step)
        run = run or [(plot.left_of(number), before or 0)]
        run.append((here, inside_now))
    if len(run) > 1:
        yield run


def _stretches(flags: Sequence[bool]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of each stretch of true *flags*."""
    start: int | None = None
    for number, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = number
        elif not flag and start is not None:
            yield start, number - 1
            start = None


def _heights(size: Size, highest: float) -> Callable[[float], float]:
    scale = (size.floor - size.top) / highest
    return lambda value: size.floor - value * scale


def _grid(size: Size, marks: Sequence[int], height: Callable[[float], float], language: Language) -> list[Markup]:
    parts = []
    for mark in marks:
        y = height(mark)
        parts.append(element("line", x1=size.left, x2=size.width - size.right, y1=y, y2=y, class_="grid"))
        parts.append(element("text", language.number(mark), x=size.left - 6, y=y + 4, class_="scale"))
    return parts


def _bar(left: float, width: float, top: float, bottom: float, margin: float, kind: str) -> Markup:
    x, wide = left + width * margin, width * (1 - 2 * margin)
    return element("rect", x=x, y=top, width=wide, height=max(0.0, bottom - top), class_=kind)


def _picture(size: Size, parts: Sequence[Markup], label: str) -> Markup:
    return element(
        "svg", parts, viewBox=f"0 0 {size.width:g} {size.height:g}", class_=f"chart {size.name}", role="img",
        aria_label=label,
    )  # fmt: skip
