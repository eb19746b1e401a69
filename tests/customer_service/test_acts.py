"""Acts: the form, the page that asks, and what became of it in registration."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from registration.database.connection import digest
from registration.database.models import (
    Account,
    Customer,
    CustomerNumber,
    OutboxEntry,
    Representation,
    Session,
    StaffAct,
)
from tests.harness.customer_service import AARNE, MAIJA, SAGA, SVEN, Page, StaffBrowser, StaffHarness
from tests.harness.registration_api import NOW

FO, OTHER_FO = "1234567-1", "9990001-6"


class People:
    """A company of an administrator and a reader; four numbers that the customer register knows."""

    def __init__(self, staff: StaffHarness) -> None:
        self.staff = staff
        api = staff.registration
        self.chief, self.reader = api.person("Aino", given_name="Aino"), api.person("bertil", given_name="Bertil")
        api.represents(self.chief, FO, "100001", administrator=True)
        api.represents(self.reader, FO, "100001")
        known = [(number, FO, "Bolag 8") for number in ("100001", "100002", "100003")] + [("200001", OTHER_FO, "Oy Å")]
        with api.database.write() as tx:
            for number, fo_nummer, name in known:
                tx.add(Customer(customer_number=number, fo_nummer=fo_nummer, company_name=name))

    def page(self, browser: StaffBrowser, act: str, account: Account | None = None) -> str:
        """The address of an act about the reader, or another person, in the company."""
        id = (account or self.reader).id
        return browser.get(f"/service/people/{id}").link(act)

    def numbers(self, account: Account | None = None) -> list[str]:
        wanted = select(CustomerNumber.customer_number).filter_by(account_id=(account or self.reader).id)
        with self.staff.registration.database.read() as tx:
            return sorted(tx.scalars(wanted))

    def right(self, account: Account, fo_nummer: str = FO) -> Representation | None:
        with self.staff.registration.database.read() as tx:
            return tx.get(Representation, (account.id, fo_nummer))


@pytest.fixture
def people(staff: StaffHarness) -> People:
    return People(staff)


def test_further_customer_numbers_are_added(staff: StaffHarness, people: People) -> None:
    browser = staff.staff(MAIJA)
    asked = browser.fill(people.page(browser, "Add customer numbers"), customer_numbers="100 002\n100003; 100002")
    assert people.numbers() == ["100001"]
    assert "100002 100003" in asked.words
    done = browser.post(asked.path, asked)
    assert (done.path, "Done." in done.words) == (f"/service/people/{people.reader.id}", True)
    assert people.numbers() == ["100001", "100002", "100003"]
    (record,) = staff.registration.audited("granted")
    assert record.actor.startswith("staff:")
    assert (record.details["reason"], record.details["text"]) == ("asked_by_phone", "Called back")


def test_what_is_sent_twice_is_done_once(staff: StaffHarness, people: People) -> None:
    browser = staff.staff(MAIJA)
    asked = browser.fill(people.page(browser, "Add customer numbers"), customer_numbers="100002")
    for _ in range(3):
        assert "Done." in browser.post(asked.path, asked).words
    assert len(staff.registration.audited("granted")) == 1


def test_rights_are_given_changed_and_ended(staff: StaffHarness, people: People) -> None:
    browser = staff.staff(MAIJA)
    levels = {"consumption": "read", "contracts": "none", "invoices": "write", "users": "none"}
    browser.do(people.page(browser, "Change access rights"), **levels)
    assert (right := people.right(people.reader))
    assert (right.consumption, right.invoices) == ("read", "write")
    done = browser.do(people.page(browser, "End access rights"))
    assert "Done." in done.words
    assert people.right(people.reader) is None
    grant = people.page(browser, "Give access rights")
    browser.do(grant, fo_nummer="1234567 1", customer_numbers="100002", **levels)
    assert people.numbers() == ["100002"]


def test_the_last_administrator_goes_only_if_it_is_said(staff: StaffHarness, people: People) -> None:
    browser = staff.staff(MAIJA)
    path = people.page(browser, "End access rights", people.chief)
    refused = browser.do(path)
    assert refused.status == 422
    assert "would be left without an administrator" in refused.errors[0]
    assert refused.values("text") == ["Called back"]
    assert people.right(people.chief)
    browser.do(path, leave_without_administrator="y")
    assert people.right(people.chief) is None


def test_the_confirmation_is_sent_again_and_sessions_end(staff: StaffHarness, people: People) -> None:
    id = digest("browser")
    times = {"identified_at": NOW, "created_at": NOW, "seen_at": NOW, "expires_at": 1 << 33}
    row = Session(id=id, key=id[:32], account_id=people.reader.id, sub="x", sealed="", browser="Firefox", **times)
    with staff.registration.database.write() as tx:
        tx.add(row)
    browser = staff.staff(MAIJA)
    browser.do(people.page(browser, "Send the confirmation again"))
    with staff.registration.database.read() as tx:
        assert list(tx.scalars(select(OutboxEntry.kind))) == ["confirmation"]
    browser.do(people.page(browser, "Sign the person out everywhere"))
    with staff.registration.database.read() as tx:
        assert tx.get(Session, id) is None


def test_an_administrator_needs_a_supervisor_and_a_second_one(staff: StaffHarness, people: People) -> None:
    agent, asking, confirming = staff.staff(MAIJA), staff.staff(SVEN), staff.staff(SAGA)
    path = people.page(asking, "Change access rights")
    assert "Administrator: has all" not in agent.get(path).words
    levels = {"consumption": "read", "contracts": "none", "invoices": "none", "users": "none"}
    agent.do(path, administrator="y", **levels)  # an agent's form has no such field
    assert (right := people.right(people.reader))
    assert not right.administrator
    waits = asking.do(path, administrator="y")
    assert "A second member of staff must confirm this" in waits.words
    own = asking.get("/service/acts")
    assert "You asked for this" in own.words
    assert not own.has_link("Give access rights")
    there = confirming.get("/service/acts").link("Give access rights")
    asked = confirming.fill(there, decision="confirm")
    assert "Done." in confirming.post(asked.path, asked).words
    assert (right := people.right(people.reader))
    assert right.administrator


def act_of(staff: StaffHarness, people: People) -> str:
    """An act that waits; its page."""
    asking = staff.staff(SVEN)
    asking.do(people.page(asking, "Change access rights"), administrator="y")
    with staff.registration.database.read() as tx:
        return f"/service/acts/{tx.scalars(select(StaffAct.id).where(StaffAct.state == 'waiting')).one()}"


def test_of_two_who_decide_the_second_is_told_who_and_what(staff: StaffHarness, people: People) -> None:
    path = act_of(staff, people)
    first, second = staff.staff(SAGA), staff.staff(SAGA)
    mine, theirs = (one.fill(path, decision=decision) for one, decision in ((first, "refuse"), (second, "confirm")))
    assert "You refused it." in first.post(mine.path, mine).words
    told = second.post(theirs.path, theirs)
    assert (told.status, told.title) == (409, "This is already decided")
    assert "Refused" in told.words
    assert "staff:" in told.words
    assert not people.right(people.reader).administrator  # type: ignore[union-attr]


def test_nobody_confirms_what_they_have_asked_for_and_no_agent_does(staff: StaffHarness, people: People) -> None:
    path = act_of(staff, people)
    own = staff.staff(SVEN).do(path, decision="confirm")
    assert own.status == 422
    assert "You asked for this yourself" in own.errors[0]
    for person in (MAIJA, AARNE):
        assert staff.staff(person).get(path).status == 403
    assert not people.right(people.reader).administrator  # type: ignore[union-attr]


def test_an_account_is_joined_by_the_code_that_the_person_reads(staff: StaffHarness, people: People) -> None:
    key, now = "a1" * 16, int(staff.clock())
    id = digest(key)
    sealed = staff.registration.service.keys.seal(f"session:{id}", ["new-sub", "Bertil", "Testinen"])
    times = {"identified_at": now, "created_at": now, "seen_at": now, "expires_at": now + 3600}
    with staff.registration.database.write() as tx:
        tx.add(Session(id=id, key=key, account_id=None, sub="new-sub", sealed=sealed, browser="Firefox", **times))
    asking = staff.staff(SVEN)
    path = people.page(asking, "Join the account")
    for code, said in (("a1a1", "Enter the code of eight"), ("00000000", "Nobody has identified with this code")):
        page = asking.fill(path, code=code)
        page = asking.post(page.path, page) if page.path.startswith("/service/drafts/") else page
        assert said in page.errors[0]
        assert page.values("code") == [code]
    asking.do(path, code="A1A1 a1a1")
    with staff.registration.database.read() as tx:
        waiting = tx.scalars(select(StaffAct.id).where(StaffAct.state == "waiting")).one()
    assert "Done." in staff.staff(SAGA).do(f"/service/acts/{waiting}", decision="confirm").words
    with staff.registration.database.read() as tx:
        assert tx.get_one(Account, people.reader.id).sub == "new-sub"
    assert staff.staff(MAIJA).get(f"/service/people/{people.reader.id}/relink").status == 403


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"customer_numbers": ""}, "Enter at least one customer number."),
        ({"customer_numbers": "1 € 2"}, "Check the customer numbers. Write one on each line."),
        ({"customer_numbers": "\n".join(map(str, range(101)))}, "Enter at most 100 customer numbers at a time."),
        ({"reason": ""}, "Choose a reason."),
        ({"reason": "because"}, "Choose a reason."),
        ({"text": "x"}, "Write in a few words why: 3 to 200 characters."),
        ({"text": "x" * 201}, "Write in a few words why: 3 to 200 characters."),
        ({"text": "She is 130795-999T"}, "Remove the personal identity code: the text is kept."),
    ],
)
def test_a_field_says_what_is_wrong_and_keeps_what_was_typed(
    staff: StaffHarness, people: People, fields: dict[str, str], said: str
) -> None:
    browser = staff.staff(MAIJA)
    typed = {"customer_numbers": "100002", "reason": "correction", "text": "A mistake"} | fields
    page = browser.fill(people.page(browser, "Add customer numbers"), **typed)
    assert (page.status, page.errors) == (422, [said])
    assert page.text.startswith("<!DOCTYPE html>")
    assert "<title>Error: Add customer numbers" in page.text
    assert page.values("customer_numbers") == [typed["customer_numbers"]]
    assert page.values("text") == [typed["text"]]


def test_a_refusal_of_registration_is_said_at_its_field(staff: StaffHarness, people: People) -> None:
    browser = staff.staff(MAIJA)
    page = browser.do(people.page(browser, "Add customer numbers"), customer_numbers="200001")
    assert page.errors == ["The customer numbers do not belong to this company."]
    assert (page.values("customer_numbers"), page.values("reason")) == (["200001"], ["asked_by_phone"])


def test_a_draft_can_be_changed_and_a_language_loses_nothing(staff: StaffHarness, people: People) -> None:
    browser = staff.staff(MAIJA)
    path = people.page(browser, "Add customer numbers")
    asked = browser.fill(path, customer_numbers="100002")
    changed = browser.get(asked.link("Change"))
    assert (changed.path, changed.values("customer_numbers")) == (path, ["100002"])
    draft = asked.link("Change").partition("?")[2]
    of_another = browser.get(f"{people.page(browser, 'Add customer numbers', people.chief)}?{draft}")
    assert of_another.values("customer_numbers") == [""], "what was typed goes back to its own page alone"
    swedish = browser.post(path, changed, customer_numbers="100003", text="Fel", ui_locales="sv")
    assert (swedish.title, swedish.values("customer_numbers")) == ("Lägg till kundnummer", ["100003"])
    assert people.numbers() == ["100001"]


def hidden(page: Page) -> dict[str, str]:
    names = ("customer_numbers", "reason", "text")
    return {name: page.values(name)[0] for name in names}


def test_while_registration_is_down_nothing_that_was_typed_is_lost(staff: StaffHarness, people: People) -> None:
    browser = staff.staff(MAIJA)
    path = people.page(browser, "Add customer numbers")
    form = browser.get(path)
    typed = {"customer_numbers": "100002", "reason": "correction", "text": "A mistake"}
    with staff.registration_down():
        down = browser.post(path, form, **typed)
    assert (down.status, down.title) == (503, "Registration does not answer right now")
    asked = browser.post(path, down, **hidden(down))
    with staff.registration_down():
        down = browser.post(asked.path, asked)
    assert "What you filled in is kept" in down.words
    again = browser.get(down.link("Try again"))
    assert "Done." in browser.post(again.path, again).words
    assert people.numbers() == ["100001", "100002"]


def test_a_form_needs_its_token_and_a_session(staff: StaffHarness, people: People) -> None:
    browser = staff.staff(MAIJA)
    asked = browser.fill(people.page(browser, "Add customer numbers"), customer_numbers="100002")
    assert browser.post(asked.path).title == "The page has been open for too long"
    assert browser.post(asked.path, csrf_token="x").status == 400
    staff.clock.ahead = 1801
    ended = browser.post(asked.path, asked)
    assert ended.status == 401
    assert "What you sent was not done." in ended.words
    assert people.numbers() == ["100001"]


def test_a_draft_is_its_owners_alone(staff: StaffHarness, people: People) -> None:
    browser = staff.staff(MAIJA)
    asked = browser.fill(people.page(browser, "Add customer numbers"), customer_numbers="100002")
    other = staff.staff(SVEN)
    assert other.get(asked.path).title == "This is not here any more"
    assert other.post(asked.path, other.get("/service")).title == "This is not here any more"
    assert people.numbers() == ["100001"]
