"""What the charts share: SVG elements, picture sizes, axes and bars. Colours are classes: the CSP forbids styles."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from ingest.pages.language import Language

Point = tuple[float, float]

_ATTRIBUTE_NAMES: dict[str, str] = {}


@dataclass(frozen=True)
class Size:
    """The size and margins of a picture in its own units, about one pixel each on the screens it is meant for."""

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
        """The width between the margins."""
        return self.width - self.left - self.right

    @property
    def floor(self) -> float:
        """The y coordinate of zero."""
        return self.height - self.bottom


WIDE = Size("wide", 880.0, 260.0, 44.0)
NARROW = Size("narrow", 340.0, 240.0, 34.0, hours_between_labels=4)


def in_both_sizes(draw: Callable[[Size], Markup]) -> Markup:
    """Return the wide and the narrow picture of *draw*; the style sheet shows one of them."""
    return draw(WIDE) + draw(NARROW)


def picture(size: Size, parts: Sequence[Markup], label: str) -> Markup:
    """Return an SVG image with the accessible name *label*."""
    return element(
        "svg", parts, viewBox=f"0 0 {size.width:g} {size.height:g}", class_=f"chart {size.name}", role="img",
        aria_label=label,
    )  # fmt: skip


def element(name: str, content: Iterable[Markup] | str = "", **attributes: object) -> Markup:
    """Return an escaped element without the attributes that are None.

    In attribute names ``_`` becomes ``-``, and a trailing ``_`` is dropped: ``class_``, ``aria_label``.
    """
    written = "".join(
        f" {_ATTRIBUTE_NAMES.get(key) or _attribute_name(key)}="
        f'"{_short(value) if isinstance(value, (int, float)) else escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = escape(content) if isinstance(content, str) else Markup("").join(content)
    return Markup(f"<{name}{written}/>") if not inner else Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704 - escaped above


def _attribute_name(key: str) -> str:
    found = _ATTRIBUTE_NAMES[key] = key.rstrip("_").replace("_", "-")
    return found


def path(points: Sequence[Point], *, closed_at: float | None = None) -> str:
    """Return the path data of a line through *points*, or of the area between that line and the height *closed_at*."""
    if not points:
        return ""
    line = "M" + "L".join(f"{_short(x)},{_short(y)}" for x, y in points)
    if closed_at is None:
        return line
    return f"{line}V{_short(closed_at)}H{_short(points[0][0])}Z"


def bar(left: float, width: float, top: float, bottom: float, margin: float, kind: str) -> Markup:
    """Return a rectangle of the class *kind*; *margin* is the part of *width* left free on either side."""
    x, wide = left + width * margin, width * (1 - 2 * margin)
    return element("rect", x=x, y=top, width=wide, height=max(0.0, bottom - top), class_=kind)


def axis_marks(highest: float, *, wanted: int = 4) -> list[int]:
    """Return even steps of 1, 2 or 5 times a power of ten, from 0 up to at least *highest*."""
    step = 1
    for step in (factor * 10**power for power in range(9) for factor in (1, 2, 5)):
        if step * wanted >= highest:
            break
    count = max(1, -(-int(highest) // step))
    return [step * number for number in range(count + 1)]


def y_scale(size: Size, highest: float) -> Callable[[float], float]:
    """Return a function from a value, 0 to *highest*, to its y coordinate."""
    scale = (size.floor - size.top) / highest
    return lambda value: size.floor - value * scale


def grid(size: Size, marks: Sequence[int], y_of: Callable[[float], float], language: Language) -> list[Markup]:
    """Return a line and a number for each of *marks*."""
    parts = []
    for mark in marks:
        y = y_of(mark)
        parts.append(element("line", x1=size.left, x2=size.width - size.right, y1=y, y2=y, class_="grid"))
        parts.append(element("text", language.number(abs(mark)), x=size.left - 6, y=y + 4, class_="scale"))
    return parts


def _short(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
