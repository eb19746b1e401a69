"""The example portal keeps working: against a real broker, and against answers that are not the broker's."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
import responses
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from demo.portal.app import create_app
from demo.portal.client_keys import ClientKeys
from demo.portal.texts import LANGUAGES, TEXTS
from demo.portal.unfinished import MOST, SECONDS
from demo.runner.client import follow
from demo.runner.configs import PROVIDERS
from demo.runner.mock_banks import MockBanks
from demo.runner.stack import Stack
from kit.keys.client import CLIENT_PURPOSES
from kit.keys.rotation import Rotation
from tests.demo.running import PORTAL


@pytest.fixture
def portal(stack: Stack) -> FlaskClient:
    """A browser at the portal; the portal's own requests go to the real broker."""
    app = create_app(PORTAL, stack.places.issuer, stack.client.keys, "only for tests")
    return app.test_client()


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    """The same browser's other half, that follows redirects away from the portal."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def get(portal: FlaskClient, path: str, **parameters: str) -> TestResponse:
    return portal.get(path, base_url=PORTAL, query_string=parameters)


def come_back(portal: FlaskClient, browser: requests.Session, **start: str) -> TestResponse:
    """Go away by /start and come back; the portal's answer to the callback."""
    away = get(portal, "/start", **start).location
    back = follow(browser, away, f"{PORTAL}/callback")
    return portal.get(back.removeprefix(PORTAL), base_url=PORTAL)


def failure(portal: FlaskClient, answer: TestResponse) -> TestResponse:
    """The page that a refused answer leads to: at an address of its own, without anything of the answer."""
    assert (answer.status_code, answer.location) == (303, "/failed")
    return get(portal, "/failed")


def begun(portal: FlaskClient) -> dict[str, str]:
    """Start an identification; the parameters of a genuine answer, without code or error."""
    sent = parse_qs(urlsplit(get(portal, "/start").location).query)
    return {"state": sent["state"][0]}


def test_a_person_who_uses_a_button_sees_who_they_are(
    portal: FlaskClient, browser: requests.Session, stack: Stack, mock: MockBanks
) -> None:
    persona = mock.people()[0]
    mock.next("nordea", persona=persona["id"])
    came = come_back(portal, browser, idp_hint="nordea")
    assert (came.status_code, came.location) == (303, "/identity")
    page = html.unescape(get(portal, came.location).text)
    for shown in (persona["given_name"], persona["family_name"], persona["birthdate"], "nordea"):
        assert shown in page
    assert persona["personal_identity_code"] not in page


def identified(portal: FlaskClient) -> str:
    """Be a person who has identified; the token in the form of the identity's page."""
    with portal.session_transaction(base_url=PORTAL) as session:
        session["identity"] = {"name": "Aino Testinen"}
    (token,) = re.findall('name="form_token" value="([^"]+)"', get(portal, "/identity").text)
    return token


def test_whoever_starts_again_is_forgotten(portal: FlaskClient) -> None:
    token = identified(portal)
    answer = portal.post("/forget", base_url=PORTAL, data={"form_token": token})
    assert (answer.status_code, answer.location) == (303, "/")
    assert get(portal, "/identity").location == "/"


@pytest.mark.parametrize("sent", [{}, {"form_token": ""}, {"form_token": "of-another-page"}, {"form_token": "ä"}])
def test_another_sites_form_or_link_makes_nobody_forgotten(portal: FlaskClient, sent: dict[str, str]) -> None:
    identified(portal)
    assert portal.post("/forget", base_url=PORTAL, data=sent).status_code == 303
    assert get(portal, "/forget").status_code == 405
    assert get(portal, "/identity").status_code == 200


def test_cookies_of_a_portal_with_https_are_its_hosts_alone(stack: Stack) -> None:
    url = "https://portal.example.com"
    portal = create_app(url, stack.places.issuer, stack.client.keys, "only for tests").test_client()
    given = portal.get("/start?ui_locales=sv", base_url=url).headers.getlist("Set-Cookie")
    assert [cookie.partition("-")[0] for cookie in given] == ["__Host"] * 2
    for cookie in given:
        assert "Secure" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie


def test_a_reload_of_the_callback_shows_an_error_and_not_a_fault(
    portal: FlaskClient, browser: requests.Session, mock: MockBanks
) -> None:
    mock.next("op", persona=mock.people()[0]["id"])
    back = follow(browser, get(portal, "/start", idp_hint="op").location, f"{PORTAL}/callback")
    first, second = (portal.get(back.removeprefix(PORTAL), base_url=PORTAL) for _ in range(2))
    assert (first.status_code, first.location) == (303, "/identity")
    assert failure(portal, second).status_code == 400


