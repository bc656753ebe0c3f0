"""The package's docstring is true."""

import re
from pathlib import Path

from footfall import store


def test_every_file_is_in_the_table() -> None:
    assert store.__doc__ is not None
    assert store.__file__ is not None
    listed = re.findall(r"^\|[^|]*\| (\w+) +\|", store.__doc__, flags=re.MULTILINE)
    files = {path.stem for path in Path(store.__file__).parent.glob("*.py")} - {"__init__"}
    assert sorted(listed) == sorted({*files, "file"})


def test_only_one_module_opens_sqlite_files() -> None:
    root = Path(__file__).parents[3]
    packages = ("cli", "exporter", "footfall", "ingest", "simulator")
    files = [path for package in packages for path in (root / package).rglob("*.py")]
    assert [path.name for path in files if "sqlite3.connect(" in path.read_text()] == ["sqlite.py"]
