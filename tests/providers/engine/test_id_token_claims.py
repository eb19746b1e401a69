"""The claims of the ID token, refused and taken: a row for each rule."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from providers.engine.claims import CHECKS
from providers.errors import IntegrityError
from tests.harness.engine.id_token import (
    ABSENT,
    AT_HASH,
    CLAIMS,
    EXPECTED,
    JWS_HEADER,
    token,
    verify,
    with_members,
)
from tests.harness.engine.jose import b64
from tests.harness.engine.parts import (
    CLIENT_ID,
    HIGH_PRODUCTION_LEVEL,
    HIGH_TEST_LEVEL,
    ISSUER,
    NONCE,
    NOW,
    PRODUCTION_LEVEL,
    TEST_LEVEL,
)


@dataclass(frozen=True)
class Claim:
    """A change of the claims, and the claim that it is refused for."""

    changes: dict[str, Any]
    claim: str
    reason: str
    expected: dict[str, Any] = field(default_factory=dict)


def _claim(name: str, value: object, reason: str, **expected: Any) -> Any:
    shown = "absent" if value is ABSENT else json.dumps(value)[:32]
    return pytest.param(Claim({name: value}, name, reason, expected), id=f"{name}-{shown}-{len(expected)}")


WRONG_CLAIMS = [
    *(_claim("iss", v, "another issuer") for v in (ABSENT, ISSUER + "/", ISSUER.upper(), "", None, 1, [ISSUER], {})),
    *(_claim("aud", v, "not for us alone") for v in (ABSENT, "other", "", [], None, 7, {}, [[CLIENT_ID]])),
    *(_claim("aud", v, "not for us alone") for v in ([CLIENT_ID, "other"], ["other", CLIENT_ID], {CLIENT_ID: 1})),
    _claim("aud", [CLIENT_ID, CLIENT_ID], "not for us alone"),
    *(_claim("azp", v, "another client") for v in ("other", " ", [], [CLIENT_ID], 1, False)),
    *(_claim("exp", v, "no time") for v in (ABSENT, None, str(NOW + 600), True, [NOW], 2**53, {})),
    *(_claim("exp", v, "has expired") for v in (NOW - 60, NOW - 3600, 0, -5)),
    *(_claim("iat", v, "no time") for v in (ABSENT, None, str(NOW), True, {}, -(2**53))),
    *(_claim("iat", v, "from the future") for v in (NOW + 61, NOW + 60.5)),
    *(_claim("iat", v, "too old") for v in (NOW - 3601, 0, -1)),
    *(_claim("nbf", v, "no time") for v in ([], str(NOW), True, False)),
    *(_claim("nbf", v, "not valid yet") for v in (NOW + 61, NOW + 600)),
    *(_claim("nonce", v, "another nonce") for v in (ABSENT, "", NONCE[:-1], NONCE.upper(), None, [NONCE], 0)),
    *(_claim("sub", v, "missing or no string") for v in (ABSENT, "", None, 5, ["a"], "s" * 256)),
    *(_claim("acr", v, "none of the FTN's") for v in (ABSENT, "", None, [TEST_LEVEL], TEST_LEVEL + "/", 2, {})),
    *(_claim("acr", v, "none of the FTN's") for v in (TEST_LEVEL.replace("http:", "https:"), TEST_LEVEL.upper())),
    _claim("acr", "urn:loa", "none of the FTN's", acr_values=("urn:loa",)),
    *(_claim("acr", v, "another environment") for v in (PRODUCTION_LEVEL, HIGH_PRODUCTION_LEVEL)),
    _claim("acr", PRODUCTION_LEVEL, "another environment", acr_values=(PRODUCTION_LEVEL,)),
    *(_claim("acr", v, "another environment", test=False) for v in (TEST_LEVEL, HIGH_TEST_LEVEL)),
    _claim("acr", TEST_LEVEL, "not accepted", acr_values=(HIGH_TEST_LEVEL,)),
    _claim("acr", HIGH_TEST_LEVEL, "not accepted", acr_values=(PRODUCTION_LEVEL,)),
    *(_claim("acr", HIGH_TEST_LEVEL, "not accepted", acr_values=v) for v in ((), ("urn:loa",))),
    *(_claim("auth_time", v, "no time") for v in (ABSENT, None, str(NOW), True, [])),
    *(_claim("auth_time", v, "older than the request") for v in (NOW - 181, 0)),
    *(_claim("auth_time", v, "in the future") for v in (NOW + 61, NOW + 3600)),
    *(_claim("at_hash", v, "no access token") for v in (" ", AT_HASH[:-1] + "_", [AT_HASH], 3, AT_HASH + "==")),
    _claim("at_hash", AT_HASH, "no access token", access_token=None),
    _claim("at_hash", b64(hashlib.sha256(b"").digest()[:16]), "no access token", access_token=None),
    *(_claim("amr", v, "no list of strings") for v in (4, 0, False, {}, [1], [False], [["a"]], ["a", 0])),
    _claim("amr", ["a", "b\udfff"], "half a surrogate pair"),
    _claim("at_hash", AT_HASH, "no access token", access_token="\ud800"),
    *(_claim("amr", v, "too long") for v in (["a"] * 11, ["a" * 256], "a" * 256)),
]


@pytest.mark.parametrize("row", WRONG_CLAIMS)
def test_a_claim_that_does_not_hold_is_refused_by_name(row: Claim) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify(token(with_members(CLAIMS, row.changes)), expected=replace(EXPECTED, **row.expected))
    assert (caught.value.code, caught.value.step, caught.value.claim) == ("integrity_error", "id_token", row.claim)
    assert row.reason in caught.value.reason


def test_every_check_has_a_row() -> None:
    names = {row.values[0].claim for row in WRONG_CLAIMS}
    assert names == {"iss", "aud", "azp", "exp", "iat", "nbf", "nonce", "sub", "acr", "auth_time", "at_hash", "amr"}
    assert len(CHECKS) == len(names) - 1  # iat and nbf are one check


@pytest.mark.parametrize(
    ("acr", "accepted"),
    [
        (HIGH_TEST_LEVEL, (TEST_LEVEL,)),
        (HIGH_TEST_LEVEL, (HIGH_TEST_LEVEL,)),
        (HIGH_TEST_LEVEL, (HIGH_TEST_LEVEL, TEST_LEVEL)),
        (TEST_LEVEL, (HIGH_TEST_LEVEL, TEST_LEVEL)),
    ],
)
def test_a_level_at_or_above_the_lowest_accepted_one_is_taken_as_it_is(acr: str, accepted: tuple[str, ...]) -> None:
    verified = verify(token({**CLAIMS, "acr": acr}), expected=replace(EXPECTED, acr_values=accepted))
    assert verified.claims["acr"] == acr


RIGHT_CLAIMS = {
    "audience as a string": {"aud": CLIENT_ID},
    "no authorized party": {"azp": ABSENT},
    "expired within the skew": {"exp": NOW - 59},
    "issued ahead of our clock, within the skew": {"iat": NOW + 60},
    "an hour old": {"iat": NOW - 3600},
    "times with fractions": {"iat": NOW + 0.25, "exp": NOW + 10.5, "auth_time": NOW - 1.5},
    "not before, in the past": {"nbf": NOW - 5},
    "not before, within the skew": {"nbf": NOW + 60},
    "longest subject": {"sub": "s" * 255},
    "authenticated at the start, less the skew": {"auth_time": NOW - 180},
    "authenticated ahead of our clock": {"auth_time": NOW + 60},
    "no access token hash": {"at_hash": ABSENT},
    "no methods": {"amr": ABSENT},
    "an empty list of methods": {"amr": []},
    "ten long methods": {"amr": ["a" * 255] * 10},
    "claims that nobody knows": {"https://bank.example/new": {"a": [1, None]}, "": "x", "exp2": "x"},
}


@pytest.mark.parametrize("name", RIGHT_CLAIMS)
def test_a_variant_of_the_claims_that_is_allowed_is_taken(name: str) -> None:
    claims = with_members(CLAIMS, RIGHT_CLAIMS[name])
    assert verify(token(claims)).claims == claims


NOTHING_SAID = ("azp", "nbf", "at_hash", "amr", "session_index", "urn:oid:1.3.6.1.5.5.7.9.1", "x")


@pytest.mark.parametrize("nothing", [None, ""])
def test_an_optional_claim_that_says_nothing_is_as_if_it_were_not_there(nothing: object) -> None:
    claims = CLAIMS | dict.fromkeys(NOTHING_SAID, nothing)
    assert verify(token(claims)).claims == {name: CLAIMS[name] for name in CLAIMS if name not in NOTHING_SAID}


@pytest.mark.parametrize(
    ("methods", "read"),
    [("oidc.nordea.1", ["oidc.nordea.1"]), (["", "a", None], ["a"]), ([""], []), ([None], []), ([], [])],
)
def test_methods_are_read_as_a_list_of_those_that_are_named(methods: object, read: list[str]) -> None:
    assert verify(token({**CLAIMS, "amr": methods})).claims["amr"] == read


def test_what_held_is_told_with_the_claims() -> None:
    verified = verify(token(jws={**JWS_HEADER, "kid": "bank-sig-2"}, key="bank-sig-2"))
    assert (verified.signing_kid, verified.encryption_kid) == ("bank-sig-2", "our-enc")
