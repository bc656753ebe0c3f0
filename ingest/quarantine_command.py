"""``footfall quarantine``: lists, resends or discards the points that InfluxDB refused."""

import json
from contextlib import closing
from typing import TYPE_CHECKING

import click

from footfall.console import open_config, open_console, show_table
from footfall.errors import FootfallError
from footfall.model import from_epoch_ms
from footfall.wording import plural

if TYPE_CHECKING:
    from footfall.store.forwarder_state import ForwarderState, QuarantinedPoint
    from footfall.store.influx_settings import InfluxConfig
    from footfall.store.points import Point


@click.command("quarantine")
@click.option("--resend", is_flag=True, help="Write the points to InfluxDB again; those it accepts leave the list.")
@click.option("--forget", is_flag=True, help="Discard all points. The journal still has their crossings.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
@click.pass_context
def quarantine_command(ctx: click.Context, resend: bool, forget: bool, as_json: bool) -> None:
    """List the points InfluxDB refused, and why. The journal still has the crossings behind them."""
    from footfall.store.forwarder_state import FILE_NAME, ForwarderState
    from ingest.ingest_settings import load_ingest_config

    config, environment = open_config(ctx)
    ingest = load_ingest_config(config, environment)
    config.finish()
    if resend and forget:
        raise click.UsageError("choose one of --resend and --forget")
    path = ingest.data / FILE_NAME
    if not path.exists():
        if not as_json:
            click.echo("the quarantine is empty; nothing has been forwarded yet")
        return
    with closing(ForwarderState(path)) as state:
        refused = state.quarantined_points()
        if resend:
            _resend(ingest.influx, state, refused)
        elif forget:
            state.release(refused)
            click.echo(f"{plural(len(refused), 'point')} discarded; the journal still has the crossings")
        elif as_json:
            for one in refused:
                click.echo(json.dumps(_as_json(one)))
        else:
            _show(refused)


def _resend(influx: "InfluxConfig | None", state: "ForwarderState", refused: list["QuarantinedPoint"]) -> None:
    """Write *refused* again, and release the points that InfluxDB accepts."""
    if influx is None:
        raise FootfallError("InfluxDB is not configured", hint="set influxdb.url; see docs/operate.md, Forwarding")
    from footfall.store.influx_bisect import write_bisecting
    from footfall.store.influx_writer import InfluxWriter
    from footfall.store.points import MAX_POINTS_PER_WRITE

    still: dict[str, str] = {}
    expired: list[int] = []
    with closing(InfluxWriter(influx)) as writer:
        for start in range(0, len(refused), MAX_POINTS_PER_WRITE):
            several = refused[start : start + MAX_POINTS_PER_WRITE]
            write_bisecting(
                writer.write, [one.point for one in several],
                lambda point, reason: still.update({_name(point): reason}), expired.append,
            )  # fmt: skip
            state.release(one for one in several if _name(one.point) not in still)
    written = len(refused) - len(still) - sum(expired)
    click.echo(f"{plural(written, 'point')} written, {len(still)} still refused")
    if expired:
        click.echo(
            f"{plural(sum(expired), 'point')} past InfluxDB's retention discarded; the journal still has the crossings"
        )
    for reason in sorted(set(still.values())):
        click.echo(f"    {reason}")


def _name(point: "Point") -> str:
    return repr((point.measurement, point.tags, point.time_ns))


def _as_json(one: "QuarantinedPoint") -> dict[str, object]:
    return {
        "refused": from_epoch_ms(one.refused_epoch_ms).isoformat(timespec="seconds"),
        "measurement": one.point.measurement,
        "tags": dict(one.point.tags),
        "fields": dict(one.point.fields),
        "time_ns": one.point.time_ns,
        "reason": one.reason,
    }


def _show(refused: list["QuarantinedPoint"]) -> None:
    from rich.table import Table

    if not refused:
        click.echo("the quarantine is empty")
        return
    table = Table("refused (UTC)", "measurement", "tags", "time (UTC)", "fields", "reason")
    for one in refused:
        at = from_epoch_ms(one.point.time_ns // 1_000_000)
        table.add_row(
            f"{from_epoch_ms(one.refused_epoch_ms):%Y-%m-%d %H:%M:%S}", one.point.measurement,
            " ".join(f"{name}={value}" for name, value in one.point.tags), f"{at:%Y-%m-%d %H:%M:%S}",
            " ".join(f"{name}={value}" for name, value in one.point.fields.items()), one.reason,
        )  # fmt: skip
    show_table(open_console(), table)
