"""Builds the firmware's core for this machine: the programs, and a shared library for the tests.

    firmware/lib/footfall/*/*.cpp the core            -> linked into everything
    firmware/host/posix_*.cpp     adapters for a PC   -> linked into everything
    firmware/host/*_shim.cpp      extern "C"          -> firmware/build/libfootfall.so
    firmware/host/NAME.cpp        has a main          -> firmware/build/NAME

Needs Python's standard library and one of g++, clang++ or the `ziglang` wheel, which it installs into .venv if both
compilers are missing. It rebuilds what is older than its sources, headers or flags. Files appear complete, by a rename,
and one build runs at a time, so parallel tests may all start it.

Exit status: 0 built, 1 compile error, 2 usage error, 3 no compiler.
"""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

FIRMWARE = Path(__file__).resolve().parent
PROJECT = FIRMWARE.parent
CORE = FIRMWARE / "lib" / "footfall"
HOST = FIRMWARE / "host"
OUTPUT = FIRMWARE / "build"

WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
LANGUAGE = ["-std=c++17", "-fno-exceptions", "-fno-rtti"]
FOR_HOST = [*LANGUAGE, "-O2", "-fPIC", *WARNINGS, f"-I{CORE}", f"-I{HOST}"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-g", "-O1"]
# The flags of the ESP8266's Arduino core 3.1.2 that affect the size of the code.
FOR_XTENSA = [
    "-std=gnu++17", "-fno-exceptions", "-fno-rtti", "-Os", "-mlongcalls", "-mtext-section-literals",
    "-ffunction-sections", "-fdata-sections", "-fno-threadsafe-statics", "-DFOOTFALL_IRAM", *WARNINGS, f"-I{CORE}",
]  # fmt: skip

INSTALL_COMPILER = "apt-get install g++   (or clang, or: pip install ziglang)"
INSTALL_XTENSA = "apt-get install gcc-xtensa-lx106 binutils-xtensa-lx106 picolibc-xtensa-lx106-elf"
BUILT, DOES_NOT_COMPILE, NO_COMPILER = 0, 1, 3


class BuildError(Exception):
    """The code does not compile; the compiler has printed why."""


class CompilerMissing(Exception):
    """No compiler was found or could be installed; the message has the install line."""


@dataclass(frozen=True)
class Toolchain:
    """A compiler, its flags and its output folder."""

    compiler: tuple[str, ...]
    flags: tuple[str, ...]
    output: Path

    def objects(self, sources: Sequence[Path]) -> list[Path]:
        """Compile what is out of date and return the objects of *sources*. Raises BuildError."""
        folder = self.output / "objects"
        folder.mkdir(parents=True, exist_ok=True)
        note_flags(folder / "flags", " ".join([*self.compiler, *self.flags]))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(lambda source: self.compile(source, folder), sources))
        made = [result for result in results if result is not None]
        if len(made) < len(results):
            raise BuildError
        return made

    def compile(self, source: Path, folder: Path) -> Path | None:
        """Return the object of *source*; None if it does not compile."""
        target, needs = folder / f"{source.stem}.o", folder / f"{source.stem}.d"
        if is_newer(target, [source, folder / "flags", *needed_by(needs)]):
            return target
        print(f"compile {source.relative_to(PROJECT)}", flush=True)
        unfinished = target.with_suffix(".new")
        command = [*self.compiler, *self.flags, "-MMD", "-MF", str(needs), "-c", str(source), "-o", str(unfinished)]
        if subprocess.run(command, check=False).returncode != 0:
            return None
        unfinished.replace(target)
        return target

    def link(self, objects: Sequence[Path], target: Path, *flags: str) -> None:
        """Link *objects* into *target* unless it is up to date. Raises BuildError."""
        if is_newer(target, objects) and note_flags(
            self.output / "objects" / f"{target.name}.link", " ".join(map(str, objects))
        ):
            return
        print(f"link    {target.relative_to(PROJECT)}", flush=True)
        unfinished = target.with_suffix(".new")
        command = [*self.compiler, *self.flags, *map(str, objects), *flags, "-o", str(unfinished)]
        if subprocess.run(command, check=False).returncode != 0:
            raise BuildError
        unfinished.replace(target)


def note_flags(path: Path, flags: str) -> bool:
    """Return whether *path* already holds *flags*; if not, write them, which outdates everything built before."""
    if path.exists() and path.read_text() == flags:
        return True
    path.write_text(flags)
    return False


def is_newer(target: Path, sources: Sequence[Path]) -> bool:
    """Return whether *target* exists and no source is missing or newer."""
    try:
        made = target.stat().st_mtime_ns
        return all(source.stat().st_mtime_ns <= made for source in sources)
    except FileNotFoundError:
        return False


def needed_by(rule: Path) -> list[Path]:
    """Return the files that the compiler's dependency *rule* names; none if it does not exist yet."""
    if not rule.exists():
        return []
    words = rule.read_text().replace("\\\n", " ").replace("\\ ", "\0").split()
    return [Path(word.replace("\0", " ")) for word in words[1:]]


