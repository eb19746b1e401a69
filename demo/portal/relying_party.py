"""The example services as clients of the broker: Authlib's Flask client, and what it leaves open.

Authlib makes state, nonce and PKCE verifier (kept by `unfinished`), authenticates by private_key_jwt and verifies the
identity token; `take_answer` looks at the rest of an authorization response before Authlib does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from flask import Flask, Response, redirect, request, session
from joserfc.errors import JoseError

from .client_keys import ClientKeys
from .unfinished import LoginOAuth


@dataclass(frozen=True, slots=True)
class Failure:
    """Why nobody was identified. status: of our page. error: an error of OAuth."""

    status: int
    error: str


def register_broker(app: Flask, issuer: str, back: str, keys: ClientKeys, client_id: str) -> Any:
    """The broker as Authlib knows it.

    The same as its discovery document says, written out: this server may reach the broker by another address than
    browsers do, and the algorithm is the one this client is registered with, not any that is offered.
    """
    oauth: Any = LoginOAuth(app)
    return oauth.register(
        "broker",
        client_id=client_id,
        client_secret=keys.current(),
        issuer=issuer,
        authorize_url=f"{issuer}/authorize",
        access_token_url=f"{back}/token",
        jwks_uri=f"{back}/jwks",
        id_token_signing_alg_values_supported=["ES256"],
        client_kwargs={
            "scope": "openid profile",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "private_key_jwt",
            "timeout": 10,
        },
        client_auth_methods=[keys.authentication(f"{issuer}/token")],
    )


def send_away(broker: Any, callback: str, **wanted: str) -> Response:
    """Send a person to the broker. callback: our redirect URI. wanted: parameters of the authorization request."""
    answer: Response = broker.authorize_redirect(callback, **wanted)
    answer.status_code = 303
    return answer


def take_answer(broker: Any, issuer: str) -> dict[str, Any] | Failure:
    """The token response to the current request, its claims in `userinfo`; or why there is none."""
    if problem := answer_problem(broker, issuer):
        return Failure(400, problem)
    try:
        token: dict[str, Any] = broker.authorize_access_token()
    except (AuthlibBaseError, JoseError, ValueError) as error:
        return Failure(400, getattr(error, "error", "invalid_token"))
    except requests.RequestException:
        return Failure(502, "temporarily_unavailable")
    return token if token.get("userinfo") else Failure(400, "invalid_token")


def answer_problem(broker: Any, issuer: str) -> str | None:
    """What is wrong with the authorization response, as an OAuth error, None if Authlib may go on.

    Authlib's client looks at `error` before `state`, and not at `iss`: so anyone could make this service show an
    error, and another server's answer could be taken for the broker's (RFC 9207).
    """
    state = request.args.get("state", "")
    if request.args.get("iss") != issuer or broker.framework.get_state_data(session, state) is None:
        return "invalid_response"
    if error := request.args.get("error"):
        broker.framework.clear_state_data(session, state)
        return error if error.isascii() and len(error) <= 60 else "invalid_response"
    return None


def see_other(url: str) -> Response:
    """303: go on by GET."""
    answer = redirect(url, 303)
    return Response(answer.response, answer.status, answer.headers)
