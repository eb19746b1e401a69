"""Rights end with their reason: whoever gave them, their date, the customer number they hang on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from kit.typed_text import day, end_of_day
from registration import audit, rights
from registration.accounts.limits import DAY
from registration.api.rights import _of_person
from registration.audit import By
from registration.backup.erasure_list import ErasureList
from registration.customer_register import Customer, RegisterUnavailable
from registration.database.models import Account, AuditRecord, Company, NumberStatus, OutboxEntry, Representation
from registration.due import end_due
from registration.pages.texts import EVENT_NAMES
from registration.rights import customer_service
from registration.service import Service
from tests.harness.registration_rights import (
    ALL,
    FO,
    NOW,
    OTHER_FO,
    READER,
    Harness,
    open_app,
    open_harness,
    sign_in,
)

GRACE = 14 * DAY


@pytest.fixture
def harness(empty_tables: str) -> Iterator[Harness]:
    harness = open_harness(empty_tables)
    yield harness
    harness.database.close()


@pytest.fixture
def app(tmp_path: Path, empty_tables: str) -> Iterator[Flask]:
    app = open_app(tmp_path, empty_tables)
    yield app
    app.extensions["registration"].database.close()


class Register:
    """A customer register that knows some numbers, with the last day of their contract; None: it is away."""

    def __init__(self, **numbers: str | None) -> None:
        self.numbers: dict[str, str | None] | None = {name.removeprefix("n"): day for name, day in numbers.items()}
        self.asked: list[str] = []

    def find(self, customer_number: str, fo_nummer: str) -> Customer | None:
        self.asked.append(customer_number)
        if self.numbers is None:
            raise RegisterUnavailable
        if customer_number not in self.numbers:
            return None
        return Customer(customer_number, fo_nummer, "Företag", contract_ends=self.numbers[customer_number])


@pytest.fixture
def register() -> Register:
    return Register(n1001=None)


@pytest.fixture
def pass_time(app: Flask, register: Register, tmp_path: Path) -> Callable[[int], Service]:
    """What the background does at a moment."""

    def run(now: int) -> Service:
        service: Service = app.extensions["registration"]
        erasures = ErasureList(tmp_path / "erasures")
        then = replace(service, clock=lambda: now, register=register, erasures=erasures)
        end_due(then)
        return then

    return run


def share(harness: Harness, actor: Account, other: Account, ends_at: int | None = None, now: int = NOW) -> None:
    with harness.database.write() as tx:
        rights.share(tx, actor, harness.key(), other.user_name, other.email, READER, now, ends_at)


def remove(harness: Harness, actor: Account, other: Account, **more: Any) -> list[str]:
    with harness.database.write() as tx:
        return rights.remove(tx, actor, harness.key(), other.id, NOW, **more)


def chain(harness: Harness) -> list[Account]:
    """An administrator, an employee, whom the employee has let in, and whom that one has."""
    chief, employee = harness.people("aino", "bertil")
    guest, further = harness.person("cecilia"), harness.person("daniel")
    share(harness, employee, guest)
    share(harness, guest, further)
    return [chief, employee, guest, further]


def held_by(harness: Harness, *people: Account) -> list[str | None]:
    """Who has given each of these people their right; None for those without one."""
    return [right.given_by if (right := harness.right(person)) else None for person in people]


def records(harness: Harness, event: str) -> list[AuditRecord]:
    with harness.database.read() as tx:
        return list(tx.scalars(select(AuditRecord).where(AuditRecord.event == event).order_by(AuditRecord.id)))


def test_what_an_employee_gave_ends_with_them_and_everybody_is_told(harness: Harness) -> None:
    chief, employee, guest, further = chain(harness)
    assert remove(harness, chief, employee) == [employee.id, guest.id, further.id]
    assert held_by(harness, employee, guest, further) == [None, None, None]
    assert sorted(id for id, kind in harness.mail() if kind == "user_removed") == sorted(
        [employee.id, guest.id, further.id]
    )
    ended = records(harness, "right_ended")
    assert [(record.subject, record.actor, record.details["because"]) for record in ended] == [
        (guest.id, chief.id, "giver"),
        (further.id, chief.id, "giver"),
    ]


def test_what_is_kept_is_from_then_on_the_administrators(harness: Harness) -> None:
    chief, employee, guest, further = chain(harness)
    assert remove(harness, chief, employee, keep_given=True) == [employee.id]
    assert held_by(harness, employee, guest, further) == [None, chief.id, guest.id]


def test_who_leaves_takes_along_what_they_gave_but_no_administrator(harness: Harness) -> None:
    chief, employee, guest, further = chain(harness)
    with harness.database.write() as tx:
        rights.hand_over(tx, chief, harness.key(), employee.id, NOW)
    share(harness, chief, harness.person("eva"))
    successor = harness.person("frida")
    share(harness, chief, successor)
    harness.give(successor, administrator=True, **ALL)
    remove(harness, chief, chief, keep_given=True)  # who leaves answers for nothing
    assert harness.administrators() == {employee.id, successor.id}
    assert held_by(harness, chief, harness.person_named("eva")) == [None, None]
    assert held_by(harness, guest, further) == [employee.id, guest.id]


def test_who_removes_the_one_that_let_them_in_stays(harness: Harness) -> None:
    chief, employee, guest, further = chain(harness)
    with harness.database.write() as tx:
        rights.appoint(tx, chief, harness.key(), guest.id, NOW)
    assert held_by(harness, guest) == [chief.id]  # the one who made it more answers for it
    remove(harness, guest, employee)
    remove(harness, guest, chief)
    assert held_by(harness, chief, employee, guest, further) == [None, None, chief.id, guest.id]


def test_customer_service_ends_what_was_given_too_and_never_leaves_a_company_without_administrator_by_it(
    harness: Harness,
) -> None:
    chief, employee, guest, further = chain(harness)
    harness.give(chief, administrator=False)
    harness.give(guest, administrator=True)

    def revoke(**more: Any) -> list[str | None]:
        by = By("operator:maija", NOW, {"reason": "left"})
        with harness.database.write() as tx:
            return [right.account for right in customer_service.revoke(tx, employee, FO, (), by, **more)]

    with pytest.raises(rights.LastAdministrator):
        revoke()
    assert held_by(harness, guest) == [employee.id]
    assert revoke(keep_given=True) == [employee.id]
    assert held_by(harness, guest, further) == ["customer service", guest.id]
    harness.join(employee)
    with harness.database.write() as tx:
        tx.execute(update(Representation).where(Representation.account_id == guest.id).values(given_by=employee.id))
    assert revoke(leave_without_administrator=True) == [employee.id, guest.id, further.id]
    assert harness.administrators() == set()


def test_the_page_of_a_removal_names_what_ends_and_asks(harness: Harness, app: Flask) -> None:
    chief, employee, guest, _ = chain(harness)
    users = f"/companies/{harness.key()}/users"
    browser = sign_in(harness, app, chief)
    page = browser.get(f"{users}/{employee.id}/remove").text
    for text in ("Cecilia Testinen", "Daniel Testinen", "from now on I answer for them"):
        assert text in page
    assert "Keep" not in browser.get(f"{users}/{chief.id}/remove").text
    shown = browser.get(users).text
    for text in ("Own registration", "Bertil Testinen", "Cecilia Testinen"):
        assert f"Given by: {text}" in shown
    assert browser.post(f"{users}/{employee.id}/remove", {"keep": "y"}).status_code == 303
    assert held_by(harness, employee, guest) == [None, chief.id]


def test_a_share_ends_on_its_day_with_what_came_of_it_and_is_on_the_list_of_erasures(
    harness: Harness, pass_time: Callable[[int], Service]
) -> None:
    chief, employee, guest, further = chain(harness)
    ends_at = end_of_day("2026-12-31")
    share(harness, employee, guest, ends_at)
    pass_time(ends_at - 1)
    assert held_by(harness, guest, further) == [employee.id, guest.id]
    service = pass_time(ends_at)
    assert held_by(harness, chief, employee, guest, further) == ["registration", "registration", None, None]
    assert [record.details["because"] for record in records(harness, "right_ended")] == ["giver", "date"]
    assert {erasure.account for erasure in service.erasures.read()} == {guest.id, further.id}
    assert ("user_removed" in {kind for id, kind in harness.mail() if id == guest.id}) is True


def test_a_share_without_a_date_takes_it_away_and_an_administrator_has_none(
    harness: Harness, pass_time: Callable[[int], Service]
) -> None:
    chief, employee, guest, further = chain(harness)
    share(harness, employee, guest, NOW + DAY)
    share(harness, employee, guest)
    share(harness, guest, further, NOW + DAY)
    with harness.database.write() as tx:
        rights.appoint(tx, chief, harness.key(), further.id, NOW)
    pass_time(NOW + 2 * DAY)
    assert held_by(harness, guest, further) == [employee.id, chief.id]


def test_a_right_from_elsewhere_gets_no_date(harness: Harness, app: Flask) -> None:
    chief, employee, guest, _ = chain(harness)
    path = f"/companies/{harness.key()}/share"
    fields = {"user_name": "bertil", "email": "bertil@example.com", "invoices": "read"}
    browser = sign_in(harness, app, chief)
    for date, text in (("2035-01-01", "cannot end on a date"), ("2020-01-01", "date in the future"), ("x", "future")):
        answer = browser.post(path, fields | {"ends": date})
        assert (answer.status_code, text in answer.text) == (422, True)
    assert harness.levels(employee) == READER
    fields = {"user_name": "cecilia", "email": "cecilia@example.com", "invoices": "read", "ends": "1.2.2035"}
    assert "cannot end" in browser.post(path, fields).text
    assert sign_in(harness, app, employee).post(path, fields | {"invoices": "none"} | READER).status_code == 303
    right = harness.right(guest)
    assert right is not None
    assert right.ends_at == end_of_day("2035-02-01")
    assert "Last day: 1 February 2035" in sign_in(harness, app, guest).get("/rights").text


def test_a_share_goes_to_a_confirmed_address_only_and_the_refusal_is_that_of_a_wrong_one(
    harness: Harness, app: Flask
) -> None:
    (chief,) = harness.people("aino")
    harness.person("cecilia", confirmed=False)
    path = f"/companies/{harness.key()}/share"
    browser = sign_in(harness, app, chief)
    texts = set()
    for name in ("cecilia", "nobody"):
        answer = browser.post(path, {"user_name": name, "email": f"{name}@example.com"} | READER)
        assert answer.status_code == 422
        texts.add(answer.text.replace(name, "x").split('name="csrf_token"')[0])
    assert len(texts) == 1
    assert held_by(harness, harness.person_named("cecilia")) == [None]


def test_administrators_are_told_of_a_share_and_not_the_one_who_shared(harness: Harness) -> None:
    chief = chain(harness)[0]
    assert [id for id, kind in harness.mail() if kind == "rights_shared"] == [chief.id, chief.id]
    share(harness, chief, harness.person("eva"))
    assert len([id for id, kind in harness.mail() if kind == "rights_shared"]) == 2


def numbers_of(harness: Harness, account: Account) -> tuple[tuple[str, ...], tuple[str, ...], int | None]:
    right = harness.right(account)
    assert right is not None
    return right.customer_numbers, right.suspended_numbers, right.suspended_at


def test_a_number_that_leaves_the_register_suspends_its_rights_after_the_grace_and_it_may_come_back(
    harness: Harness, app: Flask, register: Register, pass_time: Callable[[int], Service]
) -> None:
    chief, employee = harness.people("aino", "bertil")
    harness.join(chief, number="1002")
    register.numbers = {"1001": None, "1002": None}
    pass_time(NOW)
    register.numbers = {"1002": None}
    pass_time(NOW + DAY - 1)
    assert register.asked == ["1001", "1002"]  # once a day
    at = NOW + DAY
    pass_time(at)
    told = mails(harness, "numbers_ending")
    assert {entry.account_id for entry in told} == {chief.id, employee.id}
    assert {(entry.words["numbers"], entry.words["ends_at"]) for entry in told} == {("1001", str(at + GRACE))}
    pass_time(at + GRACE - 1)
    assert numbers_of(harness, employee) == (("1001",), (), None)
    service = pass_time(at + GRACE)
    assert numbers_of(harness, employee) == ((), ("1001",), at + GRACE)
    assert numbers_of(harness, chief) == (("1002",), ("1001",), None)
    assert [company["customer_numbers"] for company in of_person(service, chief)] == [["1002"]]
    assert of_person(service, employee) == []
    assert len(mails(harness, "numbers_ending")) == 2
    page = sign_in(harness, app, employee).get("/rights").text
    assert "Suspended since" in page
    assert "/share" not in page
    for path in ("share", "users", f"users/{employee.id}/remove"):
        assert sign_in(harness, app, employee).get(f"/companies/{harness.key()}/{path}").status_code == 403
    with pytest.raises(rights.Forbidden):
        share(harness, employee, chief)
    register.numbers = {"1001": None, "1002": None}
    pass_time(at + GRACE + DAY)
    assert numbers_of(harness, employee) == (("1001",), (), None)
    assert [len(records(harness, f"numbers_{what}")) for what in ("ending", "suspended", "back")] == [1, 1, 1]


def test_a_number_that_the_register_never_had_is_left_alone(
    harness: Harness, register: Register, pass_time: Callable[[int], Service]
) -> None:
    (chief,) = harness.people("aino")
    register.numbers = {}
    for days in range(30):
        pass_time(NOW + days * DAY)
    assert numbers_of(harness, chief) == (("1001",), (), None)
    assert mails(harness, "numbers_ending") == []


@pytest.mark.parametrize("grace", [0, GRACE])
def test_the_end_of_a_contract_suspends_by_itself(
    harness: Harness, app: Flask, register: Register, pass_time: Callable[[int], Service], grace: int
) -> None:
    (chief,) = harness.people("aino")
    ends_at = end_of_day("2026-12-31")
    register.numbers = {"1001": "2026-12-31"}
    pass_time(ends_at - GRACE - DAY)
    assert mails(harness, "numbers_ending") == []
    pass_time(ends_at - grace)
    assert [entry.words["ends_at"] for entry in mails(harness, "numbers_ending")] == [str(ends_at)]
    pass_time(ends_at)
    assert numbers_of(harness, chief)[2] == ends_at
    register.numbers = {"1001": "2027-12-31"}
    pass_time(ends_at + DAY)
    assert numbers_of(harness, chief)[2] is None


def test_a_register_that_is_away_suspends_nobody_and_one_number_holds_up_no_other(
    harness: Harness, register: Register, pass_time: Callable[[int], Service]
) -> None:
    (chief,) = harness.people("aino")
    pass_time(NOW)
    harness.join(harness.person("bertil"), OTHER_FO, "2001")
    register.numbers, register.asked = None, []
    for minutes in range(4):
        pass_time(NOW + 40 * DAY + minutes)
    assert sorted(register.asked) == ["1001", "2001"]
    assert numbers_of(harness, chief) == (("1001",), (), None)
    with harness.database.read() as tx:
        assert set(tx.scalars(select(NumberStatus.ends_at))) == {None}


def test_a_number_that_nobody_sees_any_more_is_not_asked_for(
    harness: Harness, register: Register, pass_time: Callable[[int], Service]
) -> None:
    chief, employee = harness.people("aino", "bertil")
    harness.join(employee, number="1002")
    remove(harness, chief, employee)
    pass_time(NOW)
    with harness.database.read() as tx:
        assert list(tx.scalars(select(NumberStatus.customer_number))) == ["1001"]


def test_administrators_are_asked_once_a_year_and_confirm_on_one_page(
    harness: Harness, app: Flask, pass_time: Callable[[int], Service]
) -> None:
    chief, employee = harness.people("aino", "bertil")
    year = 365 * DAY
    pass_time(NOW + year - 1)
    assert mails(harness, "review") == []
    pass_time(NOW + year)
    pass_time(NOW + year + DAY)
    (entry,) = mails(harness, "review")
    assert (entry.account_id, entry.words["company_key"]) == (chief.id, harness.key())
    users = f"/companies/{harness.key()}/users"
    assert sign_in(harness, app, employee).post(f"{users}/confirmed", {}).status_code == 403
    harness.give(employee, users="write")
    assert sign_in(harness, app, employee).post(f"{users}/confirmed", {}).status_code == 403
    assert "Confirm that these are right" not in sign_in(harness, app, employee).get(users).text
    browser = sign_in(harness, app, chief)
    assert "Confirm that these are right" in browser.get(users).text
    assert browser.post(f"{users}/confirmed", {}).location == users
    assert "Last confirmed" in browser.get(users).text
    with harness.database.read() as tx:
        company = tx.get_one(Company, FO)
        assert (company.reviewed_at, company.review_asked_at) == (NOW, NOW)
    assert [record.actor for record in records(harness, "rights_reviewed")] == [chief.id]


def test_no_review_is_asked_for_where_the_setting_is_nought(
    harness: Harness, app: Flask, pass_time: Callable[[int], Service]
) -> None:
    harness.people("aino")
    service: Service = app.extensions["registration"]
    rules = service.settings.rules.model_copy(update={"review_days": 0})
    settings = service.settings.model_copy(update={"rules": rules})
    end_due(replace(service, settings=settings, clock=lambda: NOW + 4000 * DAY, register=Register()))
    assert mails(harness, "review") == []


def test_a_person_sees_what_was_done_with_their_account_and_nobody_elses(harness: Harness, app: Flask) -> None:
    chief, employee, guest, _ = chain(harness)
    remove(harness, chief, employee)
    shown = sign_in(harness, app, guest).get("/history").text
    for text in ("Access rights received", "Access rights ended", "Another user", "Företag 123 Ab"):
        assert text in shown
    assert "Bertil" not in shown
    assert "Access rights" not in sign_in(harness, app, chief).get("/history").text


def test_every_event_of_the_audit_trail_is_named_for_people_or_known_not_to_be_theirs() -> None:
    named = {name.partition(":")[0] for name in EVENT_NAMES}
    of_companies = {"rights_reviewed", "numbers_ending", "numbers_suspended", "numbers_back"}
    of_operators = {"forgotten", "restored", "customers_imported", "letters_written", "audit_pruned"}
    of_staff = {"act_asked", "act_refused", "caller_not_shown"}
    assert audit.EVENTS - named == of_companies | of_operators | of_staff | {"not_told"}


def test_the_history_has_pages_and_takes_whatever_number(harness: Harness, app: Flask) -> None:
    (chief,) = harness.people("aino")
    with harness.database.write() as tx:
        for _ in range(60):
            audit.record(tx, "signed_in", now=NOW, actor=chief.id, subject=chief.id, by="online_service:portal")
    browser = sign_in(harness, app, chief)
    page = browser.get("/history")
    assert page.text.count("<tr>") == 51
    assert page.text.count("Signed in to the Online service") == 50
    older = browser.get(page.text.split('href="/history?before=')[1].split('"')[0].join(["/history?before=", ""]))
    assert older.text.count("<tr>") == 11
    for strange in ("x", "-1", "9" * 40, "%00", str(2**63)):
        assert browser.get(f"/history?before={strange}").status_code == 200


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("31.12.2030", "2030-12-31"), ("1.2.2030", "2030-02-01"), ("2030-12-31", "2030-12-31"), ("", "")],
)
def test_a_day_is_read_as_people_and_browsers_write_it(text: str, wanted: str) -> None:
    assert day(text) == wanted


@pytest.mark.parametrize("text", ["31.2.2030", "2030", "1.1", "x.y.z", "0.0.0"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"Invalid|out of range|must be in"):
        day(text)


def test_a_day_ends_at_midnight_in_finland() -> None:
    assert end_of_day("2026-07-01") == 1_782_939_600  # 2026-07-01T21:00:00Z
    assert end_of_day("2026-12-31") == 1_798_754_400  # 2026-12-31T22:00:00Z


def mails(harness: Harness, kind: str) -> list[OutboxEntry]:
    with harness.database.read() as tx:
        return list(tx.scalars(select(OutboxEntry).where(OutboxEntry.kind == kind)))


def of_person(service: Service, account: Account) -> list[dict[str, Any]]:
    companies: list[dict[str, Any]] = _of_person(service, account.sub)["companies"]
    return companies
