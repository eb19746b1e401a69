"""Whether our keys are as they must be, and banks know of them what they must: for `/readyz` and `tunnus doctor`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from broker.keys import KeyRing, Phase
from broker.relying_party import redirect_uris
from broker.settings import Settings
from broker.settings.pins import read_entity_statement
from kit.keys.checks import check_folder, moment
from kit.keys.watch import DAY
from kit.serving.operations import Check
from providers.engine.entity_statement import EntityStatement, NotTrusted
from providers.model import KeysUnavailable

_EXCHANGE = 60 * DAY
"""Seconds before our statement ends from which it is a warning: a new one goes to every bank by hand."""


def check_keys(keys: KeyRing, now: float, rotate_every: Mapping[str, int]) -> Iterator[Check]:
    """See `check_folder`; and whether banks encrypt to a key that is held. now: seconds. rotate_every: days."""
    yield from check_folder(keys, now, rotate_every, "tunnus keys")
    try:
        keys.check_token()
    except KeysUnavailable as error:
        mend = "unlock or reach the token of keys.pkcs11; brokers go on by themselves, unless the PIN was refused"
        yield Check("key token", "failed", f"{error}: nobody gets through", mend)
    if (lost := keys.lost_encryption_key()) is not None:
        said = f"banks encrypt to an rp-enc key that was lost, until {moment(lost)}: nobody gets through"
        mend = "restore it from the backup; or tunnus keys rotate --emergency rp-enc, and banks fetch both keys anew"
        yield Check("rp-enc key", "failed", said, mend)


def check_statement(settings: Settings, keys: KeyRing, now: float) -> Iterator[Check]:
    """Whether the entity statement that banks were given holds the keys that sign, and our addresses; now: seconds."""
    file = settings.relying_party.entity_statement
    if file is None:
        return
    mend = f"tunnus entity-statement --out {file}, and give it to every bank"
    try:
        statement = read_entity_statement(file, int(now))
    except (OSError, UnicodeDecodeError, NotTrusted) as error:
        said = f"cannot be read: {error.strerror if isinstance(error, OSError) else 'it does not verify'}"
        yield Check("our entity statement", "warning", said, mend)
        return
    known = {str(key["kid"]) for key in statement.keys}
    coming = [
        key.use_from
        for key in keys.status()
        if key.purpose == "entity" and key.phase is Phase.WARM_UP and key.kid not in known
    ]
    if keys.entity_kid not in known:
        said = "banks do not know the entity key in use: they take no new key of ours, and soon nobody gets through"
        yield Check("our entity statement", "failed", said, mend)
    elif said := "; ".join(_lacks(settings, statement, now, coming)):
        yield Check("our entity statement", "warning", said, mend)
    else:
        yield Check("our entity statement", "ok", f"valid until {moment(statement.exp)}")


def _lacks(settings: Settings, statement: EntityStatement, now: float, coming: list[int]) -> Iterator[str]:
    if coming:
        yield f"it lacks the entity key that signs from {moment(min(coming))}"
    if statement.exp < now + _EXCHANGE:
        yield f"it ends {moment(statement.exp)}"
    ours = statement.metadata.get("openid_relying_party", {})
    if missing := sorted(set(redirect_uris(settings)) - set(ours.get("redirect_uris", ()))):
        yield f"it lacks {missing[0]}"
