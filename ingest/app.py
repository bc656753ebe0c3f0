"""The Flask app of ingest: a blueprint for each part, one shape for every error."""

from flask import Flask, Response

from footfall import wire
from ingest import api, crossings, health, http_errors, legacy, openapi
from ingest.context import Context, attach
from ingest.pages import register


def create_app(context: Context) -> Flask:
    """Return the app for *context*."""
    app = Flask("ingest", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = wire.MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider; keys keep the order of the code
    app.url_map.merge_slashes = False  # a wrong path is a JSON error, not a redirect
    attach(app, context)
    http_errors.init_app(app)
    for module in (crossings, legacy, api, health, openapi):
        app.register_blueprint(module.blueprint)
    register.init_app(app)

    @app.after_request
    def count_answer(response: Response) -> Response:
        context.metrics.count_answer(response.status_code)
        return response

    return app
