"""Reads InfluxDB: the same answers as the journal's reader, from the points in docs/storage.md.

InfluxDB computes the sums. Coverage is computed here: pieces written by several ingests may overlap, and only their
union counts. A quarter hour has some fifteen pieces.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from footfall.model import QUARTER_MS, CounterState, Quarter, epoch_ms, from_epoch_ms
from footfall.store.influx_counter_states import (
    LatestStatus,
    complete_until,
    covered_ends,
    latest_statuses,
    stream_totals,
)
from footfall.store.influxql import InfluxQL, any_of, quoted, window
from footfall.store.points import NS_PER_MS

_WINDOW_MS = 2 * 24 * 60 * 60 * 1000
"""The time one query covers. InfluxDB 3 Core refuses more than about three days."""
_MAX_WINDOWS = 64
_COPIES_APART_MS = 31 * 24 * 60 * 60 * 1000
"""The longest time between two ingests' receipts of one undated crossing; a counter retries all the time."""
_MAX_NAMES = 40
"""Names of undated crossings in one query."""

_Key = tuple[str, int]


class InfluxReader:
    """Reads one bucket. Thread-safe."""

    def __init__(self, influxql: InfluxQL, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Query *influxql*. *clock* returns the time in UTC; the latest values are looked for near it first."""
        self._influxql = influxql
        self._clock = clock

    def close(self) -> None:
        """Close the connections."""
        self._influxql.close()

    def quarters(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> list[Quarter]:
        """See Reader. While points are being written, an undated crossing may briefly count twice."""
        start, end = epoch_ms(start_utc), epoch_ms(end_utc)
        sums: dict[_Key, list[int]] = {}
        for selected in any_of("counter", counters):
            for low, high in _windows(start, -(-end // QUARTER_MS) * QUARTER_MS):
                self._add_counts(sums, selected, low, high)
                self._add_coverage(sums, selected, low, min(high, end))
        return [Quarter(*key, *values) for key, values in sorted(sums.items()) if any(values)]

    def totals(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> list[Quarter]:
        """See Reader."""
        found: dict[int, Quarter] = {}
        for one in self.quarters(counters, start_utc, end_utc):
            before = found.get(one.start_epoch_ms, Quarter("", one.start_epoch_ms, 0, 0, 0))
            found[one.start_epoch_ms] = before._replace(
                entries=before.entries + one.entries,
                exits=before.exits + one.exits,
                covered_ms=before.covered_ms + one.covered_ms,
            )
        return [found[start] for start in sorted(found)]

    def sums(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> Mapping[str, tuple[int, int]]:
        """See Reader."""
        quarters: dict[_Key, list[int]] = {}
        for selected in any_of("counter", counters):
            for low, high in _windows(epoch_ms(start_utc), epoch_ms(end_utc)):
                self._add_counts(quarters, selected, low, high)
        found = dict.fromkeys(counters, (0, 0))
        for (counter, _), (entries, exits, _) in quarters.items():
            before = found[counter]
            found[counter] = before[0] + entries, before[1] + exits
        return found

    def covered_to(self, counters: Sequence[str]) -> Mapping[str, datetime]:
        """See Reader."""
        ends = covered_ends(self._influxql, counters, epoch_ms(self._clock()), complete=True)
        return {name: from_epoch_ms(instant) for name, instant in ends.items()}

    def complete_until(self) -> datetime:
        """See Reader. From each forwarder's latest point; 1970 if none has written for two days."""
        return from_epoch_ms(complete_until(self._influxql, epoch_ms(self._clock())))

    def counter_states(self, counters: Sequence[str]) -> Mapping[str, CounterState]:
        """See Reader. A crossing that several ingests received counts twice in ``undated`` and may hide a loss."""
        now = epoch_ms(self._clock())
        ends = covered_ends(self._influxql, counters, now, complete=False)
        statuses = latest_statuses(self._influxql, counters, now)
        totals = stream_totals(self._influxql, counters)
        found = {}
        for name in counters:
            latest, (lost, conflicts, undated) = statuses.get(name, LatestStatus()), totals.get(name, (0, 0, 0))
            found[name] = CounterState(
                name, latest.received_epoch_ms, latest.crossing_epoch_ms, ends.get(name),
                lost, conflicts, undated, status=latest.report,
            )  # fmt: skip
        return found

    def _add_counts(self, sums: dict[_Key, list[int]], selected: str, low: int, high: int) -> None:
        """Add the entries and exits in [low, high), whole quarter hours."""
        # Copies first: a copy written between the two queries is then counted twice, and no crossing is lost.
        copies = self._copies(selected, low, high)
        when = window(low * NS_PER_MS, high * NS_PER_MS)
        series = self._influxql.query(
            f"SELECT sum(entries), sum(exits) FROM crossings WHERE {when} AND {selected}"  # noqa: S608 - names checked
            " GROUP BY time(15m), counter, site fill(none)"
        )
        found: dict[_Key, list[tuple[int, int]]] = {}
        for one in series:
            for time_ns, entries, exits in one.values:
                found.setdefault((one.tags["counter"], time_ns // NS_PER_MS), []).append((entries, exits))
        for key, by_site in found.items():
            quarter = sums.setdefault(key, [0, 0, 0])
            for entries, exits in by_site if len(by_site) == 1 else self._counts_of_two_sites(*key):
                quarter[0] += entries
                quarter[1] += exits
        for key, entries, exits in copies:
            if counted := sums.get(key):
                counted[0] -= entries
                counted[1] -= exits

    def _counts_of_two_sites(self, counter: str, quarter: int) -> Iterable[tuple[int, int]]:
        """Return (entries, exits) of each crossing of *counter* in *quarter*, in which it counted at two sites.

        A batch that was resent to another ingest after the counter moved is stored at both sites, at the same times.
        """
        when = window(quarter * NS_PER_MS, (quarter + QUARTER_MS) * NS_PER_MS)
        (selected,) = any_of("counter", [counter])
        series = self._influxql.query(
            f"SELECT entries, exits FROM crossings WHERE {when} AND {selected} GROUP BY site"  # noqa: S608
        )
        return {time_ns: (entries, exits) for one in series for time_ns, entries, exits in one.values}.values()

    def _add_coverage(self, sums: dict[_Key, list[int]], selected: str, low: int, end: int) -> None:
        """Add the coverage of [low, end)."""
        if low >= end:
            return
        when = window(low * NS_PER_MS, end * NS_PER_MS)
        series = self._influxql.query(
            f"SELECT covered_ms FROM spans WHERE {when} AND {selected} GROUP BY counter"  # noqa: S608
        )
        for one in series:
            counter = one.tags["counter"]
            for quarter, covered_ms in _covered(one.values, end):
                sums.setdefault((counter, quarter), [0, 0, 0])[2] += covered_ms

    def _copies(self, selected: str, low: int, high: int) -> list[tuple[_Key, int, int]]:
        """Return (counter and quarter hour, entries, exits) of undated crossings in [low, high) that are copies.

        Another ingest received the same crossing earlier. That one counts, in whichever quarter hour it lies.
        """
        rows = self._undated(selected, low, high, "undated != ''")
        names = sorted({name for _, _, name, _, _ in rows})
        seen: set[tuple[str, str]] = set()
        for some in (names[first : first + _MAX_NAMES] for first in range(0, len(names), _MAX_NAMES)):
            named = f"({' OR '.join(f'undated = {quoted(name)}' for name in some)})"
            for start, end in _windows(low - _COPIES_APART_MS, low):
                seen |= {(counter, name) for counter, _, name, _, _ in self._undated(selected, start, end, named)}
        found = []
        for counter, time_ns, name, entries, exits in rows:
            if (counter, name) in seen:
                found.append(((counter, _quarter(time_ns)), entries, exits))
            seen.add((counter, name))
        return found

    def _undated(self, selected: str, low: int, high: int, condition: str) -> list[tuple[str, int, str, int, int]]:
        """Return (counter, time in ns, name, entries, exits) of undated crossings in [low, high), ordered by time."""
        when = window(low * NS_PER_MS, high * NS_PER_MS)
        series = self._influxql.query(
            f"SELECT undated, entries, exits FROM crossings WHERE {when} AND {selected} AND {condition}"  # noqa: S608
            " GROUP BY counter"
        )
        rows = [(one.tags["counter"], *row) for one in series for row in one.values]
        return sorted(rows, key=lambda row: row[1])


def _windows(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield [start, end), ms, in windows of whole quarter hours: of two days, or longer to need no more than 64."""
    length = max(_WINDOW_MS, -(-(end - start) // (_MAX_WINDOWS * QUARTER_MS)) * QUARTER_MS)
    for low in range(start, end, length):
        yield low, min(low + length, end)


def _covered(pieces: Sequence[Sequence[int]], end: int) -> Iterator[tuple[int, int]]:
    """Yield (quarter hour, ms of it before *end* that the union of *pieces* covers).

    *pieces* are (time in ns, covered_ms), ordered by start; none reaches past the end of its quarter hour.
    """
    current, reached, total = -1, 0, 0
    for time_ns, covered_ms in pieces:
        start = time_ns // NS_PER_MS
        quarter = start - start % QUARTER_MS
        if quarter != current:
            if total:
                yield current, total
            current, reached, total = quarter, start, 0
        piece_end = min(start + covered_ms, end)
        if piece_end > reached:
            total += piece_end - max(start, reached)
            reached = piece_end
    if total:
        yield current, total


def _quarter(time_ns: int) -> int:
    instant = time_ns // NS_PER_MS
    return instant - instant % QUARTER_MS
