"""How long `footfall --help` takes, compared with the imports that it avoids."""

import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

from bench.report import BenchRow
from harness.installation import command

ROUNDS = 11
IMPORTS = "import flask, paramiko, influxdb_client"


def measure(say: Callable[[str], None], rounds: int = ROUNDS) -> list[BenchRow]:
    """Return the rows of the table. Both programs run in turns, and the medians count."""
    help_s: list[float] = []
    imports_s: list[float] = []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: footfall --help, and the libraries alone")
        help_s.append(_seconds(command("--help")))
        imports_s.append(_seconds([sys.executable, "-c", IMPORTS]))
    took_s, libraries_s = median(help_s), median(imports_s)
    share = f"{took_s / libraries_s:.2f} of `python -c '{IMPORTS}'`"
    return [BenchRow("`footfall --help`", f"{took_s * 1000:.0f} ms", share, "< 0.2")]


def _seconds(arguments: list[str]) -> float:
    started_s = time.perf_counter()
    subprocess.run(arguments, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started_s
