"""The application is well-typed against declarations of Arduino core 3.1.2; its interrupt is small and in IRAM."""

import functools
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

FIRMWARE = Path(__file__).resolve().parents[2] / "firmware"
SOURCES = sorted((FIRMWARE / "src").glob("*.cpp"))
DECLARATIONS = FIRMWARE / "host" / "arduino_check"
WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Werror", "-Wno-unused-parameter"]
INCLUDES = ["-isystem", str(DECLARATIONS), f"-I{FIRMWARE / 'lib' / 'footfall'}", f"-I{FIRMWARE / 'src'}"]
NEWLIB = Path("/usr/include/newlib/c++")
INSTALL = "apt-get install gcc-xtensa-lx106 binutils-xtensa-lx106 picolibc-xtensa-lx106-elf libstdc++-arm-none-eabi-dev"


def compiled(command: list[str], source: Path, *options: str) -> None:
    """Compile *source*; if it fails, fail the test with the compiler's messages."""
    done = subprocess.run([*command, *options, str(source)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@functools.cache
def host_compiler() -> list[str]:
    """Return this machine's compiler with the flags of a check."""
    for name in ("g++", "clang++"):
        if shutil.which(name):
            return [name, "-std=c++17", "-fsyntax-only", "-fno-exceptions", *WARNINGS, *INCLUDES]
    pytest.skip("no C++ compiler: apt-get install g++")


@functools.cache
def xtensa_compiler() -> list[str]:
    """Return the compiler for the ESP8266 with those of the core's flags that affect the code."""
    versions = sorted(NEWLIB.glob("*")) if NEWLIB.is_dir() else []
    if not shutil.which("xtensa-lx106-elf-g++") or not versions:
        pytest.skip(f"no compiler for the ESP8266: {INSTALL}")
    library = ["-isystem", str(versions[-1]), "-isystem", str(versions[-1] / "arm-none-eabi")]
    flags = ["-std=gnu++17", "-Os", "-fno-exceptions", "-fno-rtti", "-mlongcalls", "-mtext-section-literals"]
    return ["xtensa-lx106-elf-g++", *flags, "-DESP8266", *WARNINGS, *library, *INCLUDES]


def test_application_has_sources() -> None:
    """A check over nothing would pass."""
    assert {"main.cpp", "beam_interrupts.cpp", "portal.cpp", "ingest_client.cpp"} <= {one.name for one in SOURCES}


@pytest.mark.parametrize("source", SOURCES, ids=lambda one: one.name)
def test_source_is_well_typed(source: Path) -> None:
    """Every call fits the core's declarations, without a warning."""
    compiled(host_compiler(), source)


@pytest.mark.parametrize("source", SOURCES, ids=lambda one: one.name)
def test_source_compiles_for_the_esp8266(source: Path, tmp_path: Path) -> None:
    """The cross compiler takes it, with 32-bit long and the core's language flags."""
    compiled(xtensa_compiler(), source, "-c", "-o", str(tmp_path / "object.o"))


def test_updates_compile_with_a_key(tmp_path: Path) -> None:
    """With ota_key.h, made as docs/hardware.md describes, signed updates are compiled in."""
    key = (FIRMWARE / "src" / "ota_key.example.h").read_text(encoding="utf-8")
    (tmp_path / "ota_key.h").write_text(key, encoding="utf-8")
    compiled(host_compiler(), FIRMWARE / "src" / "updates.cpp", f"-I{tmp_path}")


def test_call_that_core_3_refuses_is_refused_here(tmp_path: Path) -> None:
    """HTTPClient::begin(url) without a client is an error, so the check can fail."""
    source = tmp_path / "old.cpp"
    source.write_text(
        '#include <ESP8266HTTPClient.h>\nbool old(HTTPClient& http) { return http.begin("http://a/"); }\n'
    )
    done = subprocess.run([*host_compiler(), str(source)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "begin" in done.stderr


def sections(source: Path, target: Path) -> dict[str, int]:
    """Return the bytes of each section of *source*, compiled for the ESP8266."""
    compiled(xtensa_compiler(), source, "-c", "-ffunction-sections", "-o", str(target))
    listed = subprocess.run(["xtensa-lx106-elf-size", "-A", str(target)], capture_output=True, text=True, check=True)
    return {name: int(size) for name, size in re.findall(r"^(\.\S+)\s+(\d+)", listed.stdout, re.MULTILINE)}


def test_interrupt_is_in_iram_and_small(tmp_path: Path) -> None:
    """The core leaves 2 KB of IRAM: our interrupt and the functions it calls take less than 400 bytes."""
    ours = [FIRMWARE / "src" / "beam_interrupts.cpp", FIRMWARE / "lib" / "footfall" / "detector" / "edge_buffer.cpp"]
    iram = 0
    for at, source in enumerate(ours):
        found = {name: size for name, size in sections(source, tmp_path / f"{at}.o").items() if ".iram" in name}
        assert sum(found.values()) > 0, f"{source.name}: nothing in IRAM"
        iram += sum(found.values())
    assert iram < 400


def stack_use(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Yield (function, bytes of stack) for every function of the application and the core."""
    for at, source in enumerate([*SOURCES, *sorted((FIRMWARE / "lib" / "footfall").rglob("*.cpp"))]):
        target = tmp_path / f"{at}.o"
        compiled(xtensa_compiler(), source, "-c", "-fstack-usage", "-o", str(target))
        for line in target.with_suffix(".su").read_text(encoding="utf-8").splitlines():
            function, size, _ = line.split("\t")
            yield f"{source.name}: {function.split(':')[-1]}", int(size)


def test_no_function_uses_much_stack(tmp_path: Path) -> None:
    """The loop shares 4 KB of stack with the libraries: no function of ours takes more than 1 KB."""
    large = {function: size for function, size in stack_use(tmp_path) if size > 1024}
    assert large == {}
