"""Whether clients are as their files say, and the keys that they publish are fetched: `/readyz` and `tunnus doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from broker.oidc.client_files import WatchedClientFiles
from broker.oidc.fetched_keys import FetchedKeys, fetch_of
from broker.settings import Settings
from kit.serving.operations import Check
from providers.engine.bounded import BankUnreachable

_MEND = "let the broker reach it by https, name jwks_ca_bundle if its authority is your own, or call the client"


def check_client_keys(fetched: Mapping[str, FetchedKeys]) -> Iterator[Check]:
    """How the fetches of a running broker go; nothing is asked of anyone."""
    for name, keys in list(fetched.items()):
        if keys.failure is not None:
            said = f"cannot be fetched ({keys.failure}); the last good ones are used for a day at most"
            yield Check(f"keys of client {name}", "warning", said, _MEND)


def check_client_files(files: WatchedClientFiles) -> Iterator[Check]:
    """Whether a running broker has the clients of its files."""
    if files.place is None:
        return
    for problem in files.problems:
        said = f"{problem}; the clients of before are used"
        yield Check("client files", "warning", said, "mend it: tunnus check says how; it is read again by itself")
    for name, reason in sorted(files.waiting.items()):
        yield Check("client files", "warning", f"{name} is used as it was: {reason}", "restart, or undo the change")
    if not files.problems and not files.waiting:
        yield Check("client files", "ok", "their clients are used")


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
