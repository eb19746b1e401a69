"""`tunnus clients`: what a client's developer asks the operator about."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from broker.cli.common import config_option, errors_reported, since_option
from broker.cli.new_client import new_client
from broker.keys import KeyRing
from broker.oidc.refused import LIFETIME, RefusedRequest, kept_requests
from broker.settings import Settings, load_settings
from broker.store import RedisStore, StoreUnavailable, connect, to_members
from kit.commands import Failed


@click.group()
def clients() -> None:
    """The clients of the broker: the services that people identify for."""


clients.add_command(new_client)


@clients.command("refused")
@config_option()
@click.option("--client", metavar="ID", help="Only this client's; ID as it was sent, configured or not.")
@since_option("1h", "How far back, an hour at most.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def refused_requests(config: Path, client: str | None, since: int, as_json: bool) -> None:
    """List the authorization requests that were refused, oldest first.

    A page: client or address are not registered, so the browser was sent nowhere. It shows a code, which stands here
    and in the log (field txn). An error: the client got it at its address. Values of an address's query are left out.

    Kept for an hour in the store, 100 for each client and 100 that name none; the log has all of them.

    \b
      tunnus clients refused --config production.toml --client portal --since 30m
    """
    with errors_reported():
        found = _kept(load_settings(config), time.time() - min(since, LIFETIME))
    shown = [one for one in found if client in (None, one.client, one.sent_client_id)]
    for one in shown:
        click.echo(json.dumps(to_members(one)) if as_json else "\n".join(_as_text(one)))
    if not shown and not as_json:
        click.echo("no refused authorization requests")


def _kept(settings: Settings, since: float) -> list[RefusedRequest]:
    client = connect(settings.store)
    try:
        return kept_requests(RedisStore(client, KeyRing.of(settings.keys, time.time)), settings.clients, since)
    except StoreUnavailable as error:
        raise Failed(f"the store does not answer ({error}); tunnus doctor says more") from error
    finally:
        client.close()


def _as_text(one: RefusedRequest) -> Iterator[str]:
    moment = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    answer = f"error {one.error}" if one.error else f"page with code {(one.reference or '')[:8]}"
    whose = one.client or f"no client of ours ({one.sent_client_id or 'none named'})"
    yield f"{moment}  {whose}  {answer}"
    yield f"  {one.reason}"
    if one.sent_redirect_uri:
        yield f"  redirect_uri sent: {one.sent_redirect_uri}"
