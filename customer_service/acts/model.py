"""An act, whom it is about, and a draft of one."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from customer_service.access import Needs
from customer_service.acts.forms import ActForm
from customer_service.answers import Case, CompanyUser, Person, PersonsRight, WaitingAct
from customer_service.sign_in.sessions import Staff

Arguments = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an act is about, as registration has just told. path: of its form. back: the page to go on to.

    administrators: of the company of a disputed case.
    """

    path: str
    back: str
    person: Person | None = None
    right: PersonsRight | None = None
    case: Case | None = None
    waiting: WaitingAct | None = None
    administrators: tuple[CompanyUser, ...] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """What customer service may do. name: in addresses. api: registration's name of it.

    title, lead, button: msgids. arguments: of the form and the subject, for registration. errors: the field that a
    refusal's code is about. of_company: it is about a person's right in a company. initial: what a form starts with.
    """

    name: str
    api: str
    title: str
    lead: str
    form: type[ActForm]
    needs: Needs = "act"
    of_company: bool = False
    danger: bool = False
    arguments: Callable[[Any, Subject, Staff], Arguments] = lambda form, subject, staff: {}
    initial: Callable[[Subject], Arguments] = lambda subject: {}
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Draft:
    """An act that was filled in and waits on the page that asks whether to do it.

    typed: the form's fields, to fill it again. asked: what is sent. request_id stands in it, so that what is sent
    twice is done once.
    """

    act: Act
    subject: Subject
    typed: Arguments
    asked: Arguments

    @property
    def shown(self) -> Arguments:
        """What is sent, but for what stands above it on the page; people by their names."""
        names = {one.account_id: f"{one.given_name} {one.family_name}" for one in self.subject.administrators}
        told = {name: value for name, value in self.asked.items() if name not in ("act", "request_id")}
        return told | ({"ending": [names.get(id, id) for id in told["ending"]]} if "ending" in told else {})


def draft_of(act: Act, form: ActForm, subject: Subject, staff: Staff) -> Draft:
    """A draft of a form that holds. Of one, whatever becomes of it, there is one request."""
    why = {"reason": form.reason.data, "text": form.text.data}
    asked = {"act": act.api, **act.arguments(form, subject, staff), **why, "request_id": str(uuid.uuid4())}
    typed = {one.name: one.data for one in form if one.name != "csrf_token"}
    return Draft(act, subject, typed, asked)
