"""Software of clients: how it connects with its usual settings, and what mends it where it fails with our defaults.

`tunnus clients new` prints a section by it, and `tunnus check` warns by it; nothing else comes of a client's
`software`, so that no name can loosen anything. docs/clients has a page for each, which the tests run.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from broker.settings.models import ClientSettings


@dataclass(frozen=True, slots=True)
class Software:
    """name: of its package. page: of docs/clients. redirect: the path of its redirect URI, unless it is told another.

    there: what its own configuration must say besides. fails: why, with our defaults; seen: the version of that.
    settings: of `[clients.<id>]`, that mend it.
    """

    name: str
    page: str
    redirect: str
    there: str = ""
    auth_method: str = "client_secret_basic"
    fails: str = ""
    seen: str = ""
    settings: Mapping[str, str | bool] = field(default_factory=dict)


_NO_PKCE: Mapping[str, str | bool] = {"pkce": "optional"}
_POST = "client_secret_post"

KNOWN = (
    Software("auth-js", "auth-js", "/auth/callback/tunnus", "checks: ['pkce', 'state', 'nonce']"),
    Software("authlib", "authlib-flask", "/callback", 'client_kwargs with code_challenge_method="S256"'),
    Software(
        *("django-allauth", "django-allauth", "/accounts/oidc/tunnus/login/callback/", '"OAUTH_PKCE_ENABLED": True'),
        fails="sends no nonce",
        seen="65.22",
        settings={"nonce": "optional"},
    ),
    Software("express-openid-connect", "express-openid-connect", "/callback", "response_type: 'code'"),
    Software(
        *("flask-pyoidc", "flask-pyoidc", "/redirect_uri"),
        fails="sends no code_challenge",
        seen="3.14",
        settings=_NO_PKCE,
    ),
    Software("go-oidc", "go-oidc", "/callback", "oauth2.S256ChallengeOption and oidc.Nonce"),
    Software(
        *("keycloak", "keycloak", "/realms/my-company/broker/tunnus/endpoint"),
        there="pkceEnabled with S256, defaultScope openid profile, a first login without review, no e-mail address",
    ),
    Software(
        *("mod-auth-openidc", "mod_auth_openidc", "/callback", "OIDCPKCEMethod S256"),
        fails="trips over iss in an error response",
        seen="2.4.12",
        settings={"iss_in_errors": False},
    ),
    Software(
        *("mozilla-django-oidc", "mozilla-django-oidc", "/oidc/callback/"),
        there='OIDC_USE_PKCE = True, OIDC_RP_SIGN_ALGO = "RS256", and a backend that finds people by sub',
        auth_method=_POST,
    ),
    Software(
        "oauth2-proxy", "oauth2-proxy", "/oauth2/callback", 'code_challenge_method = "S256", oidc_email_claim = "sub"'
    ),
    Software(
        *("omniauth-openid-connect", "omniauth", "/auth/tunnus/callback"),
        there="pkce: true where the version knows it, and then pkce need not be optional here",
        fails="sends no code_challenge unless it is told to",
        seen="0.8",
        settings=_NO_PKCE,
    ),
    Software("openid-client", "openid-client", "/callback", "code_challenge, state and nonce", _POST),
    Software(
        *("passport-openidconnect", "passport", "/callback", "nonce: true", _POST),
        fails="sends no code_challenge",
        seen="0.1",
        settings=_NO_PKCE,
    ),
    Software("social-auth", "social-auth", "/complete/oidc/", "SOCIAL_AUTH_OIDC_USE_PKCE = True"),
    Software("spring-boot", "spring-boot", "/login/oauth2/code/tunnus", "before Boot 4: a customizer withPkce()"),
)
BY_NAME = {software.name: software for software in KNOWN}


def known_to_fail(clients: Mapping[str, ClientSettings]) -> Iterator[str]:
    """A line for each client whose software fails with its settings, with the mend."""
    for name, client in clients.items():
        software = BY_NAME.get((client.software or "").lower().replace("_", "-"))
        if software is None:
            continue
        missing = {key: value for key, value in software.settings.items() if getattr(client, key) != value}
        if missing:
            mend = ", ".join(f"{key} = {toml(value)}" for key, value in missing.items())
            there = f"; at the client: {software.there}" if software.there else ""
            yield f"clients.{name}: {software.name} (seen: {software.seen}) {software.fails}: set {mend}{there}"


def toml(value: str | bool | list[str]) -> str:
    """A value as a configuration has it: TOML writes these as JSON does."""
    return json.dumps(value, ensure_ascii=False)
