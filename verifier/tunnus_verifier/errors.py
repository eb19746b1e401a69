"""Why a token was refused.

    VerificationError
    ├── Malformed            no signed token of the expected form, in some part of it
    ├── WrongHeader          typ, alg, kid, crit or another header parameter is not one we accept
    ├── NotDecrypted         encrypted and not to our keys, or not encrypted where it must be
    ├── UnknownKey           the issuer has no key with this kid for this algorithm
    ├── BadSignature         the signature does not fit
    ├── MissingClaim         a required claim is not there
    ├── WrongClaim           a claim of a wrong type or form
    ├── WrongIssuer          iss is another
    ├── WrongAudience        aud does not name us
    ├── WrongParty           azp is another, or missing where several audiences are named
    ├── Expired              exp is past
    ├── NotYetValid          iat, nbf or auth_time is in the future
    ├── WeakAssurance        acr is not one of the accepted levels
    ├── TooLongAgo           the person identified longer ago than max_age
    ├── WrongNonce           nonce is another, or missing
    └── KeysUnavailable      not the token's fault: the issuer's keys cannot be had now; answer 503

No message holds a value of the token, so each may be logged.
"""

from __future__ import annotations


class VerificationError(Exception):
    """A token was not accepted. code: a stable word for logs and metrics. claim: what failed, if one thing did."""

    code = "refused"

    def __init__(self, reason: str, *, claim: str | None = None) -> None:
        """reason: a constant text for developers. claim: the name of a claim or header parameter."""
        super().__init__(f"{claim}: {reason}" if claim else reason)
        self.reason = reason
        self.claim = claim


class Malformed(VerificationError):
    """No signed token of the expected form (RFC 7515 §7.1, RFC 7519 §7.2)."""

    code = "malformed"


class WrongHeader(VerificationError):
    """A header parameter that we do not accept (RFC 8725 §3.1, §3.11)."""

    code = "wrong_header"


class NotDecrypted(VerificationError):
    """Encrypted to another or in a way that is not ours, or not encrypted where it must be (RFC 7516 §5.2)."""

    code = "not_decrypted"


class UnknownKey(VerificationError):
    """The issuer has no key with this `kid` that fits the algorithm."""

    code = "unknown_key"


class BadSignature(VerificationError):
    """The signature does not fit (RFC 7515 §5.2)."""

    code = "bad_signature"


class MissingClaim(VerificationError):
    """A required claim is not there."""

    code = "missing_claim"


class WrongClaim(VerificationError):
    """A claim of a wrong type or form."""

    code = "wrong_claim"


class WrongIssuer(VerificationError):
    """`iss` is not the issuer that we trust."""

    code = "wrong_issuer"


class WrongAudience(VerificationError):
    """`aud` does not name us."""

    code = "wrong_audience"


class WrongParty(VerificationError):
    """`azp` is another than we accept, or missing where several audiences are named."""

    code = "wrong_party"


class Expired(VerificationError):
    """`exp` is past."""

    code = "expired"


class NotYetValid(VerificationError):
    """`iat`, `nbf` or `auth_time` is in the future."""

    code = "not_yet_valid"


class WeakAssurance(VerificationError):
    """`acr` is not one of the accepted levels of assurance."""

    code = "weak_assurance"


class TooLongAgo(VerificationError):
    """The person identified longer ago than `max_age` allows."""

    code = "too_long_ago"


class WrongNonce(VerificationError):
    """`nonce` is not the one that was sent."""

    code = "wrong_nonce"


class KeysUnavailable(VerificationError):
    """The issuer's keys cannot be had now. The token may be good: answer 503, not 401."""

    code = "keys_unavailable"
