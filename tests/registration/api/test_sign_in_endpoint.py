"""POST /api/sign-in: the online service asks whose user name and password these are."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from registration.accounts.sign_in import PER_PAIR
from tests.harness.registration_api import OTHER, OWNER, PASSWORD, URL, ApiHarness, basic, open_harness

GOOD = {"user_name": "Aino", "password": PASSWORD, "address": OWNER}


def post(api: ApiHarness, body: Any, path: str = "/api/sign-in", **options: Any) -> Any:
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    options.setdefault("content_type", "application/json")
    return api.browser.post(path, data=data, headers=basic(), **options)


def test_the_right_user_name_and_password_tell_who_it_is(api: ApiHarness) -> None:
    account = api.person()
    answer = api.sign_in()
    assert answer.status_code == 200
    assert answer.get_json() == {
        "sub": account.sub,
        "given_name": "Åsa",
        "family_name": "Testinen",
        "terms_accepted": True,
        "terms_url": f"{URL}/terms/accept",
    }
    assert [record.details for record in api.audited("signed_in")] == [{"by": "online_service:secret-service"}]


def test_an_assertion_for_this_endpoint_opens_it_as_well(api: ApiHarness) -> None:
    api.person()
    headers = api.by_assertion(path="/api/sign-in")
    assert api.browser.post("/api/sign-in", json=GOOD, headers=headers).status_code == 200
    assert [record.details for record in api.audited("signed_in")] == [{"by": "online_service:ec-service"}]


def test_who_has_not_accepted_the_terms_in_force_is_led_to_them(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person(terms_version="2020-01-01")
    assert api_on_sqlite.sign_in().get_json()["terms_accepted"] is False


def test_an_unknown_user_name_and_a_wrong_password_get_the_same_bytes(api: ApiHarness) -> None:
    api.person()
    wrong, unknown = api.sign_in(password="wrong"), api.sign_in("nobody")
    assert wrong.status_code == unknown.status_code == 403
    assert wrong.get_json()["error"] == "access_denied"
    assert wrong.data == unknown.data
    assert list(wrong.headers) == list(unknown.headers)


def test_too_many_wrong_tries_are_answered_with_the_seconds_to_wait(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person()
    for user_name in ("Aino", "nobody"):
        for _ in range(PER_PAIR):
            assert api_on_sqlite.sign_in(user_name, "wrong").status_code == 403
        api_on_sqlite.clock.now += 60
        answer = api_on_sqlite.sign_in(user_name)
        assert answer.status_code == 429
        assert answer.get_json()["error"] == "slow_down"
        assert answer.headers["Retry-After"] == "840"
    assert api_on_sqlite.sign_in(address=OTHER).status_code == 200


def test_the_address_that_counts_is_the_persons_and_not_the_callers(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person()
    for number in range(PER_PAIR + 1):
        assert api_on_sqlite.sign_in(password="wrong", address=f"203.0.113.{number}").status_code == 403


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
def test_a_body_that_is_not_as_described_is_refused(api_on_sqlite: ApiHarness, name: str) -> None:
    api_on_sqlite.person()
    answer = post(api_on_sqlite, REFUSED_BODIES[name])
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")
    assert not api_on_sqlite.audited("signed_in")


def test_the_longest_user_name_and_password_are_taken(api: ApiHarness) -> None:
    user_name, password = "å" * 254, "å" * 256
    api.person(user_name, password, sub="a-sub")
    decomposed = {"user_name": "a\u030a" * 254, "password": "a\u030a" * 256, "address": OWNER}
    for ascii_only in (True, False):
        assert post(api, json.dumps(decomposed, ensure_ascii=ascii_only)).status_code == 200


def test_a_full_queue_is_told_with_the_time_to_come_again(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person()
    passwords = api_on_sqlite.service.passwords
    with ExitStack() as held:
        for number in range(passwords._room):
            held.enter_context(passwords.admitted(f"203.0.113.{number}"))
        answer = post(api_on_sqlite, GOOD)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.get_json()["error"] == "temporarily_unavailable"
    assert post(api_on_sqlite, GOOD).status_code == 200


def test_a_nul_or_half_a_character_belongs_to_nobody(api: ApiHarness) -> None:
    api.person()
    for name in ("user_name", "password"):
        for text in ("\0", "Aino\0", "\ud800"):
            assert post(api, GOOD | {name: text}).status_code == 403


def test_a_body_of_more_than_8_kib_is_refused(api_on_sqlite: ApiHarness) -> None:
    answer = post(api_on_sqlite, json.dumps(GOOD) + " " * 8192)
    assert (answer.status_code, answer.get_json()["error"]) == (413, "invalid_request")


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain", "text/json", ""])
def test_a_body_of_another_kind_is_refused(api_on_sqlite: ApiHarness, content_type: str) -> None:
    api_on_sqlite.person()
    answer = post(api_on_sqlite, GOOD, content_type=content_type)
    assert (answer.status_code, answer.get_json()["error"]) == (415, "invalid_request")


def test_nothing_may_stand_in_the_address(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person()
    answer = post(api_on_sqlite, GOOD, "/api/sign-in?user_name=Aino")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "invalid_request")


def test_a_client_is_authenticated_before_its_body_is_read(api_on_sqlite: ApiHarness) -> None:
    for body in (b"", b"{", json.dumps(GOOD).encode(), b"x" * 9000):
        answer = api_on_sqlite.browser.post("/api/sign-in", data=body, content_type="application/json")
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_an_identity_token_does_not_open_it(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.mint.clock = api_on_sqlite.clock
    token = api_on_sqlite.mint.token(azp="online-service")
    answer = api_on_sqlite.browser.post("/api/sign-in", json=GOOD, headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_a_session_cookie_alone_opens_nothing(api_on_sqlite: ApiHarness) -> None:
    account = api_on_sqlite.person()
    with api_on_sqlite.browser.session_transaction() as cookie:
        cookie["session"] = "a token"
    for answer in (
        api_on_sqlite.browser.post("/api/sign-in", json=GOOD),
        api_on_sqlite.browser.get("/api/rights", query_string={"sub": account.sub}),
    ):
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client")


def test_every_answer_is_json_that_nobody_keeps_and_no_other_origin_may_read(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person()
    answers = [api_on_sqlite.sign_in(), api_on_sqlite.sign_in("nobody"), post(api_on_sqlite, b"{")]
    answers += [post(api_on_sqlite, GOOD, content_type="text/html"), api_on_sqlite.browser.post("/api/sign-in")]
    for path in ("/api/sign-in", "/api/none", "/api/", "/api//sign-in", "/api/sign-in/", "/api/rights"):
        for method in ("OPTIONS", "PUT", "DELETE", "GET", "POST", "PATCH", "FOO"):
            headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
            answers.append(api_on_sqlite.browser.open(path, method=method, headers=headers))
    for answer in answers:
        assert answer.content_type == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert not {"Set-Cookie", "Access-Control-Allow-Origin", "Location"} & set(answer.headers.keys())
        assert answer.status_code < 500


def test_another_method_is_answered_with_those_there_are(api_on_sqlite: ApiHarness) -> None:
    answer = api_on_sqlite.browser.get("/api/sign-in")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    answer = api_on_sqlite.browser.put("/api/rights")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_the_log_tells_who_asked_and_how_it_ended_and_nothing_that_was_typed(
    api_on_sqlite: ApiHarness, caplog: pytest.LogCaptureFixture
) -> None:
    account = api_on_sqlite.person()
    with caplog.at_level("DEBUG"):
        api_on_sqlite.sign_in()
        api_on_sqlite.sign_in(password="wrong")
        post(api_on_sqlite, b"{")
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


def test_the_database_being_away_is_told_in_json(api_on_sqlite: ApiHarness, tmp_path: Path) -> None:
    path = tmp_path / "away.sqlite"
    away = open_harness(f"sqlite:///{path}", api_on_sqlite.service.settings.keys.dir, api_on_sqlite.mint)
    away.database.close()
    path.unlink()
    path.mkdir()
    answer = away.sign_in()
    assert (answer.status_code, answer.get_json()["error"]) == (503, "temporarily_unavailable")
    assert answer.headers["Retry-After"] == "10"


def test_an_error_of_ours_is_told_in_json(api_on_sqlite: ApiHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError(PASSWORD)

    monkeypatch.setattr("registration.accounts.sign_in.check", broken)
    answer = api_on_sqlite.sign_in()
    assert (answer.status_code, answer.get_json()["error"]) == (500, "server_error")
    assert PASSWORD not in answer.text
