"""Which of the bank's keys, and of ours, an ID token goes by."""

from __future__ import annotations

from collections.abc import Callable, Collection

import pytest
from joserfc.jwk import RSAKey

from providers.engine.id_token import VerifiedToken, verify_id_token
from providers.errors import IntegrityError, Unavailable
from tests.harness.engine.id_token import (
    ABSENT,
    CLAIMS,
    EXPECTED,
    JWS_HEADER,
    jwe,
    jws,
    token,
    verify,
)
from tests.harness.engine.jose import encrypt, rsa_key, sign
from tests.harness.engine.parts import (
    MemoryKeys,
    make_connection,
)


def test_an_unknown_signing_key_is_for_the_finder_of_keys_to_refuse() -> None:
    with pytest.raises(Unavailable) as caught:
        verify(token(jws=jws(kid="unknown")))
    assert (caught.value.code, caught.value.step, caught.value.claim) == ("unavailable", "id_token", "kid")


@pytest.mark.parametrize("kid", [1, None, ["bank-sig"]])
def test_no_key_is_looked_for_before_the_header_stands(kid: object) -> None:
    asked: list[str | None] = []

    def asking(asked_kid: str | None, refused: Collection[RSAKey] = ()) -> tuple[RSAKey, ...]:
        asked.append(asked_kid)
        return (rsa_key("bank-sig"),)

    with pytest.raises(IntegrityError):
        verify_id_token(token(jws=jws(kid=kid)), make_connection("telia"), EXPECTED, MemoryKeys(), asking)
    assert asked == []


NAMELESS: dict[str, Callable[[], str]] = {
    "the signed": lambda: token(jws=jws(kid=ABSENT)),
    "the signed, null": lambda: token(jws=jws(kid=None)),
    "the signed, empty": lambda: token(jws=jws(kid="")),
    "the encrypted": lambda: token(jwe=jwe(kid=ABSENT)),
    "the encrypted, null": lambda: token(jwe=jwe(kid=None)),
    "both": lambda: token(jws=jws(kid=ABSENT), jwe=jwe(kid="")),
    "the encrypted, to the older of our keys": lambda: encrypt(
        jwe(kid=ABSENT), sign(JWS_HEADER, CLAIMS, "bank-sig").encode(), "our-old-enc"
    ),
}


@pytest.mark.parametrize("name", NAMELESS)
def test_a_token_that_names_no_key_is_taken_where_the_connection_says_so_only(name: str) -> None:
    assert verify(NAMELESS[name](), kid_required=False).claims == CLAIMS
    with pytest.raises(IntegrityError) as caught:
        verify(NAMELESS[name]())
    assert caught.value.claim == "kid"


@pytest.mark.parametrize(
    ("build", "claim"),
    [
        (lambda: token(jws=jws(kid=ABSENT), key="bank-sig-2"), "signature"),
        (lambda: token(jws=jws(kid=ABSENT), key="attacker"), "signature"),
        (lambda: token(jws=jws(kid=ABSENT, alg="none"), how="none"), "alg"),
        (lambda: token(jws=jws(kid=ABSENT), how="HS256"), "signature"),
        (lambda: encrypt(jwe(kid=ABSENT), b"x", "attacker"), "decryption"),
        (lambda: token(jwe=jwe(kid="somebody")), "kid"),
        (lambda: token(jwe=jwe(kid=1)), "kid"),
        (lambda: token(jws=jws(kid=1)), "kid"),
        (lambda: token(jws=jws(kid=[])), "kid"),
    ],
)
def test_to_name_no_key_opens_nothing_else(build: Callable[[], str], claim: str) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify(build(), kid_required=False)
    assert caught.value.claim == claim


@pytest.mark.parametrize(
    ("key", "now_published", "claim"),
    [
        ("attacker", ("attacker",), None),
        ("attacker", ("bank-sig", "attacker"), None),
        ("attacker", ("bank-sig-2",), "signature"),
        ("attacker", ("bank-sig", "bank-sig-2"), "signature"),
    ],
)
def test_the_same_token_is_tried_once_more_under_what_took_the_place_of_a_key(
    key: str, now_published: tuple[str, ...], claim: str | None
) -> None:
    asked: list[tuple[str | None, Collection[RSAKey]]] = []

    def replaced(kid: str | None, refused: Collection[RSAKey] = ()) -> tuple[RSAKey, ...]:
        asked.append((kid, refused))
        return tuple(rsa_key(name) for name in (now_published if refused else ("bank-sig",)))

    def act() -> VerifiedToken:
        return verify_id_token(token(key=key), make_connection("telia"), EXPECTED, MemoryKeys(), replaced)

    if claim is None:
        assert act().claims == CLAIMS
    else:
        with pytest.raises(IntegrityError) as caught:
            act()
        assert caught.value.claim == claim
    assert asked == [("bank-sig", ()), ("bank-sig", (rsa_key("bank-sig"),))]


@pytest.mark.parametrize("key", ["bank-sig", "bank-sig-2"])
def test_each_key_under_one_kid_is_tried_before_the_bank_is_asked_again(key: str) -> None:
    asked: list[Collection[RSAKey]] = []

    def both(_kid: str | None, refused: Collection[RSAKey] = ()) -> tuple[RSAKey, ...]:
        asked.append(refused)
        return rsa_key("bank-sig"), rsa_key("bank-sig-2")

    found = verify_id_token(token(key=key), make_connection("telia"), EXPECTED, MemoryKeys(), both)
    assert (found.claims, asked) == (CLAIMS, [()])
