"""Puts the pages into ingest's app: their addresses, their languages, and the headers that keep strangers out."""

from flask import Flask, Response
from jinja2 import StrictUndefined

from footfall import __version__
from footfall.model import from_epoch_ms
from ingest.context import context
from ingest.pages import views
from ingest.pages.access import require_password
from ingest.pages.error_pages import show_not_found
from ingest.pages.language import wanted

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def load_templates(app: Flask) -> None:
    """Compile every template of *app* now, so that not the first viewer waits for it."""
    for name in app.jinja_env.list_templates():
        app.jinja_env.get_template(name)


def init_app(app: Flask) -> None:
    """Give *app* its pages."""
    app.register_blueprint(views.blueprint)
    app.register_error_handler(404, show_not_found)
    app.before_request(require_password)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        lambda text: wanted().gettext(text), lambda *texts: wanted().ngettext(*texts), newstyle=True
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["asset_version"] = __version__
    app.jinja_env.globals["instant"] = from_epoch_ms

    @app.context_processor
    def common() -> dict[str, object]:
        return {"lang": wanted(), "sites": context().registry().sites, "site": None, "page": ""}

    @app.after_request
    def protect(response: Response) -> Response:
        if response.mimetype == "text/html":
            for name, value in _HEADERS.items():
                response.headers[name] = value
            response.headers.setdefault("Cache-Control", "no-cache")
            response.headers["Content-Language"] = wanted().code
            response.headers.setdefault("Vary", "Accept-Language")
        return response
