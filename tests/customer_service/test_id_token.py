"""Each check of an ID token, by itself; and groups to roles."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey

from customer_service.settings.models import RolesSettings
from customer_service.sign_in.id_token import Expected, IdTokenRefused, UnknownKey, verify
from customer_service.sign_in.roles import groups_in, roles_of

ES256 = jws.JWSRegistry.algorithms["ES256"]
NOW = 1_795_600_000
KEY = ECKey.generate_key("P-256", {"kid": "one"})
GOOD: dict[str, Any] = {
    "iss": "https://login.example.fi", "aud": "customer-service", "sub": "maija", "iat": NOW, "exp": NOW + 300,
    "nonce": "n", "auth_time": NOW - 60,
}  # fmt: skip
EXPECTED = Expected("https://login.example.fi", "customer-service", "n", ("ES256",), 600)


def sign(header: dict[str, Any], claims: dict[str, Any], key: Any = KEY) -> str:
    """By hand, as no library makes every header that providers send."""
    parts = ".".join(urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims))
    signature = ES256.sign(parts.encode(), key)
    return f"{parts}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def check(claims: dict[str, Any], key: Any = KEY, expected: Expected = EXPECTED, **header: Any) -> dict[str, Any]:
    token = sign({"alg": "ES256", "kid": "one", **header}, claims, key)
    return verify(token, [KEY.as_dict(private=False)], expected, NOW)


def test_a_good_token_is_taken() -> None:
    assert check(GOOD)["sub"] == "maija"
    assert check(GOOD | {"aud": ["other", "customer-service"], "azp": "customer-service"})["sub"] == "maija"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://other.example.fi"), ("iss", None),
        ("aud", "other"), ("aud", None), ("aud", ["customer-service", "other"]), ("azp", "other"),
        ("exp", float("nan")), ("exp", float("inf")), ("iat", float("nan")), ("auth_time", float("inf")),
        ("exp", NOW - 61), ("exp", None), ("exp", "soon"), ("iat", NOW + 61), ("iat", None), ("iat", True),
        ("nonce", "m"), ("nonce", None),
        ("sub", ""), ("sub", None), ("sub", "x" * 256), ("sub", 1), ("sub", "a\nb"),
        ("auth_time", NOW - 661), ("auth_time", None),
    ],
)  # fmt: skip
def test_a_claim_that_does_not_hold_is_refused(claim: str, value: Any) -> None:
    claims = {name: held for name, held in (GOOD | {claim: value}).items() if held is not None}
    with pytest.raises(IdTokenRefused):
        check(claims)


@pytest.mark.parametrize("nothing", [None, ""])
def test_what_says_nothing_is_as_if_it_were_not_there(nothing: object) -> None:
    assert check(GOOD | {"azp": nothing, "name": nothing, "x": nothing}) == GOOD


@pytest.mark.parametrize("header", [{"foo": {"a": 1}}, {"x5c": ["MIID" + "A" * 4000]}, {"jku": None, "x5t": 7}])
def test_members_of_the_header_that_mean_nothing_to_us_are_ignored(header: dict[str, Any]) -> None:
    assert check(GOOD, **header) == GOOD


@pytest.mark.parametrize("header", [{"crit": ["exp"], "exp": 1}, {"crit": None}, {"x5c": ["A" * 10_000]}])
def test_a_header_that_asks_for_an_extension_or_is_huge_is_refused(header: dict[str, Any]) -> None:
    token = sign({"alg": "ES256", "kid": "one", **header}, GOOD)
    with pytest.raises(IdTokenRefused):
        verify(token, [KEY.as_dict(private=False)], EXPECTED, NOW)


def test_a_signature_that_does_not_hold_is_refused() -> None:
    other = ECKey.generate_key("P-256", {"kid": "one"})
    with pytest.raises(UnknownKey):
        check(GOOD, other)
    with pytest.raises(UnknownKey):
        check(GOOD, other, kid="two")
    with pytest.raises(IdTokenRefused):
        verify("no.token.at-all", [KEY.as_dict(private=False)], EXPECTED, NOW)


def test_only_the_algorithms_of_the_configuration_are_taken() -> None:
    with pytest.raises(IdTokenRefused):
        check(GOOD, expected=Expected("https://login.example.fi", "customer-service", "n", ("RS256",), None))
    secret = OctKey.import_key("x" * 32)
    token = jwt.encode({"alg": "HS256"}, GOOD, secret, algorithms=["HS256"])
    with pytest.raises(IdTokenRefused):
        verify(token, [KEY.as_dict(private=False)], EXPECTED, NOW)


@pytest.mark.parametrize(
    ("path", "claims", "groups"),
    [
        ("groups", {"groups": ["a", "b", 1]}, {"a", "b"}),
        ("groups", {"groups": "a"}, {"a"}),
        ("realm_access.roles", {"realm_access": {"roles": ["a"]}}, {"a"}),
        ("https://x.example/groups", {"https://x.example/groups": ["a"]}, {"a"}),
        ("groups", {}, None),
        ("groups", {"groups": {"a": 1}}, None),
        ("groups.deeper", {"groups": ["a"]}, None),
    ],
)
def test_groups_stand_where_the_configuration_says(path: str, claims: Any, groups: set[str] | None) -> None:
    assert groups_in(claims, path) == groups


def test_a_group_counts_letter_by_letter_and_may_give_several_roles() -> None:
    settings = RolesSettings(agent=("staff",), supervisor=("leads", "staff"), auditor=("audit",))
    assert roles_of(frozenset({"staff"}), settings) == {"agent", "supervisor"}
    assert roles_of(frozenset({"Staff", "staffs", "other"}), settings) == frozenset()
