"""Software of clients that is known to fail with what we demand, and the settings that mend it.

Each entry was read in the source of the version it names. A client may name its software in the configuration; nothing
but the words of `tunnus check` comes of it, so that no name can loosen anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from broker.settings.models import ClientSettings


@dataclass(frozen=True, slots=True)
class Software:
    """name: of its package. seen: the version that was looked at. fails: why, with our defaults.

    settings: of `[clients.<id>]`, that mend it. there: what its own configuration must say.
    """

    name: str
    seen: str
    fails: str
    settings: Mapping[str, str | bool]
    there: str | None = None


KNOWN = (
    Software("passport-openidconnect", "0.1", "sends no code_challenge", {"pkce": "optional"}, "nonce: true"),
    Software("django-allauth", "65.22", "sends no nonce", {"nonce": "optional"}, '"oauth_pkce_enabled": True'),
    Software("flask-pyoidc", "3.14", "sends no code_challenge", {"pkce": "optional"}),
    Software(
        "omniauth-openid-connect",
        "0.8",
        "sends no code_challenge unless it is told to",
        {"pkce": "optional"},
        "pkce: true, and then pkce need not be optional here",
    ),
    Software("mod-auth-openidc", "2.4.12", "trips over iss in an error response", {"iss_in_errors": False}),
)
_BY_NAME = {software.name: software for software in KNOWN}


def known_to_fail(clients: Mapping[str, ClientSettings]) -> Iterator[str]:
    """A line for each client whose software fails with its settings, with the mend."""
    for name, client in clients.items():
        software = _BY_NAME.get((client.software or "").lower().replace("_", "-"))
        if software is None:
            continue
        missing = {key: value for key, value in software.settings.items() if getattr(client, key) != value}
        if missing:
            mend = ", ".join(f"{key} = {_toml(value)}" for key, value in missing.items())
            there = f"; at the client: {software.there}" if software.there else ""
            yield f"clients.{name}: {software.name} (seen: {software.seen}) {software.fails}: set {mend}{there}"


def _toml(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'
