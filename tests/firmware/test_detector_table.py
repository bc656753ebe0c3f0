"""Every row of the table in detector/README.md, as drawn there."""

import pytest

from tests.support.beams import counted, drawn
from tests.support.firmware import FIRMWARE


def rows() -> list[tuple[str, str, str, list[str]]]:
    """Return (name, outer, inner, counted) of each row."""
    found = []
    for line in (FIRMWARE / "lib" / "footfall" / "detector" / "README.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip("|").split("|")]
        if len(cells) == 5 and set(cells[1]) <= set(".#") and cells[1]:
            found.append((cells[0], cells[1], cells[2], [each.strip() for each in cells[3].split(",") if each.strip()]))
    return found


ROWS = rows()


def test_the_table_is_read() -> None:
    assert len(ROWS) >= 20


@pytest.mark.parametrize(("outer", "inner", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_row(outer: str, inner: str, expected: list[str]) -> None:
    """The drawing counts as the row says."""
    assert counted(drawn(outer, inner)) == expected


@pytest.mark.parametrize(("outer", "inner", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_row_mirrored(outer: str, inner: str, expected: list[str]) -> None:
    """The mirrored drawing has the other direction."""
    turned = {"entry": "exit", "exit": "entry"}
    assert counted(drawn(inner, outer)) == [turned[each] for each in expected]
