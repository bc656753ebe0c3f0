"""``POST /``: the row of the devices flashed before signatures. Off unless footfall.toml allows their networks.

2026-5-4,08:30:00,12,9,ALLI1,Counter A,RDCentre,Alliance,ALLI
date and time, local, of the END of a half hour; entries; exits; the counter's id; the rest is not read
"""

import ipaddress
import logging
import re
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, json, request

from footfall.errors import InvalidBatch
from footfall.model import epoch_ms
from footfall.store.history import HALF_HOUR_MS, HalfHour, HistoryReceipt
from ingest.config import Network
from ingest.crossings import read_body
from ingest.parts import Parts, parts
from ingest.problems import Refusal

log = logging.getLogger(__name__)
blueprint = Blueprint("legacy", __name__)

COLUMNS = 9
MOST_IN_HALF_HOUR = 100_000
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})", re.ASCII)
_COUNT = re.compile(r"\d{1,6}", re.ASCII)


@blueprint.post("/")
def take_row() -> Response:
    """Keep one row, or several lines of them, of an old device."""
    here = parts()
    _check_network(here.config.legacy_networks)
    lines = re.split("[\r\n]+", _decoded(read_body("text/plain")))
    half_hours = [_parse_row(here, line) for line in lines if line.strip()]
    if not half_hours:
        raise InvalidBatch("the body holds no row", field="")
    receipt = here.commit.append_history(half_hours, "legacy", here.now_epoch_ms())
    if receipt.conflicts:
        raise _conflict(receipt)
    return Response(
        json.dumps({"stored": receipt.stored, "duplicates": receipt.duplicates}) + "\n", mimetype="application/json"
    )


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


def _parse_row(here: Parts, line: str) -> HalfHour:
    """Return the half hour *line* tells of. Raises InvalidBatch naming the column, or UnknownCounter."""
    columns = [column.strip() for column in line.split(",")]
    if len(columns) != COLUMNS:
        raise InvalidBatch(f"a row has {COLUMNS} columns, this one {len(columns)}", field="row")
    for name, text in (("entries", columns[2]), ("exits", columns[3])):
        if not _COUNT.fullmatch(text) or int(text) > MOST_IN_HALF_HOUR:
            raise InvalidBatch(f"{name} is not a count of people", field=name)
    here.registry().keys_of(columns[4])  # raises UnknownCounter
    tz = here.registry().site_of(columns[4]).tz
    start_epoch_ms = _end_of_half_hour(here, columns[0], columns[1], tz) - HALF_HOUR_MS
    if start_epoch_ms < here.config.earliest_epoch_ms:
        raise InvalidBatch("the half hour is before this server's earliest time", field="date")
    return HalfHour(columns[4], start_epoch_ms, int(columns[2]), int(columns[3]))


def _end_of_half_hour(here: Parts, day_text: str, time_text: str, tz: ZoneInfo) -> int:
    """Return the instant a row's clock shows, in epoch ms. In a repeated hour: the later pass that is not to come."""
    day, clock = _DATE.fullmatch(day_text), _TIME.fullmatch(time_text)
    if day is None:
        raise InvalidBatch("date is not like 2026-5-4", field="date")
    if clock is None or int(clock[2]) % 30 or int(clock[3]):
        raise InvalidBatch("time is not the end of a half hour, like 08:30:00", field="time")
    try:
        local = datetime(*(int(part) for part in day.groups()), tzinfo=tz)  # type: ignore[misc,arg-type]  # three numbers
        local = datetime.combine(local, time(int(clock[1]), int(clock[2])), tzinfo=tz)
        passes = sorted({epoch_ms(local.replace(fold=fold).astimezone(UTC)) for fold in (0, 1)})
    except (ValueError, OverflowError) as exc:
        raise InvalidBatch(f"date or time is not real: {exc}", field="date") from None
    limit_epoch_ms = here.now_epoch_ms() + here.config.clock_tolerance_s * 1000
    past = [instant for instant in passes if instant <= limit_epoch_ms]
    if not past:
        raise InvalidBatch("the half hour has not ended yet by this server's clock", field="time")
    return past[-1]


def _conflict(receipt: HistoryReceipt) -> Refusal:
    came, kept = receipt.conflicts[0]
    message = (
        f"{came.counter} already has {kept[0]} entries and {kept[1]} exits in that half hour, "
        f"not {came.entries} and {came.exits}; the first stay"
    )
    log.error("refused a row of an old device: %s", message)
    return Refusal(409, "conflict", message, "row")
