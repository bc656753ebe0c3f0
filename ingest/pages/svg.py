"""Pictures as SVG text: few elements, short numbers, and classes for colour: a strict CSP allows no styles."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

Point = tuple[float, float]

_NAMES: dict[str, str] = {}
"""The names of attributes as they are written, by those they have here."""


def element(name: str, content: Iterable[Markup] | str = "", **attributes: object) -> Markup:
    """Return an element. Attributes that are None are left out; ``_`` in names is written ``-``, at the end dropped."""
    written = "".join(
        f' {_NAMES.get(key) or _name(key)}="{_short(value) if isinstance(value, (int, float)) else escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    inner = escape(content) if isinstance(content, str) else Markup("").join(content)
    return Markup(f"<{name}{written}/>") if not inner else Markup(f"<{name}{written}>{inner}</{name}>")  # noqa: S704 - escaped above


def _name(key: str) -> str:
    found = _NAMES[key] = key.rstrip("_").replace("_", "-")
    return found


def path(points: Sequence[Point], *, closed_at: float | None = None) -> str:
    """Return the data of a line through *points*; with *closed_at*, of the area between them and that height."""
    if not points:
        return ""
    line = "M" + "L".join(f"{_short(x)},{_short(y)}" for x, y in points)
    if closed_at is None:
        return line
    return f"{line}V{_short(closed_at)}H{_short(points[0][0])}Z"


def steps(highest: float, *, wanted: int = 4) -> list[int]:
    """Return whole numbers for an axis from 0 to *highest* or a little more: 1, 2 or 5 times a power of ten apart."""
    step = 1
    for step in (factor * 10**power for power in range(9) for factor in (1, 2, 5)):
        if step * wanted >= highest:
            break
    count = max(1, -(-int(highest) // step))
    return [step * number for number in range(count + 1)]


def _short(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
