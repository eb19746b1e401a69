"""The form: what is taken as it was meant, what is refused at its field, and that nothing typed is lost."""

from __future__ import annotations

import re

import pytest

from demo.runner.registrant import PASSWORD, Company
from registration.database.models import (
    Account,
    Draft,
)
from registration.flow import drafts
from registration.pages import forms
from tests.harness.registration import TESTISAHKO, Harness, Site, know, open_site, to_form


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


@pytest.mark.parametrize(
    ("user_name", "said"),
    [
        ("сосо", forms.LOOKS_LIKE_ANOTHER),
        ("ab", forms.NO_USER_NAME),
        ("x" * 255, forms.NO_USER_NAME),
        ("a☃b", forms.NO_USER_NAME),
    ],
)
def test_what_is_wrong_with_a_user_name_is_told(site: Site, user_name: str, said: str) -> None:
    person = site.registrant()
    person.get("/", ui_locales="en")
    page = person.fill(to_form(person), TESTISAHKO, user_name=user_name)
    assert page.status == 422
    assert said in page.text


def test_a_user_name_of_another_script_is_taken_as_it_is_written(site: Site) -> None:
    person = site.registrant()
    page = person.fill(to_form(person), TESTISAHKO, user_name="Наталья")
    assert "Наталья" in person.expect("/review", page).text


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


def test_after_a_new_identification_another_user_name_needs_the_password_again(site: Site) -> None:
    person = site.registrant()
    person.expect("/review", person.fill(to_form(person), TESTISAHKO))
    again = site.registrant(person.persona)
    page = again.fill(to_form(again), TESTISAHKO, user_name=PASSWORD.swapcase(), password="")
    assert 'id="password-error"' in page.text
    again.expect("/review", again.fill(again.get("/form"), TESTISAHKO, user_name="another"))
    once_more = site.registrant(person.persona)
    form = to_form(once_more)
    once_more.expect("/review", once_more.fill(form, TESTISAHKO, user_name="Another", password=""))


def test_a_password_that_is_chosen_is_hashed_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    for name in ("hash", "verify"):
        original = getattr(site.service.passwords, name)
        monkeypatch.setattr(
            site.service.passwords, name, lambda *given, f=original, name=name: calls.append(name) or f(*given)
        )
    person = site.registrant()
    review = person.expect("/review", person.fill(to_form(person), TESTISAHKO))
    person.expect("/review", person.fill(person.get("/form"), TESTISAHKO, user_name="another", password=""))
    person.expect("/done", person.post("/review", review))
    assert calls == ["hash"]


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
    with site.database.write() as transaction:
        drafts.save(transaction, site.service, row.sub, draft | {"terms_version": "2025-01-01"})
    assert not re.search(r'id="terms"[^>]* checked', person.get("/form").text)


def test_a_user_name_whose_key_would_be_too_long_is_not_taken(site: Site) -> None:
    person = site.registrant()
    long = "\N{ARABIC LIGATURE SALLALLAHOU ALAYHE WASALLAM}" * 60
    assert 'id="user_name-error"' in person.fill(to_form(person), TESTISAHKO, user_name=long).text
