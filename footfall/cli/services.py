"""``footfall up``, ``ingest``, ``exporter`` and ``forwarder``: the services, with real parts."""

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from functools import partial
from pathlib import Path

import click

from footfall.cli.console import open_config, start_logging
from footfall.config import ConfigFile
from footfall.environment import Environment
from footfall.errors import FootfallError
from footfall.processes import die_with

log = logging.getLogger(__name__)

_RESTART_AFTER_S = 5.0
_END_WITHIN_S = 10.0


@click.command("up", short_help="Run ingest and the exporter together: all of Footfall on one machine.")
@click.pass_context
def up_command(ctx: click.Context) -> None:
    """Run ingest and the exporter together: all of Footfall on one machine, until Ctrl-C."""
    from exporter.config import load_exporter_config

    config, environment = open_config(ctx)
    load_exporter_config(config, environment)
    _serve_ingest(config, environment, "exporter")


@click.command("ingest", short_help="Run ingest: takes the counters' batches, tells occupancy.")
@click.pass_context
def ingest_command(ctx: click.Context) -> None:
    """Run ingest until Ctrl-C: takes the counters' batches, tells occupancy."""
    config, environment = open_config(ctx)
    _serve_ingest(config, environment)


@click.command("exporter", short_help="Run the exporter: delivers each day's file.")
@click.option("--with", "parent", type=int, hidden=True, help="End with the process that has this pid.")
@click.pass_context
def exporter_command(ctx: click.Context, parent: int | None) -> None:
    """Run the exporter until Ctrl-C: delivers each day's file."""
    from exporter import scheduler
    from footfall.cli.exporting import live_job

    if parent is not None:
        die_with(parent)
    config, environment = open_config(ctx)
    start_logging(environment)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with live_job(config, environment) as (job, look_every_s, teller):
        log.info("the exporter looks for what is owed every %d s", look_every_s)
        scheduler.run(job, look_every_s, stop, teller)


@click.command("forwarder", short_help="Run the forwarder, or have it write everything again.")
@click.option("--again", is_flag=True, help="Have everything in the journal written to InfluxDB again, and end.")
@click.option("--with", "parent", type=int, hidden=True, help="End with the process that has this pid.")
@click.pass_context
def forwarder_command(ctx: click.Context, again: bool, parent: int | None) -> None:
    """Write the journal to InfluxDB until Ctrl-C. `footfall ingest` and `footfall up` run it where InfluxDB is set up.

    --again is for an InfluxDB that lost something: the same points are written again, under the same names. The
    forwarder that runs begins at once, any other when it starts.
    """
    from ingest.config import load_ingest_config

    if parent is not None:
        die_with(parent)
    config, environment = open_config(ctx)
    ingest_config = load_ingest_config(config, environment)
    config.finish()
    if ingest_config.influx is None:
        raise FootfallError("no InfluxDB is set up", hint="set influxdb.url; see docs/operations.md, Forwarding")
    if again:
        _ask_again(ingest_config.data)
        return
    from ingest import forwarding

    start_logging(environment)
    forwarding.run(ingest_config, ingest_config.influx)


def _ask_again(data: Path) -> None:
    from footfall.store.shipments import FILE_NAME, Shipments

    with closing(Shipments(data / FILE_NAME)) as shipments:
        shipments.ask_again()
    click.echo("everything in the journal will be written to InfluxDB again; footfall doctor tells how far it is")


def _serve_ingest(config: ConfigFile, environment: Environment, *companions: str) -> None:
    """Serve until a signal, with the commands *companions*, and with the forwarder where InfluxDB is set up."""
    from footfall.cli.desk import open_desk
    from ingest import server
    from ingest.config import load_ingest_config

    start_logging(environment)
    ingest_config = load_ingest_config(config, environment)
    config.finish()
    server.prepare(ingest_config)
    stopping = threading.Event()
    try:
        for name in (*companions, *(("forwarder",) if ingest_config.influx else ())):
            _keep_running(name, config.path, stopping)
        server.serve(ingest_config, partial(open_desk, config.path))
    finally:
        stopping.set()


def _keep_running(name: str, config: Path, stopping: threading.Event) -> None:
    """Run the command *name*, and again a little after it ends, until *stopping* is set; then end it."""
    command = [sys.executable, "-m", "footfall", "--config", str(config), name, "--with", str(os.getpid())]
    first = _start(command)

    def run() -> None:
        process = first
        while True:
            with process:
                while process.poll() is None and not stopping.wait(0.5):
                    pass
                _end(process)
            if stopping.wait(_RESTART_AFTER_S):
                return
            log.error("the %s ended with status %s; it is started again", name, process.returncode)
            process = _start(command)

    threading.Thread(target=run, name=f"{name}-watch").start()


def _start(command: list[str]) -> "subprocess.Popen[bytes]":
    """Start *command* by posix_spawn, as subprocess does where it need not close files.

    Else it reads from a pipe until the child has the new program: for ever, where the server forks its worker in that
    moment, for the worker holds the pipe's other end. Python's own files are closed in any case (PEP 446).
    """
    return subprocess.Popen(command, close_fds=False)  # noqa: S603 - our own command


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask *process* to end. One in the middle of a delivery is not waited for: that day simply stays owed."""
    process.terminate()
    try:
        process.wait(_END_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
