"""InfluxDB's refusals in our words, the same for writing and reading."""

import json
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime

import urllib3

from footfall.errors import StoreUnavailable
from footfall.store.influx_settings import InfluxConfig

_MOST_TOLD = 500  # characters of a server's answer


def refusal(
    config: InfluxConfig, status: int, body: bytes | str, retry_after_s: float | None = None
) -> StoreUnavailable:
    """Return the error that an answer with *status* and *body* is."""
    text = answer_text(config, status, body)
    where = f"bucket {config.influx_bucket} of organization {config.org}"
    hint = {
        401: "InfluxDB does not know the token: set FOOTFALL_INFLUXDB_TOKEN_FILE, or influxdb.token_file",
        403: f"let the token read or write {where}, as it has to, or give another one",
        404: f"make {where}, or correct influxdb.influx_bucket and influxdb.org",
        429: "it asks for fewer requests; it is tried again",
    }.get(status, "look at InfluxDB's log and its disk; it is tried again")
    return StoreUnavailable(text, hint=hint, retry_after_s=retry_after_s, status=status)


def answer_text(config: InfluxConfig, status: int, body: bytes | str) -> str:
    """Return what InfluxDB answered, for people, a line."""
    return f"InfluxDB at {config.url} answered {status}: {_message(body)}"


def unreachable(config: InfluxConfig, exc: Exception) -> StoreUnavailable:
    """Return the error for *exc*, which came instead of an answer."""
    if isinstance(exc, urllib3.exceptions.SSLError):
        hint = "check its certificate, and influxdb.ca_file"
    elif isinstance(exc, urllib3.exceptions.TimeoutError) and not isinstance(
        exc,
        urllib3.exceptions.NewConnectionError,  # which is one too, and means refused
    ):
        hint = "InfluxDB is slow, or frozen: look at its load, or raise influxdb.timeout_s"
    else:
        hint = "start InfluxDB, or correct influxdb.url"
    told = str(exc).partition("): ")[2] or str(exc) or type(exc).__name__
    return StoreUnavailable(f"InfluxDB at {config.url}: {' '.join(told.split())[:_MOST_TOLD]}", hint=hint)


def parse_retry_after(value: str | None, clock: Callable[[], datetime]) -> float | None:
    """Return the wait a Retry-After asks for, in seconds, never negative; None where it says nothing we understand.

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
    if asked.tzinfo is None:  # "-0000" says no zone
        return None
    return max(0.0, (asked - clock()).total_seconds())


def _message(body: bytes | str) -> str:
    """Return what a person should read of *body*, a line: 2.x says ``message``, 1.x and 3.x ``error``."""
    text = body.decode("utf-8", errors="replace") if isinstance(body, bytes) else body
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    if isinstance(told, dict):
        text = str(told.get("message") or told.get("error") or text)
    return " ".join(text.split())[:_MOST_TOLD] or "nothing"
