"""The state of counters, from InfluxDB: how far each is covered, when it last reported, what it lost.

The latest value is looked for in the last two days, then in two months, then everywhere: most counters reported
recently, and over a short window InfluxDB opens few files.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from footfall.model import QUARTER_MS
from footfall.store.influxql import InfluxQL, InfluxSeries, any_of, window
from footfall.store.points import NS_PER_MS

_DAY_MS = 24 * 60 * 60 * 1000
_LOOKBACKS_MS = (2 * _DAY_MS, 62 * _DAY_MS)
_FIRST_NS, _LAST_NS = 0, 7_258_118_400 * 10**9  # 1970 to 2200
_DECOMMISSIONED_AFTER_MS = 2 * _DAY_MS
"""An ingest that has been silent this long is considered decommissioned."""
_COMMIT_MS = 60_000
"""The longest a batch may take from its receipt, which is its time, to the journal."""
_HAS_REPORT = (
    "(firmware != '' OR uptime_s >= 0 OR rssi_dbm >= -200 OR heap_bytes >= 0 OR queued >= 0 OR dropped >= 0"
    " OR aborted >= 0 OR outer_blocked_s >= 0 OR inner_blocked_s >= 0)"
)
_RECEIPT_FIELDS = {"time", "site", "stored", "duplicates", "crossing_ms", "covered_to_ms"}


@dataclass
class LatestStatus:
    """The latest receipt and crossing of a counter, and the fields of its latest report."""

    received_epoch_ms: int | None = None
    crossing_epoch_ms: int | None = None
    report: Mapping[str, Any] = field(default_factory=dict)


def covered_ends(influxql: InfluxQL, counters: Sequence[str], now: int, *, complete: bool) -> dict[str, int]:
    """Return, in ms, the end of the latest span of each of *counters* that has one.

    *complete*: of the latest span before which no crossing can be missing. With one ingest, which forwards crossings
    before spans, that is the latest span. Of several ingests one may lag, so only batches received before everything
    that still waits at any of them count.
    """
    until = _forwarded_until(influxql, now) if complete else None
    if until is None:
        return _latest_span_ends(influxql, counters, now)
    latest = _latest(influxql, "max(covered_to_ms)", "status", counters, now, before_ns=until * NS_PER_MS)
    return {name: max(row["max"] for one in series for row in one.rows()) for name, series in latest.items()}


def latest_statuses(influxql: InfluxQL, counters: Sequence[str], now: int) -> dict[str, LatestStatus]:
    """Return the latest status of each of *counters* that ever reported."""
    found: dict[str, LatestStatus] = {}
    for name, series in _latest(influxql, "last(stored)", "status", counters, now).items():
        found[name] = LatestStatus(max(row["time"] for one in series for row in one.rows()) // NS_PER_MS)
    for name, series in _latest(influxql, "max(crossing_ms)", "status", found, now).items():
        found[name].crossing_epoch_ms = max(row["max"] for one in series for row in one.rows())
    for name, report in _reports(influxql, list(found), now).items():
        found[name].report = report
    return found


def stream_totals(influxql: InfluxQL, counters: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Return (lost, conflicts, undated) of each of *counters* that has streams, summed over its streams."""
    streams: dict[tuple[str, str], list[int]] = {}
    for selected in any_of("counter", counters):
        series = influxql.query(
            "SELECT last(last_seq), first_seq, kept, undated, conflicts FROM streams"  # noqa: S608 - names are checked
            f" WHERE {window(_FIRST_NS, _LAST_NS)} AND {selected} GROUP BY counter, stream, ingest"
        )
        for one in series:
            for row in one.rows():
                key = one.tags["counter"], one.tags["stream"]
                stream = streams.setdefault(key, [row["first_seq"], row["last"], 0, 0, 0])
                stream[0], stream[1] = min(stream[0], row["first_seq"]), max(stream[1], row["last"])
                stream[2] += row["kept"]
                stream[3] += row["conflicts"]
                stream[4] += row["undated"]
    totals: dict[str, tuple[int, int, int]] = {}
    for (counter, name), (first, last, kept, conflicts, undated) in streams.items():
        # Imported half hours have seqs far apart; the seqs between them are not lost.
        lost = 0 if name.startswith("@") else max(0, last - first + 1 - kept)
        before = totals.get(counter, (0, 0, 0))
        totals[counter] = before[0] + lost, before[1] + conflicts, before[2] + undated
    return totals


