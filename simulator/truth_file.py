"""Every simulated crossing as CSV, ``counter,time_epoch_ms,direction``, to compare with what was stored."""

import csv
from collections.abc import Iterable
from pathlib import Path

from footfall.errors import FootfallError
from simulator.people import Crossing

HEADER = ["counter", "time_epoch_ms", "direction"]


def write_truth(path: Path, crossings: Iterable[Crossing]) -> None:
    """Write *crossings* to *path* in the order given. Raises FootfallError if the file cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(HEADER)
            writer.writerows(crossings)
    except OSError as exc:
        raise FootfallError(
            f"cannot write {path}: {exc.strerror}", hint="check that the folder exists and is writable"
        ) from exc


def read_truth(path: Path) -> tuple[Crossing, ...]:
    """Return the crossings in *path*. Raises FootfallError with the number of the first invalid line."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise FootfallError(f"cannot read {path}: {exc}", hint="write it with: footfall simulate --truth") from exc
    if not rows or rows[0] != HEADER:
        raise FootfallError(
            f"{path} does not start with {','.join(HEADER)}", hint="write it with: footfall simulate --truth"
        )
    return tuple(_crossing(path, line, row) for line, row in enumerate(rows[1:], start=2))


def _crossing(path: Path, line: int, row: list[str]) -> Crossing:
    match row:
        case [counter, time_epoch_ms, "1" | "-1" as direction] if time_epoch_ms.isascii() and time_epoch_ms.isdigit():
            return Crossing(counter, int(time_epoch_ms), 1 if direction == "1" else -1)
    raise FootfallError(
        f"{path}, line {line}: {','.join(row)!r} is not a crossing", hint="a line is COUNTER,TIME_EPOCH_MS,1 or -1"
    )
