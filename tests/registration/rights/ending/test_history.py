"""A person's own history."""

from __future__ import annotations

from flask import Flask

from registration import audit
from registration.pages.texts import EVENT_NAMES
from tests.harness.registration_ending import chain, remove
from tests.harness.registration_rights import NOW, Harness, sign_in


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
