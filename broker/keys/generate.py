"""Making keys: the first set of a broker."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator
from pathlib import Path

from joserfc.jwk import ECKey, Key, RSAKey, import_key

from broker.keys.key_file import write_key
from broker.keys.timetable import PURPOSES, Timetable

ENTITY_BITS = 3072
"""An entity key lives for years; the others are replaced while 2048 bits are enough."""


def generate_keys(
    folder: Path, now: int, *, purposes: Collection[str] = tuple(PURPOSES), entity_bits: int = ENTITY_BITS
) -> list[Path]:
    """Make one key for each algorithm of each purpose, in use from now and without an end; return their files.

    folder: made with mode 0700 if it is not there. now: seconds since the epoch. A purpose that has a key
    already is left as it is, so that a second call never makes a second pairwise key.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for name in PURPOSES:
        if name in purposes and not any(folder.glob(f"{name}-*.json")):
            made += [
                write_key(folder, PURPOSES[name], key, Timetable.from_now(now)) for key in _new_keys(name, entity_bits)
            ]
    return made


def _new_keys(purpose: str, entity_bits: int) -> Iterator[Key]:
    for alg in PURPOSES[purpose].algorithms:
        yield new_key(alg, rsa_bits=entity_bits if purpose == "entity" else 2048)


def new_key(alg: str, *, rsa_bits: int = 2048) -> Key:
    """A private key with `alg` and `kid`: its thumbprint (RFC 7638), or random for a secret key."""
    key: Key
    if alg in {"HS256", "A256GCM"}:
        return import_key({"kty": "oct", "k": secrets.token_urlsafe(32), "alg": alg, "kid": secrets.token_hex(8)})
    key = ECKey.generate_key("P-256") if alg == "ES256" else RSAKey.generate_key(rsa_bits)
    jwk = {**key.as_dict(private=True), "alg": alg, "kid": key.thumbprint()}
    return import_key(jwk)
