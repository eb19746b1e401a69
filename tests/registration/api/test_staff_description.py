"""docs/openapi-staff.yaml is valid, and the staff API answers as it says, to whatever it gets."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from kit.rights import LEVELS
from registration import cases
from registration.api.staff import MOST_BYTES, search, shown
from registration.api.staff.table import ACTS, REASONS
from registration.database.models import Account
from tests.harness.registration_api import ApiHarness
from tests.registration.api.test_staff import FO, company_key
from tests.registration.api.test_staff_acts import WHY, case_of, identified, person_of

FILE = Path(__file__).parents[3] / "docs" / "openapi-staff.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
RESOURCE = Resource.from_contents(DOCUMENT, default_specification=DRAFT202012)
REGISTRY: Registry[Any] = Registry().with_resource("staff", RESOURCE)
SCHEMAS = DOCUMENT["components"]["schemas"]


def conforms(schema: str, value: Any) -> None:
    Draft202012Validator({"$ref": f"staff#/components/schemas/{schema}"}, registry=REGISTRY).validate(value)


def described(api: ApiHarness, path: str, body: Any = None, **options: Any) -> int:
    """The status of an answer, which is as the document says; so is a body that was taken."""
    answer = api.staff(path, body, **options)
    rule = next(
        rule
        for rule in DOCUMENT["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", rule), "/api/staff" + path.partition("?")[0])
    )
    if path.startswith("/acts/vocabulary"):
        rule = "/api/staff/acts/vocabulary"
    operation = DOCUMENT["paths"][rule]["get" if body is None else "post"]
    told = operation["responses"][str(answer.status_code)]
    if "$ref" in told:
        told = DOCUMENT["components"]["responses"][told["$ref"].rsplit("/", 1)[1]]
    assert answer.headers["Content-Type"] == "application/json"
    conforms(told["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1], json.loads(answer.text))
    if body is not None and answer.status_code in (200, 202):
        conforms(operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1], body)
    return int(answer.status_code)


@pytest.fixture
def known(api_on_sqlite: ApiHarness) -> tuple[ApiHarness, Account, str]:
    account = person_of(api_on_sqlite)
    return api_on_sqlite, account, company_key(api_on_sqlite)


def test_the_document_is_valid() -> None:
    validate(DOCUMENT)


def test_it_names_exactly_the_endpoints_there_are(api_on_sqlite: ApiHarness) -> None:
    rules = [rule for rule in api_on_sqlite.app.url_map.iter_rules() if rule.endpoint.startswith("staff.")]
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD"}
    }
    assert served == {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}


def test_its_words_and_numbers_are_those_of_the_code() -> None:
    assert tuple(SCHEMAS["Reason"]["enum"]) == REASONS
    assert tuple(SCHEMAS["Level"]["enum"]) == LEVELS
    assert tuple(SCHEMAS["WaitingAct"]["properties"]["act"]["enum"]) == tuple(ACTS)
    assert tuple(SCHEMAS["CaseState"]["enum"]) == cases.STATES
    assert tuple(SCHEMAS["Case"]["properties"]["kind"]["enum"]) == cases.KINDS
    assert tuple(SCHEMAS["Case"]["properties"]["way"]["enum"]) == cases.WAYS
    assert SCHEMAS["Found"]["properties"]["people"]["maxItems"] == search.MOST
    assert SCHEMAS["Company"]["properties"]["users"]["maxItems"] == shown.USERS
    assert SCHEMAS["Trail"]["properties"]["records"]["maxItems"] == shown.RECORDS
    assert f"longer than {MOST_BYTES // 1024} KiB" in DOCUMENT["components"]["responses"]["TooLong"]["description"]


@pytest.mark.parametrize("act", ACTS)
def test_the_arguments_of_each_act_are_described(act: str) -> None:
    (schema,) = [one for one in SCHEMAS.values() if one.get("properties", {}).get("act", {}).get("const") == act]
    model = ACTS[act][0]
    ours = {"reason", "text", "request_id"}
    assert set(schema["properties"]) == set(model.model_fields) - ours
    assert set(schema["required"]) == {name for name, of in model.model_fields.items() if of.is_required()} - ours - {
        "act"
    }


def test_every_answer_is_as_described(known: tuple[ApiHarness, Account, str]) -> None:
    api, account, key = known
    asker = api.person("cecilia")
    case = case_of(api, asker)
    waits = {"act": "relink", **WHY, "account_id": account.id, "code": identified(api)}
    do = {"act": "grant", **WHY, "request_id": "1" * 32, "account_id": account.id, "company": key}
    decide = {"act": "decide", **WHY, "request_id": "2" * 32, "case": case, "decision": "grant"}
    seen = {
        ("/search", described(api, "/search", {"q": FO})),
        ("/search", described(api, "/search", {"q": "a1a1a1a1"})),
        ("/search", described(api, "/search", {"q": ""})),
        ("/search", described(api, "/search", {"q": "x" * MOST_BYTES})),
        ("/search", described(api, "/search", {"q": FO}, roles=[])),
        ("company", described(api, f"/companies/{key}")),
        ("company", described(api, "/companies/unknown")),
        ("company", described(api, f"/companies/{key}?x=1")),
        ("person", described(api, f"/people/{account.id}")),
        ("person", described(api, f"/people/{'0' * 32}")),
        ("trail", described(api, f"/trail?company={key}")),
        ("trail", described(api, f"/trail?account={account.id}")),
        ("trail", described(api, "/trail")),
        ("cases", described(api, "/cases")),
        ("cases", described(api, "/cases?state=x")),
        ("cases", described(api, "/cases?after=x")),
        ("case", described(api, f"/cases/{case}")),
        ("case", described(api, "/cases/x")),
        ("vocabulary", described(api, "/acts/vocabulary")),
        ("act", described(api, "/acts", waits)),
        ("act", described(api, "/acts", do | {"levels": {"users": "read"}})),
        ("act", described(api, "/acts", do | {"request_id": "3" * 32})),
        ("act", described(api, "/acts", decide)),
        ("act", described(api, "/acts", decide | {"request_id": "4" * 32})),
        ("act", described(api, "/acts", decide | {"request_id": "5" * 32, "case": "0" * 32})),
        ("act", described(api, "/acts", decide, roles=["auditor"])),
        ("act", described(api, "/acts", {})),
        ("acts", described(api, "/acts?state=waiting")),
    }
    id = api.staff("/acts").json["acts"][0]["id"]  # type: ignore[index]
    confirm = {"decision": "confirm", "reason": "other"}
    seen |= {
        ("decide", described(api, f"/acts/{id}", confirm)),
        ("decide", described(api, f"/acts/{id}", {}, who="pekka")),
        ("decide", described(api, f"/acts/{id}", confirm, who="pekka")),
        ("decide", described(api, f"/acts/{id}", confirm, who="liisa")),
        ("decide", described(api, "/acts/unknown", confirm)),
        ("decide", described(api, f"/acts/{id}", confirm, roles=["agent"])),
    }
    statuses = {what: {status for one, status in seen if one == what} for what, _ in seen}
    assert statuses == {
        "/search": {200, 400, 403, 413},
        "company": {200, 400, 404},
        "person": {200, 404},
        "trail": {200, 400},
        "cases": {200, 400, 404},
        "case": {200, 404},
        "vocabulary": {200},
        "act": {200, 202, 400, 403, 404, 409, 422},
        "acts": {200},
        "decide": {200, 400, 403, 404, 409, 422},
    }
    for method, headers in (("put", {}), ("get", {})):
        answer = getattr(api.browser, method)("/api/staff/search", headers=headers)
        assert answer.status_code == 405
        conforms("Error", answer.json)


TEXTS = st.one_of(st.text(max_size=40), st.sampled_from(["\0", "\ud800", "x" * 300, FO, "0" * 32, "grant", "security"]))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=5,
)
MEMBERS = sorted({name for model, _ in ACTS.values() for name in model.model_fields} | {"decision", "q"})


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    act=st.sampled_from(sorted(ACTS)), changes=st.dictionaries(st.sampled_from(MEMBERS), VALUES, max_size=4), q=VALUES
)
def test_whatever_is_sent_is_answered_as_described(
    known: tuple[ApiHarness, Account, str], act: str, changes: dict[str, Any], q: Any
) -> None:
    api, account, key = known
    whole = {"account_id": account.id, "company": key, "case": "0" * 32, "decision": "grant", "code": "0" * 8}
    fits = {name: value for name, value in whole.items() if name in ACTS[act][0].model_fields}
    assert described(api, "/acts", {"act": act, **WHY, **fits, **changes}) < 500
    assert described(api, "/search", {"q": q}) < 500
    assert described(api, f"/acts/{'0' * 32}", {"decision": "confirm", "reason": "other"} | changes) < 500
