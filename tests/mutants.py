"""``make mutants``: changes the code that must never be wrong, one small change at a time, and runs its tests.

A mutant that no test notices survives: a test is missing, or the change makes no difference. pyproject.toml names the
modules and their tests, ``[tool.mutmut]``. Results stay in ``mutants/``, so a second run tests only what has changed.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from mutmut.stats import status_by_exit_code

AIM = 0.9
"""The share of mutants that the tests must kill."""

_RESULTS = Path("mutants")
_NOTICED = {"killed", "timeout", "caught by type check"}


def main() -> int:
    """Run mutmut, print a row for each module and every survivor; return 1 if a module misses the aim."""
    subprocess.run([sys.executable, "-m", "mutmut", "run", *sys.argv[1:]], check=True)
    missed = False
    survivors: list[str] = []
    for module, verdicts in sorted(_read_results()):
        alive = [name for name, verdict in verdicts.items() if verdict not in _NOTICED]
        share = 1 - len(alive) / len(verdicts)
        missed |= share < AIM
        print(f"{module:40} {len(verdicts):5} mutants {share:7.1%} killed{'' if share >= AIM else ', below the aim'}")
        survivors += alive
    for name in survivors:
        print(f"survived: {name}")
    print("mutmut show NAME prints what a survivor changed")
    return int(missed)


def _read_results() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield each module with the verdict on each of its mutants, in mutmut's words."""
    for path in _RESULTS.rglob("*.meta"):
        codes = json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        if codes:
            yield (
                str(path.relative_to(_RESULTS)).removesuffix(".meta"),
                {name: status_by_exit_code[code] for name, code in codes.items()},
            )


if __name__ == "__main__":
    sys.exit(main())
