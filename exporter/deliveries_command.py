"""``footfall deliveries``: the ledger."""

from contextlib import closing

import click

from exporter.live_job import open_exporter, open_job, open_ledger
from footfall.console import open_console, show_table
from footfall.model import from_epoch_ms


@click.command("deliveries")
@click.option("--owed", is_flag=True, help="Show only what is owed, and why it has not gone out.")
@click.option(
    "--last", "most", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many attempts."
)
@click.option("--profile", metavar="P", help="Only this profile.")
@click.pass_context
def deliveries_command(ctx: click.Context, owed: bool, most: int, profile: str | None) -> None:
    """Show the latest attempts to deliver, and what is owed."""
    from rich.table import Table

    config = open_exporter(ctx)
    only = config.profile(profile).name if profile else None
    ledger = ctx.with_resource(closing(open_ledger(config)))
    console = open_console()
    if not owed:
        attempts = Table("started (UTC)", "profile", "day", "to", "result", "rows", "bytes", box=None)
        for one in reversed(ledger.deliveries(most, only)):
            started = from_epoch_ms(one.started_epoch_ms)
            result = "delivered" if one.ok else f"failed: {one.message} ({one.hint})"
            result += f"; gaps: {'; '.join(one.gaps)}" if one.ok and one.gaps else ""
            attempts.add_row(
                f"{started:%Y-%m-%d %H:%M:%S}", one.profile, str(one.day), one.destination, result,
                str(one.rows), str(one.bytes),
            )  # fmt: skip
        if attempts.row_count:
            show_table(console, attempts)
        else:
            click.echo("nothing was delivered yet")
    waiting = [one for one in open_job(config, ledger).owed() if only in (None, one.profile.name)]
    days = Table("owed", "profile", "why", "", box=None)
    for entry in waiting:
        days.add_row(str(entry.day), entry.profile.name, entry.why.value, entry.detail)
    if waiting:
        show_table(console, days)
    else:
        click.echo("nothing is owed")
