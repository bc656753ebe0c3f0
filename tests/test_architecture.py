"""The shape of the code: no import cycle, no exception to the layers, no name that two classes share."""

import ast
import tomllib
from collections import defaultdict
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PACKAGES = ("demo", "bench", "harness", "cli", "ingest", "exporter", "simulator", "footfall")


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    assert graph.count_imports() > 500, "grimp has stopped finding imports"
    assert cycles_in(graph) == []


def test_cycle_of_imports_is_found() -> None:
    """The test above can fail."""
    graph = grimp.ImportGraph()
    for importer, imported in (("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")):
        graph.add_import(importer=importer, imported=imported)
    assert cycles_in(graph) == ["b", "c"]


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


def cycles_in(graph: grimp.ImportGraph) -> list[str]:
    """Return every module that imports itself, directly or through others, in alphabetical order."""
    return sorted(
        module
        for module in graph.modules
        if any(
            module == imported or graph.chain_exists(importer=imported, imported=module)
            for imported in graph.find_modules_directly_imported_by(module)
        )
    )
