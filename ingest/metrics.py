"""The Prometheus metrics of ingest, served at ``/metrics``."""

import collections
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from footfall.errors import StoreUnavailable
from footfall.model import Receipt, epoch_ms
from footfall.occupancy import last_reset, occupancy_of
from footfall.registry import Registry
from footfall.store.forwarder_state import read_lag
from footfall.store.ledger_reader import LedgerReader
from footfall.store.ledger_schema import State
from footfall.store.reader import Reader

log = logging.getLogger(__name__)

_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 2)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counts since this process started, and the registry that renders them."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._answers = Counter("footfall_answers", "HTTP responses by status", ["status"], registry=self.registry)
        self._stored = Counter("footfall_crossings_stored", "Crossings stored", registry=self.registry)
        self._duplicates = Counter(
            "footfall_crossings_duplicate", "Crossings received again and not stored twice", registry=self.registry
        )
        self._conflicts = Counter(
            "footfall_crossings_conflict", "Crossings received again with other content", registry=self.registry
        )
        self._commit_s = Histogram(
            "footfall_commit_seconds", "Duration of a commit with its fsync", buckets=_SECONDS, registry=self.registry
        )
        self._commit_size = Histogram(
            "footfall_commit_batches", "Batches that shared one fsync", buckets=_SIZES, registry=self.registry
        )

    def count_answer(self, status: int) -> None:
        """Count a response."""
        self._answers.labels(str(status)).inc()

    def count_batch(self, receipt: Receipt) -> None:
        """Count the crossings of a batch."""
        self._stored.inc(receipt.stored)
        self._duplicates.inc(receipt.duplicates)
        self._conflicts.inc(receipt.conflicts)

    def observe_commit(self, batches: int, seconds: float) -> None:
        """Count a commit of *batches* that took *seconds*."""
        self._commit_s.observe(seconds)
        self._commit_size.observe(batches)

    def render(self) -> bytes:
        """Return the metrics in Prometheus's text format."""
        return generate_latest(self.registry)

    def watch(
        self,
        registry: Callable[[], Registry],
        reader: Reader,
        journal: Path,
        ledger: LedgerReader,
        now_utc: Callable[[], datetime],
        *,
        is_forwarding: bool = False,
    ) -> None:
        """Add the metrics that are read at each scrape: of the store, the journal, the forwarder and the exporter."""
        store = _StoreCollector(registry, reader, now_utc)
        forwarder = _ForwarderCollector(journal, now_utc, is_forwarding=is_forwarding)
        exporter = _ExporterCollector(ledger)
        self.registry.register(_Readable({"store": store, "forwarder": forwarder, "exporter": exporter}))
        self.registry.register(_SizeCollector(journal))


class _Readable(Collector):
    """Collects from each of *parts* and reports which were readable, so that one failing part does not hide the others.

    The metrics that show an InfluxDB outage matter most during that outage.
    """

    def __init__(self, parts: Mapping[str, Collector]) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of each part, then the gauge. An unreadable part has no values, rather than 0."""
        readable = GaugeMetricFamily(
            "footfall_readable", "1 if the metrics of this part were readable, 0 if they are missing", labels=["part"]
        )
        for name, part in self._parts.items():
            try:
                found = list(part.collect())
            except StoreUnavailable as exc:
                log.warning("/metrics lacks one part: part=%s: %s; %s", name, exc.message, exc.hint)
                found = []
            readable.add_metric([name], 1 if found else 0)
            yield from found
        yield readable


class _SizeCollector(Collector):
    """Measures the journal's files at each scrape."""

    def __init__(self, journal: Path) -> None:
        self._journal = journal

    def collect(self) -> Iterator[Metric]:
        """Yield the gauge."""
        size = sum(path.stat().st_size for path in self._journal.parent.glob(self._journal.name + "*"))
        yield GaugeMetricFamily("footfall_journal_bytes", "Size of the journal on disk", value=size)


