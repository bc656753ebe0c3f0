"""``POST /``: the row of the devices flashed before signatures. Off unless footfall.toml allows their networks.

2026-5-4,08:30:00,12,9,ALLI1,Counter A,RDCentre,Alliance,ALLI
date and time, local, of the END of a half hour; entries; exits; the counter's id; the rest is not read
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
from ingest.http_errors import Refusal
from ingest.ingest_settings import Network

log = logging.getLogger(__name__)
blueprint = Blueprint("legacy", __name__)

COLUMNS = 9
MOST_IN_HALF_HOUR = 100_000
PROMPT_MS = 10 * 60 * 1000
"""So long after its half hour a row is taken to be sent at once, as old devices do."""
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})", re.ASCII)
_COUNT = re.compile(r"\d{1,6}", re.ASCII)


@blueprint.post("/")
def take_row() -> Response:
    """Keep the row of an old device, one a request."""
    here = context()
    _check_network(here.config.legacy_networks)
    for half_hour in _parse_row(here, _decoded(read_body("text/plain")).strip()):
        receipt = here.commit.append_half_hours([half_hour], "legacy", here.now_epoch_ms())
        if not receipt.conflicts:
            break
    else:
        raise _conflict(receipt)
    answer = {"stored": receipt.stored, "duplicates": receipt.duplicates}
    return Response(json.dumps(answer) + "\n", mimetype="application/json")


def _check_network(networks: tuple[Network, ...] | None) -> None:
    if networks is None:
        raise Refusal(404, "not_found", "rows of old devices are not taken here; [ingest.legacy] would enable them")
    address = ipaddress.ip_address(request.remote_addr or "0.0.0.0")  # noqa: S104 - an address that is in no network
    if isinstance(address, ipaddress.IPv6Address):
        address = address.ipv4_mapped or address  # how an IPv4 caller looks where `listen` is [::]
    if not any(address in network for network in networks):
        raise Refusal(403, "forbidden_network", f"{address} is in none of the networks of [ingest.legacy]")


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("latin-1")  # old devices never said; only ASCII columns are read


def _parse_row(here: Context, line: str) -> list[ImportedHalfHour]:
    """Return the half hour *line* tells of; in a repeated hour both that it may be, the likelier one first.

    Raises InvalidBatch naming the column, or UnknownCounter.
    """
    columns = [column.strip() for column in line.split(",")]
    if len(columns) != COLUMNS or re.search("[\r\n]", line):
        raise InvalidBatch(f"a row is one line of {COLUMNS} columns", field="row")
    for name, text in (("entries", columns[2]), ("exits", columns[3])):
        if not _COUNT.fullmatch(text) or int(text) > MOST_IN_HALF_HOUR:
            raise InvalidBatch(f"{name} is not a count of people", field=name)
    registry = here.registry()
    registry.keys_of(columns[4])  # raises UnknownCounter
    ends = _ends_of_half_hour(here, columns[0], columns[1], registry.site_of(columns[4]).tz)
    if min(ends) - HALF_HOUR_MS < here.config.earliest_epoch_ms:
        raise InvalidBatch("the half hour is before this server's earliest time", field="date")
    return [ImportedHalfHour(columns[4], end - HALF_HOUR_MS, int(columns[2]), int(columns[3])) for end in ends]


def _ends_of_half_hour(here: Context, day_text: str, time_text: str, tz: ZoneInfo) -> list[int]:
    """Return the instant a row's clock shows, in epoch ms; two of them, where a repeated hour is over.

    A row that comes promptly is of the second pass. One that comes late is of the first that is not known yet.
    """
    day, clock = _DATE.fullmatch(day_text), _TIME.fullmatch(time_text)
    if day is None:
        raise InvalidBatch("date is not like 2026-5-4", field="date")
    if clock is None or int(clock[2]) % 30 or int(clock[3]):
        raise InvalidBatch("time is not the end of a half hour, like 08:30:00", field="time")
    try:
        shown = datetime.combine(date(*map(int, day.groups())), time(int(clock[1]), int(clock[2])))
        passes = _passes(shown, tz)
    except (ValueError, OverflowError) as exc:
        raise InvalidBatch(f"date or time is not real: {exc}", field="date") from None
    if not passes:
        raise InvalidBatch(f"no clock in {tz.key} showed that time: it was put forward", field="time")
    now_epoch_ms = here.now_epoch_ms()
    over = [one for one in passes if one <= now_epoch_ms + here.config.clock_tolerance_s * 1000]
    if not over:
        raise InvalidBatch("the half hour has not ended yet by this server's clock", field="time")
    is_prompt = now_epoch_ms - over[-1] <= PROMPT_MS
    return over[::-1] if is_prompt else over


def _passes(shown: datetime, tz: ZoneInfo) -> list[int]:
    """Return the instants at which a clock in *tz* shows *shown*, in epoch ms: one, two, or none where it jumps.

    The reading at which it jumps stands for the jump: old devices add half an hour to what they showed.
    """
    instants = sorted({epoch_ms(shown.replace(tzinfo=tz, fold=fold).astimezone(UTC)) for fold in (0, 1)})
    real = [one for one in instants if from_epoch_ms(one).astimezone(tz).replace(tzinfo=None) == shown]
    if real:
        return real
    before = shown - BUCKET
    return [one + HALF_HOUR_MS for one in _passes(before, tz)] if _exists(before, tz) else []


def _exists(shown: datetime, tz: ZoneInfo) -> bool:
    return shown.replace(tzinfo=tz).astimezone(UTC).astimezone(tz).replace(tzinfo=None) == shown


def _conflict(receipt: ImportReceipt) -> Refusal:
    came, kept = receipt.conflicts[0]
    message = (
        f"{came.counter} already has {kept[0]} entries and {kept[1]} exits in that half hour, "
        f"not {came.entries} and {came.exits}; the first stay"
    )
    log.error("refused a row of an old device: %s", message)
    return Refusal(409, "conflict", message, "row")
