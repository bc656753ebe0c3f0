"""``footfall forwarder``: the process that copies the journal to InfluxDB."""

from contextlib import closing
from pathlib import Path

import click

from footfall.console import open_config, start_logging
from footfall.errors import FootfallError
from footfall.processes import die_with
from footfall.store.forwarder_state import FILE_NAME, ForwarderState
from ingest.ingest_settings import load_ingest_config


@click.command("forwarder")
@click.option("--again", is_flag=True, help="Resend everything in the journal to InfluxDB, and exit.")
@click.option("--with", "parent", type=int, hidden=True, help="Exit when the process with this pid does.")
@click.pass_context
def forwarder_command(ctx: click.Context, again: bool, parent: int | None) -> None:
    """Write the journal to InfluxDB until Ctrl-C. `footfall ingest` and `footfall up` run it if InfluxDB is configured.

    --again is for an InfluxDB that lost data: the forwarder writes all points again, under the same names. A running
    forwarder begins at once, a stopped one at its next start.
    """
    if parent is not None:
        die_with(parent)
    config, environment = open_config(ctx)
    ingest_config = load_ingest_config(config, environment)
    config.finish()
    if ingest_config.influx is None:
        raise FootfallError("InfluxDB is not configured", hint="set influxdb.url; see docs/operate.md, Forwarding")
    if again:
        _ask_again(ingest_config.data)
        return
    from ingest import forwarder_process

    start_logging(environment)
    forwarder_process.run(ingest_config, ingest_config.influx)


def _ask_again(data: Path) -> None:
    with closing(ForwarderState(data / FILE_NAME)) as state:
        state.request_resend()
    click.echo("the forwarder will resend everything in the journal; footfall doctor shows its progress")
