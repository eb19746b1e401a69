"""What a fault is: data, and the one function that bends one step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from flask import Response

from mock_idp.bank import Bank
from mock_idp.protocol.issuers import Issuer
from mock_idp.protocol.keys import SigningKey
from mock_idp.protocol.relying_party import PublishedKey
from mock_idp.state import AuthorizationRequest

Parameters = list[tuple[str, str]]
"""Parameters of an authorization response, in order; a name may stand twice."""

CODE_BYTES = 24
"""Random bytes of a code, unless a fault wants a longer one."""

ALL_DIALECTS = ("ftn", "telia", "isb")


class Where(StrEnum):
    """Which step a fault bends."""

    CLAIMS = "claims"
    JWS = "jws"
    JWE = "jwe"
    RESPONSE = "response"
    TOKEN_ENDPOINT = "token endpoint"
    JWKS = "jwks"


@dataclass(frozen=True, slots=True)
class Answering:
    """An answer being made to a verified request. options: the fault's parameters, such as seconds."""

    bank: Bank
    request: AuthorizationRequest
    options: Mapping[str, float]

    @property
    def now(self) -> int:
        """Seconds since the epoch by the banks' clock."""
        return int(self.bank.now())


@dataclass(frozen=True, slots=True)
class Minting(Answering):
    """An ID token being made. signing: the issuer's key; recipient: the relying party's."""

    signing: SigningKey
    recipient: PublishedKey
    jws_header: dict[str, Any]
    jwe_header: dict[str, Any]

    @property
    def attacker(self) -> SigningKey:
        """A key of somebody else, under a kid of its own."""
        return self.bank.keys.stranger()


@dataclass(slots=True)
class Publication:
    """A key set about to be published; what a fault changes here is what is served.

    fresh: the key the last ID token was signed with, under a kid nobody has seen; part of keys already.
    """

    bank: Bank
    issuer: Issuer
    options: Mapping[str, float]
    keys: list[Any]
    fresh: dict[str, Any]
    signer: SigningKey
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def now(self) -> int:
        """Seconds since the epoch by the banks' clock."""
        return int(self.bank.now())


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to bend one identification.

    title: what the bank does wrong (or unusually). expected_code, expected_step: the refusal a relying party
    should answer with; both None for what it must tolerate. no_answer: nothing comes back to it at all.
    conformance: the OpenID conformance module that does the same. options: parameters with their defaults.
    signs_with: a key that the relying party cannot know yet, so that it must fetch the key set again; the
    expected refusal then holds for one that has a good set already. keeps_kid: it goes by the kid of the key before.
    """

    name: str
    title: str
    where: Where
    expected_code: str | None = None
    expected_step: str | None = None
    dialects: tuple[str, ...] = ALL_DIALECTS
    conformance: str | None = None
    no_answer: bool = False
    options: Mapping[str, float] = field(default_factory=dict)
    signs_with: Literal["fresh", "weak"] | None = None
    keeps_kid: bool = False
    code_bytes: int = CODE_BYTES
    claims: Callable[[dict[str, Any], Minting], None] | None = None
    payload: Callable[[bytes, Minting], bytes] | None = None
    jws: Callable[[bytes, Minting], str] | None = None
    jwe: Callable[[bytes, Minting], str] | None = None
    id_token: Callable[[str, Minting], Any] | None = None
    response: Callable[[Parameters, Answering], Parameters | Response] | None = None
    token_response: Callable[[dict[str, Any], Answering], Response] | None = None
    key_set: Callable[[Publication], Response | None] | None = None

    @property
    def tolerated(self) -> bool:
        """Whether an identification must succeed all the same."""
        return self.expected_code is None and not self.no_answer

    def to_json(self) -> dict[str, Any]:
        """For people and scripts: everything but the functions."""
        return {
            "name": self.name,
            "title": self.title,
            "where": str(self.where),
            "meaning": "tolerated" if self.tolerated else "no answer" if self.no_answer else "refused",
            "expected_code": self.expected_code,
            "expected_step": self.expected_step,
            "dialects": list(self.dialects),
            "conformance": self.conformance,
            "options": dict(self.options),
        }
