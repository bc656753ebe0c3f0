"""``footfall ingest``: the HTTP service, with the forwarder beside it if InfluxDB is configured."""

import threading

import click

from footfall.console import open_config, start_logging
from footfall.environment import Environment
from footfall.processes import keep_running
from footfall.settings import ConfigFile
from ingest import server
from ingest.ingest_settings import load_ingest_config


@click.command("ingest")
@click.pass_context
def ingest_command(ctx: click.Context) -> None:
    """Store the counters' batches and serve the pages until Ctrl-C."""
    config, environment = open_config(ctx)
    serve_ingest(config, environment)


def serve_ingest(config: ConfigFile, environment: Environment, *companions: str) -> None:
    """Serve until a signal. *companions* are commands to run beside it; the forwarder joins them if InfluxDB is set."""
    start_logging(environment)
    ingest_config = load_ingest_config(config, environment)
    config.finish()
    server.prepare(ingest_config)
    stopping = threading.Event()
    try:
        for name in (*companions, *(("forwarder",) if ingest_config.influx else ())):
            keep_running(name, config.path, stopping)
        server.serve(ingest_config)
    finally:
        stopping.set()