def complete_until(influxql: InfluxQL, now: int) -> int:
    """Return the instant, ms, before which everything any ingest received was written or refused; 0 if unknown."""
    return min((_complete_until(row) for row in _forwarders(influxql, now)), default=0)


def _latest_span_ends(influxql: InfluxQL, counters: Sequence[str], now: int) -> dict[str, int]:
    """Return the end of the latest span of each of *counters*; it lies in the latest quarter hour with a piece."""
    ends: dict[str, int] = {}
    quarters: dict[int, list[str]] = {}
    for name, series in _latest(influxql, "last(covered_ms)", "spans", counters, now).items():
        start = max(row["time"] for one in series for row in one.rows()) // NS_PER_MS
        quarters.setdefault(start - start % QUARTER_MS, []).append(name)
    for quarter, names in quarters.items():
        when = window(quarter * NS_PER_MS, (quarter + QUARTER_MS) * NS_PER_MS)
        for selected in any_of("counter", names):
            for one in influxql.query(
                f"SELECT covered_ms FROM spans WHERE {when} AND {selected} GROUP BY counter"  # noqa: S608
            ):
                end = max(time_ns // NS_PER_MS + covered_ms for time_ns, covered_ms in one.values)
                ends[one.tags["counter"]] = max(end, ends.get(one.tags["counter"], end))
    return ends


def _forwarded_until(influxql: InfluxQL, now: int) -> int | None:
    """Return the instant before which InfluxDB has everything any ingest received; None if there is one ingest.

    Nothing is certain (0) while an ingest has points in quarantine.
    """
    rows = _forwarders(influxql, now)
    if any(row["quarantined"] for row in rows):
        return 0
    if len(rows) < 2:
        return None
    return min(_complete_until(row) for row in rows) - _COMMIT_MS


def _forwarders(influxql: InfluxQL, now: int) -> list[dict[str, Any]]:
    """Return the latest point of each ingest's forwarder, except of decommissioned ingests."""
    when = window((now - _DECOMMISSIONED_AFTER_MS) * NS_PER_MS, _LAST_NS)
    series = influxql.query(
        f"SELECT last(lag_s), waiting, quarantined FROM forwarder WHERE {when} GROUP BY ingest"  # noqa: S608
    )
    return [row for one in series for row in one.rows()]


def _complete_until(forwarder: Mapping[str, Any]) -> int:
    lag_s = forwarder["last"] + 1 if forwarder["waiting"] else 0
    return int(forwarder["time"]) // NS_PER_MS - int(lag_s) * 1000


def _reports(influxql: InfluxQL, counters: Sequence[str], now: int) -> dict[str, dict[str, Any]]:
    """Return the latest report of each of *counters* that ever sent one."""
    found: dict[str, dict[str, Any]] = {}
    for when in _lookbacks(now):
        for selected in any_of("counter", [name for name in counters if name not in found]):
            series = influxql.query(
                f"SELECT * FROM status WHERE {when} AND {selected} AND {_HAS_REPORT}"  # noqa: S608 - names are checked
                " GROUP BY counter ORDER BY time DESC LIMIT 1"
            )
            found |= {one.tags["counter"]: _report(row) for one in series for row in one.rows()}
    return found


def _report(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _RECEIPT_FIELDS and value is not None}


def _latest(
    influxql: InfluxQL, function: str, measurement: str, counters: Sequence[str] | Mapping[str, object], now: int,
    before_ns: int = _LAST_NS,
) -> dict[str, list[InfluxSeries]]:  # fmt: skip
    """Return the series of *function* of a field, by counter, from the shortest lookback that has any."""
    found: dict[str, list[InfluxSeries]] = {}
    for when in _lookbacks(now, before_ns):
        missing = [name for name in counters if name not in found]
        for selected in any_of("counter", missing):
            for one in influxql.query(
                f"SELECT {function} FROM {measurement} WHERE {when} AND {selected} GROUP BY counter"  # noqa: S608
            ):
                found.setdefault(one.tags["counter"], []).append(one)
    return found


def _lookbacks(now: int, before_ns: int = _LAST_NS) -> Iterator[str]:
    for length in _LOOKBACKS_MS:
        yield window((now - length) * NS_PER_MS, before_ns)
    yield window(_FIRST_NS, before_ns)
