"""Strict reading of compact JWS and JWE, before a library sees them.

Libraries forgive what an attacker can use: padding in base64url, duplicate JSON members, a `crit` or `zip`
nobody asked for. Nothing here decrypts or verifies.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST_TOKEN = 48 * 1024
"""Characters; a token of a bank is about 3,000."""
LONGEST_HEADER = 8 * 1024
FARTHEST = 2**53
"""Seconds: beyond it a number is no time, and may not fit a float at all."""

_CHARACTERS = re.compile(r"[A-Za-z0-9_-]*\Z")


class Malformed(ValueError):
    """Not the strict form. The message is constant; where: the header member or part it was found in."""

    def __init__(self, reason: str, where: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.where = where


def segments(token: str, parts: int) -> list[str]:
    """Split a compact token into its segments, each strict base64url. Raises Malformed."""
    if len(token) > LONGEST_TOKEN:
        raise Malformed("the token is too long", "size")
    found = token.split(".")
    if len(found) != parts:
        raise Malformed("the token has not the expected number of parts", "parts")
    if not all(_is_strict(segment) for segment in found):
        raise Malformed("a part is not strict base64url", "base64url")
    return found


def loads(data: bytes, where: str) -> dict[str, Any]:
    """A JSON object whose members are all different, at every depth. Raises Malformed.

    A byte order mark in front is passed over (RFC 8259 §8.1). A text may hold half a surrogate pair, which cannot be
    written on, and a number may be infinite: whoever uses one looks.
    """
    try:
        value = _DECODER.decode(data.decode("utf-8-sig"))
    except Malformed:
        raise
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, too deep
        raise Malformed("a part is not a JSON object", where) from error
    if not isinstance(value, dict):
        raise Malformed("a part is not a JSON object", where)
    return value


def unverified_header(segment: str) -> dict[str, Any]:
    """The protected header in a compact token's first segment, unverified. Raises Malformed."""
    if len(segment) > LONGEST_HEADER:
        raise Malformed("the header is too long", "header")
    return loads(decode(segment), "header")


def check_header(
    header: dict[str, Any], *, algorithms: Sequence[str], encryptions: Sequence[str] = (), kid_required: bool = True
) -> str | None:
    """Hold a header against our allow-lists; return its `kid`, None where it has none and need not.

    Keys that it carries or points to are never used. Raises Malformed.
    """
    if header.get("alg") not in algorithms:
        raise Malformed("the algorithm is not allowed", "alg")
    if encryptions and header.get("enc") not in encryptions:
        raise Malformed("the content encryption is not allowed", "enc")
    for member in ("zip", "crit", "b64"):
        if member in header:
            raise Malformed("the header asks for an extension", member)
    kid = given(header).get("kid")
    if not isinstance(kid, str) and (kid is not None or kid_required):
        raise Malformed("the header names no key", "kid")
    return kid


def check_type(header: Mapping[str, Any], member: str, types: Sequence[str], *, required: bool = False) -> None:
    """`typ` or `cty`, if present, is one of these, in any case (RFC 7515 §4.1.9, §4.1.10). Raises Malformed."""
    value = given(header).get(member, None if required else types[0])
    known = {name.lower() for name in types}
    if not isinstance(value, str) or value.lower().removeprefix("application/") not in known:
        raise Malformed("the type is another", member)


def given(members: Mapping[str, Any]) -> dict[str, Any]:
    """Those that say something: banks write an optional member that they do not have as null, or as an empty text."""
    return {name: value for name, value in members.items() if value is not None and value != ""}


def seconds(value: object) -> float | None:
    """A NumericDate (RFC 7519 §2) as seconds since the epoch; None if it is no such number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not -FARTHEST < value < FARTHEST:
        return None
    return float(value)


def decode(segment: str) -> bytes:
    """The bytes of a base64url segment. Raises Malformed."""
    try:
        return base64.b64decode(segment + "=" * (-len(segment) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise Malformed("a part is not strict base64url", "base64url") from error


def _is_strict(segment: str) -> bool:
    """base64url without padding, its unused last bits zero: one form only for each content (RFC 4648 §3.5)."""
    endings = {0: "", 2: "AQgw", 3: "AEIMQUYcgkosw048"}.get(len(segment) % 4)
    return endings is not None and (not endings or segment[-1] in endings) and bool(_CHARACTERS.match(segment))


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("a JSON member stands twice", "duplicate")
    return members


def _integer(text: str) -> float:
    """One of hundreds of digits, which Python refuses to read, is as infinite as a float of that size."""
    return int(text) if len(text) < 300 else float(text)


def _no_constant(_name: str) -> float:
    raise Malformed("a number is not a JSON number", "number")


_DECODER = json.JSONDecoder(object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_int=_integer)
"""`loads` with options makes one each time."""
