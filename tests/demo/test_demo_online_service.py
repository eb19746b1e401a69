"""The stand-in online service: what people see of their companies, and that they are refused what they may not see."""

from __future__ import annotations

import re
import time
from datetime import date
from typing import Any

import pytest
from flask.testing import FlaskClient

from demo.online_service.app import SECTIONS
from demo.online_service.data import consumption, contracts, invoices
from demo.online_service.state import OnlineService
from demo.online_service.texts import LANGUAGES, TEXTS
from tests.harness.online_service import (
    ONLINE,
    READ,
    REGISTRATION,
    Peers,
    company,
    get,
    identify,
    links,
    sign_in,
    token_of,
)


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


def test_a_form_of_another_site_changes_nothing_and_signs_nobody_out(browser: FlaskClient, peers: Peers) -> None:
    sign_in(browser)
    path = links(get(browser, "/"))["consumption"]
    assert browser.post(path, base_url=ONLINE).status_code == 400
    assert browser.post("/sign-out", base_url=ONLINE).status_code == 400
    assert TEXTS["fi"]["companies"] in get(browser, "/").text


def test_an_answer_about_another_person_is_not_shown(browser: FlaskClient, peers: Peers) -> None:
    peers.answers_sub = "sub-bo"
    sign_in(browser)
    assert get(browser, "/").status_code == 503


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
