"""The charts of one day: people inside as a curve, entries and exits as bars."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from markupsafe import Markup

from ingest.pages.charts.drawing import Size, axis_marks, bar, element, grid, in_both_sizes, path, picture, y_scale
from ingest.pages.language import Language
from ingest.pages.site_days import Coverage, SiteDay, SiteHalfHour

_HATCH_HEIGHT = 5.0  # of the mark on a partly counted half hour


def occupancy_chart(
    day: SiteDay, now_utc: datetime, inside_now: int | None, capacity: int | None, language: Language, label: str
) -> Markup:
    """Return the people inside over *day* as an area; if *day* is today, it ends now at *inside_now*."""

    def draw(size: Size) -> Markup:
        plot = _HalfHourPlot(day.shown(), size)
        marks = axis_marks(max(day.peak_inside, inside_now or 0, capacity or 0, 4))
        y_of = y_scale(size, marks[-1])
        parts = [*plot.closed(), *grid(size, marks, y_of, language), *plot.gaps(), *plot.hours()]
        for run in _runs(plot, day, now_utc, inside_now):
            points = [(x, y_of(value)) for x, value in run]
            parts.append(element("path", d=path(points, closed_at=size.floor), class_="area"))
            parts.append(element("path", d=path(points), class_="line"))
            if inside_now is not None and run[-1][0] == plot.x_of(now_utc):
                parts.append(element("circle", cx=points[-1][0], cy=points[-1][1], r=4, class_="now"))
        if capacity:
            y, right = y_of(capacity), size.width - size.right
            parts.append(element("line", x1=size.left, x2=right, y1=y, y2=y, class_="capacity"))
            text = language.gettext("Capacity") + f" {language.number(capacity)}"
            parts.append(element("text", text, x=right, y=y - 4, class_="capacity-label"))
        return picture(size, parts, label)

    return in_both_sizes(draw)


def crossings_chart(day: SiteDay, behind: SiteDay | None, language: Language, label: str) -> Markup:
    """Return the entries (up) and exits (down) of each half hour of *day*, with those of *behind* as a backdrop."""

    def draw(size: Size) -> Markup:
        plot = _HalfHourPlot(day.shown(), size)
        theirs = behind.by_label if behind else {}
        drawn = [*plot.half_hours, *(theirs[one.label] for one in plot.half_hours if one.label in theirs)]
        up = max((one.total.entries for one in drawn), default=0)
        down = max((one.total.exits for one in drawn), default=0)
        marks = axis_marks(max(up, down, 2), wanted=3)
        middle = (size.top + size.floor) / 2
        scale = (middle - size.top) / marks[-1]
        both_ways = sorted({*marks, *(-mark for mark in marks)})
        parts = [*plot.closed(), *plot.gaps(), *grid(size, both_ways, lambda mark: middle - mark * scale, language)]
        for number, one in enumerate(plot.half_hours):
            left, width = plot.left_of(number), plot.step
            if one.label in theirs and theirs[one.label].coverage is not Coverage.GAP:
                other = theirs[one.label].total
                parts.append(bar(left, width, middle - other.entries * scale, middle, 0.04, "behind"))
                parts.append(bar(left, width, middle, middle + other.exits * scale, 0.04, "behind"))
            if one.coverage in (Coverage.FULL, Coverage.PARTIAL):
                parts.append(bar(left, width, middle - one.total.entries * scale, middle, 0.18, "entries"))
                parts.append(bar(left, width, middle, middle + one.total.exits * scale, 0.18, "exits"))
            if one.coverage is Coverage.PARTIAL:
                parts.append(bar(left, width, middle - _HATCH_HEIGHT / 2, middle + _HATCH_HEIGHT / 2, 0.0, "gap"))
        parts += plot.hours()
        return picture(size, parts, label)

    return in_both_sizes(draw)


class _HalfHourPlot:
    """Half hours side by side between the margins of a picture."""

    def __init__(self, half_hours: Sequence[SiteHalfHour], size: Size) -> None:
        self.half_hours = half_hours
        self.size = size
        self.step = size.inner_width / max(1, len(half_hours))

    def left_of(self, number: int) -> float:
        return self.size.left + number * self.step

    def x_of(self, moment_utc: datetime) -> float | None:
        """Return the x coordinate of *moment_utc*, None outside the plot."""
        for number, one in enumerate(self.half_hours):
            if one.bucket.start_utc <= moment_utc < one.bucket.end_utc:
                part = (moment_utc - one.bucket.start_utc) / (one.bucket.end_utc - one.bucket.start_utc)
                return self.left_of(number) + part * self.step
        return None

    def closed(self) -> Iterator[Markup]:
        """Yield a shade over each stretch outside the opening hours."""
        for first, last in _stretches([not one.is_open for one in self.half_hours]):
            yield self._band(first, last, "closed")

    def gaps(self) -> Iterator[Markup]:
        """Yield hatching over each gap."""
        for first, last in _stretches([one.coverage is Coverage.GAP for one in self.half_hours]):
            yield self._band(first, last, "gap")

    def hours(self) -> Iterator[Markup]:
        """Yield the hour labels under the plot."""
        for number, one in enumerate(self.half_hours):
            start = one.bucket.start_local
            if start.minute == 0 and start.hour % self.size.hours_between_labels == 0:
                x = self.left_of(number)
                yield element("line", x1=x, x2=x, y1=self.size.floor, y2=self.size.floor + 4, class_="tick")
                yield element("text", f"{start.hour:02}", x=x, y=self.size.height - 7, class_="hour")

    def _band(self, first: int, last: int, kind: str) -> Markup:
        height = self.size.floor - self.size.top
        width = self.step * (last - first + 1)
        return element("rect", x=self.left_of(first), y=self.size.top, width=width, height=height, class_=kind)


def _runs(
    plot: _HalfHourPlot, day: SiteDay, now_utc: datetime, inside_now: int | None
) -> Iterator[list[tuple[float, float]]]:
    """Yield the stretches of (x, people inside) between gaps; if *day* is today, the last one ends now."""
    first = day.half_hours.index(plot.half_hours[0]) if plot.half_hours else 0
    before = day.half_hours[first - 1].inside if first else 0
    run: list[tuple[float, float]] = []
    for number, one in enumerate(plot.half_hours):
        if one.coverage is Coverage.GAP or one.inside is None:
            if len(run) > 1 and one.coverage is Coverage.GAP:
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
    x_now = plot.x_of(now_utc)
    if x_now is not None and inside_now is not None:
        number = int((x_now - plot.size.left) / plot.step)
        run = run or [(plot.left_of(number), before or 0)]
        run.append((x_now, inside_now))
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
