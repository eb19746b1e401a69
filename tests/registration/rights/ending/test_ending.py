"""Rights end with those of whoever gave them, unless that is kept."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from registration.audit import By
from registration.database.models import Representation
from registration.rights import changes, customer_service, errors
from tests.harness.registration_ending import chain, held_by, records, remove, share
from tests.harness.registration_rights import ALL, FO, NOW, Harness, sign_in


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
        changes.hand_over(tx, chief, harness.key(), employee.id, NOW)
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
        changes.appoint(tx, chief, harness.key(), guest.id, NOW)
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

    with pytest.raises(errors.LastAdministrator):
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
