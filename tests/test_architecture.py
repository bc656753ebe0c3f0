"""No import cycle anywhere: neither between modules, nor between the parts of a package."""

import graphlib
from collections.abc import Iterable, Mapping

import grimp
import pytest

PACKAGES = ("demo", "bench", "cli", "ingest", "exporter", "simulator", "footfall")


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


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
