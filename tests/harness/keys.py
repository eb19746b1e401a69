"""A folder of keys that a test changes, and what is encrypted to one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from joserfc import jwe, jws
from joserfc.jwk import RSAKey

from broker.keys import Timetable
from tests.broker.conftest import NOW

DAY = 86_400
ALGORITHMS = ("RSA-OAEP", "A128CBC-HS256")


class Clock:
    """Time that a test moves."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def file_of(folder: Path, purpose: str, alg: str | None = None) -> Path:
    """The file of the one key of a purpose."""
    found = [
        path for path in folder.glob(f"{purpose}-*.json") if alg in {None, json.loads(path.read_text())["jwk"]["alg"]}
    ]
    assert len(found) == 1
    return found[0]


def change(path: Path, **members: Any) -> None:
    """Change a key file's members in place."""
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | members))


def end(folder: Path, purpose: str, alg: str | None, use: int, publish: int, keep: int) -> None:
    """Give the one key of a purpose its end."""
    path = file_of(folder, purpose, alg)
    table = Timetable.from_json(json.loads(path.read_text())["timetable"])
    table = replace(table, use_until=use, publish_until=publish, keep_until=keep)
    change(path, timetable=table.to_json())


def kid_of(token: str) -> str:
    """The `kid` of a compact JWS."""
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def sealed_to(
    jwk: dict[str, Any], data: bytes = b"a token", algorithms: tuple[str, ...] = ALGORITHMS, **header: Any
) -> str:
    """A JWE to a public key."""
    protected = {"alg": "RSA-OAEP", "enc": "A128CBC-HS256", "kid": jwk["kid"], **header}
    registry = jwe.JWERegistry(algorithms=[*algorithms, "DEF"], strict_check_header=False)
    key = RSAKey.import_key({"kty": "RSA", "n": jwk["n"], "e": jwk["e"]})
    return jwe.encrypt_compact(protected, data, key, registry=registry)
