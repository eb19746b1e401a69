"""The acts."""

from __future__ import annotations

from typing import Any

from customer_service.acts import forms
from customer_service.acts.forms import numbers_in
from customer_service.acts.model import Act, Arguments, Subject
from customer_service.sign_in.sessions import Staff
from kit.pages.languages import N_
from kit.rights import SECTIONS


def _person(subject: Subject) -> Arguments:
    assert subject.person is not None  # noqa: S101 - the views of a person's acts have asked for it
    return {"account_id": subject.person.account_id}


def _right(subject: Subject) -> Arguments:
    assert subject.right is not None  # noqa: S101 - as above
    return _person(subject) | {"company": subject.right.key}


def _levels(form: Any, staff: Staff) -> Arguments:
    """An administrator has every section with write, so no level is sent; only a supervisor makes one."""
    if form.administrator.data and staff.supervises:
        return {"administrator": True}
    return {"levels": {section: form[section].data for section in SECTIONS}}


def _grant(form: Any, subject: Subject, staff: Staff) -> Arguments:
    asked = _person(subject) | {"fo_nummer": form.fo_nummer.data, "customer_numbers": _numbers(form)}
    if form.company_name.data:
        asked["company_name"] = form.company_name.data
    return asked | _levels(form, staff)


def _numbers(form: Any) -> list[str]:
    return numbers_in(form.customer_numbers.data)


def _revoke(form: Any, subject: Subject, _staff: Staff) -> Arguments:
    asked = _right(subject)
    if numbers := _numbers(form):
        asked["customer_numbers"] = numbers
    if form.leave_without_administrator.data:
        asked["leave_without_administrator"] = True
    return asked


def _relink(form: Any, subject: Subject, _staff: Staff) -> Arguments:
    asked = _person(subject) | {"code": form.code.data}
    if form.name_changed_to.data:
        asked["name_changed_to"] = form.name_changed_to.data
    return asked


def _case(form: Any, subject: Subject, _staff: Staff) -> Arguments:
    assert subject.case is not None  # noqa: S101 - as above
    asked = {"case": subject.case.id, "decision": form.decision.data}
    ending = form.ending.data if form.decision.data == "grant" else None
    return asked | ({"ending": ending} if ending else {})


def _held(subject: Subject) -> Arguments:
    assert subject.right is not None  # noqa: S101 - as above
    return {"administrator": subject.right.administrator, **subject.right.levels}


_NUMBERS = {"not_together": "customer_numbers", "number_needed": "customer_numbers"}
_COMPANY = {"unknown_company": "fo_nummer", "first_is_administrator": "fo_nummer"}

GRANT = Act(
    "grant",
    "grant",
    N_("Give access rights"),
    N_("The person can then see the data of one more company. We tell them by e-mail."),
    forms.GrantForm,
    arguments=_grant,
    errors=_NUMBERS | _COMPANY,
)
NUMBERS = Act(
    "numbers",
    "grant",
    N_("Add customer numbers"),
    N_("The person keeps the customer numbers and access rights they have. We tell them by e-mail."),
    forms.NumbersForm,
    of_company=True,
    arguments=lambda form, subject, _staff: _right(subject) | {"customer_numbers": _numbers(form)},
    errors=_NUMBERS,
)
RIGHTS = Act(
    "rights",
    "grant",
    N_("Change access rights"),
    N_("We tell the person by e-mail."),
    forms.RightsForm,
    of_company=True,
    arguments=lambda form, subject, staff: _right(subject) | _levels(form, staff),
    initial=_held,
)
REVOKE = Act(
    "revoke",
    "revoke",
    N_("End access rights"),
    N_("The person can then no longer see the data. We tell them by e-mail. They keep their username."),
    forms.RevokeForm,
    of_company=True,
    danger=True,
    arguments=_revoke,
    errors={
        "last_administrator": "leave_without_administrator",
        "unknown_number": "customer_numbers",
        "last_number": "customer_numbers",
    },
)
CONFIRMATION = Act(
    "confirmation",
    "confirmation",
    N_("Send the confirmation again"),
    N_("The person gets a new link by e-mail, with which they confirm their address."),
    forms.ActForm,
    arguments=lambda _form, subject, _staff: _person(subject),
)
END_SESSIONS = Act(
    "end-sessions",
    "end_sessions",
    N_("Sign the person out everywhere"),
    N_("They have to sign in again in every browser."),
    forms.ActForm,
    danger=True,
    arguments=lambda _form, subject, _staff: _person(subject),
)
RELINK = Act(
    "relink",
    "relink",
    N_("Join the account to a new identity"),
    N_("For a person whose personal identity code has changed. First make sure who you are talking to."),
    forms.RelinkForm,
    needs="supervise",
    danger=True,
    arguments=_relink,
    errors={"unknown_code": "code", "has_account": "code", "other_name": "name_changed_to"},
)
DECIDE_CASE = Act(
    "decide",
    "decide",
    N_("Decide the case"),
    N_("The person is told by e-mail, and so are the company's administrators."),
    forms.DecideCaseForm,
    arguments=_case,
    errors={"last_administrator": "ending"},
)
DECIDE_ACT = Act(
    "decide-act",
    "",
    N_("Confirm or refuse"),
    N_("Another member of staff has asked for this. You decide whether it is done."),
    forms.DecideActForm,
    needs="supervise",
    arguments=lambda form, _subject, _staff: {"decision": form.decision.data},
)

OF_PERSON = {act.name: act for act in (GRANT, NUMBERS, RIGHTS, REVOKE, CONFIRMATION, END_SESSIONS, RELINK)}
"""Those that a person's page leads to, by name."""
