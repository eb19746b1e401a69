"""The floor that the broker is measured against: a bare Flask broker with the same cryptography, and nothing else on.

Three requests, four commands of the store, one call to the bank, joserfc for all of JOSE: a signed request object, a
client assertion, an ID token decrypted and its signature verified, a client's assertion verified, an identity token
signed. It is no broker: it checks no claim, binds no browser, limits, seals, logs and audits nothing.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import redis
import requests
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask, Response, redirect, request
from joserfc import jwe, jws
from joserfc.jwk import ECKey, KeySet, RSAKey

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
GIVEN_NAME, FAMILY_NAME, BORN = ("urn:oid:1.2.246.575.1.14", "urn:oid:2.5.4.4", "urn:oid:1.3.6.1.5.5.7.9.1")
SECONDS = 600


@dataclass(frozen=True)
class Parts:
    """What the floor is made of. told: what `bench.subjects` writes; `tests/peers/broker.mjs` reads the same."""

    told: Mapping[str, Any]
    store: redis.Redis
    session: requests.Session
    sign: RSAKey
    decrypt: RSAKey
    issue: ECKey
    client: ECKey
    bank: KeySet

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Parts:
        """Every key parsed once."""
        session = requests.Session()
        session.trust_env = False
        keys = told["keys"]
        return cls(
            told,
            redis.Redis.from_url(told["store_url"]),
            session,
            RSAKey.import_key(keys["rp-sig"]),
            RSAKey.import_key(keys["rp-enc"]),
            ECKey.import_key(keys["id-token-sig"]),
            ECKey.import_key(told["client"]["jwk"]),
            KeySet.import_key_set({"keys": told["bank"]["keys"]}),
        )


def _signed(key: RSAKey | ECKey, alg: str, claims: Mapping[str, Any]) -> str:
    return jws.serialize_compact({"alg": alg, "kid": key.kid, "typ": "JWT"}, json.dumps(claims), key, algorithms=[alg])


def begin(parts: Parts) -> Response:
    """To the bank, with a signed request object."""
    bank, now = parts.told["bank"], int(time.time())
    state, nonce, verifier = secrets.token_hex(32), secrets.token_hex(32), secrets.token_urlsafe(48)
    claims = {
        "iss": bank["client_id"],
        "client_id": bank["client_id"],
        "aud": bank["issuer"],
        "response_type": "code",
        "redirect_uri": parts.told["redirect_uri"],
        "scope": "openid",
        "state": state,
        "nonce": nonce,
        "acr_values": bank["acr_values"],
        "prompt": "login",
        "ui_locales": "fi",
        "jti": secrets.token_hex(16),
        "iat": now,
        "exp": now + SECONDS,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    kept = {"wanted": request.args.to_dict(), "verifier": verifier, "nonce": nonce}
    parts.store.set(f"floor:{state}", json.dumps(kept), ex=SECONDS)
    query = {"client_id": bank["client_id"], "request": _signed(parts.sign, "RS256", claims)}
    return _see_other(f"{bank['authorization_endpoint']}?{urlencode(query)}")


def finish(parts: Parts) -> Response:
    """Back from the bank: the code exchanged, the ID token opened, a code of our own."""
    bank, now = parts.told["bank"], int(time.time())
    kept = json.loads(parts.store.getdel(f"floor:{request.args['state']}"))  # type: ignore[arg-type]
    about_us = {"iss": bank["client_id"], "sub": bank["client_id"], "aud": bank["token_endpoint"], "iat": now}
    form = {
        "grant_type": "authorization_code",
        "code": request.args["code"],
        "redirect_uri": parts.told["redirect_uri"],
        "client_id": bank["client_id"],
        "code_verifier": kept["verifier"],
        "client_assertion_type": ASSERTION,
        "client_assertion": _signed(parts.sign, "RS256", {**about_us, "exp": now + 300, "jti": secrets.token_hex(16)}),
    }
    answer = parts.session.post(bank["token_endpoint"], data=form, timeout=10).json()
    opened = jwe.decrypt_compact(answer["id_token"], parts.decrypt, algorithms=["RSA-OAEP", "A128CBC-HS256"])
    claims = json.loads(jws.deserialize_compact((opened.plaintext or b"").decode(), parts.bank, ["RS256"]).payload)
    code = secrets.token_urlsafe(32)
    parts.store.set(f"floor:{code}", json.dumps({"wanted": kept["wanted"], "claims": claims}), ex=120)
    back = {"code": code, "state": kept["wanted"]["state"], "iss": parts.told["issuer"]}
    return _see_other(f"{kept['wanted']['redirect_uri']}?{urlencode(back)}")


def answer_token_request(parts: Parts) -> Response:
    """An identity token for a code."""
    jws.deserialize_compact(request.form["client_assertion"], parts.client, ["ES256"])
    kept, now = json.loads(parts.store.getdel(f"floor:{request.form['code']}")), int(time.time())  # type: ignore[arg-type]
    claims, access_token = kept["claims"], secrets.token_urlsafe(32)
    identity = {
        "iss": parts.told["issuer"],
        "sub": hashlib.sha256(claims["sub"].encode()).hexdigest(),
        "aud": kept["wanted"]["client_id"],
        "iat": now,
        "exp": now + SECONDS,
        "auth_time": claims["auth_time"],
        "nonce": kept["wanted"]["nonce"],
        "acr": claims["acr"],
        "amr": claims["amr"],
        "given_name": claims[GIVEN_NAME],
        "family_name": claims[FAMILY_NAME],
        "birthdate": claims[BORN],
    }
    body = {"access_token": access_token, "token_type": "Bearer", "id_token": _signed(parts.issue, "ES256", identity)}
    return Response(json.dumps(body), content_type="application/json", headers={"Cache-Control": "no-store"})


def _see_other(url: str) -> Response:
    response: Response = redirect(url, 303, Response)  # type: ignore[assignment]
    return response


def create_app(told: Mapping[str, Any]) -> Flask:
    """The three requests."""
    app, parts = Flask(__name__, static_folder=None), Parts.of(told)
    app.add_url_rule("/authorize", view_func=lambda: begin(parts), endpoint="begin")
    app.add_url_rule("/callback/<connection>", view_func=lambda connection: finish(parts), endpoint="finish")
    app.add_url_rule(
        "/token", view_func=lambda: answer_token_request(parts), methods=["POST"], endpoint="answer_token_request"
    )
    app.add_url_rule("/livez", view_func=lambda: Response("ok"), endpoint="live")
    return app
