"""What InfluxDB holds of how counters are: how far they are covered, when they were heard of, what they lost.

The latest of something is looked for in the last two days first, then in two months, then everywhere: what is asked
for most lies near, and InfluxDB then opens few files.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from footfall.model import QUARTER_MS
from footfall.store.influxql import InfluxQL, Series, conditions, window
from footfall.store.points import NS_PER_MS

_DAY_MS = 24 * 60 * 60 * 1000
_LOOKS_BACK_MS = (2 * _DAY_MS, 62 * _DAY_MS)
_FIRST_NS, _LAST_NS = 0, 7_258_118_400 * 10**9  # 1970 to 2200
_GONE_AFTER_MS = 2 * _DAY_MS
"""An ingest that was silent for so long is waited for no more: it was taken away."""
_ON_ITS_WAY_MS = 60_000
"""How long a batch may be between its receipt, which is its time, and the journal."""
_HAS_REPORT = (
    "(firmware != '' OR uptime_s >= 0 OR rssi_dbm >= -200 OR heap_bytes >= 0 OR queued >= 0 OR dropped >= 0"
    " OR aborted >= 0 OR outer_blocked_s >= 0 OR inner_blocked_s >= 0)"
)
_OF_THE_RECEIPT = {"time", "site", "stored", "duplicates", "crossing_ms", "covered_to_ms"}


@dataclass
class Found:
    """The last that was heard of a counter. ``report`` is its own, without what it did not say."""

    received_epoch_ms: int | None = None
    crossing_epoch_ms: int | None = None
    report: Mapping[str, Any] = field(default_factory=dict)


def covered_ends(influxql: InfluxQL, counters: Sequence[str], now: int, *, settled: bool) -> dict[str, int]:
    """Return, in ms, the end of the latest span of each of *counters* that has one.

    *settled*: of the latest span before which nothing can be missing. One ingest forwards crossings before spans, so
    that is any. Of several, one may lag behind another; then only batches count that were received before
    everything that still waits somewhere.
    """
    until = _settled_to(influxql, now) if settled else None
    if until is None:
        return _latest_ends(influxql, counters, now)
    latest = _latest(influxql, "max(covered_to_ms)", "status", counters, now, before_ns=until * NS_PER_MS)
    return {name: max(row["max"] for one in several for row in one.rows()) for name, several in latest.items()}


def last_heard(influxql: InfluxQL, counters: Sequence[str], now: int) -> dict[str, Found]:
    """Return the last that was heard of each of *counters* that was ever heard of."""
    found: dict[str, Found] = {}
    for name, several in _latest(influxql, "last(stored)", "status", counters, now).items():
        found[name] = Found(max(row["time"] for one in several for row in one.rows()) // NS_PER_MS)
    for name, several in _latest(influxql, "max(crossing_ms)", "status", found, now).items():
        found[name].crossing_epoch_ms = max(row["max"] for one in several for row in one.rows())
    for name, report in _reports(influxql, list(found), now).items():
        found[name].report = report
    return found


def stream_figures(influxql: InfluxQL, counters: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Return (lost, conflicts, undated) of each of *counters* that has streams, all of them added up."""
    streams: dict[tuple[str, str], list[int]] = {}
    for chosen in conditions("counter", counters):
        series = influxql.ask(
            "SELECT last(last_seq), first_seq, kept, undated, conflicts FROM streams"  # noqa: S608 - names are checked
            f" WHERE {window(_FIRST_NS, _LAST_NS)} AND {chosen} GROUP BY counter, stream, ingest"
        )
        for one in series:
            for row in one.rows():
                key = one.tags["counter"], one.tags["stream"]
                kept = streams.setdefault(key, [row["first_seq"], row["last"], 0, 0, 0])
                kept[0], kept[1] = min(kept[0], row["first_seq"]), max(kept[1], row["last"])
                kept[2] += row["kept"]
                kept[3] += row["conflicts"]
                kept[4] += row["undated"]
    found: dict[str, tuple[int, int, int]] = {}
    for (counter, stream), (first, last, kept_here, conflicts, undated) in streams.items():
        # Streams of history have seqs far apart, which is no loss.
        lost = 0 if stream.startswith("@") else max(0, last - first + 1 - kept_here)
        before = found.get(counter, (0, 0, 0))
        found[counter] = before[0] + lost, before[1] + conflicts, before[2] + undated
    return found


