"""Who may act for a company, as people meet it: by the code, by approval, with notices, and when it is disputed."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from demo.runner.registrant import PASSWORD, Page, Registrant
from registration import cases
from registration.audit import By
from registration.cases import codes
from registration.database import models
from registration.database.models import Account, Case, Company, OutboxEntry, Representation
from registration.rights import lookup
from registration.rights_pages.requests import MOST_CODES
from tests.harness.registration import TESTISAHKO, Harness, Site, know, open_site, registered, sign_in, to_form

Ruled = Callable[..., Site]


@pytest.fixture
def ruled(harness: Harness, sqlite_tables: str) -> Ruled:
    """Registration by other rules than the usual ones."""

    def make(**rules: Any) -> Site:
        harness.system.reset()
        more = {"rules": rules, "letters": {"dir": "unused"}}
        site = open_site(harness, harness.config(sqlite_tables) | more, harness.system.clock)
        know(site, [TESTISAHKO])
        return site

    return make


def address(site: Site, **where: str) -> None:
    """Let the customer register say where letters to the company go."""
    with site.database.write() as tx:
        tx.execute(update(models.Customer).values(**where))


def register(site: Site, user_name: str) -> tuple[Registrant, Page]:
    """Somebody who registers, and the page that they come to."""
    person = site.registrant()
    review = person.fill(to_form(person), TESTISAHKO, user_name=user_name, email=f"{user_name}@example.com")
    return person, person.post("/review", person.expect("/review", review))


def confirmed(site: Site, *user_names: str) -> None:
    with site.database.write() as tx:
        tx.execute(update(Account).where(Account.user_name.in_(user_names)).values(email_confirmed_at=1))


def told(site: Site, kind: str) -> list[str]:
    return [entry.address for entry in site.rows(OutboxEntry) if entry.kind == kind]


def rights_of(site: Site, user_name: str) -> list[Representation]:
    with site.database.read() as tx:
        return lookup.rights_of(tx, site.account(user_name).id)


def code_of(site: Site) -> str:
    with site.database.write() as tx:
        (case,) = cases.cases_of(tx, state="open")
        return codes.make(site.service.keys, case, site.service.now)


def dispute(person: Registrant, page: str = "/dispute", **fields: str) -> Page:
    """Send the form with its right numbers, unless others are given. page: of which the form's token is."""
    usual = {"company_name": TESTISAHKO.name, "fo_nummer": TESTISAHKO.fo_nummer}
    return person.post(
        "/dispute", person.get(page), **(usual | {"customer_number": TESTISAHKO.customer_number} | fields)
    )


def test_the_first_administrator_enters_the_code_and_sees_nothing_before(ruled: Ruled) -> None:
    site = ruled(founding="activation")
    address(site, email="info@testi.example")
    person, page = register(site, "first")
    assert page.path.startswith("/requests/")
    assert "info@testi.example" not in page.text
    assert told(site, "activation") == ["info@testi.example"]
    assert person.get("/done").path == page.path
    assert rights_of(site, "first") == []
    assert site.rows(Company) == []
    assert page.path in person.get("/rights").text
    wrong = person.post(f"{page.path}/code", page, code="0000")
    assert (wrong.status, 'id="code-error"' in wrong.text) == (422, True)
    done = person.post(f"{page.path}/code", wrong, code=code_of(site))
    assert (done.path, 'name="code"' in done.text) == (page.path, False)
    (right,) = rights_of(site, "first")
    assert right.administrator
    assert person.post(f"{page.path}/code", page, code="0000").path == page.path  # sent twice


def test_a_code_that_is_over_says_so_and_new_ones_are_sent_but_not_without_end(ruled: Ruled) -> None:
    site = ruled(founding="activation")
    address(site, postal_address="Katu 1, 00100 Helsinki")
    person, page = register(site, "first")
    assert "/new-code" not in page.text  # the letter is not written yet
    code_of(site)
    for _ in range(codes.TRIES):
        page = person.post(f"{page.path.removesuffix('/code')}/code", page, code="0000")
    assert 'class="notice notice-warn"' in page.text
    path = page.path.removesuffix("/code")
    address(site, email="info@testi.example")
    statuses = [person.post(f"{path}/new-code", page).status for _ in range(MOST_CODES + 1)]
    assert statuses == [200] * MOST_CODES + [429]
    (case,) = site.rows(Case)
    assert (case.way, case.code_digest) == ("email", None)
    assert told(site, "activation") == ["info@testi.example"] * MOST_CODES


def test_where_the_register_has_no_address_customer_service_decides(ruled: Ruled) -> None:
    site = ruled(founding="activation")
    person, page = register(site, "first")
    assert 'name="code"' not in page.text
    (case,) = site.rows(Case)
    assert case.way == "approval"
    with site.database.write() as tx:
        cases.decide(tx, case.id, "grant", By("operator:maija", site.service.now, {"reason": "called"}))
    assert person.get(page.path).title != page.title
    assert rights_of(site, "first")[0].administrator


def test_one_who_waits_can_still_confirm_their_address(ruled: Ruled) -> None:
    site = ruled(founding="approval")
    person, _ = register(site, "first")
    assert person.post("/confirmation", person.get("/rights")).path == "/link-sent"
    assert told(site, "confirmation") == ["first@example.com"] * 2


