"""The files of bad tokens say what the verifier says, and hold every kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tunnus_verifier
from tunnus_verifier import VerificationError, Verifier
from tunnus_verifier.testing.kit import VERSION, build

FILES = Path(tunnus_verifier.__file__).parents[1] / "bad-tokens"


@pytest.fixture(params=["es256", "rs256"])
def kit(request: pytest.FixtureRequest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FILES / f"v{VERSION}-{request.param}.json").read_text())
    return found


def test_the_verifier_says_what_the_file_says(kit: dict[str, Any]) -> None:
    verifier = Verifier(
        kit["issuer"],
        kit["audience"],
        jwks_uri=f"{kit['issuer']}/jwks",
        authorized_parties=kit["authorized_parties"],
        accepted_acr=kit["accepted_acr"],
        max_age=kit["max_age"],
        fetch=lambda *_: json.dumps(kit["jwks"]).encode(),
        clock=lambda: kit["clock"],
    )
    said = {one["name"]: refusal(verifier, one, kit["nonce"]) for one in kit["tokens"]}
    expected = {one["name"]: (one["error"], one["claim"]) if "error" in one else None for one in kit["tokens"]}
    assert said == expected
    assert {one["name"] for one in kit["tokens"] if one["expected"] == "accept"} == {"good", "good_handed_on"}


def refusal(verifier: Verifier, one: dict[str, Any], nonce: str) -> tuple[str, str | None] | None:
    """How a token of the file is refused."""
    try:
        verifier.verify(one["token"], nonce=nonce if one.get("needs") == "nonce" else None)
    except VerificationError as refused:
        return refused.code, refused.claim
    return None


def test_the_file_is_what_is_made_today_but_for_keys_and_signatures(kit: dict[str, Any]) -> None:
    made = build(kit["jwks"]["keys"][1]["alg"])
    assert {name: made[name] for name in made.keys() - {"jwks", "tokens"}} == {
        name: kit[name] for name in kit.keys() - {"jwks", "tokens"}
    }
    told = [{key: one[key] for key in one.keys() - {"token"}} for one in kit["tokens"]]
    assert told == [{key: one[key] for key in one.keys() - {"token"}} for one in made["tokens"]]
    assert unsigned(kit) == unsigned(made)


def unsigned(kit: dict[str, Any]) -> list[list[str]]:
    """Header and claims of each token but the one that brings its key along."""
    return [one["token"].split(".")[:2] for one in kit["tokens"] if one["name"] != "key_in_header"]
