"""Who is on the phone: from the code that is read out to the name that one member of staff sees, once."""

from __future__ import annotations

import re
from typing import Any

import pytest

from demo.runner.registrant import Page, Registrant
from registration.caller import checks
from registration.caller.pages import FROM_ADDRESS, IN_ALL, WINDOW
from registration.database.models import Account, AuditRecord, CallerCheck, OutboxEntry, Session
from registration.mail.links import link_token
from registration.mail.outbox import CALLER_CHECK
from registration.tidy import tidy
from tests.harness.registration import Site, registered

STAFF = "staff:0123456789abcdef"


def begin(site: Site, account: Account | None = None, by: str = "voice", staff: str = STAFF) -> tuple[str, str]:
    """Let a member of staff ask; the check's id and its code."""
    now = site.service.now
    with site.database.write() as transaction:
        about: dict[str, Any] = {"account": account, "case": None, "by": by}
        check, code = checks.begin(transaction, site.service.keys, staff=staff, now=now, **about)
        return check.id, code


def show(site: Site, id: str, digits: str, staff: str = STAFF) -> checks.Caller | None:
    """Let a member of staff enter the digits that the caller reads aloud."""
    with site.database.write() as transaction:
        check = checks.of_staff(transaction, id, staff, site.service.now)
        return checks.show(transaction, site.service.keys, check, digits, site.service.now) if check else None


def state(site: Site, id: str) -> str:
    with site.database.read() as transaction:
        return checks.state_of(checks.of_staff(transaction, id, STAFF, site.service.now))


def enter(caller: Registrant, code: str) -> Page:
    return caller.post("/caller", caller.get("/caller"), code=code)


def identify(caller: Registrant) -> str:
    """Identify as the page says; the digits that it then shows."""
    page = caller.expect("/caller/check", caller.identify("nordea", "caller"))
    return digits_in(page)


def digits_in(page: Page) -> str:
    (found,) = re.findall(r">(\d{4})</code>", page.text)
    return str(found)


def test_the_owner_of_an_account_is_known_by_their_bank(site_on_either: Site) -> None:
    site = site_on_either
    owner = registered(site)
    id, code = begin(site, site.account("person"))
    assert state(site, id) == "waiting"
    asked = enter(owner, f" {code[:4].lower()}-{code[4:]} ")
    assert asked.path == "/caller/check"
    assert "Esimerkkienergia" in asked.text
    digits = identify(owner)
    assert state(site, id) == "identified"
    seen = show(site, id, digits)
    account = site.account("person")
    assert seen is not None
    assert (seen.given_name, seen.family_name, seen.owner) == (account.given_name, account.family_name, True)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", seen.birth_date)
    assert state(site, id) == "ended"
    assert show(site, id, digits) is None, "it is shown once"
    assert owner.get("/caller/check").status == 410


def test_somebody_else_than_the_owner_is_told_apart(site: Site) -> None:
    registered(site)
    id, code = begin(site, site.account("person"))
    other = site.registrant()
    enter(other, code)
    seen = show(site, id, identify(other))
    assert seen is not None
    assert seen.owner is False


def test_a_caller_without_an_account_is_known_by_name_alone_and_signed_in_nowhere(site: Site) -> None:
    id, code = begin(site)
    caller = site.registrant()
    enter(caller, code)
    seen = show(site, id, identify(caller))
    assert seen is not None
    assert seen.owner is None
    assert site.rows(Session) == []


def test_nothing_personal_stays(site: Site) -> None:
    id, code = begin(site)
    caller = site.registrant()
    enter(caller, code)
    digits = identify(caller)
    seen = show(site, id, digits)
    assert seen is not None
    (row,) = site.rows(CallerCheck)
    assert row.sealed is None
    told = str([(record.event, record.details, record.actor) for record in site.rows(AuditRecord)])
    assert all(secret not in told + str(vars(row)) for secret in (seen.family_name, seen.birth_date, digits, code))
    assert [record.event for record in site.rows(AuditRecord)] == ["caller_asked", "caller_identified", "caller_shown"]
    site.harness.system.later(checks.LIFETIME + 1)
    tidy(site.service)
    assert site.rows(CallerCheck) == []


def test_a_code_is_used_once_and_for_ten_minutes(site: Site) -> None:
    _, code = begin(site)
    assert enter(site.registrant(), code).status == 200
    assert enter(site.registrant(), code).status == 422
    _, later = begin(site)
    site.harness.system.later(checks.LIFETIME)
    page = enter(site.registrant(), later)
    assert page.status == 422
    assert later in page.text, "what was typed stays"


def test_a_check_that_has_ended_takes_no_identification(site: Site) -> None:
    id, code = begin(site)
    caller = site.registrant()
    enter(caller, code)
    site.harness.system.later(checks.LIFETIME)
    assert caller.identify("nordea", "caller").path == "/caller", "nobody is sent to a bank for it"
    assert state(site, id) == "ended"


def test_who_is_in_a_check_is_the_first_to_identify(site: Site) -> None:
    id, code = begin(site)
    caller = site.registrant()
    enter(caller, code)
    digits = identify(caller)
    first, caller.persona = caller.persona, site.registrant().persona
    assert identify(caller) == digits, "a second identification changes nothing"
    seen = show(site, id, digits)
    assert seen is not None
    assert first is not None
    assert (seen.given_name, seen.family_name) == (first["given_name"], first["family_name"])


