"""The package's docstring lists every file of the folder."""

import re
from pathlib import Path

from footfall import store


def test_every_file_is_in_the_table() -> None:
    assert store.__doc__ is not None
    assert store.__file__ is not None
    listed = re.findall(r"^\|[^|]*\| (\w+) +\|", store.__doc__, flags=re.MULTILINE)
    files = {path.stem for path in Path(store.__file__).parent.glob("*.py")} - {"__init__"}
    assert sorted(listed) == sorted({*files, "file"})
