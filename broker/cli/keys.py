"""`tunnus keys` and `tunnus client-keys`: make keys, replace them, say how they stand, show their public parts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from broker.cli.common import errors_reported
from broker.keys import PURPOSES, purposes_of, rotation_of
from broker.settings import load_settings
from kit.keys.client import CLIENT_PURPOSES
from kit.keys.commands import Configured, KeyCommands
from kit.keys.rotation import Rotation
from kit.keys.timetable import Purpose


@click.group()
def keys() -> None:
    """Our private keys: one folder, one file a key, each with its own timetable.

    \b
    Purposes:
      entity        signs our entity statement and our signed JWKS
      rp-sig        signs request objects and client assertions, to banks
      rp-enc        banks encrypt ID tokens to it
      id-token-sig  signs identity tokens (RS256 and ES256)
      audit-sig     signs heads of the audit trail
      pairwise      computes sub. Made once, never rotated: back it up
      store         encrypts what stands in the store

    The folder has mode 0700 and its files 0600; anything more open is refused. Running brokers look at it again
    every 30 seconds, so no restart is needed.

    \b
      tunnus keys init --dir /var/lib/tunnus/keys
      tunnus keys rotate rp-sig rp-enc --config production.toml
      tunnus keys rotate --due --config production.toml      # for cron
      tunnus keys rotate --emergency --all --config production.toml
      tunnus keys status --config production.toml
    """


@click.group("client-keys")
def client_keys() -> None:
    """The keys that a client of ours proves itself with (private_key_jwt), in a folder of the client's.

    The broker reads the public set again within 30 seconds if the client's jwks in its configuration names that file.

    \b
      tunnus client-keys init --dir portal-keys
      tunnus client-keys rotate client --dir portal-keys
      tunnus client-keys show-public --dir portal-keys --out clients/portal.jwks.json
    """


def _configured(config: Path) -> Configured:
    keys = load_settings(config).keys
    return keys.dir, keys.rotate_every, purposes_of(keys)


def _rotation(folder: Path, purposes: Mapping[str, Purpose]) -> Rotation:
    return rotation_of(folder, purposes=purposes)


KeyCommands("tunnus keys", PURPOSES, _rotation, _configured, "TUNNUS_CONFIG", errors_reported).add_to(keys)
KeyCommands("tunnus client-keys", CLIENT_PURPOSES, Rotation).add_to(client_keys)