def test_who_comes_back_after_the_phone_has_ended_the_browser_is_still_identified(
    portal: FlaskClient, browser: requests.Session, mock: MockBanks
) -> None:
    mock.next("op", persona=mock.people()[0]["id"])
    get(portal, "/", ui_locales="sv")
    back = follow(browser, get(portal, "/start", idp_hint="op").location, f"{PORTAL}/callback")
    end_browser(portal)
    answer = portal.get(back.removeprefix(PORTAL), base_url=PORTAL)
    assert (answer.status_code, answer.location) == (303, "/identity")
    end_browser(portal)
    assert get(portal, "/identity").location == "/", "who is signed in is forgotten with the browser"


def test_two_logins_that_begin_at_once_without_cookies_both_end(
    portal: FlaskClient, browser: requests.Session, mock: MockBanks
) -> None:
    """One tap on some phones is two requests."""
    answers, cookies = [], []
    for _ in range(2):
        portal._cookies.clear()  # type: ignore[union-attr]
        mock.next("op", persona=mock.people()[0]["id"])
        answers.append(follow(browser, get(portal, "/start", idp_hint="op").location, f"{PORTAL}/callback"))
        cookies.append(dict(portal._cookies))  # type: ignore[arg-type]
    portal._cookies.update(cookies[0] | cookies[1])  # type: ignore[union-attr]
    came = [portal.get(answer.removeprefix(PORTAL), base_url=PORTAL) for answer in answers]
    assert [answer.location for answer in came] == ["/identity"] * 2


def test_a_login_on_its_way_is_a_cookie_of_its_own_for_more_than_an_hour(portal: FlaskClient) -> None:
    (cookie,) = get(portal, "/start").headers.getlist("Set-Cookie")
    assert f"Max-Age={SECONDS}" in cookie
    assert SECONDS >= 3600
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_many_logins_that_begin_end_none_that_was_there(portal: FlaskClient, stack: Stack) -> None:
    first = begun(portal)
    for _ in range(MOST + 5):
        begun(portal)
    assert len([name for _, _, name in portal._cookies if "login" in name]) == MOST  # type: ignore[union-attr]
    answer = get(portal, "/callback", **first, iss=stack.places.issuer, error="access_denied")
    assert TEXTS["fi"]["left_text"] in failure(portal, answer).text


def test_what_binds_a_login_is_of_no_use_for_another(portal: FlaskClient, stack: Stack) -> None:
    first, second = begun(portal), begun(portal)
    cookies = portal._cookies
    assert cookies is not None
    keys = [key for key in cookies if "login" in key[2]]
    cookies[keys[0]].value, cookies[keys[1]].value = cookies[keys[1]].value, cookies[keys[0]].value
    for one in (first, second):
        page = failure(portal, get(portal, "/callback", **one, iss=stack.places.issuer, error="access_denied"))
        assert "invalid_response" in page.text


def end_browser(portal: FlaskClient) -> None:
    """Forget the cookies that end with the browser."""
    for key, cookie in list((portal._cookies or {}).items()):
        if cookie.max_age is None and cookie.expires is None:
            del portal._cookies[key]  # type: ignore[index]


def test_every_open_provider_has_a_button_in_each_language(portal: FlaskClient) -> None:
    for language in LANGUAGES:
        page = get(portal, "/", ui_locales=language).text
        assert f'<html lang="{language}">' in page
        assert TEXTS[language]["lead"] in page
        for provider in PROVIDERS:
            assert f'href="/start?idp_hint={provider}"' in page


def test_the_chosen_language_goes_with_the_person(portal: FlaskClient) -> None:
    get(portal, "/", ui_locales="sv")
    assert parse_qs(urlsplit(get(portal, "/start").location).query)["ui_locales"] == ["sv"]


def test_the_hosted_chooser_is_reached_without_a_hint(portal: FlaskClient, browser: requests.Session) -> None:
    answer = browser.get(get(portal, "/start").location, timeout=10)
    assert answer.status_code == 200
    assert "/choose/" in answer.url


def test_without_the_list_the_hosted_chooser_is_still_offered(stack: Stack) -> None:
    app = create_app(PORTAL, "http://127.0.0.1:1", stack.client.keys, "only for tests")
    page = app.test_client().get("/", base_url=PORTAL).text
    assert TEXTS["fi"]["banks"].format(button=TEXTS["fi"]["all"]) in page
    assert 'href="/start"' in page


