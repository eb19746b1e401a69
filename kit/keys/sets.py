"""Public key sets in a configuration: a file, or in place (RFC 7517)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from pydantic import BeforeValidator, ValidationInfo

from kit.keys.roca import ROCA, has_roca_fingerprint
from kit.settings.report import refusal
from kit.settings.types import resolve

_MOST_BYTES = 256 * 1024
_PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_LEAST_RSA_BYTES = 256


def _key_set(value: Any, info: ValidationInfo) -> Any:
    """Read a JWKS: a path, a table with `keys`, or the list of keys itself."""
    if isinstance(value, str | Path):
        path = resolve(Path(value), info)
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise refusal("names a file that is too large for a JWKS", allowed="at most 256 KiB")
            value = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise refusal("names a file that cannot be read", mend="make the file, or mend the path") from error
        except ValueError as error:
            raise refusal("names a file that is not JSON", mend='write a JWKS: {"keys": [ … ]}') from error
    if isinstance(value, Mapping):
        value = value.get("keys")
    if not isinstance(value, list | tuple) or not value:
        raise refusal("is no JWKS", allowed='a file, or a table, with {"keys": [ … ]} and at least one key')
    keys = tuple(_public_key(key) for key in value)
    if len({key["kid"] for key in keys}) < len(keys):
        raise refusal("has two keys of one kid", mend='give each key its own "kid"')
    return keys


def _public_key(key: Any) -> dict[str, Any]:
    # Some exporters write an optional member that they do not have as null: it says nothing (RFC 7517 §4).
    key = {name: value for name, value in key.items() if value not in (None, "")} if isinstance(key, Mapping) else {}
    if not isinstance(key.get("kid"), str):
        raise refusal("has a key without kid", mend='give each key its own "kid"')
    if _PRIVATE_MEMBERS & set(key):
        raise refusal("holds a private or secret key", mend="put only public keys here, and replace the key it shows")
    if key.get("kty") == "RSA":
        if len(str(key.get("n", ""))) * 3 // 4 < _LEAST_RSA_BYTES or not key.get("e"):
            raise refusal("has an RSA key that is too short", allowed="2048 bits or more")
    elif key.get("kty") != "EC" or key.get("crv") != "P-256":
        raise refusal("has a key of a kind that is not used", allowed="RSA of 2048 bits or more, EC P-256")
    try:
        public = import_key(dict(key)).public_key
    except (ValueError, TypeError, KeyError, JoseError) as error:
        raise refusal("has a key that cannot be read", mend="export the public key as a JWK again") from error
    if isinstance(public, RSAPublicKey) and has_roca_fingerprint(public.public_numbers().n):
        raise refusal(
            f"has an RSA key that anyone can factor ({ROCA})",
            mend="make a new key with another generator, and replace it",
        )
    return dict(key)


KeySet = Annotated[tuple[dict[str, Any], ...], BeforeValidator(_key_set)]
"""Public JWKs; written as a file's path, or in place."""
