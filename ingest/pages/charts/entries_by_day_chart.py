"""The chart of a week or a month: entries by day."""

from collections.abc import Sequence

from markupsafe import Markup

from ingest.pages.charts.drawing import Size, axis_marks, bar, element, grid, in_both_sizes, picture, y_scale
from ingest.pages.language import Language
from ingest.pages.site_days import Coverage, SiteDay

_HATCH_HEIGHT = 5.0  # at the foot of a partly counted day


def entries_by_day_chart(days: Sequence[SiteDay], before: Sequence[SiteDay], language: Language, label: str) -> Markup:
    """Return a bar for each of *days*, with the days of the previous period, *before*, as a backdrop."""

    def draw(size: Size) -> Markup:
        marks = axis_marks(max([day.total.entries for day in (*days, *before)] + [4]))
        y_of = y_scale(size, marks[-1])
        parts = grid(size, marks, y_of, language)
        step = size.inner_width / len(days)
        label_width = 34.0 if len(days) <= 7 else 22.0
        every = max(1, -(-int(label_width) // int(step)))
        for number, day in enumerate(days):
            left = size.left + number * step
            if number < len(before) and before[number].coverage is not Coverage.GAP:
                top = y_of(before[number].total.entries)
                parts.append(bar(left, step, top, size.floor, 0.04, "behind"))
            if day.coverage is Coverage.GAP:
                parts.append(bar(left, step, size.top, size.floor, 0.0, "gap"))
            elif day.coverage is not Coverage.FUTURE:
                parts.append(bar(left, step, y_of(day.total.entries), size.floor, 0.18, "entries"))
            if day.coverage is Coverage.PARTIAL:
                parts.append(bar(left, step, size.floor - _HATCH_HEIGHT, size.floor, 0.0, "gap"))
            if number % every == 0:
                text = language.weekday(day.day.weekday()) if len(days) <= 7 else str(day.day.day)
                parts.append(element("text", text, x=left + step / 2, y=size.height - 8, class_="hour"))
        return picture(size, parts, label)

    return in_both_sizes(draw)
