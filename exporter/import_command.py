"""``footfall import``: historical counts from files in a profile's format."""

import time
from contextlib import closing
from pathlib import Path

import click

from exporter.exporter_settings import load_exporter_config
from exporter.import_file import ended_by, parse_export
from footfall.console import open_config, progress_bar
from footfall.errors import FootfallError, InvalidHistory
from footfall.model import from_epoch_ms
from footfall.store.historical_counts import ImportReceipt, append_half_hours
from footfall.store.journal import FILE_NAME, Journal
from footfall.wording import plural


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--profile", metavar="P", help="The profile that describes the files; optional if there is only one.")
@click.pass_context
def import_command(ctx: click.Context, files: tuple[Path, ...], profile: str | None) -> None:
    """Import historical counts from files in a profile's format, as `footfall export` writes them.

    Half hours that are already known are not counted twice. If any is known with other figures, nothing of that file
    is imported. Importing again is safe. A row of 0,0 is imported as a zero. To move history without turning gaps into
    zeros, export and import it with a profile that has `gap = "blank"` or the column `covered`.
    """
    config, environment = open_config(ctx)
    exporter = load_exporter_config(config, environment)
    config.finish()
    chosen = exporter.profile(profile)
    journal = ctx.with_resource(closing(Journal(exporter.data / FILE_NAME, lock_timeout_s=30)))
    stored = duplicates = zeros = 0
    with progress_bar() as progress:
        task = progress.add_task("import", total=len(files), note="")
        for path in files:
            now_epoch_ms = int(time.time() * 1000)
            half_hours = parse_export(chosen, _read(path), str(path))
            if not ended_by(half_hours, now_epoch_ms):
                raise InvalidHistory(f"{path} has half hours that have not ended yet", hint="check its dates")
            receipt = append_half_hours(journal, half_hours, source="import", received_epoch_ms=now_epoch_ms)
            _refuse_conflicts(path, receipt)
            zeros += sum(one.entries == one.exits == 0 for one in half_hours)
            stored += receipt.stored
            duplicates += receipt.duplicates
            progress.update(task, advance=1, note=path.name)
    click.echo(
        f"imported {plural(len(files), 'file')}: {plural(stored, 'half hour')} stored, {duplicates} already known"
    )
    if zeros and chosen.gap == "zero":
        click.echo(
            f"{plural(zeros, 'row')} of 0,0 imported as zeros. Profile {chosen.name} writes gaps the same way: "
            "check that none of them was a gap.",
            err=True,
        )


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise FootfallError(f"cannot read {path}: {exc.strerror}", hint="check the path") from exc


def _refuse_conflicts(path: Path, receipt: ImportReceipt) -> None:
    if not receipt.conflicts:
        return
    came, kept = receipt.conflicts[0]
    raise InvalidHistory(
        f"{path}: {plural(len(receipt.conflicts), 'half hour')} already known with other figures; the first: "
        f"{came.counter} at {from_epoch_ms(came.start_epoch_ms):%Y-%m-%d %H:%M} UTC has {kept[0]} entries and "
        f"{kept[1]} exits here, {came.entries} and {came.exits} in the file",
        hint="nothing of this file was imported; if the figures here are right, remove those rows from it",
    )
