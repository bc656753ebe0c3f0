"""Translates InfluxDB's HTTP errors into ours, for writes and queries alike."""

import json
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

import urllib3

from footfall.errors import StoreUnavailable
from footfall.store.influx_settings import InfluxConfig

_MAX_ANSWER_CHARS = 500


def refusal(
    config: InfluxConfig, status: int, body: bytes | str, retry_after_s: float | None = None
) -> StoreUnavailable:
    """Return the error for an answer with *status* and *body*."""
    bucket = f"bucket {config.influx_bucket} of organization {config.org}"
    hint = {
        401: "InfluxDB does not know the token; set FOOTFALL_INFLUXDB_TOKEN_FILE or influxdb.token_file",
        403: f"the token lacks permission; let it read and write {bucket}, or use another token",
        404: f"create {bucket}, or correct influxdb.influx_bucket and influxdb.org",
        429: "InfluxDB limits the request rate; Footfall retries",
    }.get(status, "check InfluxDB's log and its disk; Footfall retries")
    return StoreUnavailable(answer_text(config, status, body), hint=hint, retry_after_s=retry_after_s, status=status)


def answer_text(config: InfluxConfig, status: int, body: bytes | str) -> str:
    """Return InfluxDB's answer as one line to read."""
    return f"InfluxDB at {config.url} answered {status}: {_message(body)}"


def unreachable(config: InfluxConfig, exc: Exception) -> StoreUnavailable:
    """Return the error for *exc*, which was raised before any answer came."""
    if isinstance(exc, urllib3.exceptions.SSLError):
        hint = "check its certificate and influxdb.ca_file"
    elif isinstance(exc, urllib3.exceptions.TimeoutError) and not isinstance(
        exc,
        urllib3.exceptions.NewConnectionError,  # a subclass of TimeoutError, but it means refused
    ):
        hint = "InfluxDB is slow or frozen; check its load, or raise influxdb.timeout_s"
    else:
        hint = "start InfluxDB, or correct influxdb.url"
    text = str(exc).partition("): ")[2] or str(exc) or type(exc).__name__
    return StoreUnavailable(f"InfluxDB at {config.url}: {' '.join(text.split())[:_MAX_ANSWER_CHARS]}", hint=hint)


def parse_retry_after(value: str | None, clock: Callable[[], datetime]) -> float | None:
    """Return the wait in seconds that a Retry-After header asks for, never negative; None if absent or malformed.

    RFC 9110, section 10.2.3: seconds, or a date.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        asked = parsedate_to_datetime(text)
    except ValueError:
        return None
    if asked.tzinfo is None:  # "-0000" states no zone
        return None
    return max(0.0, (asked - clock()).total_seconds())


def _message(body: bytes | str) -> str:
    """Return the readable part of *body* as one line: ``message`` in 2.x, ``error`` in 1.x and 3.x."""
    text = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body
    try:
        answer = json.loads(text)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        text = str(answer.get("message") or answer.get("error") or text)
    return " ".join(text.split())[:_MAX_ANSWER_CHARS] or "nothing"
