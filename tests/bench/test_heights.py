"""Heights of the beams are compared on the same people, and what is written of them is what was found."""

import random
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench import __main__ as bench
from bench import heights
from bench.accuracy import Verdict, detected, verdict
from bench.heights import HEIGHTS_M, KINDS, Kind, Result
from bench.walkers.bodies import BEAM_HEIGHT_M, child
from bench.walkers.passages import walker
from bench.walkers.sensor import Door, watch
from bench.walkers.trials import Trial, joined
from tests.support.firmware import program

ROOT = Path(__file__).parents[2]
SMALL = next(kind.scenario for kind in KINDS if kind.name == "small")
SEED = 4


def results() -> list[Result]:
    """Return a result for each height and kind, each with figures of its own."""
    return [
        Result(height_m, kind.name, 301 if kind.name == "file" else 300, Verdict(10 * row + column, row))
        for row, height_m in enumerate(HEIGHTS_M)
        for column, kind in enumerate(KINDS)
    ]


def children(shortest_m: float, tallest_m: float) -> Trial:
    """Return 20 children of that stature who pass beams at the recommended height."""
    trials = []
    for number in range(20):
        chance = random.Random(f"{shortest_m} {number}")
        body = child(chance, BEAM_HEIGHT_M, shortest_m, tallest_m)
        trials.append(watch([walker(body, chance, 1, 1.0).go(1.3, 1.0)], Door(), chance))
    return joined(trials)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_at_every_height_the_same_people_pass(kind: Kind) -> None:
    """Else a difference between two heights could be one between two crowds."""
    crowds = [
        [[each.direction for each in trial.truth] for trial in kind.scenario.trials(6, SEED, height_m)]
        for height_m in HEIGHTS_M
    ]
    assert all(crowd == crowds[0] for crowd in crowds)
    assert sum(len(trial) for trial in crowds[0]) >= 6


def test_beams_below_a_childs_head_see_it_and_beams_above_do_not() -> None:
    """The tallest is 1.15 m, the shortest 0.95 m; each is one crossing that truly happened, seen or not."""
    for trial in SMALL.trials(30, SEED, 1.20):
        assert (trial.outer, trial.inner, len(trial.truth)) == ([], [], 1)
    for trial in SMALL.trials(30, SEED, 0.80):
        assert trial.outer
        assert trial.inner


def test_a_child_below_the_beams_is_told_as_missed() -> None:
    """A gap must not pass for a zero: whom the beams cannot see is an error of the counter."""
    assert heights.judge(1.20, "small", 20, SEED, program("trace")).verdict == Verdict(missed=20, extra=0)


@pytest.mark.parametrize(("shortest_m", "tallest_m", "counted"), [(1.04, 1.08, 0), (1.10, 1.14, 20)])
def test_children_are_counted_from_1_10_m_on(shortest_m: float, tallest_m: float, counted: int) -> None:
    """What docs/accuracy.md tells of beams at 1.10 m: missed below 1.08 m, counted from 1.10 m on."""
    trial = children(shortest_m, tallest_m)
    found = verdict(trial.truth, detected(trial, Door().spacing_m, program("trace")))
    assert (found.missed, found.extra) == (20 - counted, 0)


@pytest.mark.slow
def test_at_the_recommended_height_prams_count_once_and_at_one_metre_twice() -> None:
    recommended, lower = (heights.judge(height_m, "prams", 40, SEED, program("trace")) for height_m in (1.10, 1.00))
    assert recommended.verdict.errors <= 0.1 * recommended.people
    assert lower.verdict.extra >= 0.8 * lower.people


def test_heights_are_not_measured_without_the_firmware(tmp_path: Path) -> None:
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


def test_table_says_how_many_people_there_were() -> None:
    assert "of 300 people (301 in file)." in heights.markdown(results())


def test_picture_draws_a_bar_as_high_as_the_error() -> None:
    drawing = ET.fromstring(heights.draw(results()))
    bars = [float(bar.attrib["height"]) for bar in drawing.iter("{http://www.w3.org/2000/svg}rect")]
    drawn = [number for number, kind in enumerate(KINDS) if kind.drawn]
    assert len(bars) == len(drawn) * len(HEIGHTS_M)
    # 150 for 100 %; the last height of the last kind has 50 + 5 missed and 5 extra of 300 people.
    assert bars[-1] == pytest.approx(150 * 60 / 300, abs=0.1)
    assert bars[0] == 0


def test_picture_cuts_what_is_more_than_all_and_still_says_it() -> None:
    drawing = heights.draw(
        [Result(height_m, kind.name, 100, Verdict(0, 130)) for height_m in HEIGHTS_M for kind in KINDS]
    )
    bars = [float(bar.attrib["height"]) for bar in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}rect")]
    assert set(bars) == {150.0}
    assert ">130</text>" in drawing


def test_tables_go_between_their_own_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The heights of a page never overwrite its scenarios."""
    page = tmp_path / "accuracy.md"
    page.write_text("<!-- bench -->\nkept\n<!-- /bench -->\n<!-- bench heights -->\nold\n<!-- /bench heights -->\n")
    monkeypatch.setattr(bench, "ACCURACY", page)
    monkeypatch.setattr(heights, "PICTURE", tmp_path / "heights.svg")
    monkeypatch.setattr(heights, "measure", lambda *_: results())
    done = CliRunner().invoke(bench.main, ["--only", "heights", "--readme"], catch_exceptions=False)
    table = heights.markdown(results())
    assert done.exit_code == 0
    assert table in done.output
    assert page.read_text() == (
        f"<!-- bench -->\nkept\n<!-- /bench -->\n<!-- bench heights -->\n{table}\n<!-- /bench heights -->\n"
    )
    assert (tmp_path / "heights.svg").read_text() == heights.draw(results())


def test_the_page_and_its_picture_tell_of_one_measurement() -> None:
    """The errors in docs/accuracy.md are those that the picture describes, height by height."""
    page = (ROOT / "docs" / "accuracy.md").read_text(encoding="utf-8")
    table = re.search(r"<!-- bench heights -->\n(.*?)<!-- /bench heights -->", page, re.DOTALL)
    assert table is not None
    described = ET.fromstring(heights.PICTURE.read_text(encoding="utf-8")).findtext("{http://www.w3.org/2000/svg}desc")
    cells = re.findall(r"^\| \**([\d.]+ m)\** \| (.*) \|$", table[1], re.MULTILINE)
    assert [f"{height_m:.2f} m" for height_m in HEIGHTS_M] == [height for height, _ in cells]
    for column, kind in enumerate(KINDS):
        if kind.drawn:
            errors = ", ".join(f"{row.split(' | ')[column].split(', ')[1]} at {height}" for height, row in cells)
            assert f"{kind.title}: {errors}" in (described or "")


@pytest.mark.parametrize("path", ["docs/hardware.md", "docs/pictures/mounting.svg", "docs/accuracy.md"])
def test_the_height_that_was_measured_is_the_one_that_is_advised(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    assert f"{BEAM_HEIGHT_M:.2f} m above the floor" in " ".join(text.split())
    assert BEAM_HEIGHT_M in HEIGHTS_M
