"""Errors as pages for people. Everybody else gets the one shape of ingest.http_errors."""

import logging

from flask import Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from footfall.errors import FootfallError
from ingest.http_errors import RETRY_AFTER_S, answer_http_exception, status_of
from ingest.pages.language import _

log = logging.getLogger(__name__)


def show_error(error: FootfallError) -> Response:
    """Return a page for people that says what went wrong and what to do."""
    status, _code = status_of(error)
    title = _("The figures cannot be read right now") if status >= 500 else _("That cannot be shown")
    if status >= 500:
        log.warning("a page was answered with %d: %s", status, error.message)
    response = make_response(render_template("error.html", title=title, message=error.message, hint=error.hint), status)
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def show_not_found(error: HTTPException) -> Response:
    """Return a page to browsers, and the one shape of errors to everybody else."""
    if request.accept_mimetypes.best_match(["application/json", "text/html"]) != "text/html":
        return answer_http_exception(error)
    message = _("There is no page at this address.")
    return make_response(render_template("error.html", title=_("Not found"), message=message, hint=""), 404)
