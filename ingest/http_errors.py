"""Every error of ingest as one JSON shape: {"error": {"code", "message", "field"}}."""

import logging

from flask import Flask, Response, json
from werkzeug.exceptions import HTTPException

from footfall.errors import BadSignature, FootfallError, InvalidBatch, StoreUnavailable, UnknownCounter

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5
"""How long a counter waits before it retries while the store is unavailable."""


class HttpError(FootfallError):
    """A request that ingest answers with this ``status`` and ``code``, for a reason of HTTP or of its parameters."""

    def __init__(self, status: int, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.field = field


_STATUS_AND_CODE: dict[type[FootfallError], tuple[int, str]] = {
    InvalidBatch: (400, "invalid_batch"),
    UnknownCounter: (401, "unknown_counter"),
    BadSignature: (401, "bad_signature"),
    StoreUnavailable: (503, "store_unavailable"),
}
_HTTP_CODES = {
    400: "bad_request",
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
    415: "wrong_content_type",
}


def init_app(app: Flask) -> None:
    """Give every error of *app* the one shape."""
    app.register_error_handler(FootfallError, footfall_error_response)
    app.register_error_handler(HTTPException, http_exception_response)
    app.register_error_handler(Exception, _unexpected_error_response)


def footfall_error_response(error: FootfallError) -> Response:
    """Return the response to a request that failed with *error*."""
    status, code = status_and_code(error)
    message = f"{error.message}; {error.hint}" if error.hint else error.message
    response = error_response(status, code, message, getattr(error, "field", ""))
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
        log.warning("answered 503: %s", message)
    return response


def status_and_code(error: FootfallError) -> tuple[int, str]:
    """Return the HTTP status and the ``code`` for *error*."""
    if isinstance(error, HttpError):
        return error.status, error.code
    return next((found for kind, found in _STATUS_AND_CODE.items() if isinstance(error, kind)), (500, "internal"))


def error_response(status: int, code: str, message: str, field: str = "") -> Response:
    """Return a response in the one shape."""
    body = {"error": {"code": code, "message": message, "field": field}}
    return Response(json.dumps(body) + "\n", status, mimetype="application/json")


def http_exception_response(error: HTTPException) -> Response:
    """Return the response to a request that werkzeug ended with *error*."""
    status = error.code or 500
    response = error_response(status, _HTTP_CODES.get(status, "refused"), error.description or error.name)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _unexpected_error_response(error: Exception) -> Response:
    log.error("unexpected error while handling a request; please report it", exc_info=error)
    return error_response(
        500, "internal", "unexpected server error; see the server's log. Nothing was stored: retry later"
    )
