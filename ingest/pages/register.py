"""Adds the pages to ingest's app: routes, languages, security headers."""

from flask import Flask, Response
from jinja2 import StrictUndefined

from footfall import __version__
from footfall.model import from_epoch_ms
from ingest.context import context
from ingest.pages import views
from ingest.pages.error_pages import not_found_response
from ingest.pages.language import request_language
from ingest.pages.password import require_password

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def load_templates(app: Flask) -> None:
    """Compile every template of *app*, so the first request is not slow."""
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)


def init_app(app: Flask) -> None:
    """Add the pages to *app*."""
    app.register_blueprint(views.blueprint)
    app.register_error_handler(404, not_found_response)
    app.before_request(require_password)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        lambda text: request_language().gettext(text),
        lambda *texts: request_language().ngettext(*texts),
        newstyle=True,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["asset_version"] = __version__
    app.jinja_env.globals["instant"] = from_epoch_ms

    @app.context_processor
    def page_variables() -> dict[str, object]:
        return {"lang": request_language(), "sites": context().registry().sites, "site": None, "page": ""}

    @app.after_request
    def add_headers(response: Response) -> Response:
        if response.mimetype == "text/html":
            for name, value in _HEADERS.items():
                response.headers[name] = value
            response.headers.setdefault("Cache-Control", "no-cache")
            response.headers["Content-Language"] = request_language().code
            response.headers.setdefault("Vary", "Accept-Language")
        return response
