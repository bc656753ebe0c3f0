"""``POST /`` takes a row from a device flashed before signatures. Off unless footfall.toml allows their networks.

2026-5-4,08:30:00,12,9,ALLI1,Counter A,RDCentre,Alliance,ALLI
local date and time at which the half hour ENDS; entries; exits; counter id; the rest is ignored
"""

import ipaddress
import logging
import re
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, json, request

from footfall.errors import InvalidBatch
from footfall.model import BUCKET, epoch_ms, from_epoch_ms
from footfall.store.historical_counts import HALF_HOUR_MS, ImportedHalfHour, ImportReceipt
from ingest.context import Context, context
from ingest.crossings import read_body
from ingest.http_errors import HttpError
from ingest.ingest_settings import Network

log = logging.getLogger(__name__)
blueprint = Blueprint("legacy", __name__)

COLUMNS = 9
MAX_PEOPLE = 100_000
"""The most entries or exits a row may report."""
PROMPT_MS = 10 * 60 * 1000
"""A row that arrives this soon after its half hour was sent at once, as old devices do."""
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})", re.ASCII)
_COUNT = re.compile(r"\d{1,6}", re.ASCII)


@blueprint.post("/")
def take_row() -> Response:
    """Store one row."""
    ctx = context()
    _check_network(ctx.config.legacy_networks)
    for half_hour in _parse_row(ctx, _decode(read_body("text/plain")).strip()):
        receipt = ctx.commit.append_half_hours([half_hour], "legacy", ctx.now_epoch_ms())
        if not receipt.conflicts:
            break
    else:
        raise _conflict(receipt)
    answer = {"stored": receipt.stored, "duplicates": receipt.duplicates}
    return Response(json.dumps(answer) + "\n", mimetype="application/json")


def _check_network(networks: tuple[Network, ...] | None) -> None:
    if networks is None:
        raise HttpError(404, "not_found", "this server takes no rows from old devices; see [ingest.legacy]")
    address = ipaddress.ip_address(request.remote_addr or "0.0.0.0")  # noqa: S104 - an address that is in no network
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address  # how an IPv4 client appears if ingest listens on [::]
    if not any(address in network for network in networks):
        raise HttpError(403, "forbidden_network", f"{address} is in none of the networks of [ingest.legacy]")


def _decode(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")  # the old format names no encoding; only ASCII columns are read


def _parse_row(ctx: Context, line: str) -> list[ImportedHalfHour]:
    """Return the half hour of *line*; for the repeated hour of a clock change both candidates, the likelier one first.

    Raises InvalidBatch naming the column, or UnknownCounter.
    """
    columns = [column.strip() for column in line.split(",")]
    if len(columns) != COLUMNS or re.search("[\r\n]", line):
        raise InvalidBatch(f"a row is one line of {COLUMNS} columns", field="row")
    for name, text in (("entries", columns[2]), ("exits", columns[3])):
        if not _COUNT.fullmatch(text) or int(text) > MAX_PEOPLE:
            raise InvalidBatch(f"{name} must be a whole number from 0 to {MAX_PEOPLE}", field=name)
    registry = ctx.registry()
    registry.keys_of(columns[4])  # raises UnknownCounter
    ends = _ends_of_half_hour(ctx, columns[0], columns[1], registry.site_of(columns[4]).tz)
    if min(ends) - HALF_HOUR_MS < ctx.config.earliest_epoch_ms:
        raise InvalidBatch("the half hour is before this server's earliest time", field="date")
    return [ImportedHalfHour(columns[4], end - HALF_HOUR_MS, int(columns[2]), int(columns[3])) for end in ends]


def _ends_of_half_hour(ctx: Context, day_text: str, time_text: str, tz: ZoneInfo) -> list[int]:
    """Return the instant that *tz* shows as this date and time, in epoch ms; both, if a repeated hour is over.

    A prompt row is of the second pass. A late row is of the first pass unless that one is already stored.
    """
    day, clock = _DATE.fullmatch(day_text), _TIME.fullmatch(time_text)
    if day is None:
        raise InvalidBatch("the date must look like 2026-5-4", field="date")
    if clock is None or int(clock[2]) % 30 or int(clock[3]):
        raise InvalidBatch("the time must be the end of a half hour, like 08:30:00", field="time")
    try:
        shown = datetime.combine(date(*map(int, day.groups())), time(int(clock[1]), int(clock[2])))
        passes = _passes(shown, tz)
    except (ValueError, OverflowError) as exc:
        raise InvalidBatch(f"no such date or time: {exc}", field="date") from None
    if not passes:
        raise InvalidBatch(f"clocks in {tz.key} skipped that time", field="time")
    now_epoch_ms = ctx.now_epoch_ms()
    over = [one for one in passes if one <= now_epoch_ms + ctx.config.clock_tolerance_s * 1000]
    if not over:
        raise InvalidBatch("the half hour has not ended yet by this server's clock", field="time")
    is_prompt = now_epoch_ms - over[-1] <= PROMPT_MS
    return over[::-1] if is_prompt else over


def _passes(shown: datetime, tz: ZoneInfo) -> list[int]:
    """Return the instants at which a clock in *tz* shows *shown*, in epoch ms: one, two, or none if it is skipped.

    The first skipped reading stands for the jump itself: old devices add half an hour to the last reading they had.
    """
    instants = sorted({epoch_ms(shown.replace(tzinfo=tz, fold=fold).astimezone(UTC)) for fold in (0, 1)})
    real = [one for one in instants if from_epoch_ms(one).astimezone(tz).replace(tzinfo=None) == shown]
    if real:
        return real
    before = shown - BUCKET
    return [one + HALF_HOUR_MS for one in _passes(before, tz)] if _exists(before, tz) else []


def _exists(shown: datetime, tz: ZoneInfo) -> bool:
    return shown.replace(tzinfo=tz).astimezone(UTC).astimezone(tz).replace(tzinfo=None) == shown


def _conflict(receipt: ImportReceipt) -> HttpError:
    came, stored = receipt.conflicts[0]
    message = (
        f"{came.counter} already has {stored[0]} entries and {stored[1]} exits in that half hour, "
        f"not {came.entries} and {came.exits}; the first row stays"
    )
    log.error("refused a row from an old device: %s", message)
    return HttpError(409, "conflict", message, "row")
