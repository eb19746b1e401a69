"""What the FAPI 2.0 profiles ask of a client's section (FAPI 2.0 Security Profile §5.3.2, §5.4.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from kit.client_authentication.assertion import FAPI_ALGORITHMS, signing_keys
from kit.settings.hosts import host_of, is_this_machine

if TYPE_CHECKING:
    from broker.settings.models import ClientSettings


def broken_fapi_rules(client: ClientSettings) -> Iterator[tuple[str, str]]:
    """What of a client's section its profile does not allow, and the mend of each."""
    if client.auth_method != "private_key_jwt":
        yield f"auth_method is {client.auth_method}", 'set auth_method = "private_key_jwt", and jwks'
    if client.jwks_uri is None and not signing_keys(client.jwks or (), FAPI_ALGORITHMS):
        yield "no key of jwks may sign PS256, ES256 or EdDSA", 'add a key of use "sig" and one of these algorithms'
    if client.id_token_alg != "ES256":
        yield f"id_token_alg is {client.id_token_alg}", 'set id_token_alg = "ES256"'
    if client.pkce != "required":
        yield "pkce is optional", "remove pkce"
    if not client.iss_in_errors:
        yield "iss_in_errors is false", "remove iss_in_errors"
    if client.sender_constraint == "none":
        yield "sender_constrained is none", 'set sender_constrained = "dpop" or "mtls", or remove it'
    if any(uri.startswith("http:") and not is_this_machine(host_of(uri)) for uri in client.redirect_uris):
        yield "a redirect URI is plain http", "use https in redirect_uris"