class _StoreCollector(Collector):
    """Reads the store at each scrape."""

    def __init__(self, registry: Callable[[], Registry], reader: Reader, now_utc: Callable[[], datetime]) -> None:
        self._registry = registry
        self._reader = reader
        self._now_utc = now_utc

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges. Raises StoreUnavailable."""
        registry = self._registry()
        yield from self._counters(registry)
        occupancy = GaugeMetricFamily("footfall_occupancy", "People inside, never below zero", labels=["site"])
        now_utc = self._now_utc()
        for site in registry.sites.values():
            reset_utc = last_reset(site, now_utc)
            ids = [counter.id for counter in registry.counters_of(site.id)]
            quarters = self._reader.totals(ids, reset_utc, now_utc)
            occupancy.add_metric([site.id], occupancy_of(quarters, reset_utc).inside)
        yield occupancy

    def _counters(self, registry: Registry) -> Iterator[Metric]:
        seen = GaugeMetricFamily(
            "footfall_counter_last_seen_timestamp_seconds",
            "When a counter last reported",
            labels=["site", "counter"],
        )
        lost = GaugeMetricFamily(
            "footfall_counter_lost_crossings", "Crossings missing from the sequence numbers", labels=["site", "counter"]
        )
        counter_states = self._reader.counter_states(sorted(registry.counters))
        for counter in registry.counters.values():
            state = counter_states[counter.id]
            labels = [counter.site, counter.id]
            if state.received_epoch_ms is not None:
                seen.add_metric(labels, state.received_epoch_ms / 1000)
            lost.add_metric(labels, state.lost)
        yield seen
        yield lost


class _ForwarderCollector(Collector):
    """Reads the forwarder's progress at each scrape. Without InfluxDB its metrics have no values, rather than 0."""

    def __init__(self, journal: Path, now_utc: Callable[[], datetime], *, is_forwarding: bool) -> None:
        self._journal = journal
        self._now_utc = now_utc
        self._is_forwarding = is_forwarding

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges and counters. Raises StoreUnavailable."""
        waiting = GaugeMetricFamily("footfall_forwarder_waiting_rows", "Journal rows not yet in InfluxDB")
        lag_s = GaugeMetricFamily("footfall_forwarder_lag_seconds", "Age of the oldest journal row not yet in InfluxDB")
        refused = GaugeMetricFamily("footfall_forwarder_quarantined_points", "Points InfluxDB refused")
        written = CounterMetricFamily("footfall_forwarder_points_written", "Points InfluxDB accepted")
        expired = CounterMetricFamily("footfall_forwarder_points_expired", "Points past InfluxDB's retention")
        if self._is_forwarding:
            lag = read_lag(self._journal, epoch_ms(self._now_utc()))
            waiting.add_metric([], lag.waiting)
            lag_s.add_metric([], lag.lag_s)
            refused.add_metric([], lag.quarantined)
            written.add_metric([], lag.progress.written)
            expired.add_metric([], lag.progress.expired)
        yield from (waiting, lag_s, refused, written, expired)


class _ExporterCollector(Collector):
    """Reads what the exporter recorded at its last look. If it has not run here, its metrics have no value, not 0."""

    def __init__(self, ledger: LedgerReader) -> None:
        self._ledger = ledger

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges. Raises StoreUnavailable."""
        days = GaugeMetricFamily(
            "footfall_exporter_days",
            "Owed days, by standing",
            labels=["site", "profile", "state"],
        )
        looked_s = GaugeMetricFamily(
            "footfall_exporter_last_look_timestamp_seconds", "When the exporter last looked for owed days"
        )
        looked_epoch_ms = self._ledger.looked_epoch_ms()
        if looked_epoch_ms is not None:
            looked_s.add_metric([], looked_epoch_ms / 1000)
        found = collections.Counter((standing.profile, standing.state) for standing in self._ledger.standings())
        for profile in self._ledger.profiles():
            if profile.destination:
                for state in State:
                    if state is not State.DELIVERED:
                        labels = [profile.site, profile.name, state.value]
                        days.add_metric(labels, found[profile.name, state])
        yield from (days, looked_s)
