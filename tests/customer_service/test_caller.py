"""Who is on the phone: what a member of staff sees from the code they read out to the name, once."""

from __future__ import annotations

import logging
import re

import pytest
from sqlalchemy import select

from registration import cases
from registration.caller.checks import LIFETIME, LONG_CONFIRMED
from registration.customer_register import Customer
from registration.database.models import Account, CallerCheck, OutboxEntry
from tests.harness.caller import identify
from tests.harness.customer_service import AARNE, MAIJA, SVEN, Page, StaffBrowser, StaffHarness


def account_of(staff: StaffHarness, **changes: object) -> Account:
    return staff.registration.person("aino", given_name="Aino", family_name="Ström", **changes)


def begin(browser: StaffBrowser, place: str = "/service", by: str = "voice") -> Page:
    """Press "Identify the caller" on a page, and begin."""
    form = browser.get(browser.get(place).link("Identify the caller"))
    return browser.post(form.path, form, by=by)


def code_on(page: Page) -> str:
    (code,) = re.findall(r"\b([0-9A-Z]{4} [0-9A-Z]{4})</code>", page.text)
    return str(code)


def identified(staff: StaffHarness, browser: StaffBrowser, waits: Page, sub: str = "sub-of-aino") -> tuple[Page, str]:
    """The caller identifies; the page that asks for the digits, and the digits."""
    digits = identify(staff.registration, code_on(waits), sub)
    return browser.get(waits.path), digits


def other_than(digits: str) -> str:
    return f"{(int(digits) + 1) % 10_000:04}"


def test_who_calls_is_seen_once_by_the_digits_that_they_read(
    staff: StaffHarness, caplog: pytest.LogCaptureFixture
) -> None:
    browser = staff.staff(MAIJA)
    waits = begin(browser, f"/service/people/{account_of(staff).id}")
    assert waits.title == "Waiting for the caller"
    assert "http://127.0.0.1:8001/caller" in waits.words
    caplog.set_level(logging.DEBUG)
    page, digits = identified(staff, browser, waits)
    assert page.title == "Enter the caller's digits"
    shown = browser.post(page.path, page, digits=f" {digits[:2]} {digits[2:]}")
    assert (shown.status, shown.title, shown.path) == (200, "Who the caller is", waits.path)
    for told in ("Åsa Testinen", "17 February 1981", "The account is theirs Yes", "This is shown once"):
        assert told in shown.words
    assert "ui_locales" not in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    for again in (browser.get(page.path), browser.post(page.path, page, digits=digits)):
        assert (again.status, again.title) == (410, "The name was shown already")
        assert "Åsa" not in again.text
    assert "Åsa" not in caplog.text
    assert digits not in [value for record in caplog.records for value in map(str, record.__dict__.values())]
    kept = [*staff.site.extensions["customer_service"].sessions._sessions.values()]
    assert "Åsa" not in repr([[*session.checks._values.values()] for session in kept])


def test_a_head_begins_no_check(staff: StaffHarness) -> None:
    browser = staff.staff(MAIJA)
    answer = browser.session.head(f"{staff.url}/service/caller", allow_redirects=False)
    assert answer.status_code == 200
    with staff.registration.service.database.read() as tx:
        assert tx.scalars(select(CallerCheck)).all() == []


def test_the_page_looks_again_by_itself_until_somebody_has_identified_or_it_is_stopped(staff: StaffHarness) -> None:
    browser = staff.staff(MAIJA)
    waits = begin(browser)
    assert waits.headers["Refresh"] == f"1; url={waits.path}"
    stays = browser.get(waits.link("Do not look by itself"))
    assert (stays.title, "Refresh" in stays.headers) == (waits.title, False)
    assert stays.link("Look whether the caller has identified") == stays.path
    assert browser.get(stays.link("Look by itself again")).headers["Refresh"]
    page, _digits = identified(staff, browser, waits)
    assert "Refresh" not in page.headers
    assert browser.get(stays.path).title == page.title


def test_wrong_digits_may_be_tried_three_times(staff: StaffHarness) -> None:
    browser = staff.staff(MAIJA)
    page, digits = identified(staff, browser, begin(browser))
    wrong = other_than(digits)
    unread = browser.post(page.path, page, digits="12x")
    assert (unread.status, unread.errors) == (422, ["Enter the four digits that the caller reads aloud."])
    for more in ("twice", "once"):
        told = browser.post(page.path, page, digits=wrong)
        assert (told.status, told.values("digits")) == (422, [wrong])
        assert told.errors == [f"These are not the digits. You can try {more} more."]
    ended = browser.post(page.path, page, digits=wrong)
    assert (ended.status, ended.title) == (410, "The check has ended")
    assert "three times" in ended.words
    assert browser.post(page.path, page, digits=digits).status == 410
    assert browser.get(ended.link("Begin a new check")).title == "Identify the caller"


