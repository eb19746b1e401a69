"""Every way in which a client may be registered, as data: what stands in its section, and what the client then does.

`make try` signs a person in by each. docs/qa.md tells how to do each by hand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from demo.runner.client import Client

SECRET = "of the demo, and nobody else knows it"
CERTIFICATE_HEADER = "X-Client-Cert"
"""What `make try` stands in for a proxy with, which ends TLS."""

Bound = Literal["dpop", "mtls"]


@dataclass(frozen=True, slots=True)
class Profile:
    """One way. section: of `[clients.<name>]`, beside what every client has.

    pushed: the request goes to `/par`. signed: as a request object. bound: what its access token is bound by.
    response_mode: as it is sent. leaves_out: parameters that the section lets it leave out.
    """

    name: str
    section: Mapping[str, Any] = field(default_factory=dict)
    pushed: bool = False
    signed: bool = False
    bound: Bound | None = None
    response_mode: str | None = None
    leaves_out: frozenset[Literal["pkce", "nonce"]] = frozenset()

    @property
    def by_secret(self) -> str | None:
        """`client_secret_basic` or `client_secret_post`; None if it authenticates by its key."""
        method = self.section.get("auth_method")
        return str(method) if method else None


def _secret(method: str) -> dict[str, Any]:
    return {"auth_method": method, "secret_hash": f"sha256:{hashlib.sha256(SECRET.encode()).hexdigest()}"}


_SIGNING = {"profile": "fapi2-message-signing", "signed_userinfo": True}

PROFILES = (
    Profile("secret-basic", _secret("client_secret_basic")),
    Profile("secret-post", _secret("client_secret_post")),
    Profile("form-post", response_mode="form_post"),
    Profile("no-pkce", {"pkce": "optional"}, leaves_out=frozenset({"pkce"})),
    Profile("no-nonce", {"nonce": "optional"}, leaves_out=frozenset({"nonce"})),
    Profile("fapi2-dpop", {"profile": "fapi2"}, pushed=True, bound="dpop"),
    Profile("fapi2-mtls", {"profile": "fapi2", "sender_constrained": "mtls"}, pushed=True, bound="mtls"),
    Profile("fapi2-signed", _SIGNING, pushed=True, signed=True, bound="dpop", response_mode="jwt"),
)


def with_profiles(config: Mapping[str, Any], client: Client) -> dict[str, Any]:
    """A broker's configuration that knows a client of each profile, beside its own; client: whose keys they have."""
    known = config["clients"][client.client_id]
    clients = {profile.name: _section(known, profile) for profile in PROFILES}
    proxy = {
        "trusted_proxies": 1,
        "client_certificate_header": CERTIFICATE_HEADER,
        "client_certificate_proxies": ["127.0.0.1"],
    }
    return {**config, "server": config["server"] | proxy, "clients": config["clients"] | clients}


def _section(known: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    section = {**known, **profile.section}
    if profile.by_secret:
        del section["jwks"]
    return section
