"""A login that a developer tries for a client, without the client.

The request is kept as one that the client has pushed, with an address of the developer page, which no request that
comes to `/authorize` or `/par` may name. All that it is bound by is derived of a secret in the browser's cookie, so
nothing is kept besides. The code that comes back is used here, as the token endpoint would for that client; the
identity token is shown and forgotten, and its access token is never stored, so that it is good for nothing.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from broker.audit import AuditTrail
from broker.oidc import AuthorizationRequest, OpenIDProvider, identity_token
from broker.oidc.clients import Client
from broker.oidc.codes import AuthorizationCode, HistoryChanged, find_code, is_well_formed, new_secret, use_code
from broker.oidc.fapi import pushed
from broker.store import slot_of

SHOWN_HERE = "shown on the developer page"
"""Why the audit trail has a token handed over that no client asked for."""


@dataclass(frozen=True, slots=True)
class Try:
    """One login. secret: of the browser that began it. number: which of its tries."""

    secret: str = field(repr=False)
    number: str

    @staticmethod
    def new(secret: str) -> Try:
        """A fresh one."""
        return Try(secret, secrets.token_urlsafe(9))

    @staticmethod
    def of(secret: str, state: str) -> Try | None:
        """The one that a `state` is of; None if this browser did not begin it."""
        tried = Try(secret, state.partition(".")[0])
        return tried if hmac.compare_digest(tried.state.encode(), state.encode()) else None

    @property
    def state(self) -> str:
        """Of its request."""
        return f"{self.number}.{self._derived('state')}"

    @property
    def nonce(self) -> str:
        """Of its request."""
        return self._derived("nonce")

    @property
    def code_challenge(self) -> str:
        """Of its request: only this browser's cookie gives the verifier."""
        return str(create_s256_code_challenge(self._derived("verifier")))

    def _derived(self, what: str) -> str:
        return derived(self.secret, f"{what} {self.number}")


def derived(secret: str, what: str) -> str:
    """A value that only whoever holds a secret can tell: 256 bits in base64url."""
    digest = hmac.digest(secret.encode(), what.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def begin(op: OpenIDProvider, client: Client, scope: str, tried: Try) -> str:
    """Where the browser goes to identify. scope: allowed to the client. Raises StoreUnavailable."""
    request = AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=client.developer_uri or "",
        scope=scope,
        state=tried.state,
        nonce=tried.nonce,
        code_challenge=tried.code_challenge,
    )
    query = {"client_id": client.client_id, "request_uri": pushed.push(op.store, request)}
    return f"{op.issuer}/authorize?{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class Login:
    """What a login came to. claims: of the code. access_token: the one that `at_hash` is of."""

    client: Client
    token: str = field(repr=False)
    access_token: str = field(repr=False)


def finish(op: OpenIDProvider, audit: AuditTrail, code: str, tried: Try) -> Login | None:
    """Use a code of this try; None if it is not of it, unknown, used or too old, and then nothing has happened to it.

    Raises StoreUnavailable, KeyFailure, or AuditUnavailable: no token is made that the trail does not tell of.
    """
    found = find_code(op.store, code) if is_well_formed(code) else None
    client = op.clients.get(found.client_id) if found else None
    if found is None or client is None or not _is_of(found, client, tried):
        return None
    access_token = new_secret(slot_of(code))
    try:
        used = use_code(op.store, code, access_token)
    except HistoryChanged:
        return None
    if used is None or not used.is_valid_for(client, op.now):
        return None
    told: dict[str, Any] = {name: used.claims.get(name) for name in ("txn", "sub", "acr", "auth_time")}
    audit.record("handed_over", client=client.client_id, provider=used.claims.get("idp"), reason=SHOWN_HERE, **told)
    token = identity_token.build(
        op.keys,
        client,
        used.claims,
        issuer=op.issuer,
        nonce=used.nonce,
        access_token=access_token,
        now=int(op.now),
    )
    return Login(client, token, access_token)


def _is_of(code: AuthorizationCode, client: Client, tried: Try) -> bool:
    """Whether a code was issued for this page, and for this try: no other is touched."""
    bound = (code.redirect_uri, code.nonce, code.code_challenge)
    return bound == (client.developer_uri, tried.nonce, tried.code_challenge)
