"""``footfall up``: ingest, the exporter and, with InfluxDB, the forwarder under one supervisor."""

import click

from exporter.exporter_settings import load_exporter_config
from footfall.console import open_config
from ingest.ingest_command import serve_ingest


@click.command("up")
@click.pass_context
def up_command(ctx: click.Context) -> None:
    """Run ingest and the exporter together until Ctrl-C: all of Footfall on one machine."""
    config, environment = open_config(ctx)
    load_exporter_config(config, environment)  # report its problems before anything starts
    serve_ingest(config, environment, "exporter")
