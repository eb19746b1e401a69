"""Steps 3 to 4: all of it once more, then one transaction: account, right, outbox entry and audit record."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from kit import logs
from registration import audit, cases, rights
from registration.accounts import limits, sessions
from registration.accounts.choosing import Later, refuse_many
from registration.accounts.names import user_name_key
from registration.accounts.sessions import Person
from registration.customer_register import Customer
from registration.database.connection import new_id
from registration.database.models import Account
from registration.flow import confirmation, drafts
from registration.flow.checks import check_numbers
from registration.flow.company_check import Check
from registration.flow.form import identified
from registration.mail import outbox
from registration.pages.forms import ConfirmForm
from registration.service import Service

LONGEST_NAME = 255
MOST_TAKEN = 10
"""User names a day that a person may find to be taken already."""


def create_blueprint(service: Service) -> Blueprint:
    """`/review`, `/done`, `/done/stay`."""
    blueprint = Blueprint("send", __name__)

    @blueprint.get("/review")
    def show_review() -> ResponseReturnValue:
        person = identified(service)
        if not isinstance(person, Person):
            return person
        draft = drafts.load(service, person.sub)
        if not may_be_sent(service, draft):
            return redirect("/form", 303)
        return service.pages.show("review.html", form=ConfirmForm(), draft=draft)

    @blueprint.post("/review")
    def send() -> ResponseReturnValue:
        person = identified(service)
        if not isinstance(person, Person):
            return person
        draft = drafts.load(service, person.sub)
        if not may_be_sent(service, draft):
            return redirect("/form", 303)
        if not ConfirmForm().validate():
            return redirect("/review", 303)  # another tab has begun a new session: all of it is shown once more
        try:
            refuse_many(service, person.sub)  # each asks PRH, and may stand in the audit trail
        except Later:
            return redirect("/problem/too_many_forms", 303)
        checked = check_numbers(
            service, person.sub, draft["customer_number"], draft["fo_nummer"], draft["company_name"]
        )
        if checked.refused == "not_together":
            return _back(service, person, draft, problem="not_together")
        if checked.customer is None:
            return redirect(f"/problem/{checked.refused}", 303)
        check = service.company_check.check_company(draft["fo_nummer"])
        if check.stops:
            return _refuse_company(service, draft, check)
        return _register(service, person, draft, checked.customer, check)

    @blueprint.get("/done")
    def show_done() -> ResponseReturnValue:
        return done_page(service.settings.rules.continue_after)

    @blueprint.get("/done/stay")
    def stay() -> ResponseReturnValue:
        return done_page(0)

    def done_page(continue_after: int) -> ResponseReturnValue:
        """continue_after: seconds until it leads on by itself, 0 for never."""
        found = sessions.signed_in_account(service)
        if found is None:
            return service.pages.problem("identify_first")
        _, account = found
        with service.database.read() as transaction:
            first = min(rights.rights_of(transaction, account.id), key=lambda right: right.since, default=None)
            asked = cases.cases_of(transaction, account_id=account.id)
        if first is None:
            return redirect(f"/requests/{asked[0].id}" if asked else "/rights", 303)
        page = service.pages.show(
            "done.html",
            continue_after=continue_after,
            email_address=account.email,
            administrator=first.administrator,
            company_name=first.name,
            customer_number=first.customer_numbers[0] if first.customer_numbers else "",
        )
        if continue_after:
            page.headers["Refresh"] = f"{continue_after}; url={service.settings.links.online_service}"
        return page

    return blueprint


def may_be_sent(service: Service, draft: dict[str, Any]) -> bool:
    """Whether the draft has passed the form's checks, with the terms of use that are in force."""
    return bool(draft.get("checked")) and draft.get("terms_version") == service.terms.version


def _back(service: Service, person: Person, draft: dict[str, Any], **more: Any) -> ResponseReturnValue:
    drafts.save(service, person.sub, {**draft, "checked": False, **more})
    return redirect("/form", 303)


def _refuse_company(service: Service, draft: dict[str, Any], check: Check) -> ResponseReturnValue:
    reason = "bankrupt" if check.reason == "bankrupt" else "ended"
    with service.database.write() as transaction:
        audit.record(
            transaction,
            "refused",
            now=service.now,
            actor="nobody",
            fo_nummer=draft["fo_nummer"],
            reason=f"company_{reason}",
        )
    logs.add(code=f"company_{reason}", step="company", reason="company_check")
    return redirect(f"/problem/company_{reason}", 303)


def _register(
    service: Service, person: Person, draft: dict[str, Any], customer: Customer, check: Check
) -> ResponseReturnValue:
    """Make the account, or none of it. Sent twice at the same moment, it is made once."""
    now, taken = service.now, service.keys.keyed_digest("taken", person.sub)
    if limits.is_reached(service.database, taken, MOST_TAKEN, now):
        logs.add(code="too_many_names", step="send", limit="names_per_person")
        return redirect("/problem/too_many_names", 303)
    account = _account(service, person, draft)
    session = sessions.current(service)
    may_be_written_to = confirmation.may_be_written_to(service, account.email) is None
    try:
        with service.database.write() as transaction:
            transaction.add(account)
            transaction.flush()
            company = customer.fo_nummer
            case = cases.ask(transaction, account, customer, service.settings.rules, now)
            administrator = any(right.administrator for right in rights.rights_of(transaction, account.id))
            if may_be_written_to:
                words = {"company": customer.company_name, "fo_nummer": company}
                outbox.notify(transaction, account, outbox.CONFIRMATION, now, **words)
            else:  # they can ask for the link later, from the page of their rights
                outbox.note_not_told(transaction, account, outbox.CONFIRMATION, now, reason="too_many")
            told = {"company_check": check.state, "terms": account.terms_version}
            told["administrator"] = "yes" if administrator else "no"
            told |= {"waits_for": case.way} if case is not None else {}
            audit.record(
                transaction, "registered", now=now, actor=account.id, subject=account.id, fo_nummer=company, **told
            )
            drafts.drop(transaction, person.sub)
            sessions.attach_account(transaction, session, account)
    except IntegrityError:
        if may_be_written_to:
            confirmation.not_written_to(service, account.email)
        with service.database.read() as transaction:
            already = transaction.scalar(select(Account.id).where(Account.sub == person.sub))
        if already is not None:
            return redirect("/form", 303)  # which leads to "done", or says that there is an account already
        logs.add(code="user_name_taken", step="send")
        limits.take(service.database, taken, MOST_TAKEN, limits.DAY, now)
        return _back(service, person, draft, problem="taken")
    logs.add(outcome="registered", account=account.id)
    return redirect("/done", 303)


def _account(service: Service, person: Person, draft: dict[str, Any]) -> Account:
    now = service.now
    return Account(
        id=new_id(),
        sub=person.sub,
        user_name=draft["user_name"],
        user_name_key=user_name_key(draft["user_name"]),
        password_hash=draft["password_hash"],
        given_name=(person.given_name or draft.get("given_name", ""))[:LONGEST_NAME],
        family_name=(person.family_name or draft.get("family_name", ""))[:LONGEST_NAME],
        email=draft["email"],
        email_confirmed_at=None,
        locale=service.pages.locale(),
        terms_version=draft["terms_version"],
        terms_accepted_at=now,
        created_at=now,
        password_changed_at=now,
    )
