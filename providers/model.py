"""The values that cross the seam between the broker and a provider. There is no OAuth in it.

    begin(BeginRequest) -> Begun(step, attempt)          the browser leaves for the bank
    finish(message, attempt) -> Identity                 the browser comes back

An adapter is made per connection (`providers.engine.adapter`), from values handed in: keys, HTTP, clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, NewType, Protocol

Locale = Literal["fi", "sv", "en"]
Texts = Mapping[str, str]
"""Words for people by language (`fi`, `sv`, `en`)."""

Message = Mapping[str, Sequence[str]]
"""What a browser brought back: each parameter with all its values, unverified."""

UnverifiedClaims = NewType("UnverifiedClaims", dict[str, Any])
VerifiedClaims = NewType("VerifiedClaims", dict[str, Any])
"""Claims of an ID token that passed every check; made by `providers.engine.id_token` only."""


@dataclass(frozen=True, slots=True)
class Provider:
    """What a person chooses. Only what is true of the bank itself; the contract's values are config.

    mark: 1-2 letters drawn on a neutral tile, or "phone". amr: how the bank shows itself in an answer,
    the last path segments of the `amr` URI. attempt_lifetime: seconds one trip to it may take.
    adjust: for the rare bank that needs it; runs after every check and before normalisation.
    """

    id: str
    names: Texts
    mark: str
    group: Literal["mobile", "bank"] = "bank"
    amr: tuple[str, ...] = ()
    attempt_lifetime: int = 900
    adjust: Callable[[VerifiedClaims], VerifiedClaims] | None = None


@dataclass(frozen=True, slots=True)
class BeginRequest:
    """What the broker asks of an adapter for one attempt.

    handle: 64 hexadecimal characters the bank must bring back (the OIDC `state`); the broker chooses it.
    provider: what the person chose; None where the contract cannot select. acr_values: the accepted levels
    of assurance (URIs), already narrowed by the client. profile: names are wanted. credential: what the
    client makes of this identification (OP's dialect must say so). now: seconds since the epoch.
    """

    handle: str
    provider: Provider | None
    ui_locale: Locale
    acr_values: tuple[str, ...]
    profile: bool
    credential: Literal["weak", "strong", "none"]
    now: int


@dataclass(frozen=True, slots=True)
class Redirect:
    """The step: send the browser to this address now."""

    url: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """One trip to a bank, as the broker keeps it (encrypted) until the browser is back.

    private: the adapter's own values as JSON types (nonce, PKCE verifier); the broker does not look inside.
    """

    connection: str
    provider: str | None
    acr_values: tuple[str, ...]
    started_at: int
    expires_at: int
    private: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt and the first step of it."""

    step: Redirect
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class Identifier:
    """What identifies the person for good: a scheme (`hetu`), its country (`FI`) and the value."""

    scheme: str
    country: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Assurance:
    """The level of assurance: normalised, and in the provider's own word (an FTN URI)."""

    level: Literal["substantial", "high"]
    acr: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What of the answer may be kept for an audit; nothing in it names a person.

    reference: the bank's own reference of the event (session_index or sub). signing_kid: the bank's key.
    encryption_kid: ours.
    """

    reference: str | None
    signing_kid: str
    encryption_kid: str


@dataclass(frozen=True, slots=True)
class Identity:
    """The normalised person.

    identifier: None is allowed by the type; every dialect of today requires one. name: display name built
    from the two parts, or the bank's where it split none. provider: the id, None where the contract cannot
    tell. provider_known: `confirmed` by the bank's answer, `chosen` by the person, or `unknown`.
    auth_time: seconds since the epoch. represents: room for whom the person acts for; always None today.
    """

    identifier: Identifier | None
    given_name: str | None = field(repr=False)
    family_name: str | None = field(repr=False)
    name: str = field(repr=False)
    birthdate: date = field(repr=False)
    assurance: Assurance
    provider: str | None
    provider_known: Literal["confirmed", "chosen", "unknown"]
    amr: tuple[str, ...]
    auth_time: int
    evidence: Evidence
    represents: None = None


class Adapter(Protocol):
    """How the broker talks to one connection."""

    def begin(self, request: BeginRequest) -> Begun:
        """Start an attempt. Raises Unavailable or RelyingPartyRejected at step `request`."""
        ...

    def handle_of(self, message: Message) -> str:
        """The handle a message carries, unverified. Raises BadRequest if it is missing, repeated or malformed."""
        ...

    def finish(self, message: Message, handle: str, attempt: Attempt, now: int) -> Identity:
        """Turn what came back into an identity; now: seconds since the epoch.

        Called once per attempt, after the broker has claimed it. Raises any IdentificationError.
        """
        ...

    @property
    def usable(self) -> bool:
        """False while the breaker of this connection is open."""
        ...

    def usable_for(self, provider: str | None) -> bool:
        """False while new starts with one of its providers are stopped; provider: its id."""
        ...

    def failed_lately(self, provider: str | None) -> bool:
        """Whether identifications with one of its providers failed lately, and none has succeeded since."""
        ...

    @property
    def calls(self) -> int:
        """Threads in calls to this connection now."""
        ...


class Keys(Protocol):
    """The narrow port to our private keys; no code outside its implementation ever holds one.

    purpose: `entity`, `rp-sig`, `rp-enc`, `id-token-sig`.
    """

    def sign(self, purpose: str, claims: Mapping[str, Any], *, typ: str | None = "JWT", alg: str = "RS256") -> str:
        """A compact JWS by the key in use for the purpose, its `kid` in the header."""
        ...

    def decrypt(self, purpose: str, token: str, *, algorithms: Sequence[str], kid_required: bool = True) -> Decrypted:
        """Decrypt a compact JWE with the key its `kid` names, in any phase that still decrypts.

        One without a `kid`, unless that is required, with each key in turn, the newest first.
        Raises UnknownKey if no such key is held, DecryptionFailed if it does not open.
        """
        ...

    def public_set(self, purpose: str) -> list[dict[str, Any]]:
        """The public JWKs to publish now for a purpose, no private member; `kid` and `use` in each, and `alg` in
        those that sign: what is encrypted to us may be so in any way that a dialect allows.
        """
        ...


@dataclass(frozen=True, slots=True)
class Decrypted:
    """A decrypted JWE: its protected header, payload and the `kid` of the key that opened it."""

    header: Mapping[str, Any]
    payload: bytes = field(repr=False)
    kid: str = ""


class KeyFailure(Exception):
    """A key could not do what was asked."""


class UnknownKey(KeyFailure):
    """No key with that `kid` is held for the purpose, or none is in use."""


class KeysUnavailable(KeyFailure):
    """What holds the keys cannot be reached, or refuses us."""


class DecryptionFailed(KeyFailure):
    """The key is there, the message does not open with it."""


class Observer(Protocol):
    """Where an adapter reports what the operator counts; values are ids of config and constant words."""

    def event(self, name: str, **fields: str | int | float) -> None:
        """One thing that happened: `jwks_fetched`, `jwks_stale`, `breaker_opened`, `token_request`, ..."""
        ...
