"""firmware/build.py: one build for a PC, with sanitizers, and for the ESP8266."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.firmware import FIRMWARE, built, program

SCRIPT = FIRMWARE / "build.py"
CORE = FIRMWARE / "lib" / "footfall"
BOARD_RAM = 80 * 1024


def test_second_build_does_nothing() -> None:
    """Nothing is out of date."""
    built()
    again = subprocess.run([sys.executable, SCRIPT, "--no-install"], capture_output=True, text=True, check=True)
    assert again.stdout == ""


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path) -> None:
    """No g++, no clang++, no ziglang: exit status 3 and the install line."""
    project = tmp_path / "project"
    shutil.copytree(FIRMWARE / "lib", project / "firmware" / "lib")
    shutil.copy(SCRIPT, project / "firmware" / "build.py")
    ended = subprocess.run(
        [sys.executable, project / "firmware" / "build.py", "--no-install"],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 3
    assert "apt-get install g++" in ended.stderr


def test_compile_error_is_reported(tmp_path: Path) -> None:
    """Exit status 1 and the compiler's messages; no incomplete file is left behind."""
    program("trace")
    project = tmp_path / "firmware"
    (project / "lib" / "footfall").mkdir(parents=True)
    (project / "host").mkdir()
    shutil.copy(SCRIPT, project / "build.py")
    (project / "lib" / "footfall" / "broken.cpp").write_text("int broken( {\n")
    (project / "host" / "nothing.cpp").write_text("int main() { return 0; }\n")
    ended = subprocess.run([sys.executable, project / "build.py"], capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "broken.cpp" in ended.stderr
    assert not (project / "build" / "nothing").exists()


def test_core_compiles_for_the_board_and_shows_its_sizes() -> None:
    """The size of each file of the core in flash, IRAM and RAM of the ESP8266."""
    printed = built("--xtensa")
    rows = dict(re.findall(r"^(\w+) +(\d+ +\d+ +\d+ +\d+ +\d+)$", printed, re.MULTILINE))
    assert set(rows) == {path.stem for path in CORE.rglob("*.cpp")} | {"all"}
    flash, iram, rodata, data, bss = map(int, rows["all"].split())
    assert 0 < iram < 1024
    assert flash < 100_000
    assert rodata + data + bss < BOARD_RAM / 10


def test_interrupt_code_is_in_iram() -> None:
    """The edge buffer's push is in IRAM, because the flash may be busy when an edge comes."""
    rows = dict(re.findall(r"^(\w+) +\d+ +(\d+) ", built("--xtensa"), re.MULTILINE))
    assert int(rows["edge_buffer"]) > 0


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.[hc]*")), ids=lambda path: path.name)
def test_core_is_portable(path: Path) -> None:
    """C headers only, no Arduino, no heap, no exceptions, no static locals."""
    text = path.read_text(encoding="utf-8")
    for header in re.findall(r"#include <(.+)>", text):
        assert header in {"stdint.h", "stddef.h", "string.h"}
    code = re.sub(r'//.*|"(\\.|[^"\\])*"|R"\((.|\n)*?\)"', "", text)
    assert not re.search(r"\b(malloc|free|new|delete|throw|try|millis|micros|Arduino)\b", code)
    assert not re.search(r"^\s{4,}static (?!constexpr|const )[^()]*[;=]", code, re.MULTILINE)
