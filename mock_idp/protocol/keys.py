"""The banks' own keys: an entity key and signing keys per issuer, made when first needed, kept in the state folder.

One JSON file per issuer, mode 0600, replaced as a whole under a lock; a process that finds it changed reads it
again, so a rotation made by one is seen by all. Each private key is parsed once per process.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from mock_idp.protocol import jose
from mock_idp.protocol.issuers import Issuer

Rotation = Literal["overlap", "replace"]
_SIGNING_KEYS_KEPT = 5


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private RSA key under a key id; the same key may go by several."""

    kid: str
    private: RSAPrivateKey

    def public(self, **members: Any) -> dict[str, Any]:
        """Its public JWK."""
        return {**jose.public_jwk(self.private.public_key()), "kid": self.kid, **members}


@dataclass(frozen=True, slots=True)
class IssuerKeys:
    """What one issuer holds. signing: the published signing keys; the last one signs.

    entity_next, entity_last: in the entity statement beside the key that signs it, to come and gone.
    """

    entity: SigningKey
    signing: tuple[SigningKey, ...]
    entity_next: SigningKey | None = None
    entity_last: SigningKey | None = None

    @property
    def entities(self) -> list[SigningKey]:
        """The keys of the entity statement."""
        return [key for key in (self.entity_last, self.entity, self.entity_next) if key is not None]

    @property
    def current(self) -> SigningKey:
        """The key that signs ID tokens now."""
        return self.signing[-1]

    def published(self) -> list[dict[str, Any]]:
        """The public signing keys."""
        return [key.public(use="sig", alg="RS256") for key in self.signing]


def make_key(bits: int = 2048) -> SigningKey:
    """A fresh RSA key whose kid is its thumbprint."""
    private = rsa.generate_private_key(65537, bits)
    return SigningKey(jose.thumbprint(private.public_key()), private)


class KeyStore:
    """The keys of all issuers, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._guard = threading.RLock()
        self._parsed: dict[str, SigningKey] = {}
        self._read: dict[str, tuple[tuple[int, int], IssuerKeys]] = {}
        self._strangers: dict[str, SigningKey] = {}

    def of(self, issuer: Issuer) -> IssuerKeys:
        """The keys of an issuer; made now if it has none."""
        path = self._folder / f"{issuer.name}.json"
        with self._guard:
            keys = self._from_file(issuer.name, path)
            if keys is None:
                with self._exclusive():
                    keys = self._from_file(issuer.name, path)  # another process may have been first
                    if keys is None:
                        keys = self._write(issuer.name, path, IssuerKeys(make_key(), (make_key(),)))
            return keys

    def rotate(self, issuer: Issuer, kind: Rotation) -> IssuerKeys:
        """Sign with a new key from now on: beside the old ones (overlap), or instead of them (replace)."""
        self.of(issuer)
        path = self._folder / f"{issuer.name}.json"
        with self._guard, self._exclusive():
            old = self._from_file(issuer.name, path)
            if old is None:
                raise FileNotFoundError(path)
            kept = old.signing[-(_SIGNING_KEYS_KEPT - 1) :] if kind == "overlap" else ()
            return self._write(issuer.name, path, replace(old, signing=(*kept, make_key())))

    def rotate_entity(self, issuer: Issuer) -> IssuerKeys:
        """Announce the next entity key in the statement; when there is one, sign with it from now on."""
        old, path = self.of(issuer), self._folder / f"{issuer.name}.json"
        with self._guard, self._exclusive():
            if old.entity_next is None:
                keys = replace(old, entity_next=make_key())
            else:
                keys = replace(old, entity=old.entity_next, entity_next=None, entity_last=old.entity)
            return self._write(issuer.name, path, keys)

    def stranger(self, kind: str = "attacker") -> SigningKey:
        """A key that no issuer holds, under a kid of its own each time; `weak` has 1024 bits."""
        with self._guard:
            if kind not in self._strangers:
                self._strangers[kind] = make_key(1024 if kind == "weak" else 2048)
            return SigningKey(f"{kind}-{secrets.token_hex(4)}", self._strangers[kind].private)

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with (self._folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _from_file(self, name: str, path: Path) -> IssuerKeys | None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            status = path.stat()
        except FileNotFoundError:
            return None
        version = (status.st_mtime_ns, status.st_ino)
        if name in self._read and self._read[name][0] == version:
            return self._read[name][1]
        stored = json.loads(path.read_text())
        further = {name: self._parse(stored[name]) for name in ("entity_next", "entity_last") if stored.get(name)}
        keys = IssuerKeys(
            self._parse(stored["entity"]), tuple(self._parse(key) for key in stored["signing"]), **further
        )
        self._read[name] = (version, keys)
        return keys

    def _parse(self, stored: dict[str, str]) -> SigningKey:
        kid = stored["kid"]
        if kid not in self._parsed:
            pem = stored["private_key"].encode()
            # Nobody but us writes the file: what was made sound here need not be proved sound again, at 30 ms a key.
            private = serialization.load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
            if not isinstance(private, RSAPrivateKey):
                raise TypeError("the stored key is no RSA key")
            self._parsed[kid] = SigningKey(kid, private)
        return self._parsed[kid]

    def _write(self, name: str, path: Path, keys: IssuerKeys) -> IssuerKeys:
        everything: Sequence[SigningKey] = (*keys.entities, *keys.signing)
        self._parsed.update({key.kid: key for key in everything})
        stored: dict[str, Any] = {"entity": _stored(keys.entity), "signing": [_stored(key) for key in keys.signing]}
        stored |= {"entity_next": _stored(keys.entity_next)} if keys.entity_next else {}
        stored |= {"entity_last": _stored(keys.entity_last)} if keys.entity_last else {}
        text = json.dumps(stored)
        draft = path.with_name(f".{name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        draft.replace(path)
        status = path.stat()
        self._read[name] = ((status.st_mtime_ns, status.st_ino), keys)
        return keys


def _stored(key: SigningKey) -> dict[str, str]:
    pem = key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"kid": key.kid, "private_key": pem.decode()}
