"""The OpenAPI 3.1 document at ``/api/openapi.json``. The batch's schema comes from the wire format's own types."""

from typing import Any

import msgspec
from flask import Blueprint, Response, json

from footfall import __version__, wire

blueprint = Blueprint("openapi", __name__)

Schema = dict[str, Any]
_JSON = "application/json"


@blueprint.get("/api/openapi.json")
def tell_openapi() -> Response:
    """Answer with the document."""
    return Response(json.dumps(document(), sort_keys=False, indent=1) + "\n", mimetype=_JSON)


def document() -> Schema:
    """Return the whole document."""
    _, components = msgspec.json.schema_components([wire.BatchBody], ref_template="#/components/schemas/{name}")
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Footfall ingest",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "Takes counters' signed batches, tells occupancy. docs/wire-format.md is the contract.",
        },
        "paths": {
            wire.PATH: {"post": _take_batch()},
            "/": {"get": _show_page(), "post": _take_row()},
            "/api/v1/sites": {"get": _read("listSites", "Every site", "Sites")},
            "/api/v1/sites/{site}/occupancy": {
                "get": _read("readOccupancy", "People inside now", "Occupancy", _SITE, unknown="no such site")
            },
            "/api/v1/sites/{site}/buckets": {
                "get": _read(
                    "readBuckets", "The half hours of a day", "Buckets", _SITE, _DAY, unknown="no such site", bad=True
                )
            },
            "/api/v1/counters": {"get": _read("listCounters", "Every counter and how it is doing", "Counters")},
            "/api/v1/forwarder": {"get": _read("readForwarder", "How far InfluxDB has been told", "Forwarder")},
            "/healthz": {"get": _read("readHealth", "The process answers", "State")},
            "/readyz": {"get": _read("readReadiness", "A write would succeed now", "State")},
            "/metrics": {
                "get": {"operationId": "readMetrics", "summary": "For Prometheus", "responses": _text_answer()}
            },
            "/api/openapi.json": {"get": _read("readOpenapi", "This document", "Document")},
        },
        "components": {"schemas": {**components, **_ANSWERS}},
    }


def _of(schema: str) -> Schema:
    return {_JSON: {"schema": {"$ref": f"#/components/schemas/{schema}"}}}


def _refused(description: str) -> Schema:
    return {"description": description, "content": _of("Error")}


_UNAVAILABLE: Schema = {
    **_refused("The store cannot do this now; nothing was kept. Send again after Retry-After."),
    "headers": {"Retry-After": {"description": "seconds", "schema": {"type": "integer"}}},
}


def _read(name: str, summary: str, schema: str, *parameters: Schema, unknown: str = "", bad: bool = False) -> Schema:
    responses: Schema = {"200": {"description": summary, "content": _of(schema)}, "503": _UNAVAILABLE}
    if unknown:
        responses["404"] = _refused(unknown)
    if bad:
        responses["400"] = _refused("a parameter is wrong")
    return {"operationId": name, "summary": summary, "parameters": list(parameters), "responses": responses}


def _take_batch() -> Schema:
    headers = {
        "webhook-id": "names this message; the same for a resend",
        "webhook-timestamp": "seconds since 1970 UTC at which it was signed",
        "webhook-signature": "v1,<base64 of HMAC-SHA256 over id.timestamp.body>, several separated by spaces",
    }
    return {
        "operationId": "takeBatch",
        "summary": "Keep a counter's crossings",
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        ],
        "requestBody": {"required": True, "content": _of("BatchBody")},
        "responses": {
            "200": {"description": "Durable. Drop what is <= through.", "content": _of("Receipt")},
            "400": _refused("The body breaks the wire format: never resend it."),
            "401": _refused("Not signed, or not by this counter, or not now: mend key or clock and sign again."),
            "408": _refused("The body did not arrive in time: send it again."),
            "413": _refused("The body is over 256 KiB: send fewer crossings at a time."),
            "415": _refused("Content-Type is not application/json."),
            "503": _UNAVAILABLE,
        },
    }


def _take_row() -> Schema:
    return {
        "operationId": "takeLegacyRow",
        "summary": "Keep a half hour of an old device; off unless enabled",
        "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}},
        "responses": {
            "200": {"description": "Durable.", "content": _of("Kept")},
            "400": _refused("The row cannot be read."),
            "401": _refused("No such counter."),
            "403": _refused("Not from a network that is allowed."),
            "404": _refused("Not enabled here."),
            "408": _refused("The body did not arrive in time: send it again."),
            "409": _refused("That half hour is known with other figures, which stay."),
            "413": _refused("The body is over 256 KiB."),
            "415": _refused("Content-Type is not text/plain."),
            "503": _UNAVAILABLE,
        },
    }


def _show_page() -> Schema:
    page = {"text/html": {"schema": {"type": "string"}}}
    return {
        "operationId": "showPage",
        "summary": "The first page for people; its address is the only one of a page that is fixed",
        "responses": {
            "200": {"description": "people inside now", "content": page},
            "503": {"description": "the store cannot be read; send again later", "content": page},
        },
    }


def _text_answer() -> Schema:
    return {
        "200": {"description": "Prometheus text format", "content": {"text/plain": {"schema": {"type": "string"}}}},
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
    "description": "a local date, 2026-05-04; today unless given",
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
