"""Administrators are asked each year whether the rights are still right, and confirm what they were shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from registration.accounts.limits import DAY
from registration.database.models import Company, Representation
from registration.due import end_due
from registration.rights import changes, lookup
from registration.service import Service
from tests.harness.registration_ending import Register, mails, records, remove, share
from tests.harness.registration_rights import FO, NOW, Browser, Harness, sign_in


def test_administrators_confirm_on_one_page_and_are_asked_once_a_year(
    harness: Harness, app: Flask, pass_time: Callable[[int], Service]
) -> None:
    chief, employee = harness.people("aino", "bertil")
    users = f"/companies/{harness.key()}/users"
    assert sign_in(harness, app, employee).post(f"{users}/confirmed", {}).status_code == 403
    harness.give(employee, users="write")
    assert sign_in(harness, app, employee).post(f"{users}/confirmed", {}).status_code == 403
    assert "Confirm that these are right" not in sign_in(harness, app, employee).get(users).text
    browser = sign_in(harness, app, chief)
    assert "Confirm that these are right" in browser.get(users).text
    assert browser.post(f"{users}/confirmed", {}).status_code == 409  # nothing was shown
    assert confirm(browser, users).location == users
    assert "Last confirmed" in browser.get(users).text
    with harness.database.read() as tx:
        company = tx.get_one(Company, FO)
        assert (company.reviewed_at, company.review_asked_at) == (NOW, NOW)
    assert [record.actor for record in records(harness, "rights_reviewed")] == [chief.id]
    year = 365 * DAY
    pass_time(NOW + year - 1)
    assert mails(harness, "review") == []
    pass_time(NOW + year)
    pass_time(NOW + year + DAY)
    (entry,) = mails(harness, "review")
    assert (entry.account_id, entry.words["company_key"]) == (chief.id, harness.key())


def test_no_review_is_asked_for_where_the_setting_is_nought(
    harness: Harness, app: Flask, pass_time: Callable[[int], Service]
) -> None:
    harness.people("aino")
    service: Service = app.extensions["registration"]
    rules = service.settings.rules.model_copy(update={"review_days": 0})
    settings = service.settings.model_copy(update={"rules": rules})
    end_due(replace(service, settings=settings, clock=lambda: NOW + 4000 * DAY, register=Register()))
    assert mails(harness, "review") == []


def confirm(browser: Browser, page: str) -> TestResponse:
    """Confirm what a page of users shows."""
    text = browser.get(page).text
    fields = {name: re.findall(rf'name="{name}" value="([^"]*)"', text)[0] for name in ("after", "shown")}
    return browser.post(f"{page.partition('?')[0]}/confirmed", fields)


def test_only_what_was_shown_is_confirmed_page_by_page(
    harness: Harness, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "USERS_OF_A_PAGE", 2)
    chief, *_ = harness.people(*(f"person{number}" for number in range(5)))
    browser, users = sign_in(harness, app, chief), f"/companies/{harness.key()}/users"

    def confirmed() -> tuple[int, int | None]:
        with harness.database.read() as tx:
            rows = tx.scalars(select(Representation.reviewed_at)).all()
            return sum(at is not None for at in rows), tx.get_one(Company, FO).reviewed_at

    second = confirm(browser, users).location
    assert confirmed() == (2, None)
    assert second.startswith(f"{users}?after=")
    assert "confirm the other pages" in browser.get(second).text.lower()
    third = re.findall(r'href="([^"]+)" rel="nofollow next"', browser.get(second).text)[0]
    assert confirm(browser, third).location == users  # the second was left out
    assert confirmed() == (3, None)
    assert confirm(browser, second).location == third
    assert confirmed() == (5, NOW)
    assert "still right" in browser.get(users).text
    details = [record.details for record in records(harness, "rights_reviewed")]
    assert [(one["users"], one["complete"]) for one in details] == [("2", "no"), ("1", "no"), ("2", "yes")]


def test_a_later_round_is_complete_when_all_are_confirmed_anew(
    harness: Harness, pass_time: Callable[[int], Service], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "USERS_OF_A_PAGE", 1)
    chief, _ = harness.people("aino", "bertil")
    later = NOW + 366 * DAY

    def confirm_all(now: int, most: int) -> bool:
        after, complete = None, False
        for _ in range(most):
            with harness.database.write() as tx:
                rows, _ = lookup.page_of_users(tx, FO, after, 1)
                shown = lookup.list_digest(rows)
                complete, after = changes.confirm(tx, chief, harness.key(), after, shown, now)
        return complete

    assert confirm_all(NOW + DAY, 2)
    pass_time(later)
    assert not confirm_all(later + DAY, 1)
    with harness.database.read() as tx:
        assert tx.get_one(Company, FO).reviewed_at == NOW + DAY
    assert confirm_all(later + 2 * DAY, 2)
    assert not mails(harness, "review")[1:]


def test_a_list_that_has_changed_since_it_was_shown_is_not_confirmed_and_says_so(harness: Harness, app: Flask) -> None:
    chief, employee, other = harness.people("aino", "bertil", "cecilia")
    browser, users = sign_in(harness, app, chief), f"/companies/{harness.key()}/users"

    def changed_by(change: Callable[[], object]) -> bool:
        text = browser.get(users).text
        shown = re.findall(r'name="shown" value="([^"]*)"', text)[0]
        change()
        answer = browser.post(f"{users}/confirmed", {"after": "", "shown": shown})
        return (answer.status_code, "The list has changed" in answer.text) == (409, True)

    assert changed_by(lambda: harness.give(employee, contracts="read"))
    assert changed_by(lambda: share(harness, chief, other, invoices="read"))
    assert changed_by(lambda: harness.join(harness.person("daniel")))
    assert changed_by(lambda: remove(harness, chief, employee))
    assert records(harness, "rights_reviewed") == []
    assert not changed_by(lambda: None)
    assert len(records(harness, "rights_reviewed")) == 1
