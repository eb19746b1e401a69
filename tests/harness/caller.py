"""Somebody on the phone who identifies, without a bank."""

from __future__ import annotations

from datetime import date
from types import MappingProxyType

from registration.caller import checks
from tests.harness.registration_api import ApiHarness
from tunnus_verifier import IdentityClaims


def identify(api: ApiHarness, code: str, sub: str) -> str:
    """What a caller's browser and the broker's answer do; the digits that the caller then sees."""
    now = api.service.now
    absent = dict.fromkeys(("azp", "amr", "idp", "txn", "nonce", "personal_identity_code"))
    who = {"sub": sub, "given_name": "Åsa", "family_name": "Testinen", "name": "Åsa Testinen"}
    times = dict.fromkeys(("exp", "iat", "auth_time"), now)
    rest = {"iss": "i", "aud": ("r",), "acr": "a", "birthdate": date(1981, 2, 17), "claims": MappingProxyType({})}
    claims = IdentityClaims(**absent, **who, **times, **rest)  # type: ignore[arg-type]
    keys = api.service.keys
    with api.database.write() as tx:
        token = checks.enter(tx, keys, code, now)
        check = checks.leaves_for_bank(tx, token, "attempt", now)
        assert check is not None
        checks.identified(tx, keys, "attempt", claims, token, now)
        return checks.digits_of(keys, check)
