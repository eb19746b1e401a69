"""Registering as a person does it: identify, form, review, done; and each way it can be interrupted or refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

from demo.runner.client import SECONDS
from demo.runner.registrant import Company
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
from registration.flow.broker_client import is_old_enough
from tests.harness.registration import TESTISAHKO, Harness, Site, know, open_site, to_form


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
