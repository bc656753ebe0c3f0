"""The exporter's checks for ``footfall doctor``."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial

from exporter.assembly import open_destination, open_job, open_ledger
from exporter.exporter_settings import ExporterConfig
from exporter.standing import IN_WORDS, explain
from footfall.errors import FootfallError
from footfall.finding import Check, Finding
from footfall.store.journal import FILE_NAME
from footfall.store.journal_check import has_journal
from footfall.store.ledger_schema import State
from footfall.store.reader import open_reader
from footfall.wording import plural


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
        return  # the journal's check has reported it
    with closing(open_ledger(config)) as ledger:
        days = open_job(config, ledger).owed()
    for owed in days:
        subject, text = f"{owed.profile}/{owed.day}", IN_WORDS[owed.state]
        details = explain(owed, config.profiles[owed.profile], datetime.now(UTC))
        if owed.state is State.BLOCKED:
            yield Finding(subject, text, details)
        elif owed.state is State.KEPT_BACK:
            yield Finding(subject, text, f"{details}; see docs/operate.md, What doctor finds")
        elif owed.state is State.RETRYING:
            yield Finding(subject, f"{text} {details}", "footfall deliveries")
