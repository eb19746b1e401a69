"""What is pinned of a bank: its entity statement or its keys, as the runtime's `JwksSource`."""

from __future__ import annotations

from pathlib import Path

from joserfc.jwk import RSAKey

from broker.settings.connections import ConnectionSettings
from kit.keys.roca import ROCA, has_roca_fingerprint
from kit.settings.report import ConfigurationError, Problem, shown
from providers.connection import JwksSource, PinnedJwks, SignedJwks, UnsignedJwks
from providers.engine.entity_statement import EntityStatement, NotTrusted, loads_payload, parse_entity_statement

_MOST_BYTES = 256 * 1024


def jwks_source(name: str, connection: ConnectionSettings, now: int) -> JwksSource:
    """Where a connection's keys come from; now: seconds. Raises ConfigurationError if its pin does not verify."""
    if connection.jwks is not None:
        return PinnedJwks(connection.jwks)
    if connection.unsigned_jwks_uri is not None:
        return UnsignedJwks(connection.unsigned_jwks_uri)
    file, uri = connection.entity_statement, connection.signed_jwks_uri
    if file is None or uri is None:
        raise ValueError("a connection has one source of keys")
    key = ("connections", name, "entity_statement")
    try:
        statement = read_entity_statement(file, now)
    except (OSError, UnicodeDecodeError) as error:
        mend = "store the bank's entity statement there"
        raise ConfigurationError(file, [Problem(key, "cannot be read", shown(key, file), mend=mend)]) from error
    except NotTrusted as error:
        wrong = f"does not verify: {error.reason} ({error.where})"
        mend = "get the bank's entity statement again, review it by hand and store it as it came"
        raise ConfigurationError(file, [Problem(key, wrong, shown(key, file), mend=mend)]) from error
    if any(has_roca_fingerprint(RSAKey.import_key(dict(jwk)).public_key.public_numbers().n) for jwk in statement.keys):
        wrong = f"holds a key that anyone can factor ({ROCA})"
        mend = "ask the bank for an entity statement with a new key"
        raise ConfigurationError(file, [Problem(key, wrong, shown(key, file), mend=mend)])
    named = "entity_id" if connection.entity_id else "issuer"
    expected = connection.entity_id or connection.issuer
    if statement.entity_id != expected:
        key = ("connections", name, named)
        wrong = f"is not the entity of the pinned statement, {statement.entity_id}"
        mend = "pin the statement of this connection; name its subject as entity_id only if it differs from the issuer"
        raise ConfigurationError(file, [Problem(key, wrong, shown(key, expected), mend=mend)])
    return SignedJwks(uri=uri, entity_id=statement.entity_id, entity_keys=statement.keys)


def read_entity_statement(file: Path, now: int) -> EntityStatement:
    """A pinned entity statement. Raises OSError, or NotTrusted if it does not verify.

    One that has expired still pins its keys, because the operator reviewed them and only the operator replaces
    them: else a bank that is late with a new one would stop us from starting. `tunnus doctor` and `/readyz`
    say so (`has_expired`).
    """
    with file.open(encoding="utf-8-sig") as opened:
        token = opened.read(_MOST_BYTES)
    try:
        return parse_entity_statement(token, now)
    except NotTrusted as error:
        if error.where != "exp":
            raise
        expiry = loads_payload(token.strip()).get("exp")
        if not isinstance(expiry, int | float) or isinstance(expiry, bool) or expiry > now:
            raise
        return parse_entity_statement(token, int(expiry) - 1)


def has_expired(statement: EntityStatement, now: int) -> bool:
    """Whether a pinned statement is past its time."""
    return statement.exp <= now
