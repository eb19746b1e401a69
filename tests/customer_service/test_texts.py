"""What registration names by a code has words for people."""

from __future__ import annotations

from customer_service.pages import texts
from registration.api.staff.table import REASONS
from registration.audit import EVENTS
from registration.mail import outbox
from tests.harness.customer_service import StaffHarness


def test_every_event_of_the_trail_every_mail_and_every_reason_has_words() -> None:
    assert EVENTS - texts.EVENTS.keys() == set()
    assert set(outbox.KINDS) - texts.MAILS.keys() == set()
    assert set(REASONS) == texts.REASONS.keys()


def test_every_problem_has_a_text_and_a_way_on(staff: StaffHarness) -> None:
    pages = staff.site.extensions["customer_service"].pages
    for code, problem in texts.PROBLEMS.items():
        with staff.site.test_request_context("/service", headers={"Accept-Language": "en"}):
            page = pages.problem(code)
        assert page.status_code == problem.status
        assert all(f'href="{address}"' in page.get_data(as_text=True) for _, address in problem.actions)
    module = pages._renderer.environments["en"].get_template("texts.html").make_module()
    assert module.problem_texts.keys() == texts.PROBLEMS.keys()
