"""Verifies the identity tokens of Tunnus in another service.

    verifier = Verifier("https://id.example.fi", "my-service")   # once, at start
    claims = verifier.verify(token)                              # IdentityClaims, or VerificationError

`errors.py` lists why a token is refused. `tunnus_verifier.testing` makes good and bad tokens for a service's tests.
"""

from tunnus_verifier.claims import IdentityClaims
from tunnus_verifier.errors import (
    BadSignature,
    Expired,
    KeysUnavailable,
    Malformed,
    MissingClaim,
    NotDecrypted,
    NotYetValid,
    TooLongAgo,
    UnknownKey,
    VerificationError,
    WeakAssurance,
    WrongAudience,
    WrongClaim,
    WrongHeader,
    WrongIssuer,
    WrongNonce,
    WrongParty,
)
from tunnus_verifier.fetching import FetchError
from tunnus_verifier.verifier import Verifier

__all__ = [
    "BadSignature",
    "Expired",
    "FetchError",
    "IdentityClaims",
    "KeysUnavailable",
    "Malformed",
    "MissingClaim",
    "NotDecrypted",
    "NotYetValid",
    "TooLongAgo",
    "UnknownKey",
    "VerificationError",
    "Verifier",
    "WeakAssurance",
    "WrongAudience",
    "WrongClaim",
    "WrongHeader",
    "WrongIssuer",
    "WrongNonce",
    "WrongParty",
]
