"""``footfall export``: write or deliver a client's file by hand."""

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

import click
import filelock

from exporter.assembly import open_exporter, open_job, open_ledger, reporting
from exporter.delivery_job import DeliveryJob
from exporter.profile import FIRST_DAY, LAST_DAY, Profile
from exporter.render import Export
from exporter.standing import IN_WORDS, explain
from footfall.console import progress_bar
from footfall.errors import DeliveryError, FootfallError
from footfall.files import replace_file
from footfall.store.ledger import Ledger
from footfall.store.ledger_schema import Delivery
from footfall.wording import plural

DAY = click.DateTime(["%Y-%m-%d"])


@click.command("export")
@click.option("--day", type=DAY, metavar="D", help="The local day, as 2026-05-04.")
@click.option("--from", "first", type=DAY, metavar="D", help="The first of several days.")
@click.option("--to", "last", type=DAY, metavar="D", help="The last of several days, inclusive.")
@click.option("--profile", metavar="P", help="The profile; optional if there is only one.")
@click.option("--output", metavar="FILE|-", help="Where to write; - for stdout. For several days: a folder.")
@click.option("--deliver", is_flag=True, help="Deliver to the profile's destination, and record it in the ledger.")
@click.pass_context
def export_command(
    ctx: click.Context,
    day: datetime | None,
    first: datetime | None,
    last: datetime | None,
    profile: str | None,
    output: str | None,
    deliver: bool,
) -> None:
    """Write a day's file, under its own name unless --output says otherwise.

    With --deliver, deliver it instead. With --deliver and no day, deliver every owed day, blocked days too: the command
    for a cron job. --profile limits it to one profile.
    """
    if deliver and output is not None:
        raise FootfallError("--output and --deliver cannot be combined", hint="write a file, or deliver: choose one")
    config = open_exporter(ctx)
    ledger = ctx.with_resource(closing(open_ledger(config)))
    job = open_job(config, ledger)
    days = _days(day, first, last)
    if not days:
        if not deliver:
            raise FootfallError("which day?", hint="--day D, or --from D --to D, or --deliver for all that is owed")
        only = config.profile(profile).name if profile else None
        with reporting(config, ledger, job):
            deliver_owed(job, ledger, only)
    elif deliver:
        chosen = config.profile(profile)
        with reporting(config, ledger, job):
            _deliver_days(chosen, days, job.deliver)
    else:
        _write_days(job, config.profile(profile), days, output)


def _days(day: datetime | None, first: datetime | None, last: datetime | None) -> list[date]:
    if day is not None and (first or last):
        raise FootfallError("--day cannot be combined with --from or --to", hint="choose one")
    if (first is None) != (last is None):
        raise FootfallError("--from and --to must be given together", hint="--to is inclusive")
    if day is not None:
        first = last = day
    if first is None or last is None:
        return []
    if last < first:
        raise FootfallError("--to is before --from", hint="swap them")
    if first.date() < FIRST_DAY or last.date() > LAST_DAY:
        raise FootfallError(f"files exist only for days from {FIRST_DAY} to {LAST_DAY}", hint="check the year")
    return [first.date() + timedelta(days=number) for number in range((last - first).days + 1)]


def _write_days(job: DeliveryJob, profile: Profile, days: Sequence[date], output: str | None) -> None:
    for day in days:
        export = job.render(profile, day)
        _show_gaps(export)
        if output == "-":
            sys.stdout.buffer.write(export.content)
            sys.stdout.buffer.flush()
            continue
        path = Path(output or ".")
        if output is None or len(days) > 1 or path.is_dir():
            path /= export.file_name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.exists() and not path.is_file():  # a device or a pipe
                path.write_bytes(export.content)
            else:
                replace_file(path, export.content)
        except OSError as exc:
            raise FootfallError(f"cannot write {path}: {exc.strerror}", hint="choose another --output") from exc
        counts = f"{plural(export.entries, 'entry', 'entries')}, {plural(export.exits, 'exit')}"
        click.echo(f"wrote {path}: {plural(export.rows, 'row')}, {counts}", err=True)


def _deliver_days(profile: Profile, days: Sequence[date], deliver: Callable[[Profile, date], Delivery | None]) -> None:
    """Deliver *days* with *deliver*, oldest first, and print each.

    Stops at the first failure: the next day would fail too.
    """
    with progress_bar() as progress:
        task = progress.add_task(f"deliver {profile.name}", total=len(days), note="")
        for day in days:
            try:
                delivery = deliver(profile, day)
            except filelock.Timeout:
                raise FootfallError("another process is delivering", hint="try again in a minute") from None
            if delivery is None:
                click.echo(
                    f"{profile.name}/{day}: no longer ready to be delivered; see footfall deliveries --owed", err=True
                )
                continue
            progress.update(task, advance=1, note=delivery.file_name)
            show = partial(progress.console.print, markup=False, highlight=False, soft_wrap=True)
            show(f"delivered {delivery.file_name} to {delivery.destination}: {plural(delivery.rows, 'row')}")
            if delivery.gaps:
                show(f"  with gaps: {'; '.join(delivery.gaps)}")


def deliver_owed(job: DeliveryJob, ledger: Ledger, profile: str | None) -> None:
    """Deliver every owed day of *profile*, or of all profiles, blocked days too."""
    ledger.release(profile)
    failures = 0
    for owed in job.look():
        if profile not in (None, owed.profile):
            continue
        chosen = job.profiles[owed.profile]
        if not owed.state.is_ready:
            details = explain(owed, chosen, datetime.now(UTC))
            click.echo(f"{owed.profile}/{owed.day}: {IN_WORDS[owed.state]} ({details})", err=True)
            continue
        try:
            _deliver_days(chosen, [owed.day], job.deliver_owed)
        except DeliveryError as exc:
            failures += 1
            click.echo(f"footfall: {exc.message} ({exc.hint})", err=True)
    if failures:
        raise FootfallError(f"{plural(failures, 'day')} not delivered", hint="see above; they stay owed")


def _show_gaps(export: Export) -> None:
    if export.gaps:
        click.echo(f"{export.file_name} has gaps: {'; '.join(export.gaps)}", err=True)
