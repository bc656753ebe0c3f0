"""Memory of `footfall up`, idle and under load: RSS and PSS of all its processes."""

import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.load import Load, requests_per_second
from bench.report import BenchRow
from harness.installation import install

COUNTERS = ("DOOR1", "DOOR2")


def measure(say: Callable[[str], None], requests: int) -> list[BenchRow]:
    """Return the rows of the table; none on a system without /proc."""
    if not Path("/proc/self/smaps_rollup").exists():
        return []
    folder = Path(tempfile.mkdtemp(prefix="footfall-bench-"))
    try:
        site = install(folder / "site", COUNTERS)
        with site.serving("up") as process:
            say("footfall up, idle")
            time.sleep(3)
            idle = _memory_mb(process.pid)
            say("footfall up, under load")
            load = Load(site.port, requests, 100, COUNTERS, tuple(site.keys[counter] for counter in COUNTERS))
            thread = threading.Thread(target=requests_per_second, args=(load,))
            thread.start()
            busy = idle
            while thread.is_alive():
                busy = max(busy, _memory_mb(process.pid))
                time.sleep(0.2)
    finally:
        shutil.rmtree(folder)
    return [
        BenchRow(
            f"`footfall up`, {what}", f"{rss:.0f} MB RSS", f"{pss:.0f} MB PSS (shared pages counted once)", "< 100 MB"
        )
        for what, (rss, pss) in (("idle", idle), ("maximum under load", busy))
    ]


def _memory_mb(root: int) -> tuple[float, float]:
    """Return (RSS, PSS) in MB of *root* and all its descendants."""
    rss_kb = pss_kb = 0
    for pid in _family(root):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        fields = {line.split(":")[0]: int(line.split()[1]) for line in text.splitlines()[1:]}
        rss_kb += fields["Rss"]
        pss_kb += fields["Pss"]
    return rss_kb * 1024 / 1e6, pss_kb * 1024 / 1e6


def _family(root: int) -> list[int]:
    parents = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                parents[int(process.name)] = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found
