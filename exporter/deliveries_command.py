"""``footfall deliveries``: the attempts in the ledger, and the owed days."""

from contextlib import closing
from datetime import UTC, datetime

import click

from exporter.assembly import open_exporter, open_job, open_ledger
from exporter.standing import IN_WORDS, explain
from footfall.console import open_console, show_table
from footfall.model import from_epoch_ms


@click.command("deliveries")
@click.option("--owed", is_flag=True, help="Show only the owed days, and why they are not delivered.")
@click.option(
    "--last", "most", type=click.IntRange(1, 10_000), default=20, show_default=True, help="How many attempts to show."
)
@click.option("--profile", metavar="P", help="Only this profile.")
@click.pass_context
def deliveries_command(ctx: click.Context, owed: bool, most: int, profile: str | None) -> None:
    """Show the latest delivery attempts, and the owed days."""
    from rich.table import Table

    config = open_exporter(ctx)
    only = config.profile(profile).name if profile else None
    ledger = ctx.with_resource(closing(open_ledger(config)))
    console = open_console()
    if not owed:
        attempts = Table("started (UTC)", "profile", "day", "to", "result", "rows", "bytes", box=None)
        for delivery in reversed(ledger.deliveries(most, only)):
            started = from_epoch_ms(delivery.started_epoch_ms)
            result = "delivered" if delivery.ok else f"failed: {delivery.message} ({delivery.hint})"
            result += f"; gaps: {'; '.join(delivery.gaps)}" if delivery.ok and delivery.gaps else ""
            attempts.add_row(
                f"{started:%Y-%m-%d %H:%M:%S}", delivery.profile, str(delivery.day), delivery.destination, result,
                str(delivery.rows), str(delivery.bytes),
            )  # fmt: skip
        if attempts.row_count:
            show_table(console, attempts)
        else:
            click.echo("nothing delivered yet")
    owed_days = [one for one in open_job(config, ledger).owed() if only in (None, one.profile)]
    days = Table("owed", "profile", "why", "", box=None)
    for one in owed_days:
        details = explain(one, config.profiles[one.profile], datetime.now(UTC))
        days.add_row(str(one.day), one.profile, IN_WORDS[one.state], details)
    if owed_days:
        show_table(console, days)
    else:
        click.echo("nothing is owed")
