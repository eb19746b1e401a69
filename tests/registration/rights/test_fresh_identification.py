"""What hurts asks for a fresh identification; what was typed waits for its person, and for nobody else."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from sqlalchemy import update

from demo.runner.registrant import PASSWORD, Page, Registrant
from registration import cases
from registration.accounts.fresh import KEPT
from registration.accounts.sessions import FRESH
from registration.customer_register import Customer
from registration.database.models import Account, AuditRecord, Draft, Representation, Session
from registration.flow import drafts
from registration.mail.outbox import NEW_ADDRESS
from tests.harness.registration import Site, registered, sign_in
from tests.harness.registration_rights import ALL, FO, NONE, NOW, READER, open_harness
from tests.harness.registration_rights import sign_in as entered

TYPED = {"user_name": "guest", "email": "guest@example.com", "ends": "2035-12-31"} | READER | {"invoices": "read"}

AGAIN = "Tunnistaudut vielä uudelleen"


def stale(site: Site, seconds: int = FRESH) -> None:
    """Every identification was a while ago."""
    with site.database.write() as tx:
        tx.execute(update(Session).values(identified_at=site.service.now - seconds))


def two(site: Site) -> tuple[Registrant, str]:
    """An administrator, whose identification is not fresh, and the page on which they share with a guest."""
    chief = registered(site, "chief")
    registered(site, "guest")
    with site.database.write() as tx:
        tx.execute(update(Account).values(email_confirmed_at=1))
    stale(site)
    share = re.search(r'"(/companies/[0-9a-f]{32}/share)"', chief.get("/rights").text)
    assert share
    return chief, share[1]


def sent(person: Registrant, path: str, **more: str) -> Page:
    """The form of sharing, filled in and sent."""
    return person.post(path, person.get(path), **(TYPED | more))


def of_guest(site: Site) -> Representation:
    return next(row for row in site.rows(Representation) if row.account_id == site.account("guest").id)


def is_at_the_broker(site: Site, page: Page) -> bool:
    return page.url.startswith(site.harness.issuer)


def test_what_was_typed_is_there_after_the_identification_one_post_away(site_on_either: Site) -> None:
    site = site_on_either
    chief, share = two(site)
    assert AGAIN in chief.get(share).text
    assert is_at_the_broker(site, sent(chief, share))
    assert of_guest(site).invoices == "none"
    (draft,) = site.rows(Draft)
    assert 0 <= site.service.now + KEPT - draft.expires_at < 60
    assert "guest" not in draft.sealed
    page = chief.expect(share, chief.identify("nordea", purpose="confirm"))
    assert AGAIN not in page.text
    for text in ('value="guest"', 'value="guest@example.com"', 'value="2035-12-31"'):
        assert text in page.text
    assert page.text.count('<option value="read" selected>') == 2
    assert chief.post(share, page, **TYPED).path == "/rights"
    assert of_guest(site).levels["invoices"] == "read"
    assert site.rows(Draft) == []
    events = [record.event for record in site.rows(AuditRecord) if record.actor == site.account("chief").id]
    assert events[-2:] == ["identified", "rights_given"]


def test_who_signed_in_by_password_identifies_too(site: Site) -> None:
    _, share = two(site)
    elsewhere = site.registrant()
    sign_in(elsewhere, "chief", PASSWORD)
    assert is_at_the_broker(site, sent(elsewhere, share))
    assert of_guest(site).invoices == "none"


def test_somebody_else_than_the_accounts_owner_is_refused_and_the_owner_may_go_on(site_on_either: Site) -> None:
    site = site_on_either
    chief, share = two(site)
    sent(chief, share)
    owner, chief.persona = chief.persona, site.harness.mock.made_adult()
    refused = chief.identify("op", purpose="confirm")
    assert (refused.status, urlsplit(refused.url).path.split("/")[2]) == (403, "other_person")
    assert "/start?purpose=confirm" in refused.text
    assert is_at_the_broker(site, sent(chief, share))  # still signed in, and still not fresh
    assert of_guest(site).invoices == "none"
    record = next(record for record in site.rows(AuditRecord) if record.event == "refused")
    assert (record.subject, record.details["reason"]) == (site.account("chief").id, "other_person")
    assert "Joku muu tunnistautui" in chief.get("/history").text
    chief.persona = owner
    assert 'value="guest"' in chief.expect(share, chief.identify("op", purpose="confirm")).text


def test_an_identification_that_is_cancelled_leads_back_to_it(site: Site) -> None:
    chief, share = two(site)
    sent(chief, share)
    chooser = chief.identify("nordea", purpose="confirm", outcome="cancel")
    back = next(part for part in chooser.text.split('"') if "/return/" in part)
    page = chief.get(urljoin(chooser.url, back))
    assert (page.path.split("/")[2], page.status) == ("cancelled", 200)
    assert "/start?purpose=confirm" in page.text
    assert 'value="guest"' in chief.get(share).text


def test_a_language_button_of_a_form_that_would_hurt_keeps_what_was_typed_and_does_nothing(site: Site) -> None:
    chief, share = two(site)
    page = sent(chief, share, ui_locales="sv")
    assert (page.path, page.status) == (share, 200)
    assert '<html lang="sv"' in page.text
    assert 'value="guest"' in page.text
    assert of_guest(site).invoices == "none"


def test_no_password_waits_with_what_was_typed(site: Site) -> None:
    chief, share = two(site)
    sent(chief, share, password="Salasana-1")
    held = drafts.load(site.service, site.account("chief").sub)
    assert held["typed"].keys() == TYPED.keys()


def test_an_approval_needs_one_too(opened_app: Callable[[str], Flask], sqlite_tables: str) -> None:
    harness, app = open_harness(sqlite_tables), opened_app(sqlite_tables)
    (first,), asking = harness.people("aino"), harness.person("bertil")
    with harness.database.write() as tx:
        id = cases.open_case(tx, asking, "joining", Customer("1001", FO, "Företag"), NOW).id
    path = f"/companies/{harness.key()}/requests/{id}"
    browser = entered(harness, app, first, NOW - FRESH)
    assert "You will identify yourself again" in browser.get(path).text
    assert browser.post(path, {"decision": "grant"}).location == "/start?purpose=confirm"
    assert harness.right(asking) is None
    assert entered(harness, app, first).post(path, {"decision": "grant"}).status_code == 303
    assert harness.right(asking) is not None
    harness.database.close()


def test_a_form_of_one_page_is_not_put_into_another(site: Site) -> None:
    chief, share = two(site)
    sent(chief, share)
    user = share.replace("/share", f"/users/{of_guest(site).account_id}")
    assert '<option value="read" selected>' in chief.get(user).text
    assert chief.get(user).text.count('<option value="read" selected>') == 1


@pytest.mark.parametrize("more", [{}, {"ui_locales": "sv"}])
@pytest.mark.parametrize("identified_at", [None, NOW - FRESH])
def test_nothing_that_hurts_is_done_without(
    opened_app: Callable[[str], Flask], sqlite_tables: str, identified_at: int | None, more: dict[str, str]
) -> None:
    harness, app = open_harness(sqlite_tables), opened_app(sqlite_tables)
    first, second = harness.people("aino", "bertil")
    harness.person("cecilia")
    third = harness.people("daniel")[0]
    harness.give(third, administrator=True, **ALL)
    users = f"/companies/{harness.key()}/users"
    acts = [
        (f"{users}/{second.id}", NONE | {"invoices": "write"}),
        (f"{users}/{second.id}/administrator", {"role": "add"}),
        (f"{users}/{third.id}/administrator", {"role": "take"}),
        (f"{users}/{second.id}/remove", {}),
        (f"{users}/{first.id}/remove", {}),
        (f"/companies/{harness.key()}/share", {"user_name": "cecilia", "email": "cecilia@example.com"} | READER),
        ("/new-email", {"email": "new@example.com"}),
    ]
    browser = entered(harness, app, first, identified_at)
    for path, fields in acts:
        answer = browser.post(path, fields | more)
        assert answer.status_code == 303
        assert answer.location == (path if more else "/start?purpose=confirm")
        page = browser.get(path)
        assert ("Du identifierar dig på nytt innan" if more else "You will identify yourself again") in page.text
        assert "form-action 'self' http://127.0.0.1:9" in page.headers["Content-Security-Policy"]
    assert browser.client.get("/new-password").location == "/start?purpose=new-password"
    assert harness.trail() == []
    assert (first.id, NEW_ADDRESS) not in harness.mail()
    assert harness.administrators() == {first.id, third.id}
    fresh = entered(harness, app, first, NOW - FRESH + 1)
    assert 'class="hint"' not in fresh.get(acts[0][0]).text
    assert fresh.post(*acts[0]).location == users
    harness.database.close()
