"""A share: whom it goes to, who is told, and its last day."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from kit.typed_text import end_of_day
from registration.accounts.limits import DAY
from registration.rights import changes
from registration.service import Service
from tests.harness.registration_ending import chain, held_by, records, share
from tests.harness.registration_rights import NONE, NOW, READER, Harness, sign_in


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
        changes.appoint(tx, chief, harness.key(), further.id, NOW)
    pass_time(NOW + 2 * DAY)
    assert held_by(harness, guest, further) == [employee.id, chief.id]


def test_a_last_day_is_in_the_future(harness: Harness, app: Flask) -> None:
    chief, _, guest, _ = chain(harness)
    path = f"/companies/{harness.key()}/share"
    fields = {"user_name": "cecilia", "email": "cecilia@example.com"} | READER
    browser = sign_in(harness, app, chief)
    for date in ("2020-01-01", "x"):
        answer = browser.post(path, fields | {"invoices": "read", "ends": date})
        assert (answer.status_code, "date in the future" in answer.text) == (422, True)
    assert harness.levels(guest) == NONE | READER
    assert sign_in(harness, app, harness.person_named("bertil")).post(path, fields | {"ends": "1.2.2035"}).location
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
