"""``POST /api/v1/crossings`` takes a signed batch and answers 200 once it is on disk. See docs/wire-format.md."""

import json
import logging

from flask import Blueprint, Response, request

from footfall import signing, wire
from footfall.errors import InvalidBatch
from footfall.model import Receipt
from ingest.context import Context, context
from ingest.http_errors import HttpError

log = logging.getLogger(__name__)
blueprint = Blueprint("crossings", __name__)


@blueprint.post(wire.PATH)
def take_batch() -> Response:
    """Verify, store and acknowledge one batch."""
    ctx = context()
    body = read_body("application/json")
    batch = wire.parse_body(body)
    now_s = ctx.clock()
    keys = ctx.registry().keys_of(batch.counter)
    headers = {name: value for name in signing.HEADERS if (value := request.headers.get(name)) is not None}
    signing.verify(keys, headers, body, now_s=now_s, tolerance_s=ctx.config.clock_tolerance_s)
    receipt = _store(ctx, batch, now_s)
    answer = {"stored": receipt.stored, "duplicates": receipt.duplicates, "through": receipt.through}
    return Response(json.dumps(answer) + "\n", mimetype="application/json")


def read_body(content_type: str) -> bytes:
    """Return the request's body. Raises HttpError unless it is *content_type*; Flask answers 413 if too large."""
    if request.mimetype != content_type:
        raise HttpError(415, "wrong_content_type", f"send Content-Type: {content_type}", "Content-Type")
    return request.get_data(cache=False)


def _store(ctx: Context, batch: wire.BatchBody, now_s: float) -> Receipt:
    try:
        arrival = wire.parse_arrival(
            batch,
            now_epoch_ms=int(now_s * 1000),
            earliest_epoch_ms=ctx.config.earliest_epoch_ms,
            ahead_ms=ctx.config.clock_tolerance_s * 1000,
        )
    except InvalidBatch as exc:
        log.error("refused a batch of %s for good: %s; check that counter's clock", batch.counter, exc.message)
        raise
    receipt = ctx.commit.append(arrival)
    ctx.metrics.count_batch(receipt)
    if receipt.conflicts:
        log.error(
            "conflicting crossings excluded from all totals: counter=%s stream=%s crossings=%d. Their seqs were stored "
            "before with other content, or imported history covers their half hours. Check for a second device with "
            "this id, or for an import that covers too much",
            batch.counter,
            batch.stream,
            receipt.conflicts,
        )
    return receipt
