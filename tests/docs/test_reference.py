"""docs/reference.md and footfall.example.toml come from the code, and are complete."""

import re
import tomllib
from pathlib import Path

import pytest

from cli import reference
from cli.example import TABLES
from cli.reference import generated
from footfall.environment import VARIABLES
from footfall.registry import TopTable
from footfall.settings import Setting, settings_of
from ingest.error_codes import ERROR_CODES
from tests.docs.markdown_pages import ROOT

SETTINGS = [
    pytest.param(one, id=f"{table.PATH}.{name}") for table in TABLES for name, one in settings_of(table).items()
]


@pytest.mark.parametrize(("path", "text"), generated().items(), ids=lambda value: getattr(value, "name", ""))
def test_generated_file_is_current(path: Path, text: str) -> None:
    """`make docs` updates them."""
    assert path.read_text(encoding="utf-8") == text


def test_check_fails_until_the_files_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "_ROOT", tmp_path)
    (tmp_path / "docs").mkdir()
    assert reference.run(["--check"]) == 1
    assert [*tmp_path.rglob("*.*")] == []
    assert reference.run([]) == 0
    assert reference.run(["--check"]) == 0
    (tmp_path / "docs" / "reference.md").write_text("edited")
    assert reference.run(["--check"]) == 1


def test_every_table_is_among_those_of_the_file() -> None:
    """A table that TopTable does not know would be reported as a typo."""
    assert {table.PATH.partition(".")[0] for table in TABLES} - {""} == set(TopTable.TABLES)


@pytest.mark.parametrize("one", SETTINGS)
def test_setting_is_explained_in_a_sentence(one: Setting) -> None:
    """Each has the words of its kind, too."""
    assert re.fullmatch(r"[A-Z`].*\.", one.meaning)
    assert one.kind.expects


def test_every_variable_has_a_meaning_or_overrides_a_setting() -> None:
    overriding = [one.variable for table in TABLES for one in settings_of(table).values() if one.variable]
    assert sorted(overriding) == sorted(name for name, meaning in VARIABLES.items() if not meaning)


def codes_of_ingest() -> set[tuple[int, str]]:
    """Return (status, code) of every error in the source of ingest; a status of 0 where it varies."""
    patterns = (
        r'\(\s*(\d{3}),\s*"([a-z_]+)"',  # also in a table of exceptions
        r'^ +(\d{3}): "([a-z_]+)",$',
        r'"error": {"code": "(body_too_slow)"',
        r'_HTTP_CODES\.get\(\w+, "([a-z_]+)"\)',
    )
    found: set[tuple[int, str]] = set()
    for path in sorted(ROOT.glob("ingest/**/*.py")):
        if path.name != "error_codes.py":
            source = path.read_text(encoding="utf-8")
            statuses = [re.findall(pattern, source, flags=re.MULTILINE) for pattern in patterns]
            found |= {(int(status), name) for status, name in [*statuses[0], *statuses[1]]}
            found |= {(408, name) for name in statuses[2]} | {(0, name) for name in statuses[3]}
    return found


def test_error_codes_are_those_that_ingest_can_answer() -> None:
    assert {(one.status, one.code) for one in ERROR_CODES} == codes_of_ingest()
    assert all(re.fullmatch(r"[A-Z].*\.", one.meaning) for one in ERROR_CODES)


def test_example_is_toml_with_every_setting_once() -> None:
    text = (ROOT / "footfall.example.toml").read_text(encoding="utf-8")
    tomllib.loads(text)
    written = re.findall(r"^(?:# )?(\w+) = ", text, flags=re.MULTILINE)
    assert sorted(written) == sorted(name for table in TABLES for name in settings_of(table))
