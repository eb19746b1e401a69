"""`tunnus bank-statement`: a bank's next entity statement, taken by the keys of the one that is pinned."""

from __future__ import annotations

import time
from pathlib import Path

import click

from broker.cli.common import config_option, errors_reported
from broker.settings import load_settings
from broker.settings.pins import read_entity_statement
from kit.commands import Failed
from kit.keys.files import write_private
from providers.engine.entity_statement import STATEMENT_TYPE, NotTrusted, parse_entity_statement, verify_jws
from providers.engine.public_keys import usable_keys


@click.command("bank-statement", short_help="Take a bank's next entity statement.")
@click.argument("connection")
@click.argument("statement", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@config_option()
def bank_statement(connection: str, statement: Path, config: Path) -> None:
    """Pin the next entity statement of a CONNECTION, from a file, if a key of the pinned one has signed it.

    Get the file by hand: nothing here fetches one. It takes the place of the file that the configuration names; restart
    the brokers, one after the other. A statement that no pinned key has signed is refused: its fingerprint must be
    compared by another way, and the file be put in place by hand.

    \b
      tunnus bank-statement telia telia-next.jwt --config production.toml
    """
    with errors_reported():
        settings, now = load_settings(config), int(time.time())
        pinned = settings.connections[connection].entity_statement if connection in settings.connections else None
        if pinned is None:
            raise Failed(f"there is no connection {connection} with an entity_statement")
        try:
            known, token = read_entity_statement(pinned, now), statement.read_text(encoding="utf-8-sig").strip()
            verify_jws(token, usable_keys(known.keys), types=(STATEMENT_TYPE,), typed=True)
            found = parse_entity_statement(token, now)
        except (NotTrusted, UnicodeDecodeError) as error:
            reason = str(error) if isinstance(error, NotTrusted) else "it is no JWS"
            raise Failed(f"{statement}: does not verify: {reason}; {pinned} stays") from error
        if found.entity_id != known.entity_id:
            raise Failed(f"{statement}: is another entity's, {found.entity_id}; {pinned} stays")
        write_private(pinned, token + "\n", mode=0o644)
    old, new = ({str(key["kid"]) for key in entity.keys} for entity in (known, found))
    click.echo(f"{pinned}: {len(new - old)} new entity keys, {len(old - new)} are gone; restart the brokers")
