"""Nobody learns from outside which user names there are: not by words, status or headers, nor by what it costs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from registration.accounts.passwords import Busy, Passwords
from registration.accounts.sign_in import PER_PAIR
from tests.harness.registration_api import OTHER, PASSWORD, ApiHarness

KNOWN, UNKNOWN = "Aino", "Eino"
WAYS = ["{}", " {} ", "{}\u200b", "\uff21{}", "{}\0", "{}'", "{} x", "{}@example.com"]
"""How a user name may be typed; the first three are the account's."""


def sent(browser: FlaskClient, user_name: str, password: str = "wrong", **more: str) -> TestResponse:
    """The page's form, from an address where nobody has signed in."""
    form = browser.get("/sign-in").get_data(as_text=True)
    token = re.findall('name="csrf_token" value="([^"]+)"', form)[0]
    fields = {"csrf_token": token, "user_name": user_name, "password": password, **more}
    return browser.post("/sign-in", data=fields, environ_base={"REMOTE_ADDR": OTHER})


def seen(answer: TestResponse) -> tuple[int, str, list[tuple[str, str]]]:
    """What a browser gets, without what differs each time: the form's token and the name that was typed."""
    text = re.sub(
        '(name="csrf_token"|id="user_name" name="user_name") value="[^"]*"', "", answer.get_data(as_text=True)
    )
    headers = [(name, re.sub("=[^;]+;", "=;", value)) for name, value in answer.headers]
    return answer.status_code, text, [pair for pair in headers if pair[0] != "Content-Length"]


@pytest.mark.parametrize("way", WAYS)
def test_the_page_answers_a_wrong_password_and_an_unknown_user_name_alike(api: ApiHarness, way: str) -> None:
    api.person(KNOWN)
    known, unknown = (sent(api.app.test_client(), way.format(name)) for name in (KNOWN, UNKNOWN))
    assert known.status_code == 422
    assert seen(known) == seen(unknown)


@pytest.mark.parametrize("password", ["", "x" * 300, "nobody has this password", "\ud800", "\0"])
def test_no_password_tells_of_a_user_name(api: ApiHarness, password: str) -> None:
    api.person(KNOWN)
    known, unknown = (api.sign_in(name, password) for name in (KNOWN, UNKNOWN))
    assert (known.status_code, known.data) == (unknown.status_code, unknown.data) == (403, known.data)


def test_the_page_says_after_as_many_tries_that_there_were_too_many(api_on_sqlite: ApiHarness) -> None:
    api_on_sqlite.person(KNOWN)
    found = []
    for name in (KNOWN, UNKNOWN):
        browser = api_on_sqlite.app.test_client()
        found.append([seen(sent(browser, name)) for _ in range(PER_PAIR + 1)])
    assert [status for status, *_ in found[0]] == [422] * PER_PAIR + [429]
    assert found[0] == found[1]


def test_a_full_queue_is_told_of_either(api_on_sqlite: ApiHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> Any:
        raise Busy

    api_on_sqlite.person(KNOWN)
    monkeypatch.setattr(Passwords, "admitted", full)
    known, unknown = (seen(sent(api_on_sqlite.app.test_client(), name, PASSWORD)) for name in (KNOWN, UNKNOWN))
    assert known == unknown
    assert known[0] == 503


def test_each_user_name_costs_one_verification_of_the_same_parameters(
    api_on_sqlite: ApiHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    api_on_sqlite.person(KNOWN)
    verified: list[list[str]] = []
    verify: Callable[..., bool] = PasswordHasher.verify

    def counted(hasher: PasswordHasher, hashed: str, password: str) -> bool:
        verified.append(str(hashed).split("$")[1:4])
        return verify(hasher, hashed, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for way in WAYS:
        for name in (KNOWN, UNKNOWN):
            api_on_sqlite.sign_in(way.format(name), "wrong", OTHER)
    assert len(verified) == 2 * len(WAYS)
    assert all(one == verified[0] for one in verified)
