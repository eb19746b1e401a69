"""The broker as an OpenID Provider towards its clients: code flow, PKCE, one signed identity token.

    /authorize ──> guard ──> Authlib ──> AuthorizationRequest ──> begin (`broker.flow`)
                     │ client or redirect URI not verified: a page │ anything else: an error redirect
    grant()    <── `broker.flow`, once the person is identified: a code, to be stored with the outcome
    /token     ──> parameters ──> client authentication ──> code used up ──> redirect URI, PKCE ──> identity token
    /userinfo  ──> the access token's claims, five minutes long

Authlib runs the protocol (`server`), with what it leaves open closed before and around it. Codes and access
tokens stand in the store (`codes`); nothing of a request is kept on a shared object.
"""

from __future__ import annotations

from broker.oidc.provider import Grant, OpenIDProvider
from broker.oidc.requests import AuthorizationRequest
from broker.oidc.routes import CALLED_BY_CLIENTS, create_blueprint
from broker.oidc.token import answer_http_error

__all__ = [
    "CALLED_BY_CLIENTS",
    "AuthorizationRequest",
    "Grant",
    "OpenIDProvider",
    "answer_http_error",
    "create_blueprint",
]
