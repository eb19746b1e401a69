"""The authorization response: what the browser brought, read in the order of trust.

`state` comes first (`handle_of`, before the broker looks anything up), then `iss`, then `error`, then `code`.
Sources: OpenID Connect Core §3.1.2.5-§3.1.2.7; RFC 9207 §2.4; OP API §7; Telia guide §2.5.
"""

from __future__ import annotations

import re

from providers.connection import Connection
from providers.errors import BadRequest, Cancelled, IntegrityError, ProviderFailed, Step
from providers.model import Message

LONGEST_CODE = 4096
"""Characters. Telia's code is itself a JWE."""

_HANDLE = re.compile(r"[0-9a-f]{64}\Z")
_CODE = re.compile(r"[\x20-\x7e]+\Z")


def handle_of(message: Message) -> str:
    """The `state`, unverified. Raises BadRequest if it is missing, repeated or none of ours."""
    values = message.get("state", ())
    if len(values) != 1:
        raise BadRequest(Step.RESPONSE, "state is missing or repeated", claim="state")
    if not _HANDLE.match(values[0]):
        raise BadRequest(Step.RESPONSE, "state has not the form of ours", claim="state")
    return values[0]


def code_of(message: Message, connection: Connection) -> str:
    """The authorization code of a claimed attempt.

    Raises IntegrityError (iss, repeated parameter), Cancelled, or the class the dialect gives the error.
    """
    for name in ("iss", "error", "code"):
        if len(message.get(name, ())) > 1:
            raise IntegrityError(Step.RESPONSE, "a parameter is repeated", claim=name)
    issuer = _single(message, "iss")
    if issuer is None and connection.iss_parameter:
        raise IntegrityError(Step.RESPONSE, "iss is missing although it is advertised", claim="iss")
    if issuer is not None and issuer != connection.issuer:
        raise IntegrityError(Step.RESPONSE, "iss is another issuer", claim="iss")
    error = _single(message, "error")
    if error:  # one without a value says nothing (RFC 6749 §3.1)
        if error in connection.dialect.cancel_errors:
            raise Cancelled(Step.RESPONSE, "the person backed out")
        kind = connection.dialect.errors.get(error, ProviderFailed)
        raise kind(Step.RESPONSE, "the bank answered with an error", claim="error")
    code = _single(message, "code")
    if not code:
        raise IntegrityError(Step.RESPONSE, "code is missing", claim="code")
    if len(code) > LONGEST_CODE or not _CODE.match(code):
        raise IntegrityError(Step.RESPONSE, "code has no acceptable form", claim="code")
    return code


def _single(message: Message, name: str) -> str | None:
    values = message.get(name, ())
    return values[0] if values else None
