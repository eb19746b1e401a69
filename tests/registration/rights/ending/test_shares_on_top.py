"""What is given on top of somebody's own right stands beside it, and ends without it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from registration.accounts.limits import DAY
from registration.api.rights import _of_person
from registration.audit import By
from registration.backup.erasing import erase_again
from registration.database.models import Account, CustomerNumber, Share
from registration.rights import changes, customer_service, ending, errors
from registration.service import Service
from tests.harness.registration_ending import mails, records, remove, share
from tests.harness.registration_rights import FO, NONE, NOW, READER, Harness, sign_in

INVOICES = {"invoices": "read"}


@pytest.fixture
def people(harness: Harness) -> tuple[Account, Account, Account]:
    """An administrator, a user who has given another one invoices and a customer number, and that one."""
    chief, giver, other = harness.people("aino", "bertil", "cecilia")
    harness.give(giver, invoices="read")
    harness.join(giver, number="1002")
    share(harness, giver, other, **INVOICES)
    return chief, giver, other


def shares(harness: Harness) -> list[Share]:
    with harness.database.read() as tx:
        return list(tx.scalars(select(Share).order_by(Share.since, Share.id)))


def take_back(harness: Harness, actor: Account, other: Account, place: int = 0) -> None:
    with harness.database.write() as tx:
        ending.take_back(tx, actor, harness.key(), other.id, shares(harness)[place].id, NOW)


def holds(harness: Harness, account: Account) -> tuple[dict[str, str], tuple[str, ...]]:
    right = harness.right(account)
    assert right is not None
    return right.levels, right.customer_numbers


OWN, WITH = (NONE | READER, ("1001",)), (NONE | READER | INVOICES, ("1001", "1002"))


@pytest.mark.parametrize("by", [0, 1])
def test_the_giver_or_an_administrator_takes_it_back_and_the_own_right_stays(
    harness: Harness, people: tuple[Account, ...], by: int
) -> None:
    other = people[2]
    assert holds(harness, other) == WITH
    take_back(harness, people[by], other)
    assert holds(harness, other) == OWN
    right = harness.right(other)
    assert right is not None
    assert (right.given_by, right.shares) == ("registration", [])
    (record,) = records(harness, "rights_changed")
    assert (record.actor, record.subject, record.details["because"]) == (people[by].id, other.id, "taken_back")
    assert [entry.account_id for entry in mails(harness, "rights_changed")] == [other.id]


def test_nobody_else_takes_it_back_and_of_nobody_else(harness: Harness, people: tuple[Account, ...]) -> None:
    chief, giver, other = people
    stranger = harness.person("daniel")
    harness.join(stranger)
    harness.give(stranger, users="write")
    for actor, holder in ((stranger, other), (other, other), (giver, chief)):
        with pytest.raises(errors.Forbidden):
            take_back(harness, actor, holder)
    assert holds(harness, other) == WITH


def test_it_ends_with_its_giver_and_the_own_right_stays(harness: Harness, people: tuple[Account, ...]) -> None:
    chief, giver, other = people
    ended = [giver.id, shares(harness)[0].id]
    assert remove(harness, chief, giver) == ended
    assert holds(harness, other) == OWN
    assert [record.details["because"] for record in records(harness, "rights_changed")] == ["giver"]


def test_it_may_be_kept_when_its_giver_goes(harness: Harness, people: tuple[Account, ...]) -> None:
    chief, giver, other = people
    assert remove(harness, chief, giver, keep_given=True) == [giver.id]
    assert holds(harness, other) == WITH
    assert [one.given_by for one in shares(harness)] == [chief.id]


def test_it_ends_with_the_right_that_it_was_given_on_top_of(harness: Harness, people: tuple[Account, ...]) -> None:
    remove(harness, people[0], people[2])
    assert (harness.right(people[2]), shares(harness)) == (None, [])


def test_it_ends_on_its_day_and_a_restored_backup_loses_it_again(
    harness: Harness, app: Flask, people: tuple[Account, ...], pass_time: Callable[[int], Service]
) -> None:
    _, giver, other = people
    share(harness, giver, other, NOW + DAY, **INVOICES)
    (kept,) = shares(harness)
    pass_time(NOW + DAY - 1)
    assert holds(harness, other) == WITH
    service = pass_time(NOW + DAY)
    assert holds(harness, other) == OWN
    assert [(one.account, one.company) for one in service.erasures.read()] == [(kept.id, harness.key())]
    share(harness, giver, other, **INVOICES)
    with harness.database.write() as tx:
        (again,) = tx.scalars(select(Share))
        again.id = kept.id
        tx.flush()
        by = By("operator:maija", NOW, {"reason": "restored"})
        assert erase_again(tx, service.keys, service.erasures.read(), by) == 1
    assert (shares(harness), harness.levels(other)) == ([], NONE | READER)


def test_what_two_have_given_stays_until_both_have_taken_it_back(harness: Harness, people: tuple[Account, ...]) -> None:
    chief, giver, other = people
    harness.join(chief, number="1002")
    harness.join(chief, number="1003")
    share(harness, chief, other, now=NOW + 1, contracts="read")
    take_back(harness, giver, other)
    assert holds(harness, other) == (NONE | READER | {"contracts": "read"}, ("1001", "1002", "1003"))
    take_back(harness, chief, other)
    assert holds(harness, other) == OWN


def test_a_number_that_somebody_gets_of_their_own_stays(harness: Harness, people: tuple[Account, ...]) -> None:
    _, giver, other = people
    harness.join(other, number="1002")
    take_back(harness, giver, other)
    assert holds(harness, other) == (NONE | READER, ("1001", "1002"))


def test_who_gives_it_again_changes_it_and_what_is_held_already_is_no_share(
    harness: Harness, people: tuple[Account, ...]
) -> None:
    chief, giver, other = people
    share(harness, giver, other, NOW + DAY, **INVOICES)
    share(harness, giver, chief)
    # of the administrator a customer number alone
    assert {one.account_id: one.ends_at for one in shares(harness)} == {other.id: NOW + DAY, chief.id: None}
    share(harness, chief, giver)
    assert len(shares(harness)) == 2


def test_an_administrators_own_right_has_no_date_by_what_is_given_to_them(harness: Harness) -> None:
    chief, giver = harness.people("aino", "bertil")
    guest = harness.person("cecilia")
    share(harness, giver, guest)
    harness.join(giver, number="1002")
    with harness.database.write() as tx:
        changes.appoint(tx, chief, harness.key(), guest.id, NOW)
    share(harness, giver, guest, NOW + DAY)
    right = harness.right(guest)
    assert right is not None
    assert (right.ends_at, [one.ends_at for one in right.shares]) == (None, [NOW + DAY])


@pytest.mark.parametrize("by_customer_service", [False, True])
def test_who_lowers_a_level_lowers_what_was_given_too_and_what_they_leave_is_no_ones_own(
    harness: Harness, people: tuple[Account, ...], by_customer_service: bool
) -> None:
    chief, giver, other = people
    wanted = {"contracts": "read", "consumption": "none"}
    with harness.database.write() as tx:
        if by_customer_service:
            by = By("operator:maija", NOW, {"reason": "asked"})
            customer_service.grant(tx, other, FO, (), by, company_name=None, levels=wanted, administrator=False)
        else:
            changes.change(tx, chief, harness.key(), other.id, NONE | INVOICES | wanted, NOW)
    assert harness.levels(other) == NONE | INVOICES | wanted
    take_back(harness, giver, other)
    assert harness.levels(other) == NONE | wanted


def test_rights_that_were_given_on_top_count_everywhere(harness: Harness, app: Flask) -> None:
    chief, other = harness.people("aino", "bertil")
    harness.join(chief, number="1002")
    share(harness, chief, other, invoices="read", users="write")
    (company,) = _of_person(app.extensions["registration"], other.sub)["companies"]
    assert (company["sections"], company["customer_numbers"]) == (harness.levels(other), ["1001", "1002"])
    guest = harness.person("cecilia")
    share(harness, other, guest, **INVOICES)
    with harness.database.write() as tx:
        changes.change(tx, other, harness.key(), guest.id, NONE | INVOICES, NOW)
    assert harness.levels(guest) == NONE | INVOICES
    with harness.database.read() as tx:
        assert tx.scalar(select(CustomerNumber.share_id).filter_by(account_id=other.id, customer_number="1002"))


def test_the_pages_show_it_and_take_it_back(
    harness: Harness, app: Flask, people: tuple[Account, Account, Account]
) -> None:
    chief, giver, other = people
    users = f"/companies/{harness.key()}/users"
    path = f"{users}/{other.id}/given/{shares(harness)[0].id}"
    shown = sign_in(harness, app, chief).get(users).text
    assert "On top, given by: Bertil Testinen" in shown
    assert f'href="{path}"' in shown
    lessened = sign_in(harness, app, chief).get(f"{users}/{giver.id}/remove").text
    assert "keep their own access rights and lose what this user has given them" in lessened
    assert "Cecilia Testinen" in lessened
    browser = sign_in(harness, app, giver)
    assert f'href="{path}"' in browser.get("/rights").text
    page = browser.get(path).text
    for text in ("keeps their own access rights", "Cecilia Testinen", "Invoices"):
        assert text in page
    assert sign_in(harness, app, other).get(path).status_code == 403
    assert sign_in(harness, app, other).post(path, {}).status_code == 403
    assert browser.post(path, {}).location == "/rights"
    assert holds(harness, other) == OWN
    assert browser.get(path).status_code == 403
    assert "given/" not in browser.get("/rights").text


def test_taking_back_needs_a_fresh_identification_and_its_form(
    harness: Harness, app: Flask, people: tuple[Account, Account, Account]
) -> None:
    _, giver, other = people
    path = f"/companies/{harness.key()}/users/{other.id}/given/{shares(harness)[0].id}"
    stale = sign_in(harness, app, giver, None)
    assert "/start?purpose=confirm" in (stale.post(path, {}).location or "")
    assert sign_in(harness, app, giver).client.post(path).status_code in {400, 403}
    assert holds(harness, other) == WITH
