"""What the broker's keys are for, and how long others cache what is published of them."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from broker.keys.pkcs11 import Pkcs11Token
from broker.settings.models import KeysSettings, Pkcs11Settings
from kit.audit.signed import AUDIT_SIG
from kit.keys.files import mode_problem
from kit.keys.rotation import Rotation
from kit.keys.timetable import FOLDER_LOOK, Purpose
from kit.settings.report import ConfigurationError, Problem
from providers.model import KeysUnavailable

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
        AUDIT_SIG,
        Purpose("pairwise", "secret", ("HS256",), rotates=False),
        Purpose("store", "secret", ("A256GCM",), warm_up=2 * FOLDER_LOOK, tail=STORE_LIFETIME),
    )
}


def purposes_of(settings: KeysSettings) -> Mapping[str, Purpose]:
    """The purposes as a configuration has them: those that a token holds the keys of know it. It is not opened yet.

    Raises ConfigurationError without the library that talks to tokens.
    """
    if settings.pkcs11 is None:
        return PURPOSES
    ours = settings.pkcs11
    if find_spec("pkcs11") is None:
        problem = Problem(("keys", "pkcs11"), "needs python-pkcs11", mend="pip install -r requirements/hsm.txt")
        raise ConfigurationError(ours.module, [problem])
    token = Pkcs11Token(str(ours.module), ours.token, partial(_read_pin, ours))
    return {
        name: replace(purpose, token=token) if name in ours.purposes else purpose for name, purpose in PURPOSES.items()
    }


def _read_pin(settings: Pkcs11Settings) -> str:
    if settings.pin_variable is not None:
        if not (pin := os.environ.get(settings.pin_variable)):
            raise KeysUnavailable(f"the environment variable {settings.pin_variable} holds no PIN")
        return pin
    file = settings.pin_file or Path()
    try:
        if mode_problem(file) is not None:
            raise KeysUnavailable(f"{file.name}, which holds the PIN, is open to others than its owner")
        return file.read_text(encoding="utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise KeysUnavailable(f"{file.name}, which holds the PIN, is not UTF-8") from error
    except OSError as error:
        raise KeysUnavailable(f"{file.name}, which holds the PIN, cannot be read: {error.strerror}") from error


def rotation_of(folder: Path, entity_bits: int = ENTITY_BITS, purposes: Mapping[str, Purpose] = PURPOSES) -> Rotation:
    """The commands over a folder of the broker's keys."""
    return Rotation(folder, purposes, {"entity": entity_bits})


def generate_keys(
    folder: Path, now: int, *, purposes: Collection[str] | None = None, entity_bits: int = ENTITY_BITS
) -> list[Path]:
    """Make a key for each algorithm of each purpose that has none; see `Rotation.init`. now: seconds."""
    return rotation_of(folder, entity_bits).init(now, purposes)
