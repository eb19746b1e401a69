"""The description of the mock banks is valid, and names the routes that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from mock_idp.app import create_app
from mock_idp.config import Config
from tests.harness.relying_party import SmallRelyingParty, answer_of

FILE = Path(__file__).parents[2] / "docs" / "openapi-mock-idp.yaml"


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text())


def _conforms(described: dict[str, Any], name: str, value: object) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": described["components"]}
    Draft202012Validator(schema).validate(value)


def test_the_description_is_valid_openapi(described: dict[str, Any]) -> None:
    validate(described)


def test_it_names_exactly_the_routes_and_methods_of_the_application(described: dict[str, Any], tmp_path: Path) -> None:
    app = create_app(Config("http://127.0.0.1:8002", tmp_path))
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint != "assets.show_asset"
    }
    methods = {"get", "post", "delete"}
    written = {(path, m.upper()) for path, item in described["paths"].items() for m in item if m in methods}
    assert written == served


def test_what_the_control_api_answers_is_as_described(described: dict[str, Any], rp: SmallRelyingParty) -> None:
    rp.script(provider="nordea", persona="aino-virtanen")
    trip = rp.trip("shared", "telia")
    rp.exchange(trip, answer_of(rp.authorize(trip))["code"])
    rp.client.get("/attacker/jwks")
    for record in rp.captured():
        _conforms(described, "Captured", record)
    for persona in rp.client.get("/control/personas").get_json()["personas"]:
        _conforms(described, "Persona", persona)
    for fault in rp.client.get("/control/faults").get_json()["faults"]:
        _conforms(described, "Fault", fault)


def test_every_described_outcome_and_language_is_taken(described: dict[str, Any], rp: SmallRelyingParty) -> None:
    outcomes = described["components"]["schemas"]["Next"]["properties"]["outcome"]["enum"]
    for outcome in outcomes:
        body = {"provider": "op", "outcome": outcome, "times": 2, "faults": ["jwe-a128gcm"], "dialect": "telia"}
        _conforms(described, "Next", body)
        rp.script(**body)
    assert len(rp.client.get("/control/next").get_json()["queue"]) == len(outcomes)
