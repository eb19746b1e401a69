"""The stand-in online service as people use it, with peers that do as a test says: registration's API, the broker."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask, Response, jsonify, request
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.test import TestResponse

from demo.online_service.app import SECTIONS

ONLINE = "http://127.0.0.1:8004"
ISSUER = "http://broker.example"
REGISTRATION = "http://registration.example"
SECRET = "s ecret:/&ä"
PERSON = {"sub": "sub-aino", "given_name": "Aino", "family_name": "Öberg", "terms_accepted": True}
PERSON |= {"terms_url": f"{REGISTRATION}/terms/accept"}
READ, WRITE, NONE = "read", "write", "none"


def company(fo_nummer: str = "1234567-1", name: str = "Åkes <El> Ab", **levels: str) -> dict[str, Any]:
    sections = dict.fromkeys((*SECTIONS, "users"), NONE) | levels
    numbers = ["100200", "100201"]
    about = {"fo_nummer": fo_nummer, "name": name, "customer_numbers": numbers, "administrator": False}
    return about | {"sections": sections}


@dataclass
class Peers:
    """Registration's API and the broker's token endpoint, over HTTP. asked: each call's path and way in."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=lambda: dict(PERSON))
    companies: list[dict[str, Any]] = field(default_factory=lambda: [company(consumption=WRITE, contracts=READ)])
    refusal: tuple[int, dict[str, str]] | None = None
    bearer_works: bool = True
    answers_sub: str | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True))
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)

    def app(self) -> Flask:
        app = Flask("peers")
        basic = "Basic " + base64.b64encode(b"online-service:s+ecret%3A%2F%26%C3%A4").decode()

        @app.post("/api/sign-in")
        def sign_in() -> Response:
            self.asked.append((request.path, "client"))
            assert request.headers["Authorization"] == basic
            self.bodies.append(request.json)
            if self.refusal:
                status, headers = self.refusal
                answer = jsonify(error="access_denied")
                answer.status_code = status
                answer.headers.update(headers)
                return answer
            return jsonify(self.person)

        @app.get("/api/rights")
        def rights() -> Response:
            given = request.headers["Authorization"]
            way = "client" if given == basic else "token"
            self.asked.append((request.path, way))
            assert way == "token" or request.args["sub"] == PERSON["sub"]
            if self.refusal:
                return Response(status=self.refusal[0])
            if way == "token" and not self.bearer_works:
                return Response(status=401)
            terms = {name: self.person.get(name) for name in ("terms_accepted", "terms_url")}
            answer = jsonify(sub=self.answers_sub or PERSON["sub"], companies=self.companies, **terms)
            answer.add_etag()
            answer.make_conditional(request)
            self.asked[-1] += (answer.status_code,)  # type: ignore[operator]
            return answer

        @app.post("/token")
        def token() -> Response:
            now = int(time.time())
            claims = {"iss": ISSUER, "aud": "online-service", "sub": PERSON["sub"], "iat": now, "exp": now + 300}
            claims |= {"nonce": self.nonce, "name": "Aino Öberg"} | self.claims
            signed = jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)
            return jsonify(access_token="a", token_type="Bearer", id_token=signed)

        @app.get("/jwks")
        def jwks() -> Response:
            return jsonify(keys=[self.key.as_dict(private=False)])

        return app


def get(browser: FlaskClient, path: str, **query: str) -> TestResponse:
    return browser.get(path, base_url=ONLINE, query_string=query)


def token_of(page: TestResponse) -> str:
    return re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[-1]


def sign_in(browser: FlaskClient, **fields: str) -> TestResponse:
    usual = {"user_name": "aino", "password": "Kesäyö-2026!", "csrf_token": token_of(get(browser, "/"))}
    return browser.post("/sign-in", base_url=ONLINE, data=usual | fields)


def identify(browser: FlaskClient, peers: Peers, **claims: Any) -> TestResponse:
    """Go away to the broker and come back with a code."""
    away = get(browser, "/identify")
    sent = parse_qs(urlsplit(away.location).query)
    peers.nonce, peers.claims = sent["nonce"][0], claims
    return get(browser, "/callback", code="c", state=sent["state"][0], iss=ISSUER)


def links(page: TestResponse) -> dict[str, str]:
    """The links to sections on the home page."""
    return {path.rsplit("/", 1)[1]: path for path in re.findall(r'href="(/companies/[^"]+)"', page.text)}
