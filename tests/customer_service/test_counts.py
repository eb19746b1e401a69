"""What the second port counts of sign-ins: those that were begun, and how each ended."""

from __future__ import annotations

import re

from tests.harness.customer_service import MAIJA, OILI, StaffHarness

NONE = {"started": 0, "signed_in": 0, "provider_unavailable": 0, "not_signed_in": 0, "lost_attempt": 0}


def counted(staff: StaffHarness) -> dict[str, int]:
    """The sign-ins of the process, by outcome; `started`: that were sent to the provider."""
    text = staff.site.extensions["operations"].test_client().get("/metrics").text
    (started,) = re.findall(r"(?m)^tunnus_staff_sign_ins_started_total (\d+)\.0$", text)
    ended = re.findall(r'(?m)^tunnus_staff_sign_ins_total\{outcome="(\w+)"\} (\d+)\.0$', text)
    return {"started": int(started)} | {outcome: int(count) for outcome, count in ended}


def test_every_outcome_is_counted_from_nothing(staff: StaffHarness) -> None:
    assert counted(staff) == NONE


def test_who_signs_in_is_counted_with_a_role_or_without(staff: StaffHarness) -> None:
    for person in (MAIJA, OILI):
        staff.staff(person)
    assert counted(staff) == NONE | {"started": 2, "signed_in": 2}


def test_an_answer_that_is_refused_and_one_that_nobody_waits_for_are_counted(staff: StaffHarness) -> None:
    browser = staff.browser()
    answer = browser.answered(MAIJA)
    browser.get(answer.replace("code=", "error=access_denied&was="))
    browser.get(answer)
    assert counted(staff) == NONE | {"started": 1, "not_signed_in": 1, "lost_attempt": 1}


def test_a_provider_that_cannot_be_reached_is_counted_before_a_sign_in_and_at_its_end(staff: StaffHarness) -> None:
    staff.open_site(lambda config: config["sign_in"].update(back_url="http://127.0.0.1:9"))
    assert staff.browser().get("/service/sign-in").status == 503
    assert counted(staff) == NONE | {"provider_unavailable": 1}

    site = staff.open_site()
    browser = staff.browser()
    answer = browser.answered(MAIJA)
    provider = site.extensions["customer_service"].provider
    provider.metadata()["token_endpoint"] = "http://127.0.0.1:9/token"
    assert browser.get(answer).title == "Your employer's sign-in service does not answer"
    assert counted(staff) == NONE | {"started": 1, "provider_unavailable": 1}
