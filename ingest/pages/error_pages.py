"""Errors as HTML pages for browsers; other clients get the JSON of ingest.http_errors."""

import logging

from flask import Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from footfall.errors import FootfallError
from ingest.http_errors import RETRY_AFTER_S, http_exception_response, status_and_code
from ingest.pages.language import _

log = logging.getLogger(__name__)


def error_page(error: FootfallError) -> Response:
    """Return a page that says what went wrong and what to do."""
    status, _code = status_and_code(error)
    title = _("The numbers are unavailable right now") if status >= 500 else _("This page cannot be shown")
    if status >= 500:
        log.warning("page answered %d: %s", status, error.message)
    response = make_response(render_template("error.html", title=title, message=error.message, hint=error.hint), status)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def not_found_response(error: HTTPException) -> Response:
    """Return a page to browsers and JSON to other clients."""
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html":
        return http_exception_response(error)
    message = _("There is no page at this address.")
    return make_response(render_template("error.html", title=_("Page not found"), message=message, hint=""), 404)
