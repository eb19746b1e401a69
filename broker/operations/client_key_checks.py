"""Whether the keys that clients publish can be fetched: for `/readyz` and `tunnus doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from broker.oidc.fetched_keys import FetchedKeys, fetch_of
from broker.settings import Settings
from kit.serving.operations import Check
from providers.engine.bounded import BankUnreachable

_MEND = "let the broker reach it by https, name jwks_ca_bundle if its authority is your own, or call the client"


def check_client_keys(fetched: Mapping[str, FetchedKeys]) -> Iterator[Check]:
    """How the fetches of a running broker go; nothing is asked of anyone."""
    for name, keys in fetched.items():
        if keys.failure is not None:
            said = f"cannot be fetched ({keys.failure}); the last good ones are used for a day at most"
            yield Check(f"keys of client {name}", "warning", said, _MEND)


def try_client_keys(settings: Settings) -> Iterator[Check]:
    """Fetch the keys of each client that publishes them once, for the doctor."""
    for name, client in settings.clients.items():
        if client.jwks_uri is None:
            continue
        label = f"keys of client {name}"
        try:
            keys = fetch_of(client, settings.addresses_of_clients)()
        except (BankUnreachable, ValueError) as error:
            yield Check(label, "warning", f"{client.jwks_uri} cannot be fetched: {error}", _MEND)
        else:
            yield Check(label, "ok", f"{len(keys)} fetched from {client.jwks_uri}")
