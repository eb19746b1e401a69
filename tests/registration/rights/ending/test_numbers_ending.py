"""Rights are suspended with the customer number that they hang on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from kit.typed_text import end_of_day
from registration.accounts.limits import DAY
from registration.api.rights import _of_person
from registration.database.models import Account, NumberStatus
from registration.rights import errors
from registration.service import Service
from tests.harness.registration_ending import Register, mails, records, remove, share
from tests.harness.registration_rights import NOW, OTHER_FO, Harness, sign_in

GRACE = 14 * DAY


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
    with pytest.raises(errors.Forbidden):
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


def of_person(service: Service, account: Account) -> list[dict[str, Any]]:
    companies: list[dict[str, Any]] = _of_person(service, account.sub)["companies"]
    return companies
