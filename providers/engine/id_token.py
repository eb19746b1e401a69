"""The ID token: decrypt, verify, and check every claim.

Nothing of it is believed before `verify_id_token` returns; VerifiedClaims are made here and nowhere else.
Sources: OpenID Connect Core §3.1.3.7; RFC 7516 §5.2; RFC 7515 §5.2; FTN profile, ID token checks.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol

from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import RSAKey

from providers.connection import Connection
from providers.engine.claims import CHECKS, Expected, usual_form
from providers.engine.compact import (
    Malformed,
    check_header,
    check_type,
    loads,
    segments,
    unverified_header,
)
from providers.engine.public_keys import verify_by_one
from providers.errors import IntegrityError, RelyingPartyRejected, Step
from providers.model import DecryptionFailed, KeyFailure, Keys, KeysUnavailable, UnknownKey, VerifiedClaims

STEP = Step.ID_TOKEN
JWS_TYPES = ("JWT", "JOSE")
"""What the signed token may call itself, if anything: never an entity statement, a key set or an access token."""
CONTENT_TYPES = ("JWT",)


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """The claims, and which keys held: the bank's signing key and our encryption key."""

    claims: VerifiedClaims = field(repr=False)
    signing_kid: str
    encryption_kid: str


class FindKeys(Protocol):
    """How the bank's keys are asked for, in one identification."""

    def __call__(self, kid: str | None, refused: Collection[RSAKey] = ()) -> tuple[RSAKey, ...]:
        """The keys of a `kid`, at least one; None: the only one that fits.

        refused: a signature held under none of them, so that the bank may have another by now.
        Raises Unavailable if there is none, IntegrityError if several fit or the bank's key set does not verify.
        """
        ...


def verify_id_token(
    token: str, connection: Connection, expected: Expected, keys: Keys, find_keys: FindKeys
) -> VerifiedToken:
    """Decrypt and verify an ID token; return its claims, every one in CHECKS checked.

    token: compact JWE around a compact JWS. A bank may have several keys under one `kid`: each is tried. If its
    signature holds under none, the bank may have put another key there: then what is there by now is tried, once.
    Raises IntegrityError (claim, reason) on any mismatch, and what find_keys raises.
    """
    inner, encryption_kid = _decrypt(token, connection, keys)
    try:
        parts = segments(inner, 3)
        header = unverified_header(parts[0])
        kid = check_header(header, algorithms=connection.dialect.jws_algorithms, kid_required=connection.kid_required)
        check_type(header, "typ", JWS_TYPES)
    except Malformed as error:
        raise IntegrityError(STEP, error.reason, claim=error.where) from error
    payload, signing_kid = _verify(inner, connection, kid, find_keys)
    try:
        claims = usual_form(loads(payload, "payload"))
    except Malformed as error:
        raise IntegrityError(STEP, error.reason, claim=error.where) from error
    for check in CHECKS:
        check(claims, expected)
    return VerifiedToken(VerifiedClaims(claims), signing_kid, encryption_kid)


def _decrypt(token: str, connection: Connection, keys: Keys) -> tuple[str, str]:
    dialect = connection.dialect
    algorithms, encryptions = dialect.jwe_algorithms, dialect.jwe_encryptions
    try:
        header = unverified_header(segments(token, 5)[0])
        required = connection.kid_required
        check_header(header, algorithms=algorithms, encryptions=encryptions, kid_required=required)
        check_type(header, "cty", CONTENT_TYPES)
        decrypted = keys.decrypt("rp-enc", token, algorithms=[*algorithms, *encryptions], kid_required=required)
        return decrypted.payload.decode("ascii"), decrypted.kid
    except Malformed as error:
        raise IntegrityError(STEP, error.reason, claim=error.where) from error
    except UnknownKey as error:
        raise IntegrityError(STEP, "it is encrypted to a key that is not ours", claim="kid") from error
    except KeysUnavailable as error:
        raise RelyingPartyRejected(STEP, "our key cannot be used now", claim="decryption") from error
    except (DecryptionFailed, KeyFailure) as error:
        raise IntegrityError(STEP, "it does not decrypt", claim="decryption") from error
    except UnicodeDecodeError as error:
        raise IntegrityError(STEP, "the content is no compact JWS", claim="payload") from error


def _verify(inner: str, connection: Connection, kid: str | None, find_keys: FindKeys) -> tuple[bytes, str]:
    """The payload once the signature holds, and the key's `kid`; what it says is not checked yet."""
    algorithms = connection.dialect.jws_algorithms
    keys = find_keys(kid)
    try:
        try:
            payload, key = verify_by_one(inner, keys, algorithms)
        except BadSignatureError:
            payload, key = verify_by_one(inner, find_keys(kid, refused=keys), algorithms)
        return payload, str(key.kid)
    except JoseError as error:
        raise IntegrityError(STEP, "the signature does not hold", claim="signature") from error
