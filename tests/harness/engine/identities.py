"""Verified claims of a bank, changed, and what is made of them."""

from __future__ import annotations

from typing import Any

import pytest

from providers.connection import Connection
from providers.engine.normalise import normalise
from providers.errors import IdentificationError, Step
from providers.model import Identity, Provider, VerifiedClaims
from tests.harness.engine.bank import Bank
from tests.harness.engine.parts import make_connection

URN = "urn:oid:"

HETU, GIVEN, FAMILY = f"{URN}1.2.246.21", f"{URN}1.2.246.575.1.14", f"{URN}2.5.4.4"

WHOLE, BORN = f"{URN}2.16.840.1.113730.3.1.241", f"{URN}1.3.6.1.5.5.7.9.1"


def identity_of(
    bank: Bank, connection: Connection | None = None, provider: Provider | None = None, **changes: Any
) -> Identity:
    connection = connection or make_connection()
    asked = changes.pop("names_asked", True)
    claims = VerifiedClaims(bank.claims(connection, **changes))
    return normalise(claims, connection, provider, ("theirs", "ours"), names_asked=asked)


def not_normalised(
    kind: type[IdentificationError], claim: str, bank: Bank, connection: Connection | None = None, **changes: Any
) -> None:
    with pytest.raises(kind) as caught:
        identity_of(bank, connection, **changes)
    assert (caught.value.step, caught.value.claim) == (Step.NORMALISE, claim)


def with_code(code: Any) -> dict[str, Any]:
    return {HETU: code, BORN: None}
