"""A key's file: `<purpose>-<kid>.json` with its private JWK and its timetable, readable by its owner alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OctKey, RSAKey

from kit.keys.files import KeysUnusable, mode_problem, unusable, write_private
from kit.keys.timetable import Purpose, Timetable

TYPES: Mapping[str, tuple[type[RSAKey] | type[ECKey] | type[OctKey], int]] = {
    "RS256": (RSAKey, 2048),
    "ES256": (ECKey, 256),
    "RSA-OAEP": (RSAKey, 2048),
    "HS256": (OctKey, 256),
    "A256GCM": (OctKey, 256),
    "A128CBC-HS256": (OctKey, 256),
}
"""What kind of key an algorithm needs, and its size in bits: the least, exact for encryption by a secret."""
_MOST_BYTES = 32 * 1024


@dataclass(frozen=True, slots=True)
class HeldKey:
    """One parsed key. file: its name in the folder."""

    purpose: Purpose
    kid: str
    alg: str
    timetable: Timetable
    file: str
    key: Key = field(repr=False)
    alg_only: bool = False
    """Whether a token's key can do no other encryption than `alg`: then it is published with it."""
    in_token: bool = False

    def public_jwk(self) -> dict[str, Any]:
        """The public members with `kid`, `use` and, of a signing key, `alg`; for a purpose that is published.

        A bank may encrypt in each way that its dialect allows, RSA-OAEP or RSA-OAEP-256: an `alg` would have it find
        no key for the other one (RFC 7517 §4.4: the member is optional).
        """
        if self.purpose.role == "secret":
            raise ValueError(f"a {self.purpose.name} key has no public part")
        public: dict[str, Any] = dict(self.key.as_dict(private=False))
        members = {name: public[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in public}
        alg = {} if self.purpose.role == "enc" and not self.alg_only else {"alg": self.alg}
        return {**members, "kid": self.kid, "use": self.purpose.role, **alg}


def read_key(path: Path, purposes: Mapping[str, Purpose]) -> HeldKey:
    """Parse a key file. purposes: by name. Raises KeysUnusable with one problem; no part of the key is in it."""
    try:
        problem = mode_problem(path)
        if problem is not None:
            raise KeysUnusable(path, [problem])
        with path.open("rb") as opened:
            content = opened.read(_MOST_BYTES)
    except OSError as error:
        raise unusable(path, f"cannot be read: {error.strerror}", "mend its owner, or remove it") from error
    try:
        return _parse(path.name, json.loads(content), purposes)
    except (ValueError, TypeError, KeyError, JoseError) as error:
        # Only our own words: an error of a library may hold a part of the file.
        reason = str(error) if isinstance(error, _Unfit) else "is not JSON, or holds no usable JWK"
        raise unusable(path, reason, "restore it from the backup, or remove it") from error


class _Unfit(ValueError):
    """The file is JSON, but not a key file; the message is our own."""


def _parse(name: str, content: Any, purposes: Mapping[str, Purpose]) -> HeldKey:
    needed = {"purpose", "jwk", "timetable"}
    if not isinstance(content, dict) or set(content) - {"alg_only"} != needed:
        raise _Unfit("is no key file: it needs purpose, jwk and timetable")
    purpose, jwk = purposes.get(str(content["purpose"])), content["jwk"]
    if purpose is None:
        raise _Unfit(f"has no known purpose: {', '.join(purposes)}")
    kid, alg = jwk.get("kid"), jwk.get("alg")
    if not isinstance(kid, str) or name != f"{purpose.name}-{kid}.json":
        raise _Unfit("does not bear the name <purpose>-<kid>.json of what it holds")
    if alg not in purpose.algorithms:
        raise _Unfit(f"has another algorithm than {purpose.name} uses: {', '.join(purpose.algorithms)}")
    kind, bits = TYPES[alg]
    in_token = purpose.token is not None and not {"d", "k"} & set(jwk)
    key = purpose.token.key_of(purpose.name, jwk) if purpose.token and in_token else kind.import_key(jwk)
    if not key.is_private or _size(key) < bits or (kind is OctKey and alg != "HS256" and _size(key) != bits):
        raise _Unfit("holds no private key of the size its algorithm needs")
    try:
        timetable = Timetable.from_json(content["timetable"])
    except ValueError as error:
        raise _Unfit(str(error)) from error
    return HeldKey(purpose, kid, alg, timetable, name, key, content.get("alg_only") is True, in_token)


def _size(key: Key) -> int:
    if isinstance(key, OctKey):
        return len(key.raw_value) * 8
    if isinstance(key, RSAKey):
        return key.raw_value.key_size
    return 256 if isinstance(key, ECKey) and key.curve_name == "P-256" else 0


def write_key(
    folder: Path, purpose: Purpose, key: Key | dict[str, Any], timetable: Timetable, *, alg_only: bool = False
) -> Path:
    """Write a key file, whole or not at all, readable by its owner alone; return its path.

    key: carries `kid` and `alg`; of one in a token its public JWK. Raises FileExistsError if there is one of that name.
    """
    jwk = key if isinstance(key, dict) else key.as_dict(private=True)
    path = folder / f"{purpose.name}-{jwk['kid']}.json"
    if path.exists():
        raise FileExistsError(path)
    content: dict[str, Any] = {"purpose": purpose.name, "jwk": jwk, "timetable": timetable.to_json()}
    content |= {"alg_only": True} if alg_only else {}
    write_private(path, json.dumps(content, indent=1))
    return path


def write_timetable(folder: Path, held: HeldKey, timetable: Timetable) -> None:
    """Give a key of the folder another timetable; its file is replaced whole."""
    path = folder / held.file
    content = json.loads(path.read_text(encoding="utf-8")) | {"timetable": timetable.to_json()}
    write_private(path, json.dumps(content, indent=1))
