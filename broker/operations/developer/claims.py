"""An identity token as a client's developer should read it: each claim, what it is, and what to check of it.

The checks are those that a client must make (OpenID Connect Core §3.1.3.7), by the keys that we publish.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from broker.audit.chain import moment
from broker.oidc.clients import Client
from broker.oidc.identity_token import LIFETIME, half_hash


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token is compared with. accepted: levels of assurance. now: seconds since the epoch."""

    issuer: str
    client: Client
    nonce: str
    access_token: str = field(repr=False)
    accepted: Sequence[str]
    now: float


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim, for people. checked: what was compared, or why nothing is. holds: None if nothing is."""

    name: str
    value: str
    what: str
    checked: str
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Told:
    """A token, for people. encrypted: only its header can be told. signed: its signature verifies by our keys."""

    header: Mapping[str, Any]
    encrypted: bool
    signed: bool = False
    claims: Sequence[Claim] = ()

    @property
    def verified(self) -> bool:
        """Whether everything holds that can be checked."""
        return self.signed and all(claim.holds is not False for claim in self.claims)


Check = Callable[[Any, Expected], bool]
_NOTHING = "for you to use: nothing to compare it with"
_FROM_THE_BANK = "the bank says so; it is there with scope profile"

KNOWN: dict[str, tuple[str, str, Check | None]] = {
    "iss": ("who issued the token", "equals the issuer", lambda value, to: value == to.issuer),
    "sub": (
        "the person, the same at every bank and each login, for clients of one sector",
        "is a text; match accounts by it alone",
        lambda value, to: isinstance(value, str) and bool(value),
    ),
    "aud": (
        "whom the token is for",
        "names the client",
        lambda value, to: to.client.client_id in ([value] if isinstance(value, str) else value),
    ),
    "azp": (
        "who asked, where others may take the token",
        "is the client",
        lambda value, to: value == to.client.client_id,
    ),
    "exp": ("until when it may be taken", "lies ahead", lambda value, to: to.now < value),
    "iat": (
        "when it was issued",
        f"is not ahead, nor more than {LIFETIME} seconds past",
        lambda value, to: to.now - LIFETIME <= value <= to.now + 1,
    ),
    "auth_time": ("when the person identified", "is not ahead", lambda value, to: value <= to.now + 1),
    "nonce": ("what the request sent", "equals it", lambda value, to: value == to.nonce),
    "at_hash": (
        "which access token came with it",
        "is the left half of its SHA-256",
        lambda value, to: value == half_hash(to.access_token),
    ),
    "acr": ("the level of assurance", "is one that is accepted here", lambda value, to: value in to.accepted),
    "amr": ("how the bank has authenticated, in its own words", _NOTHING, None),
    "idp": ("which bank was chosen", _NOTHING, None),
    "txn": ("the transaction: name it when you ask about this login", _NOTHING, None),
    "given_name": ("given names", _FROM_THE_BANK, None),
    "family_name": ("family name", _FROM_THE_BANK, None),
    "name": ("the whole name", _FROM_THE_BANK, None),
    "birthdate": ("date of birth", _FROM_THE_BANK, None),
}
"""Each claim of a token that can be read: what it is, what is checked, and how. The personal identity code is none."""

_TIMES = ("exp", "iat", "auth_time")


def tell(token: str, public_keys: Sequence[Mapping[str, Any]], expected: Expected) -> Told:
    """A token that was made for a client. public_keys: as `/jwks` has them."""
    if token.count(".") == 4:
        return Told(_header(token), encrypted=True)
    header = _header(token)
    keys = KeySet.import_key_set({"keys": [dict(key) for key in public_keys]})
    try:
        claims = jwt.decode(token, keys, algorithms=[expected.client.id_token_alg]).claims
    except (JoseError, ValueError):
        return Told(header, encrypted=False)
    told = [_claim(name, claims[name], expected) for name in KNOWN if name in claims]
    return Told(header, encrypted=False, signed=True, claims=told)


def _claim(name: str, value: Any, expected: Expected) -> Claim:
    what, checked, check = KNOWN[name]
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    if name in _TIMES:
        shown = f"{value} ({moment(value)})"
    return Claim(name, shown, what, checked, check(value, expected) if check else None)


def _header(token: str) -> Mapping[str, Any]:
    """The first part, which is readable in both kinds."""
    first = token.partition(".")[0]
    return dict(jws.extract_compact(f"{first}.e30.AA".encode()).headers())
