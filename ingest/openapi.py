"""The OpenAPI 3.1 document at ``/api/openapi.json``. The schema of a batch comes from the types of the wire format."""

from typing import Any

import msgspec
from flask import Blueprint, Response, json

from footfall import __version__, wire

blueprint = Blueprint("openapi", __name__)

Schema = dict[str, Any]
_JSON = "application/json"


@blueprint.get("/api/openapi.json")
def read_openapi() -> Response:
    """Return the document as JSON."""
    return Response(json.dumps(document(), sort_keys=False, indent=1) + "\n", mimetype=_JSON)


def document() -> Schema:
    """Return the document."""
    _, components = msgspec.json.schema_components([wire.BatchBody], ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Footfall ingest",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Stores counters' signed batches and serves occupancy. Contract: docs/wire-format.md.",
        },
        "paths": {
            wire.PATH: {"post": _take_batch()},
            "/": {"get": _show_page(), "post": _take_row()},
            "/api/v1/sites": {"get": _read("listSites", "List all sites", "Sites")},
            "/api/v1/sites/{site}/occupancy": {
                "get": _read("readOccupancy", "Get the people inside now", "Occupancy", _SITE, unknown="No such site.")
            },
            "/api/v1/sites/{site}/buckets": {
                "get": _read(
                    "readBuckets",
                    "List a day's half hours",
                    "Buckets",
                    _SITE,
                    _DAY,
                    unknown="No such site.",
                    bad=True,
                )
            },
            "/api/v1/counters": {"get": _read("listCounters", "List all counters and their state", "Counters")},
            "/api/v1/forwarder": {"get": _read("readForwarder", "Get the forwarder's progress", "Forwarder")},
            "/healthz": {"get": _read("readHealth", "Check that the process answers", "State")},
            "/readyz": {"get": _read("readReadiness", "Check that a write succeeds", "State")},
            "/metrics": {
                "get": {
                    "operationId": "readMetrics",
                    "summary": "Get metrics for Prometheus",
                    "responses": _text_answer(),
                }
            },
            "/api/openapi.json": {"get": _read("readOpenapi", "Get this document", "Document")},
        },
        "components": {"schemas": {**components, **_ANSWERS}},
    }


def _of(schema: str) -> Schema:
    return {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _error(description: str) -> Schema:
    return {"description": description, "content": _of("Error")}


_UNAVAILABLE: Schema = {
    **_error("The store is unavailable and nothing was stored. Retry after Retry-After."),
    "headers": {"Retry-After": {"description": "Seconds to wait before the retry.", "schema": {"type": "integer"}}},
}


def _read(name: str, summary: str, schema: str, *parameters: Schema, unknown: str = "", bad: bool = False) -> Schema:
    responses: Schema = {"200": {"description": summary, "content": _of(schema)}, "503": _UNAVAILABLE}
    if unknown:
        responses["404"] = _error(unknown)
    if bad:
        responses["400"] = _error("A parameter is invalid.")
    return {"operationId": name, "summary": summary, "parameters": list(parameters), "responses": responses}


def _take_batch() -> Schema:
    headers = {
        "webhook-id": "Id of the message, the same on every retry.",
        "webhook-timestamp": "When the message was signed, in seconds since 1970 UTC.",
        "webhook-signature": "v1,<base64 of HMAC-SHA256 over id.timestamp.body>; several, separated by spaces.",
    }
    return {
        "operationId": "takeBatch",
        "summary": "Store a batch of crossings",
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        ],
        "requestBody": {"required": True, "content": _of("BatchBody")},
        "responses": {
            "200": {"description": "Stored durably. Drop every crossing up to `through`.", "content": _of("Receipt")},
            "400": _error("The body breaks the wire format. Never resend it."),
            "401": _error("The signature is missing, wrong or outside the clock tolerance."),
            "408": _error("The body did not arrive in time. Retry."),
            "413": _error("The body is over 256 KiB. Send fewer crossings per batch."),
            "415": _error("Content-Type is not application/json."),
            "503": _UNAVAILABLE,
        },
    }


