"""The stand-in online service: who gets in, by password or by identification, and in what session."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from demo.online_service.api import RegistrationApi
from demo.online_service.app import create_app
from demo.online_service.sign_ins import IDLE, LONGEST, MOST, Visitor, Visitors
from demo.online_service.state import OnlineService, Places
from demo.online_service.texts import TEXTS
from demo.portal.client_keys import ClientKeys
from tests.harness.online_service import (
    ISSUER,
    ONLINE,
    REGISTRATION,
    SECRET,
    Peers,
    get,
    identify,
    sign_in,
    token_of,
)


def sign_in_with(browser: FlaskClient) -> TestResponse:
    """Sign in although the home page cannot be had."""
    sent = {"user_name": "aino", "password": "p", "csrf_token": token_of(get(browser, "/companies/x/consumption"))}
    return browser.post("/sign-in", base_url=ONLINE, data=sent)


def failure(browser: FlaskClient, answer: TestResponse) -> TestResponse:
    """The page that a refused answer leads to: at an address of its own, without anything of the answer."""
    assert (answer.status_code, answer.location) == (303, "/failed")
    return get(browser, "/failed")


def test_a_user_name_and_password_lead_to_the_companies(browser: FlaskClient, peers: Peers) -> None:
    came = sign_in(browser)
    assert (came.status_code, came.location) == (303, "/")
    assert peers.bodies == [{"user_name": "aino", "password": "Kesäyö-2026!", "address": "127.0.0.1"}]
    page = html.unescape(get(browser, "/").text)
    for shown in ("Aino Öberg", "Åkes <El> Ab", "1234567-1", "100200, 100201"):
        assert shown in page


def test_identification_leads_there_too_and_rights_are_asked_for_with_the_identity_token(
    browser: FlaskClient, peers: Peers
) -> None:
    came = identify(browser, peers)
    assert (came.status_code, came.location) == (303, "/")
    assert "Aino Öberg" in get(browser, "/").text
    assert {way for _path, way, *_ in peers.asked} == {"token"}


def test_a_wrong_password_is_told_and_never_echoed(browser: FlaskClient, peers: Peers) -> None:
    peers.refusal = (403, {})
    page = sign_in(browser, user_name="<aino>", password="wrong-word")
    assert page.status_code == 422
    assert TEXTS["fi"]["refused"] in page.text
    assert 'value="&lt;aino&gt;"' in page.text
    assert "wrong-word" not in page.text
    assert get(browser, "/companies/x/consumption").location == "/"


def test_too_many_tries_are_told_with_the_time_to_wait(browser: FlaskClient, peers: Peers) -> None:
    peers.refusal = (429, {"Retry-After": "125"})
    page = sign_in(browser)
    assert (page.status_code, page.headers["Retry-After"]) == (429, "125")
    assert TEXTS["fi"]["wait"].format(minutes=3) in page.text


@pytest.mark.parametrize("fields", [{"user_name": ""}, {"password": ""}, {"password": "x" * 1025}])
def test_what_nobody_can_have_typed_right_is_not_even_asked(
    browser: FlaskClient, peers: Peers, fields: dict[str, str]
) -> None:
    assert sign_in(browser, **fields).status_code == 422
    assert peers.asked == []


def test_new_terms_are_put_before_the_person_first(browser: FlaskClient, peers: Peers) -> None:
    peers.person["terms_accepted"] = False
    page = sign_in(browser)
    assert page.status_code == 403
    assert f'href="{REGISTRATION}/terms/accept"' in page.text
    assert TEXTS["fi"]["sign_in"] in get(browser, "/").text


def test_new_terms_are_put_before_whoever_is_signed_in_too(browser: FlaskClient, peers: Peers) -> None:
    sign_in(browser)
    peers.person["terms_accepted"] = False
    page = get(browser, "/")
    assert page.status_code == 403
    assert f'href="{REGISTRATION}/terms/accept"' in page.text


@pytest.mark.parametrize("csrf_token", ["", "wrong"])
def test_a_form_of_another_site_signs_nobody_in(browser: FlaskClient, peers: Peers, csrf_token: str) -> None:
    assert sign_in(browser, csrf_token=csrf_token).status_code == 400
    assert peers.asked == []


def test_signing_in_works_where_the_address_is_https(peers: Peers) -> None:
    https = "https://online.example"
    api = RegistrationApi(peers.url, "online-service", SECRET)
    places = Places(https, ISSUER, REGISTRATION)
    browser = create_app(OnlineService(places, api, ClientKeys.generate(), "k" * 40)).test_client()
    page = browser.get("/", base_url=https)
    assert "; Secure" in page.headers["Set-Cookie"]
    sent = {"user_name": "aino", "password": "p", "csrf_token": token_of(page)}
    assert browser.post("/sign-in", base_url=https, data=sent).status_code == 303


def test_signing_in_begins_a_session_that_nobody_could_have_known(browser: FlaskClient, peers: Peers) -> None:
    sign_in(browser)
    with browser.session_transaction(base_url=ONLINE) as session:
        first = dict(session)
    sign_in_again = {"user_name": "aino", "password": "p", "csrf_token": token_of(get(browser, "/"))}
    browser.post("/sign-in", base_url=ONLINE, data=sign_in_again)
    with browser.session_transaction(base_url=ONLINE) as session:
        assert session["visitor"] != first["visitor"]
        session["visitor"] = first["visitor"]  # ended when the new one began
    assert TEXTS["fi"]["sign_in"] in get(browser, "/").text


def test_the_cookie_holds_no_token_and_nothing_of_the_person(browser: FlaskClient, peers: Peers) -> None:
    came = identify(browser, peers)
    with browser.session_transaction(base_url=ONLINE) as session:
        assert set(session) == {"visitor"}
    cookie = came.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_signing_out_ends_the_session_on_the_server(browser: FlaskClient, peers: Peers, service: OnlineService) -> None:
    sign_in(browser)
    with browser.session_transaction(base_url=ONLINE) as session:
        name = session["visitor"]
    browser.post("/sign-out", base_url=ONLINE, data={"csrf_token": token_of(get(browser, "/"))})
    assert service.visitors.get(name) is None
    assert TEXTS["fi"]["sign_in"] in get(browser, "/").text


def test_sessions_end_when_they_are_not_used_and_after_a_day_at_work() -> None:
    now = 0.0
    visitors = Visitors(lambda: now)
    name = visitors.add(Visitor("sub", "name"))
    now = IDLE - 1
    assert visitors.get(name) is not None
    now += IDLE
    assert visitors.get(name) is None
    name = visitors.add(Visitor("sub", "name"))
    began = now
    while visitors.get(name):
        now += IDLE / 2
    assert now - began == LONGEST


def test_only_so_many_sessions_are_kept_the_latest_used() -> None:
    visitors = Visitors(lambda: 0.0)
    names = [visitors.add(Visitor(str(number), "")) for number in range(MOST)]
    assert visitors.get(names[0]) is not None  # used just now
    visitors.add(Visitor("one more", ""))
    assert visitors.get(names[0]) is not None
    assert visitors.get(names[1]) is None


@pytest.mark.parametrize("status", [400, 401, 404, 500, 503, 302])
def test_registration_being_down_is_an_error_page(browser: FlaskClient, peers: Peers, status: int) -> None:
    sign_in(browser)
    peers.refusal = (status, {})
    for page in (get(browser, "/"), sign_in_with(browser)):
        assert (page.status_code, page.headers["Retry-After"]) == (503, "10")
        assert TEXTS["fi"]["unavailable"] in page.text


def test_a_registration_that_cannot_be_reached_is_an_error_page(peers: Peers) -> None:
    api = RegistrationApi("http://127.0.0.1:1", "online-service", SECRET)
    places = Places(ONLINE, ISSUER, REGISTRATION)
    browser = create_app(OnlineService(places, api, ClientKeys.generate(), "k" * 40)).test_client()
    assert sign_in(browser).status_code == 503


@pytest.mark.parametrize("bent", [{"iss": "https://other.example"}, {"state": "unknown"}])
def test_an_answer_that_is_not_the_brokers_is_refused(browser: FlaskClient, peers: Peers, bent: dict[str, str]) -> None:
    sent = parse_qs(urlsplit(get(browser, "/identify").location).query)
    answer = {"code": "c", "state": sent["state"][0], "iss": ISSUER} | bent
    page = failure(browser, get(browser, "/callback", **answer))
    assert page.status_code == 400
    assert "invalid_response" in page.text


@pytest.mark.parametrize("claims", [{"nonce": "other"}, {"aud": "portal"}, {"exp": 1}, {"iss": "https://o.example"}])
def test_an_identity_token_that_is_not_for_this_login_lets_nobody_in(
    browser: FlaskClient, peers: Peers, claims: dict[str, Any]
) -> None:
    assert failure(browser, identify(browser, peers, **claims)).status_code == 400
    assert TEXTS["fi"]["sign_in"] in get(browser, "/").text


def test_who_comes_back_without_identifying_is_told_so(browser: FlaskClient, peers: Peers) -> None:
    sent = parse_qs(urlsplit(get(browser, "/identify").location).query)
    page = failure(browser, get(browser, "/callback", error="access_denied", state=sent["state"][0], iss=ISSUER))
    assert TEXTS["fi"]["left"] in page.text


def test_the_chosen_language_stays_when_the_person_signs_in(browser: FlaskClient, peers: Peers) -> None:
    get(browser, "/", ui_locales="sv")
    assert parse_qs(urlsplit(get(browser, "/identify").location).query)["ui_locales"] == ["sv"]
    sign_in(browser)
    assert TEXTS["sv"]["companies"] in get(browser, "/").text
