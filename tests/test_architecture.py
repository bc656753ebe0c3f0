"""The shape of the code: no import cycle, no exception to the layers, no class name used twice."""

import ast
import graphlib
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("demo", "bench", "harness", "cli", "ingest", "exporter", "simulator", "footfall")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    found = grimp.build_graph(*PACKAGES, cache_dir=None)
    assert found.count_imports() > 500, "grimp has stopped finding imports"
    return found


def cycle_in(imports: Mapping[str, Iterable[str]]) -> list[str]:
    """Return a cycle, its first node repeated at the end; empty if there is none."""
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as exc:
        found: list[str] = exc.args[1]
        return found
    return []


def test_modules_form_no_cycle(graph: grimp.ImportGraph) -> None:
    assert cycle_in({module: graph.find_modules_directly_imported_by(module) for module in graph.modules}) == []


def test_parts_of_a_package_form_no_cycle(graph: grimp.ImportGraph) -> None:
    """A part is a module or a subpackage with all of its modules."""
    for package in sorted(graph.modules):
        parts = {part: {part, *graph.find_descendants(part)} for part in graph.find_children(package)}
        owner = {module: part for part, modules in parts.items() for module in modules}
        imports = {
            part: {
                owner[imported]
                for module in modules
                for imported in graph.find_modules_directly_imported_by(module)
                if imported in owner
            }
            - {part}
            for part, modules in parts.items()
        }
        assert cycle_in(imports) == [], package


def test_a_cycle_would_be_found() -> None:
    assert cycle_in({"a": ["b"], "b": ["c"], "c": ["a"]})


def test_layers_have_no_exceptions() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    assert set(settings["root_packages"]) == set(PACKAGES)
    layers = [contract for contract in settings["contracts"] if contract["type"] == "layers"]
    assert layers
    assert [contract["name"] for contract in settings["contracts"] if "ignore_imports" in contract] == []


def test_no_two_classes_share_a_name() -> None:
    """A search for a class finds one. Two tests may have helpers of one name, but none of a product class's."""
    product, tests = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for package in (*PACKAGES, "deploy", "tests"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    (tests if package == "tests" else product)[node.name].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in product.items() if len(paths) > 1} == {}
    assert {name: paths for name, paths in tests.items() if name in product} == {}
