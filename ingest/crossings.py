"""``POST /api/v1/crossings``: a counter's signed batch in, 200 only after it is on disk. See docs/wire-format.md."""

import json
import logging

from flask import Blueprint, Response, request

from footfall import signing, wire
from footfall.errors import InvalidBatch
from footfall.model import Receipt
from ingest.context import Context, context
from ingest.http_errors import Refusal

log = logging.getLogger(__name__)
blueprint = Blueprint("crossings", __name__)


@blueprint.post(wire.PATH)
def take_batch() -> Response:
    """Check, keep and acknowledge one batch."""
    here = context()
    body = read_body("application/json")
    batch = wire.parse_body(body)
    now_s = here.clock()
    keys = here.registry().keys_of(batch.counter)
    headers = {name: value for name in signing.HEADERS if (value := request.headers.get(name)) is not None}
    signing.verify(keys, headers, body, now_s=now_s, tolerance_s=here.config.clock_tolerance_s)
    receipt = _keep(here, batch, now_s)
    answer = {"stored": receipt.stored, "duplicates": receipt.duplicates, "through": receipt.through}
    return Response(json.dumps(answer) + "\n", mimetype="application/json")


def read_body(content_type: str) -> bytes:
    """Return the request's body. Raises a Refusal when it is not *content_type*; Flask answers 413 past the limit."""
    if request.mimetype != content_type:
        raise Refusal(415, "wrong_content_type", f"send Content-Type: {content_type}", "Content-Type")
    return request.get_data(cache=False)


def _keep(here: Context, batch: wire.BatchBody, now_s: float) -> Receipt:
    try:
        arrival = wire.parse_arrival(
            batch,
            now_epoch_ms=int(now_s * 1000),
            earliest_epoch_ms=here.config.earliest_epoch_ms,
            ahead_ms=here.config.clock_tolerance_s * 1000,
        )
    except InvalidBatch as exc:
        log.error("refused a batch of %s for good: %s; look at that counter's clock", batch.counter, exc.message)
        raise
    receipt = here.commit.append(arrival)
    here.metrics.count_batch(receipt)
    if receipt.conflicts:
        log.error(
            "%d crossings of %s, stream %s, are in no sum: their seqs came again with other content, or their half "
            "hours were told by history. Do two devices use this id, or was too much imported?",
            receipt.conflicts,
            batch.counter,
            batch.stream,
        )
    return receipt
