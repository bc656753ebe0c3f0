"""Password protection: once set, every page and number requires it as HTTP Basic, with any user name (RFC 7617).

The routes of counters and health checks never require it, and the display only if configured to.
"""

import hmac

from flask import Response, request

from ingest.context import context
from ingest.pages.language import _

_OPEN_BLUEPRINTS = frozenset({"crossings", "legacy", "openapi"})
_OPEN_ENDPOINTS = frozenset({"pages.static", "health.read_health", "health.read_readiness"})
_DISPLAY_ENDPOINTS = frozenset({"pages.show_display", "pages.show_first_display", "pages.refresh_display"})


def require_password() -> Response | None:
    """Return a 401 response if the request lacks the password it needs, else None."""
    config = context().config
    if config.pages_password is None or _is_open(config.pages.display_open):
        return None
    given = request.authorization
    if given is not None and given.type == "basic" and _is_equal(given.password or "", config.pages_password):
        return None
    response = Response(_("This page is protected by a password.") + "\n", 401, mimetype="text/plain")
    response.headers["WWW-Authenticate"] = 'Basic realm="Footfall", charset="UTF-8"'
    return response


def _is_open(display_open: bool) -> bool:
    if request.endpoint is None or request.blueprint in _OPEN_BLUEPRINTS or request.endpoint in _OPEN_ENDPOINTS:
        return True
    return display_open and request.endpoint in _DISPLAY_ENDPOINTS


def _is_equal(given: str, expected: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(), expected.encode())
