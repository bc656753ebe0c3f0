"""Counters that run the firmware's core (firmware/build/counter) as processes, in place of SimulatedCounter.

Each counter gets a folder with its key and its queue, replays its crossings, and exits once ingest has acknowledged
all of them.
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
from simulator.counter_plans import CounterPlan, SimulationSetup, plans_for_day
from simulator.people import in_order
from simulator.simulation import SimulationProgress, SimulationResult


class _Summary(NamedTuple):
    """The totals a counter prints when it exits."""

    batches: int
    resends: int
    dropped: int


def simulate_day_with_firmware(
    setup: SimulationSetup,
    day: date,
    program: Path,
    url: str,
    *,
    progress: Callable[[SimulationProgress], None] = lambda _: None,
) -> SimulationResult:
    """Replay the local *day* with one process of *program* per counter, and return what happened.

    Time jumps from event to event, and the network is as good as it is: the setup's trouble does not apply. A second
    run of the same day uses new streams, so it counts everyone again. Raises FootfallError if a process fails.
    """
    plans = plans_for_day(setup, day)
    if not program.is_file():
        raise FootfallError(f"{program} does not exist", hint="build it with: make firmware")
    with TemporaryDirectory(prefix="footfall-simulate-") as folder, ThreadPoolExecutor(max(1, len(plans))) as pool:
        pending = [
            pool.submit(_run_counter, plan, setup.keys[plan.counter], program, url, Path(folder) / str(number))
            for number, plan in enumerate(plans)
        ]
        summaries: list[_Summary] = []
        for number, future in enumerate(pending, start=1):
            summaries.append(future.result())
            batches = sum(summary.batches for summary in summaries)
            crossings = sum(len(plan.crossings) for plan in plans[:number])
            progress(SimulationProgress(number / len(plans), batches, crossings))
    return _result(plans, summaries)


def _run_counter(plan: CounterPlan, key: bytes, program: Path, url: str, folder: Path) -> _Summary:
    folder.mkdir()
    key_file, crossings = folder / "key", folder / "crossings.csv"
    key_file.touch(mode=0o600)
    key_file.write_text(f"whsec_{b64encode(key).decode()}\n")
    start = plan.span.from_epoch_ms
    crossings.write_text(
        "".join(f"{one.time_epoch_ms - start},{'entry' if one.direction > 0 else 'exit'}\n" for one in plan.crossings)
    )
    command = [
        str(program), "--counter", plan.counter, "--key-file", str(key_file), "--url", url,
        "--queue", str(folder / "queue"),
        "--crossings", str(crossings), "--start", str(start), "--until", str(plan.span.to_epoch_ms - start),
        "--speed", "0", "--heartbeat-s", "60", "--linger-ms", "60000",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - the user named the program
    if done.returncode != 0:
        raise FootfallError(
            f"counter {plan.counter}: {program.name} failed: {done.stderr.strip() or done.stdout[-200:].strip()}",
            hint=f"check that ingest runs at {url}: footfall doctor",
        )
    figures = dict(re.findall(r"(\w+)=(\d+)", done.stdout.splitlines()[-1]))
    return _Summary(*(int(figures[name]) for name in ("batches", "again", "dropped")))


def _result(plans: Sequence[CounterPlan], summaries: Sequence[_Summary]) -> SimulationResult:
    dropped = sum(summary.dropped for summary in summaries)
    made = [crossing for plan in plans for crossing in plan.crossings]
    return SimulationResult(
        truth=in_order(made),
        batches=sum(summary.batches for summary in summaries),
        crossings=len(made) - dropped,
        resends=sum(summary.resends for summary in summaries),
        dropped=dropped,
    )
