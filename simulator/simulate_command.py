"""``footfall simulate``: counters that walk people through doors and POST real signed batches."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from footfall.console import open_config, progress_bar
from footfall.errors import FootfallError
from footfall.model import Site
from footfall.registry import Registry, data_folder, ingest_url, load_registry
from simulator.counter_program import simulate_day_with_program
from simulator.people import MINUTE_MS, visitors_on
from simulator.simulation import Progress, Scene, SimulationResult, simulate_day, simulate_now
from simulator.truth_file import write_truth
from simulator.unreliable_network import NO_TROUBLE, ROUGH, HttpTransport

CATCH_UP_HEARTBEAT_MS = 2 * 60 * MINUTE_MS
"""Days that are caught up with are told in batches of so long: a month of them takes seconds."""


@click.command("simulate")
@click.option("--site", "sites", multiple=True, metavar="S", help="Only this site's doors; may be repeated.")
@click.option(
    "--day", type=click.DateTime(["%Y-%m-%d"]), metavar="D", help="The day, over already [default: yesterday]"
)
@click.option("--live", is_flag=True, help="Today's people, in real time from now on, until Ctrl-C.")
@click.option(
    "--catch-up",
    type=click.IntRange(0, 366),
    metavar="N",
    help="First the N days before today, quickly, each as busy as its weekday; with --live, today so far too.",
)
@click.option(
    "--speed",
    type=click.FloatRange(0),
    default=0.0,
    show_default=True,
    help="How many times real time; 0 is as fast as possible.",
)
@click.option("--people", type=click.IntRange(0, 100_000), default=400, show_default=True, help="Visitors a day.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed walks the same people.")
@click.option(
    "--network",
    type=click.Choice(["rough", "good"]),
    default="rough",
    show_default=True,
    help="rough: requests are cut or sent twice at random, and there are outages.",
)
@click.option("--url", help="Where ingest is [default: where footfall.toml says it listens]")
@click.option(
    "--program",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Let processes of firmware/build/counter be the counters; time jumps, the network stays good.",
)
@click.option("--truth", type=click.Path(dir_okay=False, path_type=Path), help="Write what the people did, as CSV.")
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
    """Walk simulated people through the doors of registered counters over a believable day, and POST real batches.

    It speaks to the ingest that runs, as a counter does. Do not aim it at a site that counts real people.
    """
    if program is not None and (live or speed):
        raise click.UsageError("--program replays a day from event to event: without --live and --speed")
    if catch_up is not None and (day or speed or program):
        raise click.UsageError("--catch-up is for the days before today: without --day, --speed and --program")
    config, environment = open_config(ctx)
    registry = load_registry(config, data_folder(config, environment))
    url = url or ingest_url(config, environment)
    config.finish()
    chosen = _sites(registry, sites)
    scene = Scene(
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

        def show(progress: Progress) -> None:
            bar.update(
                task, completed=progress.done, note=f"{progress.batches} batches, {progress.crossings} crossings"
            )

        today = datetime.now(UTC).astimezone(chosen[0].tz).date()
        if catch_up is not None:
            result = _catch_up(scene, [today - timedelta(days=number) for number in range(catch_up, 0, -1)], show)
            if live and not result.stopped:
                result += simulate_now(_as_busy(scene, today), since_midnight=True, progress=show)
        elif live:
            result = simulate_now(scene, progress=show)
        else:
            chosen_day = day.date() if day else today - timedelta(days=1)
            if program is None:
                result = simulate_day(scene, chosen_day, speed=speed, progress=show)
            else:
                result = simulate_day_with_program(scene, chosen_day, program, url, progress=show)
    if truth is not None:
        write_truth(truth, result.truth)
    _tell(result)


def _catch_up(scene: Scene, days: Sequence[date], show: Callable[[Progress], None]) -> SimulationResult:
    """Replay *days* one after the other, in few batches, and return what happened."""
    result = SimulationResult((), 0, 0, 0, 0, 0, 0, 0, stopped=False)
    for day in days:
        if not result.stopped:
            result += simulate_day(_as_busy(scene, day), day, heartbeat_ms=CATCH_UP_HEARTBEAT_MS, progress=show)
    return result


def _as_busy(scene: Scene, day: date) -> Scene:
    """Return *scene* with as many people as *day* brings."""
    return replace(scene, people=visitors_on(day, scene.people, scene.seed))


def _sites(registry: Registry, names: tuple[str, ...]) -> list[Site]:
    unknown = [name for name in names if name not in registry.sites]
    if unknown or not registry.sites:
        raise FootfallError(f"there is no site {unknown[0]!r}" if unknown else "there is no site", hint="footfall.toml")
    return [site for name, site in registry.sites.items() if not names or name in names]


def _tell(result: SimulationResult) -> None:
    entries = sum(crossing.direction > 0 for crossing in result.truth)
    click.echo(f"people crossed {len(result.truth)} times: {entries} entries, {len(result.truth) - entries} exits")
    click.echo(
        f"ingest acknowledged {result.crossings} crossings in {result.batches} batches; "
        f"{result.cuts} requests were cut, {result.resends} sent again, {result.copies} sent twice by the network"
    )
    if result.dropped:
        raise FootfallError(f"{result.dropped} crossings were refused for good", hint="the log of ingest says why")
    if result.stopped:
        click.echo(f"stopped early; {result.unacknowledged} crossings were still on their way")
