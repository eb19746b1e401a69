"""POST /api/sign-in: the online service asks whose user name and password these are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from registration.accounts.sign_in import PER_PAIR
from registration.key_folder import make_keys
from tests.harness.registration_api import OTHER, OWNER, PASSWORD, URL, ApiHarness, basic, open_harness
from tunnus_verifier.testing.mint import TokenMint

GOOD = {"user_name": "Aino", "password": PASSWORD, "address": OWNER}


@pytest.fixture
def harness(database_url: str, tmp_path: Path) -> Iterator[ApiHarness]:
    yield from _house(database_url, tmp_path)


@pytest.fixture
def small_harness(sqlite_url: str, tmp_path: Path) -> Iterator[ApiHarness]:
    """On SQLite only: for what does not depend on the database."""
    yield from _house(sqlite_url, tmp_path)


def _house(url: str, folder: Path) -> Iterator[ApiHarness]:
    make_keys(folder / "keys", 0)
    harness = open_harness(url, folder / "keys", TokenMint("http://127.0.0.1:9", "registration"))
    yield harness
    harness.database.close()


def post(harness: ApiHarness, body: Any, path: str = "/api/sign-in", **options: Any) -> Any:
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    options.setdefault("content_type", "application/json")
    return harness.browser.post(path, data=data, headers=basic(), **options)


def test_the_right_user_name_and_password_tell_who_it_is(harness: ApiHarness) -> None:
    account = harness.person()
    answer = harness.sign_in()
    assert answer.status_code == 200
    assert answer.get_json() == {
        "sub": account.sub,
        "given_name": "Åsa",
        "family_name": "Testinen",
        "terms_accepted": True,
        "terms_url": f"{URL}/terms/accept",
    }
    assert [record.details for record in harness.audited("signed_in")] == [{"by": "online_service:secret-service"}]


def test_an_assertion_for_this_endpoint_opens_it_as_well(harness: ApiHarness) -> None:
    harness.person()
    headers = harness.by_assertion(path="/api/sign-in")
    assert harness.browser.post("/api/sign-in", json=GOOD, headers=headers).status_code == 200
    assert [record.details for record in harness.audited("signed_in")] == [{"by": "online_service:ec-service"}]


def test_who_has_not_accepted_the_terms_in_force_is_led_to_them(small_harness: ApiHarness) -> None:
    small_harness.person(terms_version="2020-01-01")
    assert small_harness.sign_in().get_json()["terms_accepted"] is False


def test_an_unknown_user_name_and_a_wrong_password_get_the_same_bytes(harness: ApiHarness) -> None:
    harness.person()
    wrong, unknown = harness.sign_in(password="wrong"), harness.sign_in("nobody")
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.get_json()["error"] == "access_denied"
    assert wrong.data == unknown.data
    assert list(wrong.headers) == list(unknown.headers)


def test_too_many_wrong_tries_are_answered_with_the_seconds_to_wait(small_harness: ApiHarness) -> None:
    small_harness.person()
    for user_name in ("Aino", "nobody"):
        for _ in range(PER_PAIR):
            assert small_harness.sign_in(user_name, "wrong").status_code == 403
        small_harness.clock.now += 60
        answer = small_harness.sign_in(user_name)
        assert answer.status_code == 429
        assert answer.get_json()["error"] == "slow_down"
        assert answer.headers["Retry-After"] == "840"
    assert small_harness.sign_in(address=OTHER).status_code == 200


def test_the_address_that_counts_is_the_persons_and_not_the_callers(small_harness: ApiHarness) -> None:
    small_harness.person()
    for number in range(PER_PAIR + 1):
        assert small_harness.sign_in(password="wrong", address=f"203.0.113.{number}").status_code == 403


REFUSED_BODIES: dict[str, Any] = {
    "nothing": b"",
    "no JSON": b"{",
    "not UTF-8": json.dumps(GOOD, ensure_ascii=False).encode("latin-1"),
    "UTF-16": json.dumps(GOOD).encode("utf-16"),
    "a list": [GOOD],
    "a text": '"Aino"',
    "no member": {},
    "a missing member": {"user_name": "Aino", "password": PASSWORD},
    "another member": GOOD | {"sub": "sub-of-aino"},
    "a repeated member": '{"user_name": "Aino", ' + json.dumps(GOOD)[1:],
    "a number": GOOD | {"password": 1},
    "null": GOOD | {"user_name": None},
    "NaN": json.dumps(GOOD)[:-1] + ', "x": NaN}',
    "a long user name": GOOD | {"user_name": "x" * 513},
    "a long password": GOOD | {"password": "x" * 1025},
    "a long address": GOOD | {"address": "fe80::1%" + "x" * 57},
    "no address": GOOD | {"address": ""},
    "an address with a port": GOOD | {"address": "192.0.2.1:80"},
    "a deep one": b"[" * 8000,
    "a long number": b"1" * 8000,
}


@pytest.mark.parametrize("name", REFUSED_BODIES)
def test_a_body_that_is_not_as_described_is_refused(small_harness: ApiHarness, name: str) -> None:
    small_harness.person()
    answer = post(small_harness, REFUSED_BODIES[name])
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert not small_harness.audited("signed_in")


def test_the_longest_user_name_and_password_are_taken(harness: ApiHarness) -> None:
    user_name, password = "å" * 254, "å" * 256
    harness.person(user_name, password, sub="a-sub")
    decomposed = {"user_name": "a\u030a" * 254, "password": "a\u030a" * 256, "address": OWNER}
    for ascii_only in (True, False):
        assert post(harness, json.dumps(decomposed, ensure_ascii=ascii_only)).status_code == 200


def test_a_full_queue_is_told_with_the_time_to_come_again(small_harness: ApiHarness) -> None:
    small_harness.person()
    passwords = small_harness.service.passwords
    with ExitStack() as held:
        for number in range(passwords._room):
            held.enter_context(passwords.admitted(f"203.0.113.{number}"))
        answer = post(small_harness, GOOD)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.get_json()["error"] == "temporarily_unavailable"
    assert post(small_harness, GOOD).status_code == 200


def test_a_nul_or_half_a_character_belongs_to_nobody(harness: ApiHarness) -> None:
    harness.person()
    for name in ("user_name", "password"):
        for text in ("\0", "Aino\0", "\ud800"):
            assert post(harness, GOOD | {name: text}).status_code == 403


def test_a_body_of_more_than_8_kib_is_refused(small_harness: ApiHarness) -> None:
    answer = post(small_harness, json.dumps(GOOD) + " " * 8192)
    assert (answer.status_code, answer.get_json()["error"]) == (413, "invalid_request")


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "text/json", ""])
def test_a_body_of_another_kind_is_refused(small_harness: ApiHarness, content_type: str) -> None:
    small_harness.person()
    answer = post(small_harness, GOOD, content_type=content_type)
    assert (answer.status_code, answer.get_json()["error"]) == (415, "invalid_request")


def test_nothing_may_stand_in_the_address(small_harness: ApiHarness) -> None:
    small_harness.person()
    answer = post(small_harness, GOOD, "/api/sign-in?user_name=Aino")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_a_client_is_authenticated_before_its_body_is_read(small_harness: ApiHarness) -> None:
    for body in (b"", b"{", json.dumps(GOOD).encode(), b"x" * 9000):
        answer = small_harness.browser.post("/api/sign-in", data=body, content_type="application/json")
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_an_identity_token_does_not_open_it(small_harness: ApiHarness) -> None:
    small_harness.mint.clock = small_harness.clock
    token = small_harness.mint.token(azp="online-service")
    answer = small_harness.browser.post("/api/sign-in", json=GOOD, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_a_session_cookie_alone_opens_nothing(small_harness: ApiHarness) -> None:
    account = small_harness.person()
    with small_harness.browser.session_transaction() as cookie:
        cookie["session"] = "a token"
    for answer in (
        small_harness.browser.post("/api/sign-in", json=GOOD),
        small_harness.browser.get("/api/rights", query_string={"sub": account.sub}),
    ):
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_every_answer_is_json_that_nobody_keeps_and_no_other_origin_may_read(small_harness: ApiHarness) -> None:
    small_harness.person()
    answers = [small_harness.sign_in(), small_harness.sign_in("nobody"), post(small_harness, b"{")]
    answers += [post(small_harness, GOOD, content_type="text/html"), small_harness.browser.post("/api/sign-in")]
    for path in ("/api/sign-in", "/api/none", "/api/", "/api//sign-in", "/api/sign-in/", "/api/rights"):
        for method in ("OPTIONS", "PUT", "DELETE", "GET", "POST", "PATCH", "FOO"):
            headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
            answers.append(small_harness.browser.open(path, method=method, headers=headers))
    for answer in answers:
        assert answer.content_type == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not {"Set-Cookie", "Access-Control-Allow-Origin", "Location"} & set(answer.headers.keys())
        assert answer.status_code < 500


def test_another_method_is_answered_with_those_there_are(small_harness: ApiHarness) -> None:
    answer = small_harness.browser.get("/api/sign-in")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    answer = small_harness.browser.put("/api/rights")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_the_log_tells_who_asked_and_how_it_ended_and_nothing_that_was_typed(
    small_harness: ApiHarness, caplog: pytest.LogCaptureFixture
) -> None:
    account = small_harness.person()
    with caplog.at_level("DEBUG"):
        small_harness.sign_in()
        small_harness.sign_in(password="wrong")
        post(small_harness, b"{")
    stories = [record for record in caplog.records if record.message == "request"]
    told = [{name: getattr(story, name, None) for name in ("client", "account", "code")} for story in stories]
    assert told == [
        {"client": "secret-service", "account": account.id, "code": None},
        {"client": "secret-service", "account": None, "code": "access_denied"},
        {"client": "secret-service", "account": None, "code": "invalid_request"},
    ]
    written = " ".join(str(record.__dict__) for record in caplog.records)
    for text in ("Aino", PASSWORD, OWNER, "Testinen", account.sub, "wrong"):
        assert text not in written.replace("the user name and the password do not match", "")


def test_the_database_being_away_is_told_in_json(small_harness: ApiHarness) -> None:
    small_harness.database.close()
    path = Path(str(small_harness.database.engine.url.database))
    path.unlink()
    path.mkdir()
    answer = small_harness.sign_in()
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "10"


def test_an_error_of_ours_is_told_in_json(small_harness: ApiHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError(PASSWORD)

    monkeypatch.setattr("registration.accounts.sign_in.check", broken)
    answer = small_harness.sign_in()
    assert (answer.status_code, answer.get_json()["error"]) == (500, "server_error")
    assert PASSWORD not in answer.text
