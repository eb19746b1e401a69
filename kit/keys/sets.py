"""Public key sets in a configuration: a file, or in place (RFC 7517)."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from pydantic import PlainValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from kit.keys.roca import ROCA, has_roca_fingerprint
from kit.keys.timetable import FOLDER_LOOK
from kit.settings.report import refusal
from kit.settings.types import resolve

log = logging.getLogger("tunnus.keys")
_MOST_BYTES = 256 * 1024
_PRIVATE_MEMBERS = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_PUBLIC_MEMBERS = {"kty", "kid", "use", "key_ops", "alg", "n", "e", "crv", "x", "y"}
"""What is kept of a key: a certificate or a member of somebody's own, of whatever type, must not spoil it."""
_LEAST_RSA_BYTES = 256
_MOST_KEYS = 50
_MOST_RSA_LETTERS = 1400
"""Of a published modulus, in base64url: 8192 bits. To verify by a larger one costs us, and nobody uses it."""


class KeysOfFile(tuple[dict[str, Any], ...]):
    """Public JWKs that stand in a file. path: where; mark: of the file as it was read."""

    path: Path
    mark: tuple[int, int]


def _key_set(value: Any, info: ValidationInfo) -> tuple[dict[str, Any], ...]:
    """Read a JWKS: a path, a table with `keys`, or the list of keys itself."""
    return read_key_set(resolve(Path(value), info)) if isinstance(value, str | Path) else _keys_of(value)


def read_key_set(path: Path) -> KeysOfFile:
    """The JWKS in a file. Raises a refusal, which is a ValueError."""
    try:
        found = path.stat()
        if found.st_size > _MOST_BYTES:
            raise refusal("names a file that is too large for a JWKS", allowed="at most 256 KiB")
        value = json.loads(path.read_bytes())
    except OSError as error:
        raise refusal("names a file that cannot be read", mend="make the file, or mend the path") from error
    except ValueError as error:
        if isinstance(error, PydanticCustomError):
            raise
        raise refusal("names a file that is not JSON", mend='write a JWKS: {"keys": [ … ]}') from error
    keys = KeysOfFile(_keys_of(value))
    keys.path, keys.mark = path, (found.st_mtime_ns, found.st_ino)
    return keys


def _keys_of(value: Any) -> tuple[dict[str, Any], ...]:
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
    key = {name: value for name, value in key.items() if name in _PUBLIC_MEMBERS}
    if key.get("kty") == "RSA":
        if len(str(key.get("n", ""))) * 3 // 4 < _LEAST_RSA_BYTES or not key.get("e"):
            raise refusal("has an RSA key that is too short", allowed="2048 bits or more")
    elif (key.get("kty"), key.get("crv")) not in {("EC", "P-256"), ("OKP", "Ed25519")}:
        raise refusal("has a key of a kind that is not used", allowed="RSA of 2048 bits or more, EC P-256, OKP Ed25519")
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


def usable_public_keys(keys: Any) -> tuple[dict[str, Any], ...]:
    """Those of a published set that can be used: what else is there, and what shows its private half, is left out.

    Raises ValueError, with constant words, if it is no list of a bearable length, or two of them have one kid.
    """
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
        raise ValueError("its keys are no list, or too many")
    found = []
    for key in keys:
        with suppress(PydanticCustomError):
            found.append(_public_key(key))
    usable = [key for key in found if len(str(key.get("n", ""))) <= _MOST_RSA_LETTERS]
    if len({key["kid"] for key in usable}) < len(usable):
        raise ValueError("two of its keys have one kid")
    return tuple(usable)


KeySet = Annotated[tuple[dict[str, Any], ...], PlainValidator(_key_set)]
"""Public JWKs; written as a file's path, or in place."""


class WatchedKeySets:
    """Key sets of a configuration that stand in files, read again when they change: the next key needs no restart.

    sets: by a client's id. take: called with id and keys for each that has changed; a ValueError of it, or of reading,
    leaves what was there, and is logged. clock: seconds since the epoch.
    """

    def __init__(
        self,
        sets: Mapping[str, tuple[dict[str, Any], ...] | None],
        take: Callable[[str, KeysOfFile], object],
        clock: Callable[[], float],
    ) -> None:
        self._sets = {name: keys for name, keys in sets.items() if isinstance(keys, KeysOfFile)}
        self._take = take
        self._clock = clock
        self._looked_at = clock()
        self._lock = threading.Lock()
        self._refused: set[str] = set()
        """Whose file could not be used at the last look: it is logged once."""

    def look_again(self) -> None:
        """Look at the files, at most every FOLDER_LOOK seconds; one thread does, the others go on."""
        if 0 <= self._clock() - self._looked_at < FOLDER_LOOK or not self._lock.acquire(blocking=False):
            return
        try:
            self._looked_at = self._clock()
            for name, known in self._sets.items():
                self._look_at(name, known)
        finally:
            self._lock.release()

    def _look_at(self, name: str, known: KeysOfFile) -> None:
        try:
            found = known.path.stat()
            if (found.st_mtime_ns, found.st_ino) == known.mark:
                return
            keys = read_key_set(known.path)
            self._take(name, keys)
            self._sets[name] = keys
            log.info("client_keys_changed", extra={"client": name, "count": len(keys)})
            self._refused.discard(name)
        except (OSError, ValueError):
            if name not in self._refused:
                log.error("client_keys_unusable", extra={"client": name, "file": known.path.name})
            self._refused.add(name)