def test_somebody_else_than_the_owner_is_told_to_be(staff: StaffHarness) -> None:
    browser = staff.staff(SVEN)
    page, digits = identified(staff, browser, begin(browser, f"/service/people/{account_of(staff).id}"), "another")
    shown = browser.post(page.path, page, digits=digits)
    assert "The account is theirs No" in shown.words
    assert "Change nothing in the account" in shown.words


def test_a_check_about_nobody_says_nothing_of_an_account(staff: StaffHarness) -> None:
    browser = staff.staff(MAIJA)
    page, digits = identified(staff, browser, begin(browser))
    assert "The account is theirs Not asked" in browser.post(page.path, page, digits=digits).words


def test_a_check_of_a_case_is_about_who_has_opened_it(staff: StaffHarness) -> None:
    account, now = account_of(staff), staff.registration.service.now
    with staff.registration.database.write() as tx:
        customer = Customer("100001", "9990001-6", "Testisähkö Oy")
        case = cases.open_case(tx, tx.get_one(Account, account.id), "disputed", customer, now)
        place = f"/service/cases/{case.id}"
    browser = staff.staff(MAIJA)
    page, digits = identified(staff, browser, begin(browser, place))
    shown = browser.post(page.path, page, digits=digits)
    assert "The account is theirs Yes" in shown.words
    assert shown.link("Continue") == place


def test_a_link_goes_to_an_address_that_was_confirmed_long_ago_only(staff: StaffHarness) -> None:
    now = staff.registration.service.now
    account = account_of(staff, email_confirmed_at=now - LONG_CONFIRMED + 60)
    browser = staff.staff(MAIJA)
    refused = begin(browser, f"/service/people/{account.id}", by="email")
    assert refused.status == 422
    assert refused.errors == [
        "The person has not confirmed their e-mail address, or not yet seven days ago. Choose the code by phone."
    ]
    with staff.registration.database.write() as tx:
        tx.get_one(Account, account.id).email_confirmed_at = now - LONG_CONFIRMED - 60
    waits = begin(browser, f"/service/people/{account.id}", by="email")
    assert "A link is on its way" in waits.words
    assert "Code" not in waits.words
    with staff.registration.database.read() as tx:
        assert [*tx.scalars(select(OutboxEntry.kind))] == ["caller_check"]


def test_without_an_account_there_is_no_link(staff: StaffHarness) -> None:
    browser = staff.staff(MAIJA)
    assert "Link by e-mail" not in browser.get("/service/caller").words
    assert code_on(begin(browser, by="email"))


def test_a_check_that_is_over_offers_a_new_one(staff: StaffHarness) -> None:
    place = f"/service/people/{account_of(staff).id}"
    browser = staff.staff(MAIJA)
    waits = begin(browser, place)
    staff.clock.ahead = LIFETIME + 1
    ended = browser.get(waits.path)
    assert (ended.status, ended.title) == (410, "The check has ended")
    assert "Refresh" not in ended.headers
    assert ended.link("Begin a new check") == f"{place}/caller"
    assert browser.post(waits.path, ended, digits="1234").status == 410


def test_a_check_is_of_who_has_begun_it_and_an_auditor_begins_none(staff: StaffHarness) -> None:
    account = account_of(staff)
    waits = begin(staff.staff(MAIJA))
    assert staff.staff(SVEN).get(waits.path).status == 404
    auditor = staff.staff(AARNE)
    assert not auditor.get("/service").has_link("Identify the caller")
    assert not auditor.get(f"/service/people/{account.id}").has_link("Identify the caller")
    case = f"/service/cases/{'c' * 32}/caller"
    for path in ("/service/caller", f"/service/people/{account.id}/caller", case, waits.path):
        assert auditor.get(path).status == 403
    form = auditor.get("/service")
    assert auditor.post("/service/caller", form, by="voice").status == 403
    assert auditor.post(waits.path, form, digits="1234").status == 403


def test_what_was_chosen_and_typed_stays_when_the_language_changes(staff: StaffHarness) -> None:
    browser = staff.staff(MAIJA)
    place = f"/service/people/{account_of(staff).id}/caller"
    form = browser.get(place)
    swedish = browser.post(place, form, by="email", ui_locales="sv")
    assert swedish.title == "Identifiera den som ringer"
    assert re.search(r'value="email"[^>]* checked', swedish.text)
    page, digits = identified(staff, browser, begin(staff_in_english(browser)))
    finnish = browser.post(page.path, page, digits=digits, ui_locales="fi")
    assert (finnish.title, finnish.values("digits")) == ("Kirjoita soittajan numerot", [digits])


def staff_in_english(browser: StaffBrowser) -> StaffBrowser:
    browser.get("/service", ui_locales="en")
    return browser


def test_registration_that_is_down_ends_no_check(staff: StaffHarness) -> None:
    browser = staff.staff(MAIJA)
    waits = begin(browser)
    with staff.registration_down():
        down = browser.get(waits.path)
    assert down.status == 503
    assert browser.get(down.link("Try again")).title == "Waiting for the caller"
