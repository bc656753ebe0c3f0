"""Who may look. With a password set, every page and every figure asks for it: HTTP Basic, any user name (RFC 7617).

The display at the entrance may stay open, and what counters and health checks use always does.
"""

import hmac

from flask import Response, request

from ingest.context import context
from ingest.pages.language import _

_ALWAYS_OPEN = frozenset({"crossings", "legacy", "openapi"})
_OPEN_PAGES = frozenset({"pages.static", "health.tell_health", "health.tell_readiness"})
_DISPLAY_PAGES = frozenset({"pages.show_display", "pages.show_first_display", "pages.tell_display"})


def require_password() -> Response | None:
    """Return a refusal where the request needs a password and brings none or another; else None."""
    config = context().config
    if config.pages_password is None or _is_open(config.pages.display_open):
        return None
    given = request.authorization
    if given is not None and given.type == "basic" and _equal(given.password or "", config.pages_password):
        return None
    response = Response(_("This page needs the password that was set for it.") + "\n", 401, mimetype="text/plain")
    response.headers["WWW-Authenticate"] = 'Basic realm="Footfall", charset="UTF-8"'
    return response


def _is_open(display_open: bool) -> bool:
    if request.endpoint is None or request.blueprint in _ALWAYS_OPEN or request.endpoint in _OPEN_PAGES:
        return True
    return display_open and request.endpoint in _DISPLAY_PAGES


def _equal(given: str, wanted: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(), wanted.encode())
