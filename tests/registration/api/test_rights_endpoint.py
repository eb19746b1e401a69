"""GET /api/rights: what a person may see and do, for the online service and for who has an identity token."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from registration.database.models import Representation
from tests.harness.registration_api import URL, ApiHarness, basic, bearer, name_of, open_harness, signed
from tests.harness.registration_keys import make_keys
from tunnus_verifier.testing.mint import TokenMint

FO, OTHER_FO = "1234567-1", "7654321-4"
SUB = "sub-of-aino"


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory, mint: TokenMint) -> Callable[[str], ApiHarness]:
    """Registration on the tables of a URL, which asks the mint for its keys: one application for each, made once."""
    folder = tmp_path_factory.mktemp("api") / "keys"
    make_keys(folder, 0)
    return cache(lambda url: open_harness(url, folder, mint))


@pytest.fixture
def harness(opened: Callable[[str], ApiHarness], empty_tables: str) -> ApiHarness:
    return with_rights(opened(empty_tables))


@pytest.fixture
def small_harness(opened: Callable[[str], ApiHarness], sqlite_tables: str) -> ApiHarness:
    """On SQLite only: for what does not depend on the database."""
    return with_rights(opened(sqlite_tables))


def with_rights(harness: ApiHarness) -> ApiHarness:
    """A test begins with a person who has rights for two companies."""
    account = harness.begin().person()
    harness.represents(account, OTHER_FO, "200002", "100001", administrator=True, users="write", invoices="read")
    harness.represents(account, FO)
    return harness


def token(harness: ApiHarness, **changes: Any) -> dict[str, str]:
    """The header with an identity token of the online service, about the person with rights."""
    claims = {"aud": ["online-service", "registration"], "azp": "online-service", "sub": SUB} | changes
    without = [name for name, value in claims.items() if value is None]
    return bearer(harness.mint.token(without=without, **claims))


RIGHTS = {
    "sub": SUB,
    "companies": [
        {
            "fo_nummer": FO,
            "name": name_of(FO),
            "customer_numbers": [],
            "administrator": False,
            "sections": {"consumption": "read", "contracts": "none", "invoices": "none", "users": "none"},
        },
        {
            "fo_nummer": OTHER_FO,
            "name": name_of(OTHER_FO),
            "customer_numbers": ["100001", "200002"],
            "administrator": True,
            "sections": {"consumption": "read", "contracts": "none", "invoices": "read", "users": "write"},
        },
    ],
    "terms_accepted": True,
    "terms_url": f"{URL}/terms/accept",
}


NOTHING = {"companies": [], "terms_accepted": True, "terms_url": f"{URL}/terms/accept"}


def test_who_has_not_accepted_the_terms_in_force_is_told_of_with_the_rights(harness: ApiHarness) -> None:
    harness.person("late", terms_version="2020-01-01")
    assert harness.rights(basic(), sub="sub-of-late").get_json()["terms_accepted"] is False


def test_a_client_gets_the_rights_of_whom_it_asks_for(harness: ApiHarness) -> None:
    for headers in (basic(), harness.by_assertion()):
        answer = harness.rights(headers, sub=SUB)
        assert answer.status_code == 200
        assert answer.get_json() == RIGHTS


def test_an_identity_token_of_the_online_service_gives_the_rights_of_its_person(harness: ApiHarness) -> None:
    assert harness.rights(token(harness)).get_json() == RIGHTS
    assert harness.rights(token(harness), sub=SUB).get_json() == RIGHTS
    lower = {"Authorization": token(harness)["Authorization"].replace("Bearer", "bearer")}
    assert harness.rights(lower).get_json() == RIGHTS


def test_who_is_not_registered_looks_like_one_without_rights(harness: ApiHarness) -> None:
    harness.person("Eino")
    registered, unknown = harness.rights(basic(), sub="sub-of-eino"), harness.rights(basic(), sub="sub-of-nobody")
    assert registered.status_code == unknown.status_code == 200
    assert registered.get_json() == NOTHING | {"sub": "sub-of-eino"}
    assert unknown.get_json() == NOTHING | {"sub": "sub-of-nobody"}
    assert harness.rights(token(harness, sub="sub-of-nobody")).get_json() == NOTHING | {"sub": "sub-of-nobody"}


def test_what_has_not_changed_is_not_sent_again(harness: ApiHarness) -> None:
    answer = harness.rights(basic(), sub=SUB)
    etag = answer.headers["ETag"]
    assert etag.startswith('"')
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "Authorization, Client-Assertion"
    for headers in (basic(), harness.by_assertion(), token(harness)):
        for condition in (etag, f'"other", {etag}', f"W/{etag}"):
            if "Client-Assertion" in headers:
                headers = harness.by_assertion()
            same = harness.rights(headers | {"If-None-Match": condition}, sub=SUB)
            assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", etag)
            assert same.headers["Cache-Control"] == "private, no-cache"
            assert same.headers["Vary"] == "Authorization, Client-Assertion"


def test_any_change_gives_another_etag(harness: ApiHarness) -> None:
    etag = harness.rights(basic(), sub=SUB).headers["ETag"]
    assert harness.rights(basic(), sub="sub-of-nobody").headers["ETag"] != etag
    with harness.database.write() as transaction:
        row = transaction.get_one(Representation, {"account_id": _account_id(harness), "fo_nummer": FO})
        row.invoices = "write"
    answer = harness.rights(basic() | {"If-None-Match": etag}, sub=SUB)
    assert answer.status_code == 200
    assert answer.get_json()["companies"][0]["sections"]["invoices"] == "write"
    assert answer.headers["ETag"] != etag


def _account_id(harness: ApiHarness) -> str:
    with harness.database.read() as transaction:
        return str(transaction.query(Representation).filter_by(fo_nummer=FO).one().account_id)


def test_nobody_learns_by_a_condition_what_they_may_not_ask(small_harness: ApiHarness) -> None:
    etag = small_harness.rights(basic(), sub=SUB).headers["ETag"]
    assert small_harness.rights({"If-None-Match": etag}, sub=SUB).status_code == 401
    assert small_harness.rights(token(small_harness, sub="other") | {"If-None-Match": etag}, sub=SUB).status_code == 403


def test_a_token_gives_nobody_elses_rights(harness: ApiHarness) -> None:
    answer = harness.rights(token(harness, sub="sub-of-eino"), sub=SUB)
    assert (answer.status_code, answer.get_json()["error"]) == (403, "access_denied")


QUERIES = ["", "sub=", "sub=a&sub=b", "sub=a&sub=a", "sub=a&x=1", "sub=%00", "sub=a%0a", "sub=" + "x" * 256]


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_that_is_not_as_described_is_refused(small_harness: ApiHarness, query: str) -> None:
    answer = small_harness.browser.get(f"/api/rights?{query}", headers=basic())
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("query", [query for query in QUERIES if query])
def test_so_it_is_beside_a_token(small_harness: ApiHarness, query: str) -> None:
    answer = small_harness.browser.get(f"/api/rights?{query}", headers=token(small_harness, sub="a"))
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


NOT_OURS = "the identity token was not made for an authorized party"
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "registration's own": ({"aud": "registration", "azp": None}, NOT_OURS),
    "registration's own, with azp": ({"aud": "registration", "azp": "registration"}, NOT_OURS),
    "no azp": ({"azp": None}, "the identity token is refused: wrong_party"),
    "another party": ({"azp": "portal"}, "the identity token is refused: wrong_party"),
    "not for registration": ({"aud": ["online-service"]}, "the identity token is refused: wrong_audience"),
    "another issuer": ({"iss": "https://id.example.fi"}, "the identity token is refused: wrong_issuer"),
    "another level": ({"acr": "password"}, "the identity token is refused: weak_assurance"),
    "expired": ({"exp": 1_790_000_000 - 61}, "the identity token is refused: expired"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_another_token_is_refused(small_harness: ApiHarness, caplog: pytest.LogCaptureFixture, name: str) -> None:
    changes, reason = REFUSED[name]
    with caplog.at_level(logging.INFO):
        answer = small_harness.rights(token(small_harness, **changes))
    assert answer.status_code == 401
    assert answer.get_json() == {"error": "invalid_token", "error_description": "the identity token is not accepted"}
    assert answer.headers.getlist("WWW-Authenticate") == ['Bearer realm="registration", error="invalid_token"']
    story = next(record for record in caplog.records if record.message == "request")
    assert (story.__dict__["code"], story.__dict__["reason"]) == ("invalid_token", reason)


def test_what_is_no_identity_token_is_refused(small_harness: ApiHarness) -> None:
    assertion = signed(small_harness.claims())
    for text in ("", "x", "a.b.c", assertion, "x" * 20_000, token(small_harness)["Authorization"]):
        assert small_harness.rights(bearer(text)).status_code == 401


def test_without_the_brokers_keys_it_is_to_be_asked_again(small_harness: ApiHarness) -> None:
    settings = small_harness.service.settings
    without = open_harness(settings.database.url, settings.keys.dir, small_harness.mint)  # who has none kept
    without.mint.down = True
    answer = without.rights(token(without))
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "10"
    assert without.rights(basic(), sub=SUB).status_code == 200
    without.database.close()


def test_the_log_holds_no_token_and_no_subject(small_harness: ApiHarness, caplog: pytest.LogCaptureFixture) -> None:
    headers = token(small_harness)
    with caplog.at_level(logging.DEBUG):
        small_harness.rights(headers, sub=SUB)
        small_harness.rights(token(small_harness, azp="portal"))
    written = " ".join(str(record.__dict__) for record in caplog.records)
    assert headers["Authorization"].split(".")[1] not in written
    assert SUB not in written
