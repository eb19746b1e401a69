"""Authorization responses as a signed JWT (JWT Secured Authorization Response Mode for OAuth 2.0).

`response_mode=jwt`, which is `query.jwt` for the code flow: whoever changes the response, or puts another issuer's in
its place, is found out. It is signed as the client's identity tokens are, by the same keys.
"""

from __future__ import annotations

from urllib.parse import urlencode

from broker.oidc.clients import Client
from broker.oidc.responses import Asked
from providers.model import Keys

LIFETIME = 600
"""Seconds; the most that §2.1 recommends."""


def signed_response(asked: Asked, client: Client, issuer: str, keys: Keys, now: int, **parameters: str | None) -> str:
    """The address that brings a response, its redirect URI verified before; what is None is left out.

    now: seconds since the epoch. Raises KeyFailure if no key is in use. Source: §2.1, §2.3.1.
    """
    claims = {"iss": issuer, "aud": client.client_id, "exp": now + LIFETIME, "state": asked.state, **parameters}
    present = {name: value for name, value in claims.items() if value is not None}
    response = keys.sign("id-token-sig", present, typ="JWT", alg=client.id_token_alg)
    joint = "&" if "?" in asked.redirect_uri else "?"
    return f"{asked.redirect_uri}{joint}{urlencode({'response': response})}"
