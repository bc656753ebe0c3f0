"""``footfall doctor``: runs the checks of every part and prints what they find."""

import click

from exporter.exporter_checks import exporter_checks
from exporter.exporter_settings import load_exporter_config
from footfall.console import open_config
from footfall.errors import FootfallError
from footfall.finding import Finding
from footfall.wording import plural
from ingest.ingest_checks import ingest_checks
from ingest.ingest_settings import load_ingest_config


@click.command("doctor")
@click.option("--deep", is_flag=True, help="Also read the whole journal and compare its sums with its crossings.")
@click.pass_context
def doctor_command(ctx: click.Context, deep: bool) -> None:
    """Check everything that can go wrong, and say what to do. The exit status is 1 if there is a problem."""
    config, environment = open_config(ctx)
    ingest = load_ingest_config(config, environment)
    exporter = load_exporter_config(config, environment)
    config.finish()
    sites, counters = plural(len(ingest.registry.sites), "site"), plural(len(ingest.registry.counters), "counter")
    _show(Finding("configuration", f"{config.path}: {sites}, {counters}, {plural(len(exporter.profiles), 'profile')}"))
    problems = 0
    for check in (*ingest_checks(ingest, exporter.read_influx, deep=deep), *exporter_checks(exporter)):
        try:
            for finding in check():
                problems += _show(finding)
        except FootfallError as exc:
            problems += _show(Finding("", exc.message, exc.hint or "see docs/operate.md"))
    click.echo(f"{plural(problems, 'problem')} found" if problems else "all is well")
    ctx.exit(1 if problems else 0)


def _show(finding: Finding) -> bool:
    """Print *finding*, and return whether it is a problem."""
    mark = click.style("!!", fg="red", bold=True) if finding.hint else click.style("ok", fg="green")
    subject = f"{finding.subject}: " if finding.subject else ""
    click.echo(f"{mark}  {subject}{finding.text}")
    if finding.hint:
        click.echo(f"    -> {finding.hint}")
    return bool(finding.hint)
