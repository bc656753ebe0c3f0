"""``footfall simulate``: simulated people walk through the doors of registered counters."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from footfall.console import open_config, progress_bar
from footfall.errors import FootfallError
from footfall.model import Site
from footfall.registry import Registry, data_folder, ingest_url, load_registry
from footfall.wording import plural
from simulator.counter_plans import SimulationSetup
from simulator.firmware_counters import simulate_day_with_firmware
from simulator.people import MINUTE_MS, visitors_on
from simulator.simulation import SimulationProgress, SimulationResult, simulate_day, simulate_today
from simulator.truth_file import write_truth
from simulator.unreliable_network import NO_TROUBLE, ROUGH, HttpTransport

CATCH_UP_HEARTBEAT_MS = 2 * 60 * MINUTE_MS
"""Large batches, so that a month of past days takes seconds."""


@click.command("simulate")
@click.option("--site", "sites", multiple=True, metavar="S", help="Only this site; may be repeated.")
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="Replay this past day [default: yesterday]")
@click.option("--live", is_flag=True, help="Simulate the rest of today in real time, until Ctrl-C.")
@click.option(
    "--catch-up",
    type=click.IntRange(0, 366),
    metavar="N",
    help="Replay the N days before today, busier on some weekdays; with --live, today so far as well.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="Multiple of real time; 0: as fast as possible.",
)
@click.option("--people", type=click.IntRange(0, 100_000), default=400, show_default=True, help="Visitors a day.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same people.")
@click.option(
    "--network",
    type=click.Choice(["rough", "good"]),
    default="rough",
    show_default=True,
    help="rough: loses and duplicates requests at random, and has outages.",
)
@click.option("--url", help="Address of ingest [default: from footfall.toml]")
@click.option(
    "--program",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Run this build of the firmware (firmware/build/counter) as the counters, over a good network.",
)
@click.option("--truth", type=click.Path(dir_okay=False, path_type=Path), help="Write all crossings to this CSV file.")
@click.pass_context
def simulate_command(
    ctx: click.Context,
    sites: tuple[str, ...],
    day: datetime | None,
    live: bool,
    catch_up: int | None,
    speed: float,
    people: int,
    seed: int,
    network: str,
    url: str | None,
    program: Path | None,
    truth: Path | None,
) -> None:
    """Walk simulated people through the doors of registered counters.

    The counters send real signed batches to the running ingest, and the crossings are stored like real ones. Do not
    use it on a site that counts real people.
    """
    if program is not None and (live or speed):
        raise click.UsageError("--program cannot be combined with --live or --speed")
    if catch_up is not None and (day or speed or program):
        raise click.UsageError("--catch-up cannot be combined with --day, --speed or --program")
    config, environment = open_config(ctx)
    registry = load_registry(config, data_folder(config, environment))
    url = url or ingest_url(config, environment)
    config.finish()
    chosen = _sites(registry, sites)
    setup = SimulationSetup(
        sites=chosen,
        counters=list(registry.counters.values()),
        keys={counter: keys[0] for counter, keys in registry.keys.items() if keys},
        connect=lambda: HttpTransport(url),
        people=people,
        seed=seed,
        trouble=ROUGH if network == "rough" else NO_TROUBLE,
    )
    with progress_bar() as bar:
        task = bar.add_task("simulate", total=1.0, note="")

        def show(progress: SimulationProgress) -> None:
            bar.update(
                task, completed=progress.done, note=f"{progress.batches} batches, {progress.crossings} crossings"
            )

        today = datetime.now(UTC).astimezone(chosen[0].tz).date()
        if catch_up is not None:
            result = _catch_up(setup, [today - timedelta(days=number) for number in range(catch_up, 0, -1)], show)
            if live and not result.stopped:
                result += simulate_today(_for_weekday(setup, today), since_midnight=True, progress=show)
        elif live:
            result = simulate_today(setup, progress=show)
        else:
            chosen_day = day.date() if day else today - timedelta(days=1)
            if program is None:
                result = simulate_day(setup, chosen_day, speed=speed, progress=show)
            else:
                result = simulate_day_with_firmware(setup, chosen_day, program, url, progress=show)
    if truth is not None:
        write_truth(truth, result.truth)
    _print_summary(result)


def _catch_up(
    setup: SimulationSetup, days: Sequence[date], show: Callable[[SimulationProgress], None]
) -> SimulationResult:
    """Replay *days* in order, in few large batches, and return what happened."""
    result = SimulationResult()
    for day in days:
        if not result.stopped:
            result += simulate_day(_for_weekday(setup, day), day, heartbeat_ms=CATCH_UP_HEARTBEAT_MS, progress=show)
    return result


def _for_weekday(setup: SimulationSetup, day: date) -> SimulationSetup:
    """Return *setup* with the number of visitors that *day* brings."""
    return replace(setup, people=visitors_on(day, setup.people, setup.seed))


def _sites(registry: Registry, names: tuple[str, ...]) -> list[Site]:
    unknown = [name for name in names if name not in registry.sites]
    if unknown or not registry.sites:
        raise FootfallError(
            f"there is no site {unknown[0]!r}" if unknown else "there is no site",
            hint=f"footfall.toml has: {', '.join(registry.sites) or 'none'}",
        )
    return [site for name, site in registry.sites.items() if not names or name in names]


def _print_summary(result: SimulationResult) -> None:
    entries = sum(crossing.direction > 0 for crossing in result.truth)
    exits = len(result.truth) - entries
    directions = f"{plural(entries, 'entry', 'entries')}, {plural(exits, 'exit')}"
    click.echo(f"{plural(len(result.truth), 'crossing')} simulated: {directions}")
    click.echo(
        f"{plural(result.crossings, 'crossing')} acknowledged in {plural(result.batches, 'batch', 'batches')}; "
        f"requests: {result.lost} lost, {result.resends} resent, {result.duplicates} duplicated by the network"
    )
    if result.dropped:
        raise FootfallError(f"ingest refused {plural(result.dropped, 'crossing')}", hint="the log of ingest says why")
    if result.stopped:
        click.echo(f"stopped early, unacknowledged: {plural(result.unacknowledged, 'crossing')}")
