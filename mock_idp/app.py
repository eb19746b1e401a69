"""The wiring: settings in, a Flask application out."""

from __future__ import annotations

from pathlib import Path

from flask import Flask, Response, jsonify

from kit.pages.shared_look import use_shared_look
from mock_idp import operations
from mock_idp.bank import Bank, open_bank
from mock_idp.config import Config
from mock_idp.control import api
from mock_idp.pages import rendering, routes
from mock_idp.protocol import authorize, publication, token_endpoint
from mock_idp.protocol.issuers import all_issuers


def create_app(config: Config) -> Flask:
    """The mock banks as a WSGI application; its Bank is `app.extensions["mock_idp"]`."""
    app = Flask(__name__, static_folder=None)
    use_shared_look(app, Path(rendering.__file__).parent, rendering.not_found)
    bank: Bank = open_bank(config)
    app.extensions["mock_idp"] = bank
    for module in (authorize, token_endpoint, publication, routes, operations):
        app.register_blueprint(module.create_blueprint(bank))
    if config.control:
        app.register_blueprint(api.create_blueprint(bank))
    app.after_request(_secure)

    @app.get("/")
    def home() -> Response:
        return rendering.home([issuer.url(config) for issuer in all_issuers()], control=config.control)

    @app.errorhandler(404)
    def not_found(_error: Exception) -> Response:
        return rendering.not_found()

    @app.get("/livez")
    def livez() -> Response:
        return jsonify(status="ok")

    return app


def _secure(response: Response) -> Response:
    return rendering.secure(response) if response.mimetype == "text/html" else response
