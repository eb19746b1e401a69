"""`tunnus keys`: make keys, list them, show their public parts."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from broker.cli.common import config_option, errors_reported, folder_of, folder_option
from broker.keys import PURPOSES, KeyRing, generate_keys
from broker.settings import Settings

_FOLDER = "The folder of keys; the configuration's keys.dir unless given."


@click.group()
def keys() -> None:
    """Our private keys: one folder, one file a key, each with its own timetable.

    \b
    Purposes:
      entity        signs our entity statement and our signed JWKS
      rp-sig        signs request objects and client assertions, to banks
      rp-enc        banks encrypt ID tokens to it
      id-token-sig  signs identity tokens (RS256 and ES256)
      pairwise      computes sub. Made once, never rotated: back it up
      store         encrypts what stands in the store

    The folder has mode 0700 and its files 0600; anything more open is refused. Running brokers look at it again
    every 30 seconds.
    """


@keys.command()
@folder_option("FOLDER", _FOLDER)
@config_option(required=False)
def init(folder: Path | None, config: Path | None) -> None:
    """Make the first key of every purpose that has none; a purpose that has one is left as it is.

    Back the folder up at once: without the pairwise key every person becomes a new sub.

    \b
      tunnus keys init --dir /var/lib/tunnus/keys
    """
    with errors_reported():
        where = folder_of(folder, config, _keys_dir)
        made = generate_keys(where, int(time.time()))
        KeyRing(where, time.time)
    for path in made:
        click.echo(f"made {path}")
    if not made:
        click.echo(f"{where}: every purpose has a key already; nothing was made")


@keys.command("list")
@folder_option("FOLDER", _FOLDER)
@config_option(required=False)
def list_keys(folder: Path | None, config: Path | None) -> None:
    """List every key: purpose, algorithm, phase now, whether it is published, until when it is used, kid.

    \b
    Phases: warm-up, in use, cooldown, tail, gone. The clock alone decides.
      tunnus keys list --config production.toml
    """
    with errors_reported():
        ring = KeyRing(folder_of(folder, config, _keys_dir), time.time)
    for key in ring.status():
        until = "no end" if key.use_until is None else datetime.fromtimestamp(key.use_until, UTC).isoformat()
        shown = "published" if key.published else "-"
        click.echo(f"{key.purpose:13} {key.alg:9} {key.phase:8} {shown:10} {until:26} {key.kid}")
    for kind in ring.missing():
        click.echo(f"{kind}: no key is in use", err=True)
    if ring.missing():
        raise SystemExit(1)


@keys.command("show-public")
@click.argument("purpose", type=click.Choice([name for name, held in PURPOSES.items() if held.role != "secret"]))
@folder_option("FOLDER", _FOLDER)
@config_option(required=False)
def show_public(purpose: str, folder: Path | None, config: Path | None) -> None:
    """Print the public keys of a PURPOSE as a JWKS, as they are published now. No private part is ever shown.

    \b
      tunnus keys show-public rp-sig --config production.toml
    """
    with errors_reported():
        ring = KeyRing(folder_of(folder, config, _keys_dir), time.time)
    click.echo(json.dumps({"keys": ring.public_set(purpose)}, indent=2))


def _keys_dir(settings: Settings) -> Path:
    return settings.keys.dir
