"""`python -m bench` prints its table, and with --write puts it into the documentation."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bench import __main__ as bench
from bench import startup
from bench.report import BenchRow, markdown

ROWS = [BenchRow("`footfall --help`", "200 ms", "0.11 of the imports", "< 0.2")]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The page for the table, not yet written, and a measurement that takes no time."""
    monkeypatch.setattr(bench, "PERFORMANCE", tmp_path / "performance.md")
    monkeypatch.setattr(startup, "measure", lambda *_: ROWS)
    return tmp_path / "performance.md"


def run(*options: str) -> Result:
    return CliRunner().invoke(bench.main, ["--only", "startup", *options])


def test_write_replaces_the_table_and_nothing_else(page: Path) -> None:
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")
    done = run("--write")
    assert (done.exit_code, markdown(ROWS) in done.output) == (0, True)
    text = page.read_text()
    assert text.startswith(f"before\n<!-- bench -->\n{markdown(ROWS)}\n\nOn ")
    assert text.endswith("Ratios are within one run.\n<!-- /bench -->\nafter\n")


def test_without_write_the_page_stays_as_it_is(page: Path) -> None:
    page.write_text("<!-- bench -->\nold\n<!-- /bench -->\n")
    assert run().exit_code == 0
    assert page.read_text() == "<!-- bench -->\nold\n<!-- /bench -->\n"


@pytest.mark.parametrize("text", [None, "no comments\n", "<!-- bench -->\n<!-- /bench -->\n" * 2])
def test_page_without_a_place_for_the_table_is_an_error(text: str | None, page: Path) -> None:
    """The table is printed before, so a long run is not lost."""
    if text is not None:
        page.write_text(text)
    done = run("--write")
    assert done.exit_code == 1
    assert f"{page} must have <!-- bench --> and <!-- /bench --> exactly once" in done.output
    assert markdown(ROWS) in done.output


def test_start_up_is_compared_with_the_imports_that_it_avoids() -> None:
    (row,) = startup.measure(lambda _: None, rounds=1)
    share = float(row.comparison.split()[0])
    assert 0 < share < 1
    assert row.target == "< 0.2"
