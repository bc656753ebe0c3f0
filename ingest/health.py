"""``/healthz``: the process answers. ``/readyz``: a write succeeds. ``/metrics``: for Prometheus."""

from flask import Blueprint, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from ingest.context import context

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def read_health() -> Response:
    """Answer 200. A supervisor should restart a process that does not."""
    return Response('{"status": "ok"}\n', mimetype="application/json")


@blueprint.get("/readyz")
def read_readiness() -> Response:
    """Answer 200 after a real write and fsync to the journal, or 503 with the reason it failed."""
    ctx = context()
    ctx.commit.probe(ctx.now_epoch_ms())
    return Response('{"status": "ready"}\n', mimetype="application/json")


@blueprint.get("/metrics")
def read_metrics() -> Response:
    """Answer with the metrics in Prometheus's text format."""
    return Response(context().metrics.render(), content_type=CONTENT_TYPE_LATEST)
