"""What the broker's keys are for, and how long others cache what is published of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from kit.keys.rotation import Rotation
from kit.keys.timetable import FOLDER_LOOK, Purpose

BANK_CACHE = 24 * 3600
"""Seconds a bank may cache our signed JWKS (OP Identity Service Broker API §2-§3)."""
CLIENT_CACHE = 3600
"""Seconds a client may cache our JWKS; `/jwks` must not allow more."""
TOKEN_LIFETIME = 600
"""Seconds an identity token, a bank's ID token, a request object or a client assertion is valid."""
STORE_LIFETIME = 26 * 3600
"""Seconds the longest-lived thing in the store may live: a return record, with its transaction's extensions."""
STATEMENT_EXCHANGE = 56 * 86_400
"""Seconds in which every bank is given a new entity statement by hand (Telia announces its own keys so long before)."""
ENTITY_BITS = 3072
"""An entity key lives for years; the others are replaced while 2048 bits are enough."""

PURPOSES: Mapping[str, Purpose] = {
    purpose.name: purpose
    for purpose in (
        Purpose(
            "entity",
            "sig",
            ("RS256",),
            cooldown=BANK_CACHE,
            lead=STATEMENT_EXCHANGE,
            by_hand="give every bank the new entity statement (tunnus entity-statement)",
        ),
        Purpose("rp-sig", "sig", ("RS256",), warm_up=BANK_CACHE, cooldown=TOKEN_LIFETIME),
        Purpose(
            "rp-enc",
            "enc",
            ("RSA-OAEP",),
            warm_up=2 * FOLDER_LOOK,
            tail=BANK_CACHE + TOKEN_LIFETIME,
            together="rp-sig",
        ),
        Purpose("id-token-sig", "sig", ("RS256", "ES256"), warm_up=CLIENT_CACHE, cooldown=TOKEN_LIFETIME),
        Purpose("pairwise", "secret", ("HS256",), rotates=False),
        Purpose("store", "secret", ("A256GCM",), warm_up=2 * FOLDER_LOOK, tail=STORE_LIFETIME),
    )
}


def rotation_of(folder: Path, entity_bits: int = ENTITY_BITS) -> Rotation:
    """The commands over a folder of the broker's keys."""
    return Rotation(folder, PURPOSES, {"entity": entity_bits})


def generate_keys(
    folder: Path, now: int, *, purposes: Collection[str] | None = None, entity_bits: int = ENTITY_BITS
) -> list[Path]:
    """Make a key for each algorithm of each purpose that has none; see `Rotation.init`. now: seconds."""
    return rotation_of(folder, entity_bits).init(now, purposes)
