"""The promise of docs/compatibility.md: what the broker answers fits the schemas of version 1, which do not change."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from jsonschema import Draft202012Validator, ValidationError

from demo.runner.client import SECONDS
from tests.harness.broker_pair import Pair

FOLDER = Path(__file__).parents[2] / "docs" / "schemas" / "v1"
PROMISED = {
    "discovery": "4ff40ed416660b3532855062f475b02a9cf6327d764a1184ca9fcd6359a6ac5d",
    "identity-token": "d42021a8a3b109b9a76c9c562d6fda7556504fe23a578f5575ac2195a287e395",
    "providers": "615fdc7c5b60f206a438f3ae78c1f6211513dd67085e2fb85336e96c7e3f524f",
}
"""SHA-256 of each file. What is to be different is a version 2, in a folder of its own."""


def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


@pytest.mark.parametrize("name", PROMISED)
def test_the_schema_is_the_one_that_was_promised(name: str) -> None:
    Draft202012Validator.check_schema(schema(name))
    assert hashlib.sha256((FOLDER / f"{name}.json").read_bytes()).hexdigest() == PROMISED[name]


def test_every_file_is_promised_and_named_in_the_document() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == PROMISED.keys()
    document = (FOLDER.parents[1] / "compatibility.md").read_text()
    assert all(f"schemas/v1/{name}.json" in document for name in PROMISED)


def fetched(address: str) -> Any:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(address, timeout=SECONDS).json()


def test_discovery_keeps_the_promise(pair: Pair) -> None:
    Draft202012Validator(schema("discovery")).validate(fetched(f"{pair.issuer}/.well-known/openid-configuration"))


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_list_of_providers_keeps_the_promise(pair: Pair, language: str) -> None:
    Draft202012Validator(schema("providers")).validate(fetched(f"{pair.issuer}/api/providers?ui_locales={language}"))


@pytest.mark.parametrize("scope", ["openid", "openid profile"])
def test_identity_tokens_keep_the_promise(pair: Pair, scope: str) -> None:
    pair.everybody()
    client = replace(pair.brokers[0].client, scope=scope)
    with requests.Session() as session:
        session.trust_env = False
        claims = client.identify(session, idp_hint="nordea")
    promised = schema("identity-token")
    Draft202012Validator(promised).validate(claims)
    for name in promised["required"]:
        less = {claim: value for claim, value in claims.items() if claim != name}
        with pytest.raises(ValidationError):
            Draft202012Validator(promised).validate(less)


def test_the_newest_description_asks_no_less_than_version_1() -> None:
    described = yaml.safe_load((FOLDER.parents[1] / "openapi-broker.yaml").read_text())["components"]["schemas"]
    pairs = {"identity-token": "IdentityToken", "providers": "ProviderList", "discovery": "Metadata"}
    for name, newest in pairs.items():
        assert set(schema(name)["required"]) <= set(described[newest]["required"]), name
        assert schema(name)["properties"].keys() <= described[newest]["properties"].keys(), name
