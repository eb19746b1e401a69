"""What the broker says of itself: the discovery document and the keys of its identity tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from flask import Request, Response, jsonify

from broker.oidc import identity_token
from broker.oidc.guard import RESPONSE_MODES, SCOPES
from broker.settings.models import AuthMethod
from kit.client_authentication.assertion import ALGORITHMS
from providers.model import Keys

METADATA_MAX_AGE = 3600
JWKS_MAX_AGE = 300
"""Seconds that others may keep the documents. A key warms up for longer than its set may be cached."""


def metadata(issuer: str, acr_values: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    """The OpenID Provider's metadata (OpenID Connect Discovery §3, RFC 8414, RFC 9207 §3).

    issuer: ours, from the settings. acr_values: the accepted levels of assurance. languages: of the pages.
    """
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": list(RESPONSE_MODES),
        "grant_types_supported": ["authorization_code"],
        "acr_values_supported": list(acr_values),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "id_token_encryption_alg_values_supported": [identity_token.JWE_ALG],
        "id_token_encryption_enc_values_supported": [identity_token.JWE_ENC],
        "token_endpoint_auth_methods_supported": list(get_args(AuthMethod)),
        "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        "claim_types_supported": ["normal"],
        "claims_supported": list(identity_token.CLAIMS),
        "ui_locales_supported": list(languages),
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "code_challenge_methods_supported": ["S256"],
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "authorization_response_iss_parameter_supported": True,
    }


def answer_metadata(issuer: str, acr_values: Sequence[str], languages: Sequence[str], request: Request) -> Response:
    """`/.well-known/openid-configuration`."""
    return _public(jsonify(metadata(issuer, acr_values, languages)), METADATA_MAX_AGE, request)


def answer_jwks(keys: Keys, request: Request) -> Response:
    """`/jwks`: the public keys of identity tokens, those that are about to be used among them."""
    return _public(jsonify(keys=keys.public_set("id-token-sig")), JWKS_MAX_AGE, request)


def _public(response: Response, max_age: int, request: Request) -> Response:
    """To be cached by anyone and read from any origin: there is nothing in it that is not for all."""
    response.headers["Cache-Control"] = f"public, max-age={max_age}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.add_etag()
    response.make_conditional(request)
    return response
