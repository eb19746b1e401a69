"""The example portal's pages, in the whole application. The list of banks comes from the broker's pages, over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.wrappers import Response

from demo.portal.app import create_app
from demo.portal.client_keys import ClientKeys
from tests.gallery.state import Draw, State, states

SERVICE = "portal"
URL = "http://127.0.0.1:8003"
REGISTRATION = "http://127.0.0.1:8001"
NOBODY = "http://127.0.0.1:9"
IDENTITY = {
    "name": "Hilja Maria Korhonen-Lindqvist",
    "given_name": "Hilja Maria",
    "family_name": "Korhonen-Lindqvist",
    "birthdate": "1985-06-15",
    "idp": "nordea",
    "acr": "http://ftn.ficora.fi/2017/loatest2",
    "amr": ["pwd", "otp"],
    "auth_time": 1_795_600_000,
    "txn": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "sub": "Qk7lP0vWm3dZs9yT1uXeHcRbNfJgAiLoQk7lP0vWm3d",
}


def portal_states(issuer: str, disturbed: str) -> tuple[list[State], Flask]:
    """The states, and the application whose static files they refer to.

    issuer: a broker that answers. disturbed: one whose banks have disturbances and required texts.
    """
    keys = ClientKeys.generate()
    made = {
        back: create_app(URL, issuer, keys, "only for tests", back, REGISTRATION)
        for back in (issuer, disturbed, NOBODY)
    }
    alone = create_app(URL, issuer, keys, "only for tests")

    def page(app: Flask, path: str, **kept: Any) -> Draw:
        def draw(locale: str) -> Response:
            client = app.test_client()
            with client.session_transaction(base_url=URL) as session:
                session["language"] = locale
                session.update(kept)
            return client.get(path, base_url=URL, follow_redirects=True)

        return draw

    draws = {
        "start": page(made[issuer], "/"),
        "start, disturbances and required texts": page(made[disturbed], "/"),
        "start, no broker": page(made[NOBODY], "/"),
        "start, without registration": page(alone, "/"),
        "identity": page(made[issuer], "/identity", identity=IDENTITY),
        "failed": page(made[issuer], "/callback"),
        "left": page(made[issuer], "/failed", failure={"status": 400, "error": "access_denied"}),
    }
    return states(SERVICE, draws), alone
