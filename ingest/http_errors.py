"""The one shape of every error ingest answers: {"error": {"code", "message", "field"}}."""

import logging
from dataclasses import dataclass

from flask import Flask, Response, json
from werkzeug.exceptions import HTTPException

from footfall.errors import BadSignature, FootfallError, InvalidBatch, StoreUnavailable, UnknownCounter

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5
"""How long a counter waits before it sends again when the store is unavailable."""


@dataclass
class Refusal(FootfallError):
    """A request is refused for a reason that is HTTP's, not the domain's."""

    status: int
    code: str
    message: str
    field: str = ""

    def __post_init__(self) -> None:
        """Be an exception that reads like any other of ours."""
        super().__init__(self.message)


_STATUS: dict[type[FootfallError], tuple[int, str]] = {
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
    """Make every error of *app* answer in the one shape."""
    app.register_error_handler(FootfallError, answer_footfall_error)
    app.register_error_handler(HTTPException, answer_http_exception)
    app.register_error_handler(Exception, _answer_unexpected)


def answer_footfall_error(error: FootfallError) -> Response:
    """Return the answer to a request that *error* ended."""
    status, code = status_of(error)
    message = f"{error.message}; {error.hint}" if error.hint else error.message
    response = problem(status, code, message, getattr(error, "field", ""))
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
        log.warning("answered 503: %s", message)
    return response


def status_of(error: FootfallError) -> tuple[int, str]:
    """Return the status and the code that *error* is answered with."""
    if isinstance(error, Refusal):
        return error.status, error.code
    return next((told for kind, told in _STATUS.items() if isinstance(error, kind)), (500, "internal"))


def problem(status: int, code: str, message: str, field: str = "") -> Response:
    """Return an error answer."""
    body = {"error": {"code": code, "message": message, "field": field}}
    return Response(json.dumps(body) + "\n", status, mimetype="application/json")


def answer_http_exception(error: HTTPException) -> Response:
    """Return the answer to a request that *error* of werkzeug ended."""
    status = error.code or 500
    response = problem(status, _HTTP_CODES.get(status, "refused"), error.description or error.name)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _answer_unexpected(error: Exception) -> Response:
    log.error("a request failed for a reason nobody foresaw; please report it", exc_info=error)
    return problem(500, "internal", "this server failed; its log says why. Nothing was stored: send again later")
