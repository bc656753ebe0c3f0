"""InfluxDB's reader: the same answers as the journal's, from the points in docs/storage.md.

Sums are InfluxDB's own. What is covered is worked out here from the pieces: those that several ingests wrote may
overlap, and only their union is the truth. A quarter hour holds some fifteen of them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

from footfall.model import QUARTER_MS, CounterState, Quarter, epoch_ms, from_epoch_ms
from footfall.store.influx_counter_states import Found, complete_until, covered_ends, last_heard, stream_figures
from footfall.store.influxql import InfluxQL, conditions, text, window
from footfall.store.points import NS_PER_MS

_PIECE_MS = 2 * 24 * 60 * 60 * 1000
"""Of time, in one question. InfluxDB 3 Core refuses more than about three days."""
_MOST_PIECES = 64
_COPIES_APART_MS = 31 * 24 * 60 * 60 * 1000
"""How far apart two ingests may have received the same undated crossing: a counter tries again all the time."""
_MOST_NAMES = 40
"""Of undated crossings, in one question."""

_Key = tuple[str, int]


class InfluxReader:
    """Reads one bucket. Thread-safe."""

    def __init__(self, influxql: InfluxQL, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Ask *influxql*. *clock* tells the time, UTC: what is asked for the latest of is looked for near it first."""
        self._influxql = influxql
        self._clock = clock

    def close(self) -> None:
        """Close the connections."""
        self._influxql.close()

    def quarters(self, counters: Sequence[str], start_utc: datetime, end_utc: datetime) -> list[Quarter]:
        """See Reader. While points are being written, a crossing that has no time may count twice for a moment."""
        start, end = epoch_ms(start_utc), epoch_ms(end_utc)
        sums: dict[_Key, list[int]] = {}
        for chosen in conditions("counter", counters):
            for low, high in _pieces(start, -(-end // QUARTER_MS) * QUARTER_MS):
                self._add_counts(sums, chosen, low, high)
                self._add_coverage(sums, chosen, low, min(high, end))
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
        kept: dict[_Key, list[int]] = {}
        for chosen in conditions("counter", counters):
            for low, high in _pieces(epoch_ms(start_utc), epoch_ms(end_utc)):
                self._add_counts(kept, chosen, low, high)
        found = dict.fromkeys(counters, (0, 0))
        for (counter, _), (entries, exits, _) in kept.items():
            before = found[counter]
            found[counter] = before[0] + entries, before[1] + exits
        return found

    def covered_to(self, counters: Sequence[str]) -> Mapping[str, datetime]:
        """See Reader."""
        found = covered_ends(self._influxql, counters, epoch_ms(self._clock()), settled=True)
        return {name: from_epoch_ms(instant) for name, instant in found.items()}

    def complete_until(self) -> datetime:
        """See Reader. By what each forwarder last said of itself; 1970 where none has said anything for two days."""
        return from_epoch_ms(complete_until(self._influxql, epoch_ms(self._clock())))

    def counter_states(self, counters: Sequence[str]) -> Mapping[str, CounterState]:
        """See Reader. What several ingests received twice counts twice in ``undated``, and may hide a loss."""
        now = epoch_ms(self._clock())
        ends = covered_ends(self._influxql, counters, now, settled=False)
        heard = last_heard(self._influxql, counters, now)
        figures = stream_figures(self._influxql, counters)
        found = {}
        for name in counters:
            last, told = heard.get(name, Found()), figures.get(name, (0, 0, 0))
            found[name] = CounterState(
                name, last.received_epoch_ms, last.crossing_epoch_ms, ends.get(name), *told, status=last.report
            )
        return found

    def _add_counts(self, sums: dict[_Key, list[int]], chosen: str, low: int, high: int) -> None:
        """Add the sums of entries and exits in [low, high), whole quarter hours."""
        when = window(low * NS_PER_MS, high * NS_PER_MS)
        repeated = self._repeated(chosen, low, high)  # first: what comes in between is then too much, never too little
        series = self._influxql.ask(
            f"SELECT sum(entries), sum(exits) FROM crossings WHERE {when} AND {chosen}"  # noqa: S608 - names are checked
            " GROUP BY time(15m), counter, site fill(none)"
        )
        found: dict[_Key, list[tuple[int, int]]] = {}
        for one in series:
            for time_ns, entries, exits in one.values:
                found.setdefault((one.tags["counter"], time_ns // NS_PER_MS), []).append((entries, exits))
        for key, by_site in found.items():
            kept = sums.setdefault(key, [0, 0, 0])
            for entries, exits in by_site if len(by_site) == 1 else self._named_once(*key):
                kept[0] += entries
                kept[1] += exits
        for key, entries, exits in repeated:
            if both := sums.get(key):
                both[0] -= entries
                both[1] -= exits

    def _named_once(self, counter: str, quarter: int) -> Iterable[tuple[int, int]]:
        """Return (entries, exits) of each crossing of *counter* in *quarter*, in which it has counted at two sites.

        One that was sent again, to another ingest, after the counter moved stands at both, at the same time.
        """
        when = window(quarter * NS_PER_MS, (quarter + QUARTER_MS) * NS_PER_MS)
        (chosen,) = conditions("counter", [counter])
        series = self._influxql.ask(
            f"SELECT entries, exits FROM crossings WHERE {when} AND {chosen} GROUP BY site"  # noqa: S608
        )
        return {time_ns: (entries, exits) for one in series for time_ns, entries, exits in one.values}.values()

    def _add_coverage(self, sums: dict[_Key, list[int]], chosen: str, low: int, end: int) -> None:
        """Add what is covered of [low, end)."""
        if low >= end:
            return
        when = window(low * NS_PER_MS, end * NS_PER_MS)
        series = self._influxql.ask(
            f"SELECT covered_ms FROM spans WHERE {when} AND {chosen} GROUP BY counter"  # noqa: S608
        )
        for one in series:
            counter = one.tags["counter"]
            for quarter, covered_ms in _covered(one.values, end):
                sums.setdefault((counter, quarter), [0, 0, 0])[2] += covered_ms

    def _repeated(self, chosen: str, low: int, high: int) -> list[tuple[_Key, int, int]]:
        """Return (counter and quarter hour, entries, exits) of undated crossings in [low, high) told of before.

        Each was received by another ingest earlier: that copy counts, wherever it lies.
        """
        rows = self._undated(chosen, low, high, "undated != ''")
        names = sorted({name for _, _, name, _, _ in rows})
        seen: set[tuple[str, str]] = set()
        for some in (names[first : first + _MOST_NAMES] for first in range(0, len(names), _MOST_NAMES)):
            named = f"({' OR '.join(f'undated = {text(name)}' for name in some)})"
            for start, end in _pieces(low - _COPIES_APART_MS, low):
                seen |= {(counter, name) for counter, _, name, _, _ in self._undated(chosen, start, end, named)}
        found = []
        for counter, time_ns, name, entries, exits in rows:
            if (counter, name) in seen:
                found.append(((counter, _quarter(time_ns)), entries, exits))
            seen.add((counter, name))
        return found

    def _undated(self, chosen: str, low: int, high: int, which: str) -> list[tuple[str, int, str, int, int]]:
        """Return (counter, time in ns, name, entries, exits) of undated crossings in [low, high), ordered by time."""
        when = window(low * NS_PER_MS, high * NS_PER_MS)
        series = self._influxql.ask(
            f"SELECT undated, entries, exits FROM crossings WHERE {when} AND {chosen} AND {which}"  # noqa: S608
            " GROUP BY counter"
        )
        rows = [(one.tags["counter"], *row) for one in series for row in one.values]
        return sorted(rows, key=lambda row: row[1])


def _pieces(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield [start, end), ms, in pieces of whole quarter hours, at most _MOST_PIECES; small ones if that is enough."""
    length = max(_PIECE_MS, -(-(end - start) // (_MOST_PIECES * QUARTER_MS)) * QUARTER_MS)
    for low in range(start, end, length):
        yield low, min(low + length, end)


def _covered(rows: Sequence[Sequence[int]], end: int) -> Iterator[tuple[int, int]]:
    """Yield (quarter hour, how many ms of it up to *end* at least one piece covers).

    *rows* are pieces, ordered by start: (time in ns, covered_ms). No piece reaches over the end of its quarter hour.
    """
    current, reached, total = -1, 0, 0
    for time_ns, covered_ms in rows:
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
