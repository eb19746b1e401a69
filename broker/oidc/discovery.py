"""What the broker says of itself: the discovery document and the keys of its identity tokens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from flask import Request, Response, jsonify

from broker.oidc import identity_token
from broker.oidc.guard import RESPONSE_MODES
from broker.oidc.parameters import SCOPES
from broker.settings.models import AuthMethod
from broker.settings.server import ServerSettings
from kit.client_authentication.assertion import ALGORITHMS, FAPI_ALGORITHMS
from providers.model import Keys

METADATA_MAX_AGE = 3600
JWKS_MAX_AGE = 300
"""Seconds that others may keep the documents. A key warms up for longer than its set may be cached."""


def metadata(
    issuer: str, acr_values: Sequence[str], languages: Sequence[str], server: ServerSettings
) -> dict[str, Any]:
    """The OpenID Provider's metadata (OpenID Connect Discovery §3, RFC 8414, RFC 9207 §3, and of each part of `fapi`).

    issuer: ours, from the settings. acr_values: the accepted levels of assurance. languages: of the pages. server: how
    certificates of clients reach us.
    """
    return _of_certificates(server) | {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "require_pushed_authorization_requests": False,
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
        "authorization_signing_alg_values_supported": ["RS256", "ES256"],
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
        "dpop_signing_alg_values_supported": list(FAPI_ALGORITHMS),
        "userinfo_signing_alg_values_supported": ["RS256", "ES256"],
        "request_object_signing_alg_values_supported": list(ALGORITHMS),
        "require_signed_request_object": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "require_request_uri_registration": False,
        "authorization_response_iss_parameter_supported": True,
    }


def _of_certificates(server: ServerSettings) -> dict[str, Any]:
    """RFC 8705 §3.3 and §5, RFC 9126 §5: what is different for a client that comes with a certificate."""
    bound: dict[str, Any] = {"tls_client_certificate_bound_access_tokens": server.client_certificate_header is not None}
    base = server.mtls_base_url
    if base is None:
        return bound
    paths = {"token": "token", "userinfo": "userinfo", "pushed_authorization_request": "par"}
    return bound | {"mtls_endpoint_aliases": {f"{name}_endpoint": f"{base}/{path}" for name, path in paths.items()}}


def answer_metadata(found: Mapping[str, Any], request: Request) -> Response:
    """`/.well-known/openid-configuration`. found: what `metadata` made."""
    return _public(jsonify(found), METADATA_MAX_AGE, request)


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
