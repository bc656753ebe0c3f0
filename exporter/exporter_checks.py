"""What ``footfall doctor`` checks of the exporter."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

from exporter.due_days import Why
from exporter.exporter_settings import ExporterConfig
from exporter.live_job import open_destination, open_job, open_ledger
from footfall.errors import FootfallError
from footfall.finding import Check, Finding, plural
from footfall.store.journal import FILE_NAME
from footfall.store.journal_check import has_journal
from footfall.store.reader import open_reader


def exporter_checks(config: ExporterConfig) -> tuple[Check, ...]:
    """Return the checks of the exporter."""
    return (partial(_check_reading, config), partial(_check_destinations, config), partial(_check_owed, config))


def _check_reading(config: ExporterConfig) -> Iterator[Finding]:
    if (influx := config.read_influx) is not None:
        counted = open_reader(config.data, influx).covered_to(sorted(config.registry.counters))
        where = f"{influx.url}, {influx.influx_bucket}"
        yield Finding("InfluxDB", f"the exporter reads {where}, which knows {plural(len(counted), 'counter')}")


def _check_destinations(config: ExporterConfig) -> Iterator[Finding]:
    for name, settings in sorted(config.destinations.items()):
        try:
            yield Finding(f"destination {name}", open_destination(settings).check())
        except FootfallError as exc:
            yield Finding(f"destination {name}", exc.message, exc.hint)


def _check_owed(config: ExporterConfig) -> Iterator[Finding]:
    if config.read_influx is None and not has_journal(config.data / FILE_NAME):
        return  # the check of the journal has reported it
    with closing(open_ledger(config)) as ledger:
        days = open_job(config, ledger).owed()
    for owed in days:
        subject = f"{owed.profile.name}/{owed.day}"
        if owed.why is Why.PERSON:
            yield Finding(subject, owed.why.value, owed.detail)
        elif owed.why is Why.LESS:
            yield Finding(subject, owed.why.value, f"{owed.detail}; see docs/operate.md, What doctor finds")
        elif owed.why is Why.LATER:
            yield Finding(subject, f"{owed.why.value} {owed.detail}", "footfall deliveries")