def _latest_ends(influxql: InfluxQL, counters: Sequence[str], now: int) -> dict[str, int]:
    """Return the end of the latest span of each of *counters*: it lies in the last quarter hour that has a piece."""
    found: dict[str, int] = {}
    quarters: dict[int, list[str]] = {}
    for name, several in _latest(influxql, "last(covered_ms)", "spans", counters, now).items():
        start = max(row["time"] for one in several for row in one.rows()) // NS_PER_MS
        quarters.setdefault(start - start % QUARTER_MS, []).append(name)
    for quarter, names in quarters.items():
        when = window(quarter * NS_PER_MS, (quarter + QUARTER_MS) * NS_PER_MS)
        for chosen in conditions("counter", names):
            for one in influxql.ask(
                f"SELECT covered_ms FROM spans WHERE {when} AND {chosen} GROUP BY counter"  # noqa: S608
            ):
                end = max(time_ns // NS_PER_MS + covered_ms for time_ns, covered_ms in one.values)
                found[one.tags["counter"]] = max(end, found.get(one.tags["counter"], end))
    return found


def complete_until(influxql: InfluxQL, now: int) -> int:
    """Return the instant, ms, before which all that any ingest received was written, or refused; 0: nobody knows."""
    return min((_complete_until(row) for row in _forwarders(influxql, now)), default=0)


def _settled_to(influxql: InfluxQL, now: int) -> int | None:
    """Return the instant before which all that any ingest received is in InfluxDB; None where there is one ingest.

    Where InfluxDB refused points of an ingest, nothing is certain until a person has settled it.
    """
    rows = _forwarders(influxql, now)
    if any(row["quarantined"] for row in rows):
        return 0
    if len(rows) < 2:
        return None
    return min(_complete_until(row) for row in rows) - _ON_ITS_WAY_MS


def _forwarders(influxql: InfluxQL, now: int) -> list[dict[str, Any]]:
    """Return the last that the forwarder of each ingest said of itself, but of those that were taken away."""
    when = window((now - _GONE_AFTER_MS) * NS_PER_MS, _LAST_NS)
    series = influxql.ask(
        f"SELECT last(lag_s), waiting, quarantined FROM forwarder WHERE {when} GROUP BY ingest"  # noqa: S608
    )
    return [row for one in series for row in one.rows()]


def _complete_until(forwarder: Mapping[str, Any]) -> int:
    lag_s = forwarder["last"] + 1 if forwarder["waiting"] else 0
    return int(forwarder["time"]) // NS_PER_MS - int(lag_s) * 1000


def _reports(influxql: InfluxQL, counters: Sequence[str], now: int) -> dict[str, dict[str, Any]]:
    """Return the last report of each of *counters* that ever made one."""
    found: dict[str, dict[str, Any]] = {}
    for when in _looks_back(now):
        for chosen in conditions("counter", [name for name in counters if name not in found]):
            series = influxql.ask(
                f"SELECT * FROM status WHERE {when} AND {chosen} AND {_HAS_REPORT}"  # noqa: S608 - names are checked
                " GROUP BY counter ORDER BY time DESC LIMIT 1"
            )
            found |= {one.tags["counter"]: _report(row) for one in series for row in one.rows()}
    return found


def _report(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _OF_THE_RECEIPT and value is not None}


def _latest(
    influxql: InfluxQL, what: str, measurement: str, counters: Sequence[str] | Mapping[str, object], now: int,
    before_ns: int = _LAST_NS,
) -> dict[str, list[Series]]:  # fmt: skip
    """Return the series of *what*, a function of a field, by counter, from the nearest look back that has any."""
    found: dict[str, list[Series]] = {}
    for when in _looks_back(now, before_ns):
        missing = [name for name in counters if name not in found]
        for chosen in conditions("counter", missing):
            for one in influxql.ask(
                f"SELECT {what} FROM {measurement} WHERE {when} AND {chosen} GROUP BY counter"  # noqa: S608
            ):
                found.setdefault(one.tags["counter"], []).append(one)
    return found


def _looks_back(now: int, before_ns: int = _LAST_NS) -> Iterator[str]:
    for length in _LOOKS_BACK_MS:
        yield window((now - length) * NS_PER_MS, before_ns)
    yield window(_FIRST_NS, before_ns)