def test_the_answer_finds_its_check_though_the_phone_has_ended_the_browser(site: Site) -> None:
    id, code = begin(site)
    caller = site.registrant()
    enter(caller, code)
    sent = caller.browser.get(f"{caller.registration}/start?purpose=caller&idp_hint=nordea", allow_redirects=False)
    for name in [cookie.name for cookie in caller.browser.cookies if cookie.name == "registration"]:
        caller.browser.cookies.clear(domain="127.0.0.1", path="/", name=name)
    site.harness.mock.next("nordea", persona=caller._known_persona())
    assert digits_in(caller._follow(caller.browser.get(sent.headers["Location"], allow_redirects=False)))
    assert state(site, id) == "identified"


def test_only_who_has_asked_sees_the_name(site: Site) -> None:
    id, code = begin(site)
    caller = site.registrant()
    enter(caller, code)
    digits = identify(caller)
    assert show(site, id, digits, staff="staff:another") is None
    assert show(site, id, digits) is not None


def test_digits_are_tried_three_times(site: Site) -> None:
    id, code = begin(site)
    caller = site.registrant()
    enter(caller, code)
    digits = identify(caller)
    wrong = f"{(int(digits) + 1) % 10_000:04}"
    assert [show(site, id, wrong) for _ in range(checks.MOST_TRIES)] == [None] * checks.MOST_TRIES
    assert show(site, id, digits) is None
    assert state(site, id) == "ended"


@pytest.mark.parametrize(("most", "addresses"), [(FROM_ADDRESS, 1), (IN_ALL, 100)])
def test_codes_are_not_guessed(site: Site, most: int, addresses: int) -> None:
    _, code = begin(site)
    client = site.app.test_client()
    (token,) = re.findall(r'name="csrf_token" value="([^"]+)"', client.get("/caller").get_data(as_text=True))

    def posted(code: str, host: int) -> tuple[int, str]:
        headers = {"X-Forwarded-For": f"192.0.2.{host}"}
        answer = client.post("/caller", data={"csrf_token": token, "code": code}, headers=headers)
        return answer.status_code, answer.headers.get("Location", "")

    for number in range(most):
        assert posted("00000000", number % addresses) == (422, "")
    last = 0 if addresses == 1 else 250
    assert posted(code, last) == (303, "/problem/too_many_caller_codes")
    if addresses == 1:
        assert posted("00000000", 1)[0] == 422, "another address goes on"
    site.harness.system.later(WINDOW + 1)
    assert posted(begin(site)[1], last) == (303, "/caller/check")


def test_right_codes_do_not_count(site: Site) -> None:
    caller = site.registrant()
    for _ in range(FROM_ADDRESS + 2):
        assert enter(caller, begin(site)[1]).path == "/caller/check"


def test_a_link_goes_by_e_mail_to_an_address_that_was_confirmed_long_ago(site: Site) -> None:
    owner = registered(site)
    account = site.account("person")
    with pytest.raises(checks.CannotBeSent):
        begin(site, account, "email")
    confirm(site, site.service.now - checks.LONG_CONFIRMED + 1)
    with pytest.raises(checks.CannotBeSent):
        begin(site, site.account("person"), "email")
    with pytest.raises(checks.CannotBeSent):
        begin(site, None, "email")
    assert site.rows(CallerCheck) == [], "nothing is begun"
    confirm(site, site.service.now - checks.LONG_CONFIRMED)
    id, code = begin(site, site.account("person"), "email")
    assert code == ""
    (entry,) = [entry for entry in site.rows(OutboxEntry) if entry.kind == CALLER_CHECK]
    link = f"/caller/link/{link_token(site.service.keys, entry.id, site.service.now)}"
    page = owner.get(link)
    assert state(site, id) == "waiting", "a mail scanner changes nothing"
    assert owner.post(link, page).path == "/caller/check"
    assert site.registrant().get(link).status == 200
    stranger = site.registrant()
    assert stranger.post(link, stranger.get(link)).status == 410, "it is bound already"
    seen = show(site, id, identify(owner))
    assert seen is not None
    assert seen.owner is True


def test_no_other_link_of_ours_leads_to_a_check(site: Site) -> None:
    registered(site)
    (entry,) = site.rows(OutboxEntry)
    link = f"/caller/link/{link_token(site.service.keys, entry.id, site.service.now)}"
    assert site.registrant().get(link).status == 410
    assert site.registrant().get("/caller/link/junk").status == 410


def confirm(site: Site, at: int) -> None:
    with site.database.write() as transaction:
        account = transaction.get_one(Account, site.account("person").id)
        account.email_confirmed_at = at


def test_a_language_button_enters_no_code_and_keeps_it(site: Site) -> None:
    _, code = begin(site)
    caller = site.registrant()
    page = caller.get("/caller")
    assert '<button form="caller" name="ui_locales" value="sv"' in page.text
    page = caller.post("/caller", page, code=code, ui_locales="sv")
    assert (page.path, page.status) == ("/caller", 200)
    assert f'value="{code}"' in page.text
    assert enter(caller, code).path == "/caller/check", "it was not used"
