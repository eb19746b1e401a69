"""A chain's head: the hash of its last record and the number of it. Whoever keeps it can show what the chain was."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from kit.audit.signed import Trust, sign
from kit.keys.watch import WatchedKeys

HEAD = "audit-head+jwt"
"""The `typ` of a signed head. Its claims: `file`, `seq`, `hash`, `iat` (seconds), `keys`."""
_JWS = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{86}(?![\w-])", re.ASCII)
"""A compact JWS by ES256 (RFC 7515 §7.1, RFC 7518 §3.4), wherever it stands in a line."""


@dataclass(frozen=True, slots=True)
class Head:
    """A record's hash. file: the chain it is of. seq: its number, which counts the records up to it."""

    file: str
    seq: int
    hash: str


def sign_head(keys: WatchedKeys, head: Head, now: float) -> str:
    """A head as a compact JWS; now: seconds since the epoch. Raises CannotSign."""
    return sign(keys, HEAD, {**asdict(head), "iat": int(now)})


def read_heads(lines: Iterable[str], trust: Trust) -> tuple[list[Head], int]:
    """The signed heads in lines of whatever form, and how many statements there no known key has signed."""
    claims, unknown = trust.open_all((found for line in lines for found in _JWS.findall(line)), HEAD)
    return [Head(str(one["file"]), int(one["seq"]), str(one["hash"])) for one in claims], unknown
