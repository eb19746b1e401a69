"""Why an identification ended without an identity.

    IdentificationError          code               what it says
    ├── Cancelled                cancelled          the person backed out at the bank
    ├── ProviderFailed           idp_failed         the bank answered with an error
    ├── Unavailable              unavailable        the bank or its keys cannot be reached
    ├── Expired                  expired            the attempt or transaction lapsed, or was never known
    ├── Replay                   replay             state or code was used before, no outcome is left
    ├── Interrupted              interrupted        the attempt was claimed, no outcome came in time
    ├── LostCookie               lost_cookie        the attempt is known, this browser is not
    ├── NotSupported             not_supported      verified, but no Finnish personal identity code
    ├── BadRequest               bad_request        the message makes no sense; nothing in it is used
    ├── IntegrityError           integrity_error    a signature, a decryption or a claim does not hold
    └── RelyingPartyRejected     config_error       the bank refuses us, or our own set-up is wrong

`reason` is a constant of our own code, in words for the operator. It never holds a value that came from
a bank, a browser or a client, so that it may be logged as it is.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Step(StrEnum):
    """Where on its way an identification stopped."""

    REQUEST = "request"
    RESPONSE = "response"
    TOKEN_EXCHANGE = "token_exchange"
    ID_TOKEN = "id_token"
    NORMALISE = "normalise"
    HAND_OFF = "hand_off"


class IdentificationError(Exception):
    """One identification ended without an identity; the person gets the page of its `code`.

    step: where. reason: why, in constant words. claim: the claim, header or parameter that did not hold.
    """

    code: ClassVar[str]

    def __init__(self, step: Step, reason: str, *, claim: str | None = None) -> None:
        super().__init__(f"{self.code} at {step}: {reason}" + (f" ({claim})" if claim else ""))
        self.step = step
        self.reason = reason
        self.claim = claim


class Cancelled(IdentificationError):
    """The person backed out at the bank, by the word the dialect has for it."""

    code = "cancelled"


class ProviderFailed(IdentificationError):
    """The bank answered with an error of its own."""

    code = "idp_failed"


class Unavailable(IdentificationError):
    """The bank or its keys cannot be reached: time-out, 5xx, unknown key after one refresh, breaker open."""

    code = "unavailable"


class Expired(IdentificationError):
    """The attempt or its transaction lapsed, or its state was never known."""

    code = "expired"


class Replay(IdentificationError):
    """A state or code was used before, and its outcome is gone."""

    code = "replay"


class Interrupted(IdentificationError):
    """An attempt was claimed and no outcome followed within the wait."""

    code = "interrupted"


class LostCookie(IdentificationError):
    """The attempt is known, but not from this browser."""

    code = "lost_cookie"


class NotSupported(IdentificationError):
    """Everything was verified, but the person has no Finnish personal identity code."""

    code = "not_supported"


class BadRequest(IdentificationError):
    """A message whose parameters make no sense: missing or repeated state, unknown connection."""

    code = "bad_request"


class IntegrityError(IdentificationError):
    """A signature, a decryption or a claim does not hold."""

    code = "integrity_error"


class RelyingPartyRejected(IdentificationError):
    """The bank refuses us as a relying party: the operator must act."""

    code = "config_error"


ALL_ERRORS: tuple[type[IdentificationError], ...] = (
    Cancelled,
    ProviderFailed,
    Unavailable,
    Expired,
    Replay,
    Interrupted,
    LostCookie,
    NotSupported,
    BadRequest,
    IntegrityError,
    RelyingPartyRejected,
)