def find_compiler(*, install: bool) -> tuple[str, ...]:
    """Return the command of a C++ compiler: $CXX, g++, clang++, or ziglang from .venv. Raises CompilerMissing."""
    if chosen := os.environ.get("CXX"):
        return tuple(chosen.split())
    for name in ("g++", "clang++"):
        if path := shutil.which(name):
            return (path,)
    python = PROJECT / ".venv" / "bin" / "python"
    has_zig = [str(python), "-c", "import ziglang"]
    if not python.exists() or subprocess.run(has_zig, check=False, stderr=subprocess.DEVNULL).returncode != 0:
        if not install:
            raise CompilerMissing(f"no C++ compiler: {INSTALL_COMPILER}")
        install_zig(python)
    return (str(python), "-m", "ziglang", "c++")


def install_zig(python: Path) -> None:
    """Install ziglang, a C++ compiler of 100 MB, into .venv."""
    print("found neither g++ nor clang++: installing ziglang into .venv (100 MB)", flush=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", str(PROJECT / ".venv")], check=True)
        locked = ["--require-hashes", "--requirement", str(PROJECT / "requirements" / "firmware.txt")]
        subprocess.run([*pip, *locked], check=True)
    except subprocess.CalledProcessError as exc:
        raise CompilerMissing(f"no C++ compiler, and installing ziglang failed: {INSTALL_COMPILER}") from exc


def build_host(compiler: tuple[str, ...], *, sanitize: bool) -> None:
    """Build the programs, and the shared library unless *sanitize*: Python cannot load one built with ASan."""
    output = OUTPUT / "sanitize" if sanitize else OUTPUT
    extra = SANITIZERS if sanitize else ["-fno-sanitize=all"] if "ziglang" in compiler else []
    tools = Toolchain(compiler, (*FOR_HOST, *extra), output)
    shims = sorted(HOST.glob("*_shim.cpp"))
    adapters = sorted(HOST.glob("posix_*.cpp"))
    programs = sorted(set(HOST.glob("*.cpp")) - set(shims) - set(adapters))
    shared = [*sorted(CORE.rglob("*.cpp")), *adapters]
    sources = [*shared, *programs, *([] if sanitize else shims)]
    made = dict(zip(sources, tools.objects(sources), strict=True))
    core = [made[source] for source in shared]
    for program in programs:
        tools.link([made[program], *core], output / program.stem)
    if shims and not sanitize:
        tools.link([*(made[shim] for shim in shims), *core], output / "libfootfall.so", "-shared")


def build_xtensa() -> None:
    """Compile the core for the ESP8266, without linking, and print the size of each file."""
    compiler, size = shutil.which("xtensa-lx106-elf-g++"), shutil.which("xtensa-lx106-elf-size")
    if not compiler or not size:
        raise CompilerMissing(f"no compiler for the ESP8266: {INSTALL_XTENSA}")
    objects = Toolchain((compiler,), tuple(FOR_XTENSA), OUTPUT / "xtensa").objects(sorted(CORE.rglob("*.cpp")))
    sizes = {path.stem: section_sizes(size, path) for path in objects}
    sizes["all"] = [sum(column) for column in zip(*sizes.values(), strict=True)]
    print(f"\n{'bytes on the ESP8266':<22}{'flash':>8}{'iram':>8}{'rodata':>8}{'data':>8}{'bss':>8}")
    for name, row in sizes.items():
        print(f"{name:<22}" + "".join(f"{number:>8}" for number in row))
    print("rodata, data and bss are RAM; objects that the application allocates are not included")


def section_sizes(size: str, path: Path) -> list[int]:
    """Return the bytes that the object at *path* takes in flash, IRAM, rodata, data and bss."""
    listed = subprocess.run([size, "-A", str(path)], check=True, capture_output=True, text=True).stdout
    flash = iram = rodata = data = bss = 0
    for line in listed.splitlines():
        match line.split():
            case [name, amount, _] if name.startswith(".iram"):
                iram += int(amount)
            case [name, amount, _] if name.startswith((".text", ".literal", ".irom")):
                flash += int(amount)
            case [name, amount, _] if name.startswith(".rodata"):
                rodata += int(amount)
            case [name, amount, _] if name.startswith(".data"):
                data += int(amount)
            case [name, amount, _] if name.startswith(".bss"):
                bss += int(amount)
    return [flash, iram, rodata, data, bss]


def main() -> int:
    """Run the build that the command line selects."""
    parser = argparse.ArgumentParser(description="Build the firmware's core for this machine, into firmware/build.")
    parser.add_argument("--sanitize", action="store_true", help="with ASan and UBSan, into firmware/build/sanitize")
    parser.add_argument("--xtensa", action="store_true", help="compile the core for the ESP8266 and print its sizes")
    parser.add_argument("--no-install", action="store_true", help="never install ziglang")
    options = parser.parse_args()
    OUTPUT.mkdir(exist_ok=True)
    with (OUTPUT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            if options.xtensa:
                build_xtensa()
            else:
                build_host(find_compiler(install=not options.no_install), sanitize=options.sanitize)
        except BuildError:
            print("the firmware does not compile; see above", file=sys.stderr)
            return DOES_NOT_COMPILE
        except CompilerMissing as exc:
            print(exc, file=sys.stderr)
            return NO_COMPILER
    return BUILT


if __name__ == "__main__":
    sys.exit(main())
