"""The pages tell what the code does: every setting, command, variable, code and metric, and none that is not there."""

import fnmatch
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

from cli import COMMANDS, main
from exporter.exporter_settings import DESTINATION_SETTINGS, EXPORTER_SETTINGS
from exporter.profile import COLUMNS, PROFILE_SETTINGS
from footfall import wire
from footfall.environment import VARIABLES
from footfall.registry import COUNTER_SETTINGS, SITE_SETTINGS, TABLES, TOP_SETTINGS
from footfall.settings import Setting
from footfall.store.influx_settings import INFLUX_SETTINGS
from ingest.ingest_settings import INGEST_SETTINGS, LEGACY_SETTINGS
from ingest.openapi import document
from ingest.page_settings import PAGES_SETTINGS
from tests.docs.pages import ROOT, Page, code, page, pages, plain

OPERATIONS, EXPORT, WIRE = page("docs/operations.md"), page("docs/export-format.md"), page("docs/wire-format.md")
README, DECISIONS, CONVENTIONS = page("README.md"), page("docs/decisions.md"), page("docs/conventions.md")
SETTINGS: dict[str, tuple[Page, str, tuple[Setting, ...]]] = {
    "top": (OPERATIONS, "Outside any table", TOP_SETTINGS),
    "sites": (OPERATIONS, "`[sites.ID]`", SITE_SETTINGS),
    "counters": (OPERATIONS, "`[counters.ID]`", COUNTER_SETTINGS),
    "ingest": (OPERATIONS, "`[ingest]`", INGEST_SETTINGS),
    "influxdb": (OPERATIONS, "`[influxdb]`", INFLUX_SETTINGS),
    "ingest.legacy": (OPERATIONS, "`[ingest.legacy]`", LEGACY_SETTINGS),
    "ingest.pages": (OPERATIONS, "`[ingest.pages]`", PAGES_SETTINGS),
    "exporter": (OPERATIONS, "`[exporter]`", EXPORTER_SETTINGS),
    "destinations": (OPERATIONS, "`[destinations.NAME]`", DESTINATION_SETTINGS),
    "profiles": (EXPORT, "Settings", PROFILE_SETTINGS),
}
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("table", SETTINGS)
def test_every_setting_is_documented_with_its_default_and_no_other(table: str) -> None:
    """The tables of settings list what the code declares, in its order; a default of None reads `required`."""
    where, heading, settings = SETTINGS[table]
    documented = [(code(row[0]), plain(row[1])) for row in where.rows(heading, "setting", "default", "meaning")]
    declared = [(setting.name, plain(setting.default or "required")) for setting in settings]
    told = [(name, default.split(" with ")[0]) for name, default in documented]  # `required with a destination`
    assert told == declared


def test_every_table_of_the_configuration_is_documented() -> None:
    """Each table that footfall.toml may hold has a heading that names it."""
    headings = {re.sub(r"[`\[\]]", "", heading).split(".")[0] for heading in OPERATIONS.headings()}
    assert set(TABLES) <= headings


