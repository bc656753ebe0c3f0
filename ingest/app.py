"""The Flask app: each part of the service is a blueprint, every error has one shape."""

from flask import Flask, Response

from footfall import wire
from ingest import api, crossings, health, legacy, openapi
from ingest import http_errors as problems
from ingest.context import Context, attach
from ingest.pages import register


def create_app(context: Context) -> Flask:
    """Return the app that works with *context*."""
    app = Flask("ingest", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = wire.MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's default provider; answers read in their own order
    app.url_map.merge_slashes = False  # a wrong path is an error of the one shape, not a redirect
    attach(app, context)
    problems.init_app(app)
    for module in (crossings, legacy, api, health, openapi):
        app.register_blueprint(module.blueprint)
    register.init_app(app)

    @app.after_request
    def count(response: Response) -> Response:
        context.metrics.count_answer(response.status_code)
        return response

    return app
