"""``footfall exporter``: the daemon that delivers each day's file."""

import logging
import signal
import threading

import click

from exporter import scheduler
from exporter.reloading_job import reloading_job
from footfall.console import open_config, start_logging
from footfall.processes import die_with

log = logging.getLogger(__name__)


@click.command("exporter")
@click.option("--with", "parent", type=int, hidden=True, help="Exit when the process with this pid does.")
@click.pass_context
def exporter_command(ctx: click.Context, parent: int | None) -> None:
    """Run the exporter until Ctrl-C: deliver each day's file."""
    if parent is not None:
        die_with(parent)
    config, environment = open_config(ctx)
    start_logging(environment)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with reloading_job(config, environment) as (job, look_every_s, reporter):
        log.info("exporter started: look_every_s=%d", look_every_s)
        scheduler.run(job, look_every_s, stop, reporter)
