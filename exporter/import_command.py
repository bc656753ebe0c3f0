"""``footfall import``: history from files in a profile's format."""

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


@click.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--profile", metavar="P", help="The profile that writes such files; may be left out while there is one.")
@click.pass_context
def import_command(ctx: click.Context, files: tuple[Path, ...], profile: str | None) -> None:
    """Take history from files in a profile's format: what `footfall export` writes, this reads.

    Half hours that are already known are not counted twice; where they are known with other figures, nothing of that
    file is taken. Importing again is safe. A row of 0,0 is taken as a zero. To move history without making zeros of
    gaps, export it with a profile that has `gap = "blank"` or the column `covered`, and import it with the same.
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
                raise InvalidHistory(f"{path} tells of half hours that have not ended yet", hint="check its dates")
            receipt = append_half_hours(journal, half_hours, source="import", received_epoch_ms=now_epoch_ms)
            _refuse_conflicts(path, receipt)
            zeros += sum(one.entries == one.exits == 0 for one in half_hours)
            stored += receipt.stored
            duplicates += receipt.duplicates
            progress.update(task, advance=1, note=path.name)
    click.echo(f"imported {len(files)} files: {stored} half hours kept, {duplicates} were already known")
    if zeros and chosen.gap == "zero":
        click.echo(
            f"{zeros} rows of 0,0 were taken as zeros; were any of them gaps? Profile {chosen.name} writes gaps so.",
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
        f"{path}: {len(receipt.conflicts)} half hours are known with other figures; the first: {came.counter} at "
        f"{from_epoch_ms(came.start_epoch_ms):%Y-%m-%d %H:%M} UTC has {kept[0]} entries and {kept[1]} exits here, "
        f"{came.entries} and {came.exits} in the file",
        hint="nothing of this file was kept; take those rows out of it if what is here is right",
    )
