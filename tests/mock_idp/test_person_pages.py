"""What a person does at a bank: choose, cancel, fail, wait for the phone; in three languages, without script."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import html5lib
import pytest

from mock_idp.pages.texts import TEXTS
from mock_idp.people.identity_code import birthdate_of
from mock_idp.protocol.dialects import DIALECTS
from tests.harness.relying_party import SmallRelyingParty, Trip, answer_of


def open_page(rp: SmallRelyingParty, realm: str = "nordea", dialect: str = "telia", **changes: Any) -> tuple[Trip, str]:
    trip = rp.trip(realm, dialect, **changes)
    response = rp.authorize(trip)
    assert response.status_code == 303
    return trip, response.headers["Location"]


def check_page(response: Any, locale: str) -> str:
    assert response.status_code in (200, 400, 410)
    text = response.get_data(as_text=True)
    html5lib.HTMLParser(strict=True).parse(text)
    assert f'<html lang="{locale}">' in text
    assert "TEST BANK" in text
    assert TEXTS[locale]["not_a_bank"] in text
    assert "<script" not in text
    assert "style=" not in text
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    return text


def claims_after(rp: SmallRelyingParty, trip: Trip, response: Any) -> dict[str, Any]:
    code = answer_of(response)["code"]
    return rp.open_token(trip, rp.exchange(trip, code).get_json()["id_token"])[2]


@pytest.mark.parametrize("locale", ["fi", "sv", "en"])
def test_the_page_speaks_the_language_of_the_request(rp: SmallRelyingParty, locale: str) -> None:
    _, page = open_page(rp, ui_locales=locale)
    text = check_page(rp.client.get(page), locale)
    assert TEXTS[locale]["who"] in text
    assert "Onni Juhani Korhonen" in text


def test_every_text_is_there_in_every_language() -> None:
    assert TEXTS["fi"].keys() == TEXTS["sv"].keys() == TEXTS["en"].keys()


def test_the_page_shows_the_agreed_service_name(rp: SmallRelyingParty) -> None:
    _, page = open_page(rp, dialect="ftn")
    assert "Testi Energia" in rp.client.get(page).get_data(as_text=True)


def test_a_person_is_chosen_by_a_button(rp: SmallRelyingParty) -> None:
    trip, page = open_page(rp)
    claims = claims_after(rp, trip, rp.client.post(page, data={"do": "persona:aino-virtanen"}))
    assert claims["urn:oid:1.2.246.21"] == "291292-918R"


def test_a_second_answer_to_the_same_page_finds_it_gone(rp: SmallRelyingParty) -> None:
    _, page = open_page(rp)
    assert rp.client.post(page, data={"do": "persona:aino-virtanen"}).status_code == 303
    for again in (rp.client.post(page, data={"do": "fail"}), rp.client.get(page)):
        assert again.status_code == 410
        check_page(again, "en")


def test_a_page_lapses_after_a_quarter_of_an_hour(rp: SmallRelyingParty) -> None:
    _, page = open_page(rp)
    rp.now += 901
    assert rp.client.get(page).status_code == 410


def test_a_page_belongs_to_its_issuer(rp: SmallRelyingParty) -> None:
    _, page = open_page(rp)
    assert rp.client.get(page.replace("/nordea/", "/aktia/")).status_code == 410


def test_a_random_adult_has_an_artificial_code_and_is_of_age(rp: SmallRelyingParty) -> None:
    trip, page = open_page(rp)
    code = claims_after(rp, trip, rp.client.post(page, data={"do": "random"}))["urn:oid:1.2.246.21"]
    assert 900 <= int(code[7:10]) <= 999
    assert datetime.fromtimestamp(rp.now, UTC).year - birthdate_of(code).year >= 18


def test_an_adult_is_made_for_a_given_birth_date(rp: SmallRelyingParty) -> None:
    trip, page = open_page(rp)
    claims = claims_after(rp, trip, rp.client.post(page, data={"do": "born", "birthdate": "2001-02-03"}))
    assert claims["urn:oid:1.3.6.1.5.5.7.9.1"] == "2001-02-03"
    assert claims["urn:oid:1.2.246.21"].startswith("030201A9")


@pytest.mark.parametrize("birthdate", ["", "tomorrow", "2020-01-01", "1850-01-01"])
def test_a_birth_date_of_no_adult_gets_the_page_again_with_a_word(rp: SmallRelyingParty, birthdate: str) -> None:
    _, page = open_page(rp)
    response = rp.client.post(page, data={"do": "born", "birthdate": birthdate})
    assert response.status_code == 400
    assert TEXTS["sv"]["not_adult"] in check_page(response, "sv")


@pytest.mark.parametrize("dialect", DIALECTS)
def test_cancelling_and_failing_come_back_in_the_dialects_words(rp: SmallRelyingParty, dialect: str) -> None:
    for word in DIALECTS[dialect].cancelled:
        _, page = open_page(rp, dialect=dialect)
        assert f'value="cancel:{word}"' in rp.client.get(page).get_data(as_text=True)
        assert answer_of(rp.client.post(page, data={"do": f"cancel:{word}"}))["error"] == word
    _, page = open_page(rp, dialect=dialect)
    assert answer_of(rp.client.post(page, data={"do": "fail"}))["error"] == DIALECTS[dialect].failed


def test_a_fault_is_chosen_by_hand(rp: SmallRelyingParty) -> None:
    trip, page = open_page(rp)
    response = rp.client.post(page, data={"do": "random", "fault": "invalid-iss"})
    assert claims_after(rp, trip, response)["iss"] == "https://attacker.example"


def test_a_choice_that_makes_no_sense_is_refused(rp: SmallRelyingParty) -> None:
    _, page = open_page(rp)
    for do in ("", "persona:nobody", "face:aktia", "cancel:unheard-of", "approve"):
        assert rp.client.post(page, data={"do": do}).status_code in (400, 404), do
    assert rp.client.get(page).status_code in (200, 410)


def test_a_contract_that_cannot_select_lets_the_person_pick_the_bank_first(rp: SmallRelyingParty) -> None:
    trip, page = open_page(rp, "shared", "ftn")
    text = check_page(rp.client.get(page), "sv")
    assert len(re.findall('value="face:', text)) == 11
    assert rp.client.post(page, data={"do": "persona:aino-virtanen"}).status_code == 400
    assert rp.client.post(page, data={"do": "face:aktia"}).headers["Location"] == page
    assert "Tero Testi" in rp.client.get(page).get_data(as_text=True)
    claims = claims_after(rp, trip, rp.client.post(page, data={"do": "persona:tero-ayramo"}))
    assert claims["urn:oid:1.2.246.21"] == "010170-999R"


# The mobile certificate.


def waiting(rp: SmallRelyingParty, persona: str = "maija-mobiili") -> tuple[Trip, str]:
    trip, page = open_page(rp, "mobile-certificate", "telia")
    assert rp.client.post(page, data={"do": f"persona:{persona}"}).headers["Location"] == page
    return trip, page


def test_the_waiting_page_shows_an_event_code_and_reloads_itself(rp: SmallRelyingParty) -> None:
    _, page = waiting(rp)
    response = rp.client.get(page)
    text = check_page(response, "sv")
    assert re.search(r'class="event-code">[A-Z]{5}<', text)
    assert f'href="{page}"' in text
    assert response.headers["Refresh"] == "5"


def test_the_phone_confirms_by_hand(rp: SmallRelyingParty) -> None:
    trip, page = waiting(rp)
    rp.client.get(page)
    claims = claims_after(rp, trip, rp.client.post(page, data={"do": "approve"}))
    assert claims["amr"][0].endswith("/mpki.telia.emulator.1")


def test_the_phone_rejects_by_hand(rp: SmallRelyingParty) -> None:
    _, page = waiting(rp)
    assert answer_of(rp.client.post(page, data={"do": "cancel:"}))["error"] == "access_denied"


def test_the_phone_has_five_minutes_by_the_banks_clock(rp: SmallRelyingParty) -> None:
    _, page = waiting(rp, "mobile-time-out")
    rp.now += 299
    assert rp.client.get(page).status_code == 200
    rp.now += 2
    assert answer_of(rp.client.get(page))["error"] == "access_denied"


def test_a_persona_confirms_after_three_looks(rp: SmallRelyingParty) -> None:
    trip, page = waiting(rp, "mobile-after-3-polls")
    assert [rp.client.get(page).status_code for _ in range(3)] == [200, 200, 200]
    assert claims_after(rp, trip, rp.client.get(page))["urn:oid:1.2.246.21"] == "261202A9985"


@pytest.mark.parametrize(
    ("persona", "error"),
    [
        ("mobile-cancel", "access_denied"),
        ("mobile-wrong-spam-code", "server_error"),
        ("mobile-unknown-number", "server_error"),
    ],
)
def test_a_persona_ends_the_wait_without_an_identification(rp: SmallRelyingParty, persona: str, error: str) -> None:
    _, page = waiting(rp, persona)
    rp.client.get(page)
    assert answer_of(rp.client.get(page))["error"] == error


def test_the_home_page_lists_every_issuer(rp: SmallRelyingParty) -> None:
    text = check_page(rp.client.get("/"), "en")
    assert text.count("<li><code>") == 36