def test_whatever_goes_wrong_is_a_page_of_ours_that_nobody_frames(
    portal: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("demo.portal.app.list_providers", broken)
    answers = [get(portal, "/nothing"), portal.post("/", base_url=PORTAL), get(portal, "/")]
    assert [answer.status_code for answer in answers] == [404, 405, 500]
    assert answers[1].headers["Allow"] == "GET, HEAD, OPTIONS"
    for answer in answers:
        assert TEXTS["fi"]["again"] in answer.text
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store"


def test_another_name_of_this_machine_is_sent_to_the_registered_one(portal: FlaskClient) -> None:
    answer = portal.get("/", base_url="http://localhost:9")
    assert (answer.status_code, answer.location) == (303, f"{PORTAL}/")


def test_behind_a_proxy_that_ends_tls_the_first_page_leads_to_no_other(stack: Stack) -> None:
    portal = create_app("https://portal.example.com", stack.places.issuer, stack.client.keys, "only for tests")
    assert portal.test_client().get("/", base_url="http://portal.example.com").status_code == 200


@pytest.mark.parametrize(
    "bent",
    [
        {"state": "unknown"},
        {"state": ""},
        {"iss": "https://other.example"},
        {"iss": None},
    ],
    ids=["unknown state", "no state", "another iss", "no iss"],
)
@pytest.mark.parametrize("kind", ["code", "error"])
def test_an_answer_that_is_not_the_brokers_is_refused_before_it_is_read(
    portal: FlaskClient, stack: Stack, bent: dict[str, str | None], kind: str
) -> None:
    answer = begun(portal) | {"iss": stack.places.issuer, kind: "access_denied"} | bent
    query = urlencode({n: v for n, v in answer.items() if v is not None})
    page = failure(portal, portal.get(f"/callback?{query}", base_url=PORTAL))
    assert page.status_code == 400
    assert "invalid_response" in page.text
    assert "access_denied" not in page.text


def test_a_persons_return_is_shown_as_such_and_only_once(portal: FlaskClient, stack: Stack) -> None:
    answer = begun(portal) | {"iss": stack.places.issuer, "error": "access_denied"}
    first = failure(portal, get(portal, "/callback", **answer))
    assert TEXTS["fi"]["left_text"] in first.text
    assert "access_denied" not in first.text
    assert TEXTS["fi"]["left"] in get(portal, "/failed").text
    assert "invalid_response" in failure(portal, get(portal, "/callback", **answer)).text


def test_markup_in_an_error_is_not_shown(portal: FlaskClient, stack: Stack) -> None:
    answer = begun(portal) | {"iss": stack.places.issuer, "error": "<script>alert(1)</script>"}
    page = failure(portal, get(portal, "/callback", **answer))
    assert "alert(1)" in page.text
    assert "<script" not in page.text


def test_a_token_response_without_an_identity_token_is_refused(portal: FlaskClient, stack: Stack) -> None:
    answer = begun(portal) | {"iss": stack.places.issuer, "code": "any"}
    with responses.RequestsMock() as wire:
        wire.post(f"{stack.places.issuer}/token", json={"access_token": "a", "token_type": "Bearer"})
        page = failure(portal, get(portal, "/callback", **answer))
    assert page.status_code == 400
    assert "invalid_token" in page.text


def test_a_broker_that_does_not_answer_is_an_error_page(portal: FlaskClient, stack: Stack) -> None:
    answer = begun(portal) | {"iss": stack.places.issuer, "code": "any"}
    with responses.RequestsMock() as wire:
        wire.post(f"{stack.places.issuer}/token", body=requests.ConnectionError())
        page = failure(portal, get(portal, "/callback", **answer))
    assert page.status_code == 502


def test_the_token_endpoint_may_have_another_address_than_the_issuer(stack: Stack) -> None:
    app = create_app(PORTAL, "http://broker.test", stack.client.keys, "only for tests", back_url=stack.places.issuer)
    portal = app.test_client()
    sent = get(portal, "/start").location
    assert sent.startswith("http://broker.test/authorize?")
    state = parse_qs(urlsplit(sent).query)["state"][0]
    with responses.RequestsMock() as wire:
        wire.post(f"{stack.places.issuer}/token", json={"error": "invalid_grant"}, status=400)
        page = failure(portal, get(portal, "/callback", state=state, iss="http://broker.test", code="any"))
    assert "invalid_grant" in page.text


def test_a_folder_of_keys_is_used_as_the_time_of_each_comes(tmp_path: Path) -> None:
    rotation, now = Rotation(tmp_path, CLIENT_PURPOSES), [1000]
    rotation.init(1000)
    keys = ClientKeys.read(tmp_path, lambda: now[0])
    first = keys.current().kid
    rotation.rotate(["client"], 1000)
    day = 86_400
    for now[0], same in ((1000 + day - 1, True), (1000 + day, False), (1000 + 3 * day, False)):
        rotation.retire(now[0])
        assert (keys.current().kid == first) is same
    assert keys.public_jwk["kid"] == keys.current().kid
