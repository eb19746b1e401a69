"""The wiring: settings in, a Flask application out."""

from __future__ import annotations

from flask import Flask, Response, jsonify

from mock_idp import authorize, control, interaction, operations, pages, publication, token_endpoint
from mock_idp.bank import Bank, open_bank
from mock_idp.config import Config
from mock_idp.issuers import all_issuers


def create_app(config: Config) -> Flask:
    """The mock banks as a WSGI application; its Bank is `app.extensions["mock_idp"]`."""
    app = Flask(__name__)
    bank: Bank = open_bank(config)
    app.extensions["mock_idp"] = bank
    for module in (authorize, token_endpoint, publication, interaction, operations):
        app.register_blueprint(module.create_blueprint(bank))
    if config.control:
        app.register_blueprint(control.create_blueprint(bank))
    app.after_request(_secure)

    @app.get("/")
    def home() -> Response:
        return pages.home([issuer.url(config) for issuer in all_issuers()], control=config.control)

    @app.errorhandler(404)
    def not_found(_error: Exception) -> Response:
        return pages.not_found()

    @app.get("/livez")
    def livez() -> Response:
        return jsonify(status="ok")

    return app


def _secure(response: Response) -> Response:
    return pages.secure(response) if response.mimetype == "text/html" else response
