"""The pages agree with the code, and their links work. test_reference.py checks the generated files."""

import fnmatch
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cli.reference import commands
from exporter.profile import COLUMNS
from footfall import wire
from footfall.environment import VARIABLES
from ingest.openapi import document
from tests.docs.markdown_pages import ROOT, Page, code, page, pages

EXPORT, WIRE = page("docs/export-format.md"), page("docs/wire-format.md")
README, DECISIONS, CONVENTIONS = page("README.md"), page("docs/decisions.md"), page("docs/conventions.md")
PERFORMANCE = page("docs/performance.md")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_variable_a_page_names_is_known() -> None:
    """Footfall reads it, or docker compose does."""
    named = {word.removesuffix("_FILE") for one in pages() for word in re.findall(r"\bFOOTFALL_[A-Z_]+", one.text)}
    of_compose = set(re.findall(r"^(FOOTFALL_\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= {*VARIABLES, *of_compose, "FOOTFALL_PASSWORD_CLIENT"}


def test_every_command_a_page_shows_exists() -> None:
    """Wherever a page writes `footfall WORD`, that is a command, and its options are ones it has."""
    by_words = {re.sub(r" [A-Z\[].*", "", usage): command for usage, command in commands()}
    shown = 0
    for one in pages():
        for found in re.findall(r"`footfall ([a-z][^`]*)`", one.text.replace("\n", " ")):
            words = " ".join(found.split()[:2]) if found.startswith("counter ") else found.split()[0]
            if words == "counter":
                continue  # the group as a whole
            command = by_words.get(f"footfall {words}")
            assert command is not None, f"{one.name}: footfall {found}"
            options = {name for param in command.params for name in param.opts}
            assert set(re.findall(r"--[a-z][a-z-]*", found)) <= options, f"{one.name}: footfall {found}"
            shown += 1
    assert shown > 40, "the pattern has stopped finding them"


def test_fields_and_bounds_of_a_batch_are_those_of_the_wire() -> None:
    """The tables of fields list the decoder's fields in its order, and the text has its bounds."""
    rows = WIRE.rows("The request", "field")
    batch = [(code(row[0]), row[1]) for row in rows if len(row) == 3]
    fields = msgspec.structs.fields(wire.BatchBody)
    assert batch == [(field.encode_name, "yes" if field.required else "no") for field in fields]
    report = [code(row[0]) for row in rows if len(row) == 2]
    assert report == [field.encode_name for field in msgspec.structs.fields(wire.Status)]
    for bound in (wire.MAX_BODY_BYTES, wire.MAX_SAFE_INTEGER):
        assert str(bound) in WIRE.text, f"{bound} is missing"
    assert wire.PATH in WIRE.text


def test_every_address_is_documented() -> None:
    """Every address of the OpenAPI document is on the page, with its method."""
    text = WIRE.text.replace("SITE", "{site}")
    for path, methods in document()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in text, f"{method} {path}"


def test_columns_of_the_file_are_documented_in_their_order() -> None:
    """The table of columns lists those a profile may name."""
    assert [code(row[0]) for row in EXPORT.rows("The file", "column", "what it holds")] == list(COLUMNS)


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_links_and_anchors_resolve(one: Page) -> None:
    """Each link inside the repository names an existing file and heading. Others are https."""
    for link in one.links():
        if "://" in link:
            assert link.startswith("https://"), link
            continue
        name, _, anchor = link.partition("#")
        target = (one.path.parent / name).resolve() if name else one.path
        assert target.exists(), f"{one.name}: {link} is not there"
        if anchor:
            assert anchor in Page(target).anchors(), f"{one.name}: {link} has no such heading"


def test_every_page_of_docs_is_reached_from_the_readme() -> None:
    """Readers need not guess that a page exists."""
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in README.links()}
    assert {one.path for one in pages() if one.path.parent != ROOT} <= linked


def test_headings_that_messages_name_are_there() -> None:
    """A hint like `see docs/operate.md, The journal` leads to a heading of that name."""
    named = set()
    packages = ("cli", "footfall", "ingest", "exporter", "simulator")
    for path in sorted(path for package in packages for path in ROOT.glob(f"{package}/**/*.*")):
        if path.suffix in {".py", ".toml"}:
            named |= set(re.findall(r"(docs/[\w-]+\.md)(?:, ([A-Z][a-z ]+))?", path.read_text(encoding="utf-8")))
    assert "Restore from a backup" in {heading for _, heading in named}, "the pattern has stopped finding them"
    for name, heading in named:
        assert not heading or heading in page(name).headings(), f"{name}, {heading}"
        assert page(name).path.exists(), name


def test_readme_maps_every_folder() -> None:
    """The README lists each folder beside it, except those that git ignores."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    ignored = [".git", *(line.strip("/") for line in lines)]
    folders = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not any(fnmatch.fnmatch(path.name, pattern) for pattern in ignored)
    }
    mapped = {link.removeprefix("[").split("/")[0] for row in README.rows("Folders", "folder") for link in [row[0]]}
    assert mapped == folders


def test_readme_stays_short() -> None:
    """A stranger reads it in three minutes."""
    assert len(README.text.split()) < 600


def test_page_of_performance_has_the_place_that_the_bench_fills() -> None:
    """`make bench BENCH=--write` replaces the text between these two comments."""
    assert re.search(r"<!-- bench -->\n(.*\n)*?<!-- /bench -->", PERFORMANCE.text)


def test_every_dependency_has_its_reason_and_no_other() -> None:
    """docs/decisions.md gives a reason for each dependency of pyproject.toml."""
    declared = [re.split(r"[<>=~ ]", one)[0] for one in PYPROJECT["project"]["dependencies"]]
    assert [row[0] for row in DECISIONS.rows("Dependencies", "package", "why")] == declared


def decision_problems(text: str) -> list[str]:
    """Return the problems of the decisions in *text*, each of which starts with a line `## Title`."""
    found = []
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, dated, *paragraphs = section.strip().split("\n\n")
        if title == "Dependencies":
            continue  # a table of its own
        if not re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", dated):
            found.append(f"{title}: no date")
        parts = [match[1] if (match := re.match(r"\*\*(\w+)\.\*\* \S", one)) else "" for one in paragraphs]
        if parts != ["Context", "Decision", "Consequence"]:
            found.append(f"{title}: {', '.join(parts)}")
        if not 50 <= len(section.split()) <= 120:
            found.append(f"{title}: {len(section.split())} words")
    return found


def test_every_decision_has_its_date_and_three_short_paragraphs() -> None:
    """Without them, nobody can judge later whether a decision still holds."""
    assert len(re.findall(r"^## ", DECISIONS.text, flags=re.MULTILINE)) > 20
    assert decision_problems(DECISIONS.text) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("", "", []),
        ("2026-11-22", "Today", ["One: no date"]),
        ("2026-11-22\n\n", "", ["One: no date", "One: Decision, Consequence"]),
        ("**Decision.** Do.\n\n", "", ["One: Context, Consequence"]),
        ("**Consequence.** So.", "**Consequence.**", ["One: Context, Decision, "]),
        ("**Context.**", "Context:", ["One: , Decision, Consequence"]),
        ("So.", "So.\n\nAnd more.", ["One: Context, Decision, Consequence, "]),
        ("why " * 50, "why ", ["One: 9 words"]),
        ("why " * 50, "why " * 120, ["One: 128 words"]),
    ],
)
def test_decision_that_lacks_a_part_is_found(old: str, new: str, problem: list[str]) -> None:
    """The test above can fail."""
    context = "why " * 50
    good = f"# D\n\n## One\n\n2026-11-22\n\n**Context.** {context}.\n\n**Decision.** Do.\n\n**Consequence.** So.\n"
    assert decision_problems(good.replace(old, new)) == problem


def test_conventions_list_every_import_contract() -> None:
    """There is a sentence for each contract that import-linter holds."""
    sentences = [line for line in CONVENTIONS.section("What import-linter holds") if re.match(r"\d+\. ", line)]
    assert len(sentences) == len(PYPROJECT["tool"]["importlinter"]["contracts"])


def test_changelog_has_this_version() -> None:
    """The changelog has the version of pyproject.toml, released or not."""
    assert PYPROJECT["project"]["version"] in Path(ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
