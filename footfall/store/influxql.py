"""Queries InfluxDB in InfluxQL over ``GET /query``, which 1.x, 2.x and 3.x all answer.

An answer is complete or an error: part of it would be mistaken for the whole. InfluxDB reports many errors inside an
answer of status 200. Answers are requested ``chunked``: one JSON document per line, with ``partial`` set if more
follow. In an unchunked answer, 1.x sets ``partial`` past 10,000 rows whether or not a row limit has cut it off.
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
from footfall.store.points import Point

_MAX_NAMES_BYTES = 4_000
"""Names in one query, which is part of the URL: most proxies accept 8 KiB."""
_FORBIDDEN = (200, 401, 403, 404)  # 200: an error inside an answer


class InfluxSeries(msgspec.Struct):
    """Rows that share their tags. The values of a row are in the order of ``columns``."""

    name: str = ""
    columns: list[str] = []
    values: list[list[Any]] = []
    tags: dict[str, str] = {}
    partial: bool = False

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield each row by column name."""
        for row in self.values:
            yield dict(zip(self.columns, row, strict=True))


class _StatementResult(msgspec.Struct):
    series: list[InfluxSeries] = []
    error: str | None = None
    partial: bool = False


class _AnswerLine(msgspec.Struct):
    results: list[_StatementResult] = []
    error: str | None = None


_decoder = msgspec.json.Decoder(_AnswerLine)


class InfluxQL:
    """A bucket, or a database of 1.x and 3.x, to query. Thread-safe."""

    def __init__(self, config: InfluxConfig, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Query the bucket of *config*. *clock* serves a Retry-After that is a date."""
        self._config = config
        self._clock = clock
        database, slash, policy = config.influx_bucket.partition("/")
        self._parameters = {"db": database, "epoch": "ns", "chunked": "true"} | ({"rp": policy} if slash else {})
        self._pool = urllib3.PoolManager(
            maxsize=8,
            retries=False,
            timeout=urllib3.Timeout(total=config.timeout_s),
            ca_certs=None if config.ca_file is None else str(config.ca_file),
            headers={
                "Authorization": f"Token {config.token}",
                "Accept": "application/json",
                **urllib3.util.make_headers(accept_encoding="gzip"),
            },
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def query(self, statement: str) -> list[InfluxSeries]:
        """Return the series that answer *statement*; times are ns since 1970. Raises StoreUnavailable."""
        try:
            answer = self._pool.request("GET", f"{self._config.url}/query", fields={**self._parameters, "q": statement})
        except urllib3.exceptions.HTTPError as exc:
            raise unreachable(self._config, exc) from exc
        if answer.status != 200:
            wait_s = parse_retry_after(answer.headers.get("Retry-After"), self._clock)
            raise refusal(self._config, answer.status, answer.data, wait_s)
        try:
            lines = [_decoder.decode(line) for line in answer.data.split(b"\n") if line]
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise StoreUnavailable(
                f"InfluxDB at {self._config.url} did not answer as InfluxDB does: {exc}",
                hint="correct influxdb.url, or check the proxy before InfluxDB",
            ) from exc
        return self._joined(lines)

    def _joined(self, lines: Sequence[_AnswerLine]) -> list[InfluxSeries]:
        """Return the series of a chunked answer. Every line but the last must say that more follow."""
        found: dict[tuple[str, ...], InfluxSeries] = {}
        is_complete = False
        for line in lines:
            error = line.error or next((result.error for result in line.results if result.error), None)
            if error is not None:
                raise refusal(self._config, 404 if "database not found" in error else 200, error)
            if is_complete or len(line.results) != 1:
                is_complete = False
                break
            (result,) = line.results
            for series in result.series:
                key = series.name, *sorted(f"{tag}={value}" for tag, value in series.tags.items())
                part = found.setdefault(key, InfluxSeries(series.name, series.columns, [], series.tags))
                part.values += series.values
            is_complete = not (result.partial or any(series.partial for series in result.series))
        if not is_complete:
            raise StoreUnavailable(
                f"InfluxDB at {self._config.url} sent an incomplete answer",
                hint="check its configuration for a row limit (1.x: max-row-limit in [http])",
            )
        return list(found.values())

    def has_point(self, point: Point) -> bool | None:
        """Return whether InfluxDB has *point*, by its name; None if the token may not read. Raises StoreUnavailable."""
        terms = [*(f'"{name}" = {quoted(value)}' for name, value in point.tags), f"time = {point.time_ns}"]
        statement = f'SELECT "{next(iter(point.fields))}" FROM "{point.measurement}" WHERE {" AND ".join(terms)}'  # noqa: S608
        try:
            return bool(self.query(statement))
        except StoreUnavailable as exc:
            if exc.status in _FORBIDDEN:
                return None
            raise


def any_of(tag: str, names: Iterable[str]) -> Iterator[str]:
    """Yield conditions that select the points whose *tag* is one of *names*; each fits one query.

    A name that is not valid is left out: nothing can be stored under it. Names are quoted all the same.
    """
    terms: list[str] = []
    size = 0
    for name in dict.fromkeys(names):
        if not NAME_PATTERN.fullmatch(name):
            continue
        term = f"{tag} = {quoted(name)}"
        if size + len(term) > _MAX_NAMES_BYTES:
            yield f"({' OR '.join(terms)})"
            terms, size = [], 0
        terms.append(term)
        size += len(term) + 20  # " OR ", and the URL encoding of quotes and spaces
    if terms:
        yield f"({' OR '.join(terms)})"


def window(start_ns: int, end_ns: int) -> str:
    """Return the condition that selects the points of [start, end)."""
    return f"time >= {start_ns} AND time < {end_ns}"


def quoted(value: str) -> str:
    """Return *value* as a string literal of InfluxQL."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
