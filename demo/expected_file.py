"""The client's file, computed straight from the simulated crossings. Shares no code with the product."""

import csv
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

FIRST_MINUTE, LAST_MINUTE = 8 * 60, 18 * 60 + 30


def expected_file(
    truth: Path, day: date, tz: ZoneInfo, doors: Mapping[str, tuple[str, str]], site: str, code: str
) -> bytes:
    """Return the default profile's file for *day*, from *truth*, a file of `footfall simulate --truth`.

    *doors* maps counter ids to (name, location).
    """
    counts: Counter[tuple[str, int, str]] = Counter()
    with truth.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            local = datetime.fromtimestamp(int(row["time_epoch_ms"]) / 1000, UTC).astimezone(tz)
            if local.date() == day:
                half_hour = (local.hour * 60 + local.minute) // 30 * 30
                counts[row["counter"], half_hour, row["direction"]] += 1
    lines = []
    for minute in range(FIRST_MINUTE, LAST_MINUTE + 1, 30):
        label = f"{day.year}-{day.month}-{day.day},{timedelta(minutes=minute)!s:0>8}"
        for door in sorted(doors):
            name, location = doors[door]
            both = f"{counts[door, minute, '1']},{counts[door, minute, '-1']}"
            lines.append(f"{label},{both},{door},{name},{location},{site},{code}\n")
    return "".join(lines).encode()
