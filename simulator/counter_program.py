"""Counters that are processes: the firmware's core (firmware/build/counter) in place of a SimulatedCounter.

Each counter gets a folder with its key and its queue, is fed what it is to see, and ends when ingest has all of it.
"""

import re
import subprocess
from base64 import b64encode
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from footfall.errors import FootfallError
from simulator.people import in_order
from simulator.simulation import Part, Progress, Scene, SimulationResult, parts_of_day

HINT = "build it with: make firmware"


class _Ending(NamedTuple):
    """What a counter told while it worked."""

    batches: int
    resends: int
    dropped: int


def simulate_day_with_program(
    scene: Scene,
    day: date,
    program: Path,
    url: str,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
) -> SimulationResult:
    """Replay the local *day* with a process of *program* for each counter, and return what happened.

    Time jumps from event to event. The network is as good as it is: *scene*'s trouble is not laid over it. A second
    run of the same day has other streams, and so counts everybody again. Raises FootfallError when a process fails.
    """
    parts = parts_of_day(scene, day)
    if not program.is_file():
        raise FootfallError(f"{program} is not there", hint=HINT)
    with TemporaryDirectory(prefix="footfall-simulate-") as folder, ThreadPoolExecutor(max(1, len(parts))) as pool:
        pending = [
            pool.submit(_work, part, scene.keys[part.counter], program, url, Path(folder) / str(number))
            for number, part in enumerate(parts)
        ]
        endings = []
        for number, future in enumerate(pending, start=1):
            endings.append(future.result())
            told = sum(ending.batches for ending in endings)
            progress(Progress(number / len(parts), told, sum(len(part.crossings) for part in parts[:number])))
    return _result(parts, endings)


def _work(part: Part, key: bytes, program: Path, url: str, folder: Path) -> _Ending:
    folder.mkdir()
    key_file, crossings = folder / "key", folder / "crossings.csv"
    key_file.touch(mode=0o600)
    key_file.write_text(f"whsec_{b64encode(key).decode()}\n")
    start = part.span.from_epoch_ms
    crossings.write_text(
        "".join(f"{one.time_epoch_ms - start},{'entry' if one.direction > 0 else 'exit'}\n" for one in part.crossings)
    )
    command = [
        str(program), "--counter", part.counter, "--key-file", str(key_file), "--url", url,
        "--queue", str(folder / "queue"),
        "--crossings", str(crossings), "--start", str(start), "--until", str(part.span.to_epoch_ms - start),
        "--speed", "0", "--heartbeat-s", "60", "--linger-ms", "60000",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the user named the program
    if done.returncode != 0:
        raise FootfallError(f"counter {part.counter}: {done.stderr.strip() or done.stdout[-200:].strip()}", hint=HINT)
    figures = dict(re.findall(r"(\w+)=(\d+)", done.stdout.splitlines()[-1]))
    return _Ending(*(int(figures[name]) for name in ("batches", "again", "dropped")))


def _result(parts: Sequence[Part], endings: Sequence[_Ending]) -> SimulationResult:
    dropped = sum(ending.dropped for ending in endings)
    made = [crossing for part in parts for crossing in part.crossings]
    return SimulationResult(
        truth=in_order(made),
        batches=sum(ending.batches for ending in endings),
        crossings=len(made) - dropped,
        resends=sum(ending.resends for ending in endings),
        copies=0,
        cuts=0,
        dropped=dropped,
        unacknowledged=0,
        stopped=False,
    )