def _take_row() -> Schema:
    return {
        "operationId": "takeLegacyRow",
        "summary": "Store a half hour from an old device (off unless enabled)",
        "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}},
        "responses": {
            "200": {"description": "Stored durably.", "content": _of("Kept")},
            "400": _error("The row is malformed."),
            "401": _error("Unknown counter."),
            "403": _error("The client is not in an allowed network."),
            "404": _error("Rows from old devices are not enabled."),
            "408": _error("The body did not arrive in time. Retry."),
            "409": _error("That half hour is already stored with other counts, which stay."),
            "413": _error("The body is over 256 KiB."),
            "415": _error("Content-Type is not text/plain."),
            "503": _UNAVAILABLE,
        },
    }


def _show_page() -> Schema:
    page = {"text/html": {"schema": {"type": "string"}}}
    return {
        "operationId": "showPage",
        "summary": "Show the home page; the addresses of other pages may change",
        "responses": {
            "200": {"description": "The people inside now.", "content": page},
            "503": {"description": "The store is unavailable. Retry later.", "content": page},
        },
    }


def _text_answer() -> Schema:
    return {
        "200": {
            "description": "Prometheus text format.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        },
        "503": _UNAVAILABLE,
    }


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


_SITE: Schema = {"name": "site", "in": "path", "required": True, "schema": {"type": "string"}}
_DAY: Schema = {
    "name": "day",
    "in": "query",
    "description": "A local date such as 2026-05-04. Default: today.",
    "schema": {"type": "string", "format": "date"},
}
_TEXT: Schema = {"type": "string"}
_MAYBE_TEXT: Schema = {"type": ["string", "null"]}
_WHOLE: Schema = {"type": "integer"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_MAYBE_COUNT: Schema = {"type": ["integer", "null"], "minimum": 0}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_MAYBE_MOMENT: Schema = {"type": ["string", "null"], "format": "date-time"}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_FLAG: Schema = {"type": "boolean"}
_TALLY: dict[str, Schema] = {"entries": _MAYBE_COUNT, "exits": _MAYBE_COUNT, "covered": _SHARE}

_ANSWERS: dict[str, Schema] = {
    "Error": _object(error=_object(code=_TEXT, message=_TEXT, field=_TEXT)),
    "Receipt": _object(stored=_COUNT, duplicates=_COUNT, through=_WHOLE),
    "Kept": _object(stored=_COUNT, duplicates=_COUNT),
    "State": _object(status=_TEXT),
    "Document": {"type": "object"},
    "Sites": _object(
        sites=_list(_object(id=_TEXT, name=_TEXT, code=_TEXT, timezone=_TEXT, hours=_TEXT, capacity=_MAYBE_COUNT))
    ),
    "Occupancy": _object(
        site=_TEXT, name=_TEXT, at=_MOMENT, occupancy=_COUNT, capacity=_MAYBE_COUNT, entries=_COUNT, exits=_COUNT,
        since=_MOMENT, complete=_FLAG, silent_counters=_list(_TEXT),
    ),
    "Buckets": _object(
        site=_TEXT,
        day={"type": "string", "format": "date"},
        timezone=_TEXT,
        buckets=_list(
            _object(
                start=_MOMENT, end=_MOMENT, **_TALLY, occupancy=_MAYBE_COUNT,
                counters={"type": "object", "additionalProperties": _object(**_TALLY)},
            )
        ),
    ),
    "Forwarder": _object(
        forwarding=_FLAG, waiting=_MAYBE_COUNT, lag_s=_MAYBE_COUNT, written_through=_MAYBE_MOMENT,
        points_written=_MAYBE_COUNT, points_expired=_MAYBE_COUNT, quarantined=_MAYBE_COUNT, last_error=_MAYBE_TEXT,
        hint=_MAYBE_TEXT, failing_since=_MAYBE_MOMENT, next_try=_MAYBE_MOMENT,
    ),
    "Counters": _object(
        counters=_list(
            _object(
                id=_TEXT, site=_TEXT, name=_TEXT, location=_TEXT, state={"enum": ["counting", "silent", "never heard"]},
                last_seen=_MAYBE_MOMENT, last_crossing=_MAYBE_MOMENT, covered_to=_MAYBE_MOMENT,
                lost=_COUNT, undated=_COUNT, conflicts=_COUNT, status={"type": "object"},
            )
        )
    ),
}  # fmt: skip
