"""The wire format, version 1: a request's bytes to an Arrival, and back for simulated counters.

The contract is docs/wire-format.md. msgspec checks types and bounds while it decodes. This module checks what depends
on the clock or on two fields. Unknown fields are ignored, so a newer counter works with an older server.
"""

import re
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec

from footfall.errors import InvalidBatch
from footfall.model import Arrival, Count, Span

PATH = "/api/v1/crossings"
MAX_BODY_BYTES = 256 * 1024
MAX_SAFE_INTEGER = 2**53 - 1  # what every JSON parser keeps exactly (RFC 8259, section 6)

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}(?!\n)$")]
Instant = Annotated[int, msgspec.Meta(ge=0, le=MAX_SAFE_INTEGER, description="milliseconds since 1970 UTC")]
Seq = Annotated[int, msgspec.Meta(ge=0, le=MAX_SAFE_INTEGER, description="grows by one in a stream")]
Amount = Annotated[int, msgspec.Meta(ge=0, le=MAX_SAFE_INTEGER)]
Crossing = tuple[Seq, Instant | None, Literal[1, -1]]


class Status(msgspec.Struct, omit_defaults=True):
    """The counter's report on itself. Every field is optional; none changes a count."""

    firmware: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    uptime_s: Amount | None = None
    rssi_dbm: Annotated[int, msgspec.Meta(ge=-200, le=100)] | None = None
    heap_bytes: Amount | None = None
    queued: Amount | None = None
    dropped: Amount | None = None
    aborted: Amount | None = None
    outer_blocked_s: Amount | None = None
    inner_blocked_s: Amount | None = None


class BatchBody(msgspec.Struct, rename={"from_": "from"}):
    """The body of ``POST /api/v1/crossings``."""

    counter: Name
    stream: Name
    from_: Instant
    to: Instant
    crossings: list[Crossing]
    status: Status | None = None


_decoder = msgspec.json.Decoder(BatchBody)
_encoder = msgspec.json.Encoder()
_place = re.compile(r"^(?P<what>.*) - at `\$(?P<path>.*)`$")
_CROSSING_PARTS = {"[0]": ".seq", "[1]": ".time", "[2]": ".direction"}


def parse_body(body: bytes) -> BatchBody:
    """Return *body* decoded, with every field of the right type and within bounds. Raises InvalidBatch."""
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as exc:
        message, field = _explained(str(exc))
        raise InvalidBatch(message, field=field) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise InvalidBatch(f"the body is not JSON: {exc}", field="") from None


def parse_arrival(batch: BatchBody, *, now_epoch_ms: int, earliest_epoch_ms: int, ahead_ms: int) -> Arrival:
    """Return *batch*, received at *now_epoch_ms*, as an Arrival. Raises InvalidBatch.

    No time may be before *earliest_epoch_ms* or more than *ahead_ms* in the future.
    """

    def check(instant_epoch_ms: int, field: str) -> None:
        if instant_epoch_ms < earliest_epoch_ms:
            raise InvalidBatch(f"{field} is before this server's earliest time, {earliest_epoch_ms}", field=field)
        if instant_epoch_ms > now_epoch_ms + ahead_ms:
            raise InvalidBatch(f"{field} is in the future; the server's time is {now_epoch_ms}", field=field)

    check(batch.from_, "from")
    check(batch.to, "to")
    if batch.to < batch.from_:
        raise InvalidBatch("the span ends before it starts", field="to")
    counts = []
    for number, (seq, time_epoch_ms, direction) in enumerate(batch.crossings):
        if time_epoch_ms is not None and not earliest_epoch_ms <= time_epoch_ms <= now_epoch_ms + ahead_ms:
            check(time_epoch_ms, f"crossings[{number}].time")
        counts.append(Count(seq, time_epoch_ms, 1, 0) if direction > 0 else Count(seq, time_epoch_ms, 0, 1))
    if len({count.seq for count in counts}) < len(counts):
        raise InvalidBatch("two crossings of one batch have the same seq", field="crossings")
    return Arrival(
        counter=batch.counter,
        stream=batch.stream,
        counts=tuple(counts),
        span=Span(batch.from_, batch.to),
        received_epoch_ms=now_epoch_ms,
        status=None if batch.status is None else _encoder.encode(batch.status),
    )


def render_body(
    counter: str,
    stream: str,
    span: Span,
    crossings: Sequence[tuple[int, int | None, Literal[1, -1]]],
    status: Status | None = None,
) -> bytes:
    """Return the body that a counter POSTs. A crossing is (seq, time in epoch ms or None, +1 entry or -1 exit)."""
    return _encoder.encode(
        BatchBody(counter, stream, span.from_epoch_ms, span.to_epoch_ms, list(crossings), status),
    )


def _explained(complaint: str) -> tuple[str, str]:
    """Return msgspec's *complaint* as a message and the field it concerns, such as ``crossings[3].time``."""
    match = _place.match(complaint)
    if match is None:
        missing = re.search(r"missing required field `(\w+)`", complaint)
        return complaint, missing[1] if missing else ""
    what, path = match["what"], match["path"].removeprefix(".")
    crossing = re.match(r"^(crossings\[\d+\])(\[[012]\])$", path)
    if crossing:
        path = crossing[1] + _CROSSING_PARTS[crossing[2]]
    return f"{path}: {what}", path
