"""Asks InfluxDB in InfluxQL over ``GET /query``, which 1.x, 2.x and 3.x answer alike.

An answer is whole or an error: a part of the truth would be taken for all of it. InfluxDB tells many errors inside an
answer with status 200. It is asked for ``chunked`` answers: JSON by the line, each of which says ``partial`` where more
follows. Of an answer in one piece 1.x says so too, past 10,000 rows, whether it is cut off by a limit of rows or not.
https://docs.influxdata.com/influxdb/v1/tools/api/#query-http-endpoint
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import urllib3

from footfall.errors import StoreUnavailable
from footfall.settings import NAME_PATTERN
from footfall.store.influx_errors import parse_retry_after, refusal, unreachable
from footfall.store.influx_settings import InfluxConfig

_MOST_NAMES_BYTES = 4_000
"""Of names in one question, which stands in the URL: proxies take 8 KiB as a rule."""


class Series(msgspec.Struct):
    """Rows that share their tags. Each row of ``values`` is in the order of ``columns``."""

    name: str = ""
    columns: list[str] = []
    values: list[list[Any]] = []
    tags: dict[str, str] = {}
    partial: bool = False

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each row by its columns' names."""
        for row in self.values:
            yield dict(zip(self.columns, row, strict=True))


class _Result(msgspec.Struct):
    series: list[Series] = []
    error: str | None = None
    partial: bool = False


class _Answer(msgspec.Struct):
    results: list[_Result] = []
    error: str | None = None


_decoder = msgspec.json.Decoder(_Answer)


class InfluxQL:
    """One database, or bucket, to ask. Thread-safe."""

    def __init__(self, config: InfluxConfig, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Ask the one of *config*. *clock* tells the time, for a Retry-After that is a date."""
        self._config = config
        self._clock = clock
        database, slash, policy = config.influx_bucket.partition("/")
        self._place = {"db": database, "epoch": "ns", "chunked": "true"} | ({"rp": policy} if slash else {})
        self._pool = urllib3.PoolManager(
            maxsize=8,
            retries=False,
            timeout=urllib3.Timeout(total=config.timeout_s),
            ca_certs=None if config.ca_file is None else str(config.ca_file),
            headers={"Authorization": f"Token {config.token}", "Accept": "application/json", **_COMPRESSED},
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def ask(self, question: str) -> list[Series]:
        """Return the series that answer *question*, one statement; times in ns since 1970. Raises StoreUnavailable."""
        try:
            answer = self._pool.request("GET", f"{self._config.url}/query", fields={**self._place, "q": question})
        except urllib3.exceptions.HTTPError as exc:
            raise unreachable(self._config, exc) from exc
        if answer.status != 200:
            wait_s = parse_retry_after(answer.headers.get("Retry-After"), self._clock)
            raise refusal(self._config, answer.status, answer.data, wait_s)
        try:
            told = [_decoder.decode(line) for line in answer.data.split(b"\n") if line]
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            hint = "is that InfluxDB? correct influxdb.url, or the proxy before it"
            raise StoreUnavailable(f"InfluxDB at {self._config.url} answered no such JSON: {exc}", hint=hint) from exc
        return self._joined(told)

    def _joined(self, several: Sequence[_Answer]) -> list[Series]:
        """Return the series of an answer that came in parts. Every part but the last says that more follows."""
        found: dict[tuple[str, ...], Series] = {}
        is_whole = False
        for told in several:
            error = told.error or next((result.error for result in told.results if result.error), None)
            if error is not None:
                raise refusal(self._config, 404 if "database not found" in error else 200, error)
            if is_whole or len(told.results) != 1:
                is_whole = False
                break
            (result,) = told.results
            for series in result.series:
                name = series.name, *sorted(f"{tag}={value}" for tag, value in series.tags.items())
                found.setdefault(name, Series(series.name, series.columns, [], series.tags)).values += series.values
            is_whole = not (result.partial or any(series.partial for series in result.series))
        if not is_whole:
            raise StoreUnavailable(
                f"InfluxDB at {self._config.url} did not answer in full",
                hint="look for a limit of rows in its configuration (1.x: max-row-limit in [http])",
            )
        return list(found.values())


_COMPRESSED = urllib3.util.make_headers(accept_encoding="gzip")


def conditions(tag: str, names: Iterable[str]) -> Iterator[str]:
    """Yield conditions that together choose the points whose *tag* is one of *names*, each for a question of its own.

    A name that is none is left out: nothing can have been stored under it. So there is nothing in a condition that
    could need an escape, though names are quoted as strings.
    """
    chosen: list[str] = []
    size = 0
    for name in dict.fromkeys(names):
        if not NAME_PATTERN.fullmatch(name):
            continue
        term = f"{tag} = '{name}'"
        if size + len(term) > _MOST_NAMES_BYTES:
            yield f"({' OR '.join(chosen)})"
            chosen, size = [], 0
        chosen.append(term)
        size += len(term) + 20  # OR, and what quotes and spaces become in a URL
    if chosen:
        yield f"({' OR '.join(chosen)})"


def window(start_ns: int, end_ns: int) -> str:
    """Return the condition that chooses the points of [start, end)."""
    return f"time >= {start_ns} AND time < {end_ns}"


def text(value: str) -> str:
    """Return *value* as a string of InfluxQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
