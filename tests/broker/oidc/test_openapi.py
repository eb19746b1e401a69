"""`docs/openapi-broker.yaml` is valid, and the OpenID Provider answers as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.harness.openid_provider import Harness

FILE = Path(__file__).parents[3] / "docs" / "openapi-broker.yaml"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return loaded


def conforms(document: dict[str, Any], schema: str, value: Any) -> None:
    resource = Resource.from_contents(document, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("broker", resource)
    Draft202012Validator({"$ref": f"broker#/components/schemas/{schema}"}, registry=registry).validate(value)


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_it_names_every_endpoint_of_the_openid_provider(harness: Harness, document: dict[str, Any]) -> None:
    application = harness.browser.application
    assert isinstance(application, Flask)
    routes = {rule.rule for rule in application.url_map.iter_rules() if rule.endpoint.startswith("oidc.")}
    named = {path for path, item in document["paths"].items() if "OpenID Provider" in item_tags(item)}
    assert routes == named


def item_tags(item: dict[str, Any]) -> set[str]:
    return {tag for operation in item.values() if isinstance(operation, dict) for tag in operation.get("tags", ())}


def test_answers_to_clients_are_as_described(harness: Harness, document: dict[str, Any]) -> None:
    conforms(document, "Metadata", harness.browser.get("/.well-known/openid-configuration").get_json())
    conforms(document, "JwkSet", harness.browser.get("/jwks").get_json())
    for client_id in ("portal", "wide"):
        form = harness.form(harness.issue(client_id).code, client_id)
        conforms(document, "TokenForm", form)
        answer = harness.token(form).get_json()
        conforms(document, "TokenAnswer", answer)
        conforms(document, "IdentityToken", harness.verified(answer["id_token"], client_id))
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        conforms(document, "UserInfo", harness.browser.get("/userinfo", headers=headers).get_json())
        conforms(document, "Error", harness.token(form).get_json())
    conforms(document, "Error", harness.token({}).get_json())


def test_a_good_request_is_as_described(harness: Harness, document: dict[str, Any]) -> None:
    conforms(document, "AuthorizationForm", harness.request(prompt="login", max_age="0", idp_hint="op"))
