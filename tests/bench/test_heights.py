"""Beam heights are compared with the same people, and the documentation has the measured figures."""

import random
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import __main__ as bench
from bench import heights
from bench.accuracy import Score, detected, score
from bench.heights import HEIGHTS_M, KINDS, HeightResult, PersonKind
from bench.walkers.bodies import BEAM_HEIGHT_M, child
from bench.walkers.passages import walker
from bench.walkers.sensor import BeamPair, watch
from bench.walkers.trials import Trial, joined
from tests.support.firmware import program

ROOT = Path(__file__).parents[2]
SMALL = next(kind.scenario for kind in KINDS if kind.name == "small")
SEED = 4


def results() -> list[HeightResult]:
    """Return a result for each height and kind, all different."""
    return [
        HeightResult(height_m, kind.name, 301 if kind.name == "file" else 300, Score(10 * row + column, row))
        for row, height_m in enumerate(HEIGHTS_M)
        for column, kind in enumerate(KINDS)
    ]


def children(shortest_m: float, tallest_m: float) -> Trial:
    """Return 20 children of that height who pass beams at the recommended height."""
    trials = []
    for number in range(20):
        chance = random.Random(f"{shortest_m} {number}")
        body = child(chance, BEAM_HEIGHT_M, shortest_m, tallest_m)
        trials.append(watch([walker(body, chance, 1, 1.0).go(1.3, 1.0)], BeamPair(), chance))
    return joined(trials)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_same_people_pass_at_every_height(kind: PersonKind) -> None:
    """Otherwise a difference between two heights could come from the people."""
    crowds = [
        [[each.direction for each in trial.truth] for trial in kind.scenario.trials(6, SEED, height_m)]
        for height_m in HEIGHTS_M
    ]
    assert all(crowd == crowds[0] for crowd in crowds)
    assert sum(len(trial) for trial in crowds[0]) >= 6


def test_beams_see_a_child_only_below_its_head() -> None:
    """The children are 0.95 to 1.15 m tall. Each is one true crossing, seen or not."""
    for trial in SMALL.trials(30, SEED, 1.20):
        assert (trial.outer, trial.inner, len(trial.truth)) == ([], [], 1)
    for trial in SMALL.trials(30, SEED, 0.80):
        assert trial.outer
        assert trial.inner


def test_child_below_the_beams_counts_as_missed() -> None:
    """A person whom the beams cannot see is an error of the counter, not a zero."""
    assert heights.judge(1.20, "small", 20, SEED, program("trace")).score == Score(missed=20, extra=0)


@pytest.mark.parametrize(("shortest_m", "tallest_m", "counted"), [(1.04, 1.08, 0), (1.10, 1.14, 20)])
def test_children_are_counted_from_1_10_m_on(shortest_m: float, tallest_m: float, counted: int) -> None:
    """As docs/accuracy.md says of beams at 1.10 m: missed below 1.08 m, counted from 1.10 m on."""
    trial = children(shortest_m, tallest_m)
    found = score(trial.truth, detected(trial, BeamPair().spacing_m, program("trace")))
    assert (found.missed, found.extra) == (20 - counted, 0)


@pytest.mark.slow
def test_prams_count_once_at_the_recommended_height_and_twice_at_one_metre() -> None:
    recommended, lower = (heights.judge(height_m, "prams", 40, SEED, program("trace")) for height_m in (1.10, 1.00))
    assert recommended.score.errors <= 0.1 * recommended.people
    assert lower.score.extra >= 0.8 * lower.people


def test_measuring_heights_needs_the_firmware(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make firmware"):
        heights.measure(print, 1, SEED, tmp_path / "trace")


def test_table_has_a_row_for_each_height_and_a_cell_for_each_kind() -> None:
    rows = [line for line in heights.markdown(results()).splitlines() if re.match(r"\| \**\d", line)]
    assert len(rows) == len(HEIGHTS_M)
    for number, (row, height_m) in enumerate(zip(rows, HEIGHTS_M, strict=True)):
        assert f"{height_m:.2f} m" in row
        assert ("**" in row) == (height_m == BEAM_HEIGHT_M)
        assert [cell.split(",")[0].strip() for cell in row.split("|")[2:-1]] == [
            f"{10 * number + column} + {number}" for column in range(len(KINDS))
        ]


def test_table_gives_the_number_of_people() -> None:
    assert "of 300 people (301 in file)." in heights.markdown(results())


def test_bars_are_as_high_as_the_errors() -> None:
    drawing = ET.fromstring(heights.draw(results()))
    bars = [float(bar.attrib["height"]) for bar in drawing.iter("{http://www.w3.org/2000/svg}rect")]
    drawn = [number for number, kind in enumerate(KINDS) if kind.panel]
    assert len(bars) == len(drawn) * len(HEIGHTS_M)
    # A bar of 150 is 100 %. The last height of the last kind has 50 + 5 missed and 5 extra of 300 people.
    assert bars[-1] == pytest.approx(150 * 60 / 300, abs=0.1)
    assert bars[0] == 0


def test_bars_stop_at_100_percent_but_keep_their_label() -> None:
    drawing = heights.draw(
        [HeightResult(height_m, kind.name, 100, Score(0, 130)) for height_m in HEIGHTS_M for kind in KINDS]
    )
    bars = [float(bar.attrib["height"]) for bar in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}rect")]
    assert set(bars) == {150.0}
    assert ">130</text>" in drawing


def test_each_table_replaces_only_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page can hold several tables, each between two comments."""
    page = tmp_path / "accuracy.md"
    page.write_text("<!-- bench -->\nkept\n<!-- /bench -->\n<!-- bench heights -->\nold\n<!-- /bench heights -->\n")
    monkeypatch.setattr(bench, "ACCURACY", page)
    monkeypatch.setattr(heights, "PICTURE", tmp_path / "heights.svg")
    monkeypatch.setattr(heights, "measure", lambda *_: results())
    done = CliRunner().invoke(bench.main, ["--only", "heights", "--write"], catch_exceptions=False)
    table = heights.markdown(results())
    assert done.exit_code == 0
    assert table in done.output
    assert page.read_text() == (
        f"<!-- bench -->\nkept\n<!-- /bench -->\n<!-- bench heights -->\n{table}\n<!-- /bench heights -->\n"
    )
    assert (tmp_path / "heights.svg").read_text() == heights.draw(results())


def test_table_and_picture_of_heights_come_from_one_run() -> None:
    """The errors in docs/accuracy.md equal those in the picture's description."""
    page = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- bench heights -->\n(.*?)<!-- /bench heights -->", page, re.DOTALL)
    assert table is not None
    described = ET.fromstring(heights.PICTURE.read_text(encoding="utf-8")).findtext("{http://www.w3.org/2000/svg}desc")
    cells = re.findall(r"^\| \**([\d.]+ m)\** \| (.*) \|$", table[1], re.MULTILINE)
    assert [f"{height_m:.2f} m" for height_m in HEIGHTS_M] == [height for height, _ in cells]
    for column, kind in enumerate(KINDS):
        if kind.panel:
            errors = ", ".join(f"{row.split(' | ')[column].split(', ')[1]} at {height}" for height, row in cells)
            assert f"{kind.title}: {errors}" in (described or "")


@pytest.mark.parametrize("path", ["docs/hardware.md", "docs/pictures/mounting.svg", "docs/accuracy.md"])
def test_recommended_height_was_measured(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert f"{BEAM_HEIGHT_M:.2f} m above the floor" in " ".join(text.split())
    assert BEAM_HEIGHT_M in HEIGHTS_M
