"""The stand-in online service: who gets in, what they see, and that it is refused what they may not see."""

from __future__ import annotations

import base64
import html
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, Response, jsonify, request
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from demo.online_service.api import RegistrationApi
from demo.online_service.app import SECTIONS, create_app
from demo.online_service.data import consumption, contracts, invoices
from demo.online_service.sign_ins import IDLE, LONGEST, MOST, Visitor, Visitors
from demo.online_service.state import OnlineService, Places
from demo.online_service.texts import LANGUAGES, TEXTS
from demo.portal.client_keys import ClientKeys

ONLINE = "http://127.0.0.1:8004"
ISSUER = "http://broker.example"
REGISTRATION = "http://registration.example"
SECRET = "s ecret:/&ä"
PERSON = {"sub": "sub-aino", "given_name": "Aino", "family_name": "Öberg", "terms_accepted": True}
PERSON |= {"terms_url": f"{REGISTRATION}/terms/accept"}
READ, WRITE, NONE = "read", "write", "none"


def company(fo_nummer: str = "1234567-1", name: str = "Åkes <El> Ab", **levels: str) -> dict[str, Any]:
    sections = dict.fromkeys((*SECTIONS, "users"), NONE) | levels
    numbers = ["100200", "100201"]
    about = {"fo_nummer": fo_nummer, "name": name, "customer_numbers": numbers, "administrator": False}
    return about | {"sections": sections}


