"""``/healthz``: the process answers. ``/readyz``: a write would succeed now. ``/metrics``: for Prometheus."""

from flask import Blueprint, Response
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from ingest.context import context

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def tell_health() -> Response:
    """Answer 200: this process works. Restart it when it does not answer."""
    return Response('{"status": "ok"}\n', mimetype="application/json")


@blueprint.get("/readyz")
def tell_readiness() -> Response:
    """Answer 200 after a real write and fsync to the journal, 503 with the reason when it fails."""
    here = context()
    here.commit.probe(here.now_epoch_ms())
    return Response('{"status": "ready"}\n', mimetype="application/json")


@blueprint.get("/metrics")
def tell_metrics() -> Response:
    """Answer with the metrics, in Prometheus's text format."""
    return Response(context().metrics.render(), content_type=CONTENT_TYPE_LATEST)