def test_every_environment_variable_is_documented_and_no_other() -> None:
    """The table of variables lists those the environment module reads."""
    documented = [code(row[0]) for row in OPERATIONS.rows("Environment variables", "variable", "meaning")]
    assert documented == list(VARIABLES)
    shouted = {word.removesuffix("_FILE") for one in pages() for word in re.findall(r"\bFOOTFALL_[A-Z_]+", one.text)}
    of_compose = set(re.findall(r"^(FOOTFALL_\w+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
    known = {*VARIABLES, *of_compose, "FOOTFALL_PASSWORD_CLIENT"}
    assert shouted <= known, "a page names a variable that neither Footfall nor docker compose reads"


def commands() -> Iterator[tuple[str, click.Command]]:
    """Yield (heading, command) for every command that can be run; groups only for their own options."""
    context = click.Context(main)
    yield "footfall", main
    for name in (command.name for command in COMMANDS):
        command = main.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from ((_heading(f"footfall {name}", one), one) for one in command.commands.values())
        else:
            yield _heading("footfall", command), command


def _heading(path: str, command: click.Command) -> str:
    context = click.Context(command)
    arguments = [one.make_metavar(context) for one in command.params if isinstance(one, click.Argument)]
    return " ".join([path, str(command.name), *arguments])


def test_every_command_is_documented_with_every_option_and_no_other() -> None:
    """Each command has a heading with its arguments, and a table of exactly its options; defaults are right."""
    told = [code(line) for line in OPERATIONS.section("Commands") if line.startswith("### ")]
    assert sorted(told) == sorted(heading for heading, _ in commands())
    for heading, command in commands():
        rows = OPERATIONS.rows(f"`{heading}`", "option", "default", "meaning")
        options = [one for one in command.params if isinstance(one, click.Option) and not one.hidden]
        documented = {code(row[0]).split()[0]: plain(row[1]) for row in rows}
        assert sorted(documented) == sorted(one.opts[0] for one in options), heading
        for option in options:
            if option.show_default:
                assert documented[option.opts[0]] == str(option.default), f"{heading} {option.opts[0]}"
            assert (documented[option.opts[0]] == "required") is option.required, f"{heading} {option.opts[0]}"


def test_every_command_a_page_shows_exists() -> None:
    """Wherever a page writes `footfall WORD`, that is a command, and its options are ones it has."""
    known = {heading: command for heading, command in commands() if heading != "footfall"}
    by_words = {re.sub(r" [A-Z\[].*", "", heading): command for heading, command in known.items()}
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


def codes_of_ingest() -> set[tuple[str, str]]:
    """Return (status, code) of every error in the source of ingest; a status of `other` where it is not fixed."""
    patterns = (
        r'(?:RequestRefused|error_response)\(\s*(\d{3}),\s*"([a-z_]+)"',
        r'\((\d{3}), "([a-z_]+)"\)',
        r'^ +(\d{3}): "([a-z_]+)",$',
    )
    found = set()
    for path in sorted(ROOT.glob("ingest/*.py")):
        source = path.read_text(encoding="utf-8")
        found |= {pair for pattern in patterns for pair in re.findall(pattern, source, flags=re.MULTILINE)}
        found |= {("408", name) for name in re.findall(r'"error": {"code": "([a-z_]+)"', source)}
        found |= {("other", name) for name in re.findall(r'_HTTP_CODES\.get\(\w+, "([a-z_]+)"\)', source)}
    return found


def test_every_error_code_is_documented_with_its_status_and_no_other() -> None:
    """The tables under Errors hold what the source of ingest can answer."""
    rows = [*WIRE.rows("Errors", "status", "code", "when")]
    documented = {(row[0], code(row[1])) for row in rows}
    assert documented == codes_of_ingest()
    assert {"400", "401", "408", "413", "415", "503"} <= {row[0] for row in rows if len(row) == 4}


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
    """Whatever the OpenAPI document lists stands on the page, with its method."""
    text = WIRE.text.replace("SITE", "{site}")
    for path, methods in document()["paths"].items():
        for method in methods:
            assert f"{method.upper()} {path}" in text, f"{method} {path}"


def test_columns_of_the_file_are_documented_in_their_order() -> None:
    """The table of columns lists those a profile may name."""
    assert [code(row[0]) for row in EXPORT.rows("The file", "column", "what it holds")] == list(COLUMNS)


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_links_and_anchors_resolve(one: Page) -> None:
    """Each link inside the repository names a file that is there, and a heading it has. Others are https."""
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
    """Nobody has to guess that a page exists."""
    linked = {(ROOT / link.partition("#")[0]).resolve() for link in README.links()}
    assert {one.path for one in pages() if one.path.parent != ROOT} <= linked


def test_headings_that_messages_name_are_there() -> None:
    """A hint like `see docs/operations.md, The journal` leads to a heading of that name."""
    named = set()
    packages = ("cli", "footfall", "ingest", "exporter", "simulator")
    for path in sorted(path for package in packages for path in ROOT.glob(f"{package}/**/*.*")):
        if path.suffix in {".py", ".toml"}:
            named |= set(re.findall(r"(docs/[\w-]+\.md)(?:, ([A-Z][a-z ]+))?", path.read_text(encoding="utf-8")))
    assert ("docs/operations.md", "Restore from a backup") in named, "the pattern has stopped finding them"
    for name, heading in named:
        assert not heading or heading in page(name).headings(), f"{name}, {heading}"
        assert page(name).path.exists(), name


def test_readme_maps_every_folder() -> None:
    """The README lists each folder beside it, but for those git ignores."""
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    ignored = [".git", *(line.strip("/") for line in lines)]
    folders = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not any(fnmatch.fnmatch(path.name, pattern) for pattern in ignored)
    }
    mapped = {link.removeprefix("[").split("/")[0] for row in README.rows("Folders", "folder") for link in [row[0]]}
    assert mapped == folders


def test_readme_has_the_place_that_the_bench_fills() -> None:
    """`make bench BENCH=--readme` replaces what stands between these two comments."""
    assert re.search(r"<!-- bench -->\n(.*\n)*?<!-- /bench -->", README.text)


def test_every_dependency_has_its_reason_and_no_other() -> None:
    """docs/decisions.md says of each dependency of pyproject.toml why it is there."""
    declared = [re.split(r"[<>=~ ]", one)[0] for one in PYPROJECT["project"]["dependencies"]]
    assert [row[0] for row in DECISIONS.rows("Dependencies", "package", "why")] == declared


def test_every_decision_is_dated() -> None:
    """A record without its day cannot be weighed against what was known then."""
    for title in re.findall(r"^## (.+)$", "\n".join(DECISIONS.prose()), flags=re.MULTILINE):
        lines = [line for line in DECISIONS.section(title) if line]
        assert re.match(r"20\d\d-[01]\d-[0-3]\d\. ", lines[0]), title


def test_conventions_list_every_import_contract() -> None:
    """There is a sentence for each contract that import-linter holds."""
    told = [line for line in CONVENTIONS.section("What import-linter holds") if re.match(r"\d+\. ", line)]
    assert len(told) == len(PYPROJECT["tool"]["importlinter"]["contracts"])


def test_changelog_tells_of_this_version() -> None:
    """The version of pyproject.toml stands in the changelog, released or to be."""
    assert PYPROJECT["project"]["version"] in Path(ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