@dataclass
class Peers:
    """Registration's API and the broker's token endpoint, over HTTP. asked: each call's path and way in."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=lambda: dict(PERSON))
    companies: list[dict[str, Any]] = field(default_factory=lambda: [company(consumption=WRITE, contracts=READ)])
    refusal: tuple[int, dict[str, str]] | None = None
    bearer_works: bool = True
    answers_sub: str | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", auto_kid=True))
    nonce: str = ""
    claims: dict[str, Any] = field(default_factory=dict)

    def app(self) -> Flask:
        app = Flask("peers")
        basic = "Basic " + base64.b64encode(b"online-service:s+ecret%3A%2F%26%C3%A4").decode()

        @app.post("/api/sign-in")
        def sign_in() -> Response:
            self.asked.append((request.path, "client"))
            assert request.headers["Authorization"] == basic
            self.bodies.append(request.json)
            if self.refusal:
                status, headers = self.refusal
                answer = jsonify(error="access_denied")
                answer.status_code = status
                answer.headers.update(headers)
                return answer
            return jsonify(self.person)

        @app.get("/api/rights")
        def rights() -> Response:
            given = request.headers["Authorization"]
            way = "client" if given == basic else "token"
            self.asked.append((request.path, way))
            assert way == "token" or request.args["sub"] == PERSON["sub"]
            if self.refusal:
                return Response(status=self.refusal[0])
            if way == "token" and not self.bearer_works:
                return Response(status=401)
            terms = {name: self.person.get(name) for name in ("terms_accepted", "terms_url")}
            answer = jsonify(sub=self.answers_sub or PERSON["sub"], companies=self.companies, **terms)
            answer.add_etag()
            answer.make_conditional(request)
            self.asked[-1] += (answer.status_code,)  # type: ignore[operator]
            return answer

        @app.post("/token")
        def token() -> Response:
            now = int(time.time())
            claims = {"iss": ISSUER, "aud": "online-service", "sub": PERSON["sub"], "iat": now, "exp": now + 300}
            claims |= {"nonce": self.nonce, "name": "Aino Öberg"} | self.claims
            signed = jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)
            return jsonify(access_token="a", token_type="Bearer", id_token=signed)

        @app.get("/jwks")
        def jwks() -> Response:
            return jsonify(keys=[self.key.as_dict(private=False)])

        return app


@pytest.fixture
def peers() -> Iterator[Peers]:
    peers = Peers()
    server = make_server("127.0.0.1", 0, peers.app(), threaded=True)
    peers.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield peers
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def service(peers: Peers) -> OnlineService:
    places = Places(ONLINE, ISSUER, REGISTRATION, back=peers.url)
    return OnlineService(places, RegistrationApi(peers.url, "online-service", SECRET), ClientKeys.generate(), "k" * 40)


@pytest.fixture
def browser(service: OnlineService) -> FlaskClient:
    return create_app(service).test_client()


def get(browser: FlaskClient, path: str, **query: str) -> TestResponse:
    return browser.get(path, base_url=ONLINE, query_string=query)


def token_of(page: TestResponse) -> str:
    return re.findall(r'name="csrf_token" value="([^"]+)"', page.text)[-1]


def sign_in(browser: FlaskClient, **fields: str) -> TestResponse:
    usual = {"user_name": "aino", "password": "Kesäyö-2026!", "csrf_token": token_of(get(browser, "/"))}
    return browser.post("/sign-in", base_url=ONLINE, data=usual | fields)


def sign_in_with(browser: FlaskClient) -> TestResponse:
    """Sign in although the home page cannot be had."""
    sent = {"user_name": "aino", "password": "p", "csrf_token": token_of(get(browser, "/companies/x/consumption"))}
    return browser.post("/sign-in", base_url=ONLINE, data=sent)


def identify(browser: FlaskClient, peers: Peers, **claims: Any) -> TestResponse:
    """Go away to the broker and come back with a code."""
    away = get(browser, "/identify")
    sent = parse_qs(urlsplit(away.location).query)
    peers.nonce, peers.claims = sent["nonce"][0], claims
    return get(browser, "/callback", code="c", state=sent["state"][0], iss=ISSUER)


def failure(browser: FlaskClient, answer: TestResponse) -> TestResponse:
    """The page that a refused answer leads to: at an address of its own, without anything of the answer."""
    assert (answer.status_code, answer.location) == (303, "/failed")
    return get(browser, "/failed")


def links(page: TestResponse) -> dict[str, str]:
    """The links to sections on the home page."""
    return {path.rsplit("/", 1)[1]: path for path in re.findall(r'href="(/companies/[^"]+)"', page.text)}


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


def test_when_the_identity_token_has_expired_the_client_asks_for_the_person(
    browser: FlaskClient, peers: Peers, service: OnlineService
) -> None:
    identify(browser, peers)
    get(browser, "/")
    now = time.time()
    service.clock = lambda: now + 600
    assert get(browser, "/").status_code == 200
    assert [way for _path, way, *_ in peers.asked] == ["token", "client"]


def test_when_the_identity_token_is_not_taken_the_client_asks_for_the_person(
    browser: FlaskClient, peers: Peers
) -> None:
    peers.bearer_works = False
    identify(browser, peers)
    assert "Åkes" in get(browser, "/").text
    assert [way for _path, way, *_ in peers.asked] == ["token", "client"]


def test_rights_that_have_not_changed_are_not_sent_again(browser: FlaskClient, peers: Peers) -> None:
    sign_in(browser)
    pages = [get(browser, "/").text for _ in range(2)]
    assert [call[2] for call in peers.asked if call[0] == "/api/rights"] == [200, 304]  # type: ignore[misc]
    assert "Åkes" in pages[1]


def test_a_right_that_was_taken_away_ends_at_once(browser: FlaskClient, peers: Peers) -> None:
    sign_in(browser)
    path = links(get(browser, "/"))["consumption"]
    assert get(browser, path).status_code == 200
    peers.companies = [company(contracts=READ)]
    assert get(browser, path).status_code == 403


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_section_without_a_right_is_neither_linked_nor_shown(
    browser: FlaskClient, peers: Peers, language: str
) -> None:
    get(browser, "/", ui_locales=language)
    sign_in(browser)
    found = links(get(browser, "/"))
    assert set(found) == {"consumption", "contracts"}
    page = get(browser, found["contracts"].replace("contracts", "invoices"))
    assert page.status_code == 403
    assert TEXTS[language]["forbidden"] in page.text
    assert "<table" not in page.text


def test_another_companys_section_is_refused_like_one_without_a_right(
    browser: FlaskClient, peers: Peers, service: OnlineService
) -> None:
    peers.companies = [company("7654321-2", consumption=READ)]
    sign_in(browser)
    theirs = links(get(browser, "/"))["consumption"]
    peers.companies = [company(consumption=READ)]
    refused = get(browser, theirs)
    assert refused.status_code == 403
    unknown = get(browser, "/companies/0000000000000000/consumption")
    assert unknown.status_code == 403
    pages = [page.text.replace(token_of(page), "").replace(page.request.path, "") for page in (refused, unknown)]
    assert pages[0] == pages[1]


def test_no_fo_nummer_stands_in_an_address(browser: FlaskClient, peers: Peers) -> None:
    sign_in(browser)
    page = get(browser, "/")
    assert not any("1234567" in address for address in re.findall(r'(?:href|action)="([^"]*)"', page.text))


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_shows_made_up_data(browser: FlaskClient, peers: Peers, section: str) -> None:
    peers.companies = [company(**{section: READ})]
    sign_in(browser)
    page = get(browser, links(get(browser, "/"))[section])
    assert page.status_code == 200
    assert page.text.count("<tr>") >= 3
    assert TEXTS["fi"]["read_only"] in page.text
    assert TEXTS["fi"][f"change_{section}"] not in page.text


def test_only_who_may_write_can_change(browser: FlaskClient, peers: Peers) -> None:
    sign_in(browser)
    found = links(get(browser, "/"))
    page = get(browser, found["consumption"])
    assert TEXTS["fi"]["change_consumption"] in page.text
    sent = {"csrf_token": token_of(page)}
    changed = browser.post(found["consumption"], base_url=ONLINE, data=sent)
    assert (changed.status_code, changed.location) == (303, found["consumption"])
    assert TEXTS["fi"]["changed"] in get(browser, found["consumption"]).text
    assert browser.post(found["contracts"], base_url=ONLINE, data=sent).status_code == 403
    assert TEXTS["fi"]["changed"] not in get(browser, found["contracts"]).text


@pytest.mark.parametrize("level", ["admin", "", None, "WRITE"])
def test_a_level_that_we_do_not_know_allows_nothing(browser: FlaskClient, peers: Peers, level: Any) -> None:
    peers.companies = [company(consumption=level)]
    sign_in(browser)
    page = get(browser, "/")
    assert links(page) == {}
    assert TEXTS["fi"]["no_section"] in page.text


def test_who_has_no_company_is_led_to_register(browser: FlaskClient, peers: Peers) -> None:
    peers.companies = []
    identify(browser, peers)
    page = get(browser, "/")
    assert TEXTS["fi"]["nothing"] in page.text
    assert f'href="{REGISTRATION}/?ui_locales=fi"' in page.text


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


def test_a_form_of_another_site_changes_nothing_and_signs_nobody_out(browser: FlaskClient, peers: Peers) -> None:
    sign_in(browser)
    path = links(get(browser, "/"))["consumption"]
    assert browser.post(path, base_url=ONLINE).status_code == 400
    assert browser.post("/sign-out", base_url=ONLINE).status_code == 400
    assert TEXTS["fi"]["companies"] in get(browser, "/").text


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


def test_an_answer_about_another_person_is_not_shown(browser: FlaskClient, peers: Peers) -> None:
    peers.answers_sub = "sub-bo"
    sign_in(browser)
    assert get(browser, "/").status_code == 503


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


def test_every_language_has_every_text() -> None:
    assert TEXTS["fi"].keys() == TEXTS["sv"].keys() == TEXTS["en"].keys()


@pytest.mark.parametrize("path", ["/", "/companies/x/users", "/no-such-page", "/static/online.css"])
def test_no_script_runs_and_nobody_frames_a_page(browser: FlaskClient, path: str) -> None:
    with get(browser, path) as answer:
        headers = answer.headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self';")
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_another_name_of_this_machine_is_sent_to_the_registered_one(browser: FlaskClient) -> None:
    answer = browser.get("/", base_url="http://localhost:9")
    assert (answer.status_code, answer.location) == (303, f"{ONLINE}/")


def test_made_up_data_stays_the_same() -> None:
    day = date(2026, 1, 15)
    numbers = ["100200", "100201"]
    assert consumption(numbers, day) == consumption(numbers, day)
    assert [month.first_day for month in consumption(numbers, day)][::11] == [
        date(2025, 12, 1),
        date(2025, 1, 1),
    ]
    assert {contract.customer_number for contract in contracts(numbers)} == set(numbers)
    assert [invoice.paid for invoice in invoices(["100200"], day)] == [False, True, True, True, True, True]
