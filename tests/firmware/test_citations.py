"""Every file that a comment or a page of the firmware names exists."""

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIRMWARE = ROOT / "firmware"
BASES = (ROOT, FIRMWARE, FIRMWARE / "lib" / "footfall")
# The declarations in host/arduino_check cite the headers of the Arduino core.
SOURCES = sorted(
    path
    for pattern in ("*.py", "*.ini", "*.md", "lib/**/*.*", "src/*.*", "host/*.*", "host/*/*.cpp", "host/*/*.md")
    for path in FIRMWARE.glob(pattern)
    if path.name != "ota_key.h"
)
NAME = re.compile(r"(?<![\w:])[\w*./-]*[\w*]\.(?:h|cpp|py|md|ini|json|svg|toml)\b")
COMMENT = {".h": re.compile(r"//(.*)"), ".cpp": re.compile(r"//(.*)"), ".ini": re.compile(r"^;(.*)")}
FOREIGN = {"Updater.cpp", "ota_key.h"}  # of the Arduino core; of the person who signs updates


def cited(path: Path) -> Iterator[str]:
    """Yield each file name in the comments of *path*; in the whole text of a page or a script."""
    comment = COMMENT.get(path.suffix)
    for line in path.read_text(encoding="utf-8").splitlines():
        found = comment.search(line) if comment else None
        if found is not None or comment is None:
            yield from NAME.findall(re.sub(r"https?://\S+", "", found[1] if found else line))


def exists(name: str, citing: Path) -> bool:
    """Return whether *name*, which may be a pattern, is beside *citing*, below a base, or a source of the firmware."""
    if any(fnmatch(path.name, name) for path in SOURCES):
        return True
    return any(any(base.glob(name)) if "*" in name else (base / name).exists() for base in (citing.parent, *BASES))


def test_names_are_found() -> None:
    """A check over nothing would pass."""
    assert len(SOURCES) > 80
    assert {"build.py", "test_queue*.py"} <= {Path(name).name for path in SOURCES for name in cited(path)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(FIRMWARE).as_posix())
def test_every_file_it_names_exists(path: Path) -> None:
    """A reader who follows a comment or a page arrives."""
    assert [name for name in cited(path) if name not in FOREIGN and not exists(name.replace("NAME", "*"), path)] == []