def test_an_administrator_decides_who_joins_and_the_second_decision_is_too_late(ruled: Ruled) -> None:
    site = ruled(joining="approve")
    first = registered(site, "first")
    confirmed(site, "first")
    second, waiting = register(site, "second")
    assert rights_of(site, "second") == []
    assert told(site, "case_opened") == ["first@example.com"]
    users = first.get(f"/companies/{site.rows(Company)[0].key}/users")
    (link,) = re.findall(r'href="(/companies/\w+/requests/\w+)"', users.text)
    page = first.get(link)
    assert second.get(link).status == 403
    assert first.post(link, page, decision="withdraw").status == 403
    assert first.post(link, page, decision="grant").path.endswith("/users")
    assert first.post(link, page, decision="refuse").status == 409
    assert rights_of(site, "second")[0].levels["consumption"] == "read"
    assert second.get(waiting.path).title != waiting.title


def test_administrators_are_told_at_once_with_a_link_to_look_and_one_to_remove(site: Site) -> None:
    first = registered(site, "first")
    confirmed(site, "first")
    registered(site, "second")
    (entry,) = [entry for entry in site.rows(OutboxEntry) if entry.kind == "joined"]
    assert entry.address == "first@example.com"
    mail = site.service.pages.render("mail/joined.txt", "en", **entry.words, name="N", url="")
    look, remove = re.findall(r"^/companies/\S+$", mail, re.MULTILINE)
    assert "second" in first.get(look).text
    page = first.get(remove)
    assert (page.path, page.status) == (remove, 200)
    assert len(site.rows(Representation)) == 2  # the link has removed nobody
    assert first.post(remove, page).path == look
    assert len(site.rows(Representation)) == 1


@pytest.mark.parametrize("by", ["password", "identification"])
def test_whoever_follows_a_link_comes_to_its_page_once_they_are_signed_in(site: Site, by: str) -> None:
    first = registered(site, "first")
    reader = site.registrant(first.persona)
    look = f"/companies/{site.rows(Company)[0].key}/users"
    assert reader.get(look).status == 401
    page = sign_in(reader, "first", PASSWORD) if by == "password" else reader.identify("op", "sign-in")
    assert page.path == look
    assert sign_in(reader, "first", PASSWORD).path == "/rights"  # once


def test_the_owner_who_was_shut_out_opens_a_case_and_the_administrators_are_told(site: Site) -> None:
    registered(site, "first")
    confirmed(site, "first")
    owner = registered(site, "owner")
    page = dispute(owner)
    assert page.path.startswith("/requests/")
    assert told(site, "case_opened") == ["first@example.com"]
    assert dispute(owner).path == page.path  # one case
    assert [case.kind for case in site.rows(Case)] == ["disputed"]
    assert not rights_of(site, "owner")[0].administrator
    assert owner.post(f"{page.path}/withdraw", page).path == "/rights"
    assert dispute(owner).path not in {page.path, "/dispute"}


def test_a_dispute_needs_an_identification_in_this_session(site: Site) -> None:
    registered(site, "first")
    owner = registered(site, "owner")
    sign_in(owner, "owner", PASSWORD)
    page = owner.get("/dispute")
    assert 'name="fo_nummer"' not in page.text
    assert dispute(owner, "/rights").status == 422
    assert site.rows(Case) == []
    owner.get("/dispute")
    assert owner.identify("op", "sign-in").path == "/dispute"
    assert dispute(owner).path.startswith("/requests/")


def test_wrong_numbers_in_a_dispute_count_as_in_the_form_and_what_was_typed_stays(site: Site) -> None:
    registered(site, "first")
    owner = registered(site, "owner")
    for _ in range(5):
        page = dispute(owner, customer_number="999")
        assert (page.status, 'value="999"' in page.text) == (422, True)
    page = dispute(owner)
    assert (page.status, f'value="{TESTISAHKO.customer_number}"' in page.text) == (429, True)
    assert site.rows(Case) == []


def test_nobody_disputes_their_own_company_or_one_that_nobody_acts_for(site: Site) -> None:
    first = registered(site, "first")
    assert dispute(first).status == 422
    with site.database.write() as tx:
        tx.add(models.Customer(customer_number="2", fo_nummer="9990002-4", company_name="Mallbolaget Ab"))
    page = dispute(first, company_name="Mallbolaget", fo_nummer="9990002-4", customer_number="2")
    assert page.status == 422
    assert site.rows(Case) == []


def test_a_request_is_its_persons_own(ruled: Ruled) -> None:
    site = ruled(founding="approval")
    first, page = register(site, "first")
    other, _ = register(site, "other")
    for path in ("", "/code", "/new-code", "/withdraw"):
        answer = other.post(page.path + path, other.get("/rights")) if path else other.get(page.path)
        assert answer.status == 403
    assert first.post(f"{page.path}/withdraw", first.get("/rights")).status == 403  # only what is disputed
    assert {case.state for case in site.rows(Case)} == {"open"}


@pytest.mark.parametrize(
    ("founding", "joining", "said"),
    [
        ("numbers", "open", "becomes its administrator. Those who register later see the company's consumption."),
        ("activation", "notify", "have for the company. Those who register later see the company's consumption, and"),
        ("approval", "approve", "approves the first person who registers for a company as its administrator. Those who"
         " register later see nothing until an administrator or customer service approves them."),
    ],
)  # fmt: skip
def test_the_first_page_says_who_may_act_for_a_company(ruled: Ruled, founding: str, joining: str, said: str) -> None:
    site = ruled(founding=founding, joining=joining)
    page = site.registrant().get("/", ui_locales="en")
    assert said in html.unescape(page.text)
