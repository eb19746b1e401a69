"""Registering as a person does it: identify, form, review, done; and each way it can be interrupted or refused."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from demo.runner.client import SECONDS
from demo.runner.registrant import PASSWORD, Company, Page, Registrant
from registration.accounts import sessions
from registration.database.connection import digest
from registration.database.models import (
    Account,
    AuditRecord,
    CustomerNumber,
    Draft,
    OutboxEntry,
    Representation,
    Session,
)
from registration.database.models import Company as CompanyRow
from registration.flow import drafts
from registration.flow.broker_client import is_old_enough
from tests.harness.registration import TESTISAHKO, Harness, Site, know, open_site

WRONG = Company("Aivan Muu Oy", "9990002-4", "999999")


def to_form(registrant: Registrant) -> Page:
    """Identify and come to the form."""
    return registrant.expect("/form", registrant.identify("nordea"))


def test_the_first_person_becomes_administrator_and_the_second_reads_consumption(site_on_either: Site) -> None:
    site = site_on_either
    first, second = site.registrant(), site.registrant()
    done = first.register("nordea", TESTISAHKO, "first", "first@example.com")
    assert "first@example.com" in done.text
    second.register("op", TESTISAHKO, "second", "second@example.com")
    accounts = {account.user_name: account for account in site.rows(Account)}
    rights = {right.account_id: right for right in site.rows(Representation)}
    founder, later = rights[accounts["first"].id], rights[accounts["second"].id]
    assert founder.administrator
    assert not later.administrator
    assert (later.consumption, later.contracts, later.invoices, later.users) == ("read", "none", "none", "none")
    assert {row.customer_number for row in site.rows(CustomerNumber)} == {"100001"}
    assert {entry.kind for entry in site.rows(OutboxEntry)} == {"confirmation"}
    assert site.rows(Draft) == []
    registered = [record for record in site.rows(AuditRecord) if record.event == "registered"]
    assert [record.details["administrator"] for record in registered] == ["yes", "no"]


def test_names_come_from_the_identification_and_cannot_be_sent(site: Site) -> None:
    person = site.registrant()
    form = to_form(person)
    assert 'name="given_name"' not in form.text
    person.expect("/review", person.fill(form, TESTISAHKO, given_name="Joku", family_name="Muu", administrator="1"))
    person.expect("/done", person.post("/review", person.get("/review"), given_name="Joku", sub="x"))
    (account,) = site.rows(Account)
    assert person.persona is not None
    assert (account.given_name, account.family_name) == (person.persona["given_name"], person.persona["family_name"])


def test_nothing_of_the_account_is_a_personal_identity_code(site: Site) -> None:
    person = site.registrant()
    person.register("nordea", TESTISAHKO, "person", "person@example.com")
    assert person.persona is not None
    code = person.persona["personal_identity_code"]
    with site.database.engine.connect() as connection:
        dump = "\n".join(connection.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert code not in dump
    assert person.persona["birthdate"] not in dump


@pytest.mark.parametrize(
    "written",
    [
        "9990001-6",
        "99900016",
        "FI99900016",
        "fi 9990001 6",
        " 9990001-6 ",
        "9990001\N{NO-BREAK SPACE}6",
        "\u200b9990001–6",
        "９９９０００１６",
    ],
)
def test_an_fo_nummer_is_taken_however_it_is_written(site: Site, written: str) -> None:
    person = site.registrant()
    review = person.expect("/review", person.fill(to_form(person), TESTISAHKO, fo_nummer=written))
    assert "9990001-6" in review.text


def test_what_was_pasted_is_taken_as_it_looks_and_signs_in_as_it_is_typed(site: Site) -> None:
    person = site.registrant()
    pasted = {
        "company_name": "\u200bTesti\u00adsähkö Oy",
        "fo_nummer": "\ufeff9990001\u20116",
        "customer_number": "１０００\u200b01",
        "email": "\u200bo’connor@exam\u00adple.com",
        "user_name": "\u202aO’Connor\u00ad",
        "password": "Kesä’yö\0–2026!\u200b",
    }
    review = person.expect("/review", person.fill(to_form(person), TESTISAHKO, **pasted))
    person.expect("/done", person.post("/review", review))
    (account,) = site.rows(Account)
    assert (account.email, account.user_name) == ("o'connor@example.com", "O’Connor")
    for user_name, password in (("o'connor", "Kesä'yö-2026!"), ("O’CONNOR\u200b", pasted["password"])):
        browser = site.registrant()
        page = browser.post("/sign-in", browser.get("/sign-in"), user_name=user_name, password=password)
        assert page.path == "/rights", user_name


def test_a_company_whose_fo_nummer_lost_its_zero_is_found(site: Site) -> None:
    company = Company("Sørensen Oy", "0112038-9", "100009")
    know(site, [company])
    person = site.registrant()
    short = Company("Sorensen", "112038-9", "100009")
    assert "0112038-9" in person.expect("/review", person.fill(to_form(person), short)).text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_name", "\u3164\u3164\u3164"),
        ("user_name", "person\ufe0f"),
        ("user_name", "per\0son"),
        ("user_name", "\u200b\u200b\u200b"),
        ("company_name", "\u200b"),
        ("company_name", ""),
        ("fo_nummer", "9990001-7"),
        ("fo_nummer", "12"),
        ("customer_number", ""),
        ("email", "nobody"),
        ("email", "a@" + "b" * 250 + ".fi"),
        ("user_name", "ab"),
        ("user_name", "x" * 255),
        ("password", "Short1"),
        ("password", "onlyletters"),
        ("password", "Password1"),
        ("password", "Salasana123"),
        ("password", "Kesäkuu2024"),
        ("password", "Welcome123"),
        ("terms", ""),
        ("right", ""),
    ],
)
def test_a_field_that_is_not_taken_is_told_and_all_others_are_kept(site: Site, field: str, value: str) -> None:
    person = site.registrant()
    page = person.fill(
        to_form(person), TESTISAHKO, email="kept@example.com", **{field: value} if field != "email" else {}
    )
    if field == "email":
        page = person.fill(to_form(person), TESTISAHKO, email=value)
    assert page.status == 422
    assert f'id="{field}-error"' in page.text
    assert f'href="#{field}"' in page.text
    assert page.title.startswith("Virhe: ")
    again = person.get("/form")
    for other, kept in {"company_name": TESTISAHKO.name, "customer_number": TESTISAHKO.customer_number}.items():
        if other != field:
            assert f'value="{kept}"' in again.text
    assert site.rows(Account) == []


def test_a_password_is_kept_as_its_hash_and_never_shown_again(site: Site) -> None:
    person = site.registrant()
    page = person.fill(to_form(person), TESTISAHKO, email="wrong")
    assert page.status == 422
    assert PASSWORD not in page.text
    review = person.expect("/review", person.fill(page, TESTISAHKO, password=""))
    assert PASSWORD not in review.text
    person.expect("/done", person.post("/review", review))
    (account,) = site.rows(Account)
    assert site.service.passwords.verify(PASSWORD, account.password_hash)


def test_the_user_name_cannot_be_the_password_neither_at_once_nor_later(site: Site) -> None:
    person = site.registrant()
    page = person.fill(to_form(person), TESTISAHKO, user_name=PASSWORD.upper())
    assert 'id="password-error"' in page.text
    person.expect("/review", person.fill(page, TESTISAHKO))
    page = person.fill(person.get("/form"), TESTISAHKO, user_name=PASSWORD.swapcase(), password="")
    assert 'id="password-error"' in page.text


def test_a_change_of_language_keeps_what_was_typed(site: Site) -> None:
    person = site.registrant()
    page = person.fill(to_form(person), TESTISAHKO, email="typed@example.com", ui_locales="sv", terms="")
    assert page.path == "/form"
    assert 'lang="sv"' in page.text
    assert 'value="typed@example.com"' in page.text
    assert "terms-error" not in page.text
    assert person.expect("/review", person.fill(page, TESTISAHKO, password="")).status == 200


def test_the_terms_are_read_in_full_and_the_form_is_as_it_was(site: Site) -> None:
    person = site.registrant()
    terms = person.fill(to_form(person), TESTISAHKO, go="terms", email="typed@example.com")
    assert terms.path == "/terms"
    assert 'value="typed@example.com"' in person.get("/form").text


def test_a_draft_is_found_again_two_hours_later_by_a_new_identification(site: Site) -> None:
    person = site.registrant()
    person.fill(to_form(person), TESTISAHKO, email="kept@example.com", right="")
    site.harness.system.clock.offset = 7300
    other_browser = site.registrant(person.persona)
    assert 'value="kept@example.com"' in to_form(other_browser).text


def test_a_draft_is_of_nobody_elses_and_unreadable_in_the_database(site: Site) -> None:
    person, other = site.registrant(), site.registrant()
    person.fill(to_form(person), TESTISAHKO, email="mine@example.com", right="")
    assert "mine@example.com" not in to_form(other).text
    (row,) = site.rows(Draft)
    assert "mine@example.com" not in row.sealed
    assert site.service.keys.unseal("draft:someone else", row.sealed) is None


def test_a_draft_ends_when_the_configuration_says(site: Site) -> None:
    person = site.registrant()
    person.fill(to_form(person), TESTISAHKO, email="kept@example.com", right="")
    site.harness.system.clock.offset = 86_401
    assert "kept@example.com" not in to_form(site.registrant(person.persona)).text


def test_review_shows_everything_and_leads_back_to_each_part(site: Site) -> None:
    person = site.registrant()
    review = person.fill(to_form(person), TESTISAHKO, email="me@example.com", user_name="Meri")
    for text in (TESTISAHKO.name, TESTISAHKO.fo_nummer, TESTISAHKO.customer_number, "me@example.com", "Meri"):
        assert text in review.text
    for field in ("company_name", "fo_nummer", "customer_number", "email", "user_name", "password"):
        assert f'href="/form#{field}"' in review.text


def test_nothing_is_sent_that_has_not_passed_the_form(site: Site) -> None:
    person = site.registrant()
    page = person.fill(to_form(person), TESTISAHKO, right="")
    assert person.get("/review").path == "/form"
    assert person.post("/review", page).path == "/form"
    assert site.rows(Account) == []


def test_a_user_name_is_unique_regardless_of_case_and_form_and_is_told_at_sending(site: Site) -> None:
    site.registrant().register("nordea", TESTISAHKO, "Åsa", "a@example.com")
    person = site.registrant()
    review = person.expect("/review", person.fill(to_form(person), TESTISAHKO, user_name="A\N{COMBINING RING ABOVE}SA"))
    page = person.post("/review", review)
    assert page.path == "/form"
    assert 'id="user_name-error"' in page.text
    person.expect("/review", person.fill(page, TESTISAHKO, user_name="another", password=""))
    person.expect("/done", person.post("/review", person.get("/review")))


def masked(page: Page, *typed: str) -> str:
    """A page without its form token and the values that were typed."""
    text = re.sub(r'name="csrf_token" value="[^"]*"', "", page.text)
    for value in typed:
        text = text.replace(f'value="{value}"', 'value=""')
    return text


def test_a_wrong_number_name_or_fo_nummer_give_the_same_bytes(site: Site) -> None:
    pages = []
    for wrong in (
        Company("Väärä Oy", TESTISAHKO.fo_nummer, TESTISAHKO.customer_number),
        Company(TESTISAHKO.name, "9990002-4", TESTISAHKO.customer_number),
        Company(TESTISAHKO.name, TESTISAHKO.fo_nummer, "100002"),
    ):
        person = site.registrant(
            {"personal_identity_code": "010170-999R", "given_name": "Tero", "family_name": "Testi"}
        )
        page = person.fill(to_form(person), wrong)
        assert page.status == 422
        pages.append(masked(page, wrong.name, wrong.fo_nummer, wrong.customer_number))
    assert pages[0] == pages[1] == pages[2]


def test_five_wrong_tries_a_day_and_no_more(site: Site) -> None:
    person = site.registrant()
    for _ in range(5):
        assert person.fill(to_form(person), WRONG).status == 422
    page = person.fill(to_form(person), TESTISAHKO)
    assert (page.path, page.status) == ("/problem/too_many_tries", 429)
    site.harness.system.clock.offset = 86_400 + 60
    person.expect("/review", person.fill(to_form(person), TESTISAHKO))


def test_right_tries_do_not_count(site: Site) -> None:
    person = site.registrant()
    for _ in range(8):
        person.expect("/review", person.fill(to_form(person), TESTISAHKO))


def test_a_customer_number_cannot_be_guessed_at_by_many_people(site: Site) -> None:
    wrong = Company("Arvaus Oy", TESTISAHKO.fo_nummer, TESTISAHKO.customer_number)
    for _ in range(4):
        person = site.registrant()
        for _ in range(5):
            assert person.fill(to_form(person), wrong).status == 422
    person = site.registrant()
    assert person.fill(to_form(person), TESTISAHKO).status == 429


def test_a_company_that_has_left_the_register_meanwhile_is_not_registered(site: Site) -> None:
    person = site.registrant()
    review = person.fill(to_form(person), TESTISAHKO)
    know(site, [Company("Uusi Nimi Oy", TESTISAHKO.fo_nummer, TESTISAHKO.customer_number)])
    assert person.post("/review", review).path == "/form"
    assert site.rows(Account) == []


def test_sent_twice_at_the_same_moment_it_is_one_account(site_on_either: Site) -> None:
    site = site_on_either
    person = site.registrant()
    review = person.fill(to_form(person), TESTISAHKO)
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: person.post("/review", review), range(4)))
    assert {page.path for page in pages} == {"/done"}
    assert len(site.rows(Account)) == 1
    assert len(site.rows(OutboxEntry)) == 1


def test_a_click_that_saw_the_session_before_the_account_was_made_is_done(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = site.registrant()
    review = person.fill(to_form(person), TESTISAHKO)
    assert person.post("/review", review).path == "/done"
    current, reads = sessions.current, iter([True])

    def before(service: Any) -> Any:
        session = current(service)
        return replace(session, account_id=None) if session and next(reads, False) else session

    monkeypatch.setattr(sessions, "current", before)
    assert person.get("/review").path == "/done"


def test_done_is_shown_again_on_reload_and_going_back_leads_there(site: Site) -> None:
    person = site.registrant()
    person.register("nordea", TESTISAHKO, "person", "me@example.com")
    assert "me@example.com" in person.expect("/done", person.get("/done")).text
    assert person.get("/form").path == "/done"
    assert person.get("/review").path == "/done"


def test_who_has_an_account_is_told_so_and_led_to_sign_in(site: Site) -> None:
    person = site.registrant()
    person.register("nordea", TESTISAHKO, "person", "me@example.com")
    page = site.registrant(person.persona).identify("op")
    assert (page.path, page.status) == ("/problem/already_registered", 200)
    assert 'href="/sign-in"' in page.text


def test_a_minor_is_refused(site: Site) -> None:
    page = site.registrant().identify("nordea", persona="minor")
    assert page.path.startswith("/problem/under_age/")
    assert page.status == 403
    assert site.rows(Session) == []
    assert [record.event for record in site.rows(AuditRecord)] == ["refused"]


def test_the_age_is_counted_by_the_day_in_finland() -> None:
    midnight = int(datetime(2026, 11, 25, 22, 0, tzinfo=UTC).timestamp())  # midnight in Helsinki
    born = date(2008, 11, 26)
    assert is_old_enough(born, 18, midnight)
    assert not is_old_enough(born, 18, midnight - 1)
    assert not is_old_enough(None, 18, midnight)
    assert is_old_enough(None, 0, midnight)


def test_whoever_has_not_identified_gets_no_form(site: Site) -> None:
    stranger = site.registrant()
    for path in ("/form", "/review", "/done"):
        page = stranger.get(path)
        assert page.status == 401
        assert 'href="/start"' in page.text


def test_a_session_ends_after_a_pause_and_the_form_says_how_to_go_on(site: Site) -> None:
    person = site.registrant()
    to_form(person)
    site.harness.system.clock.offset = 9001
    assert person.get("/form").status == 401


def test_the_session_of_the_cookie_is_not_in_the_database(site: Site) -> None:
    person = site.registrant()
    to_form(person)
    (row,) = site.rows(Session)
    assert len(row.id) == len(digest("x"))
    assert all(row.id not in (cookie.value or "") for cookie in person.browser.cookies)


def test_the_company_has_the_name_that_the_register_knows(site: Site) -> None:
    person = site.registrant()
    review = person.fill(to_form(person), Company("TESTI-SÄHKÖ", TESTISAHKO.fo_nummer, TESTISAHKO.customer_number))
    person.expect("/done", person.post("/review", review))
    assert [company.name for company in site.rows(CompanyRow)] == [TESTISAHKO.name]


def test_details_that_no_longer_fit_at_sending_are_told(site: Site) -> None:
    person = site.registrant()
    review = person.fill(to_form(person), TESTISAHKO)
    know(site, [Company("Uusi Nimi Oy", TESTISAHKO.fo_nummer, TESTISAHKO.customer_number)])
    assert 'id="customer_number-error"' in person.post("/review", review).text


def test_the_review_says_that_it_is_the_third_steps_check(site: Site) -> None:
    person = site.registrant()
    for locale, form, check in (
        ("en", "Step 3 of 4", "Step 3 of 4: check"),
        ("sv", "Steg 3 av 4", "Steg 3 av 4: kontroll"),
        ("fi", "Vaihe 3/4", "Vaihe 3/4: tarkistus"),
    ):
        person.get("/", ui_locales=locale)
        page = to_form(person)
        assert f">{form}<" in page.text
        assert f">{check}<" in person.fill(page, TESTISAHKO).text


def test_the_last_page_leads_on_by_itself_and_can_be_told_to_stay(site: Site) -> None:
    person = site.registrant()
    person.get("/", ui_locales="sv")
    person.register("nordea", TESTISAHKO, "person", "person@example.com")
    answer = person.browser.get(f"{person.registration}/done", timeout=SECONDS)
    assert answer.headers["Refresh"] == "30; url=https://example.com/"
    assert "Du styrs till Onlinetjänsten om 30 sekunder." in answer.text
    assert '<a class="alone" href="/done/stay" rel="nofollow">Stanna på den här sidan</a>' in answer.text
    assert "http-equiv" not in answer.text
    stays = person.browser.get(f"{person.registration}/done/stay", timeout=SECONDS)
    assert "Refresh" not in stays.headers
    assert "/done/stay?ui_locales=fi" in stays.text, "it stays in another language too"
    assert "Registreringen är klar" in stays.text
    assert "Stanna på" not in stays.text


def test_a_last_page_that_never_leads_on_says_nothing_of_it(harness: Harness, sqlite_url: str) -> None:
    harness.system.reset()
    rules = {"rules": {"continue_after": 0}}
    site = open_site(harness, harness.config(sqlite_url) | rules, harness.system.clock)
    know(site, [TESTISAHKO])
    person = site.registrant()
    page = person.register("nordea", TESTISAHKO, "person", "person@example.com")
    assert "/done/stay" not in page.text
    assert "Refresh" not in person.browser.get(f"{person.registration}/done", timeout=SECONDS).headers


@pytest.mark.parametrize("keypad", ["text", "numeric"])
def test_the_keypad_of_the_customer_number_fits_what_the_register_holds(
    harness: Harness, sqlite_url: str, keypad: str
) -> None:
    harness.system.reset()
    register = {"customer_register": {"keypad": keypad}}
    site = open_site(harness, harness.config(sqlite_url) | register, harness.system.clock)
    (field,) = re.findall(r'<input[^>]*name="customer_number"[^>]*>', to_form(site.registrant()).text)
    assert f'inputmode="{keypad}"' in field
    assert 'autocapitalize="none"' in field


def test_terms_that_were_not_shown_are_not_accepted(site: Site) -> None:
    person = site.registrant()
    page = person.fill(to_form(person), TESTISAHKO, terms_version="2025-01-01")
    assert page.status == 422
    assert 'id="terms-error"' in page.text


def test_a_tick_at_earlier_terms_is_not_kept(site: Site) -> None:
    person = site.registrant()
    page = person.fill(to_form(person), TESTISAHKO, right="")
    assert re.search(r'id="terms"[^>]* checked', page.text)
    (row,) = site.rows(Draft)
    draft = site.service.keys.unseal(f"draft:{row.sub}", row.sealed)
    drafts.save(site.service, row.sub, draft | {"terms_version": "2025-01-01"})
    assert not re.search(r'id="terms"[^>]* checked', person.get("/form").text)


def test_ten_taken_user_names_a_day_and_no_more(site: Site) -> None:
    site.registrant().register("nordea", TESTISAHKO, "taken", "a@example.com")
    person = site.registrant()
    form = to_form(person)
    for _ in range(10):
        person.expect("/review", person.fill(form, TESTISAHKO, user_name="taken"))
        form = person.post("/review", person.get("/review"))
        assert 'id="user_name-error"' in form.text
    person.expect("/review", person.fill(form, TESTISAHKO, user_name="taken"))
    assert person.post("/review", person.get("/review")).status == 429


def test_a_user_name_whose_key_would_be_too_long_is_not_taken(site: Site) -> None:
    person = site.registrant()
    long = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 60
    assert 'id="user_name-error"' in person.fill(to_form(person), TESTISAHKO, user_name=long).text
