"""Steps 3 to 4: all of it once more, then one transaction: account, right, outbox entry and audit record."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Transaction

from kit import logs
from registration import audit, cases
from registration.accounts import limits, sessions
from registration.accounts.choosing import Later, refuse_many
from registration.accounts.names import user_name_key
from registration.accounts.sessions import BY_ID, SESSIONS
from registration.cases import authority
from registration.customer_register import Customer
from registration.database.connection import insert_or_leave, new_id
from registration.database.models import Account, Company, CustomerNumber, Representation
from registration.flow import confirmation, drafts
from registration.flow.checks import Checked, Try
from registration.flow.company_check import Check
from registration.flow.form import DETAILS
from registration.flow.identified import Identified, identified_only
from registration.mail import outbox
from registration.pages.forms import ConfirmForm
from registration.service import Service

LONGEST_NAME = 255
MOST_TAKEN = 10
"""User names a day that a person may find to be taken already."""
_NUMBER = select(func.min(CustomerNumber.customer_number)).where(
    CustomerNumber.account_id == Representation.account_id,
    CustomerNumber.fo_nummer == Representation.fo_nummer,
    CustomerNumber.suspended_at.is_(None),
)
_FIRST_RIGHT = (
    BY_ID.add_columns(
        Account.email, Representation.administrator, Company.name, _NUMBER.scalar_subquery().label("customer_number")
    )
    .select_from(
        SESSIONS.outerjoin(Account, Account.id == SESSIONS.c.account_id)
        .outerjoin(Representation, Representation.account_id == Account.id)
        .outerjoin(Company, Company.fo_nummer == Representation.fo_nummer)
    )
    .order_by(Representation.since, Company.name)
    .limit(1)
)
"""With the session, whom it is signed in to, and the oldest right of theirs."""


def create_blueprint(service: Service) -> Blueprint:
    """`/review`, `/done`, `/done/stay`."""
    blueprint = Blueprint("send", __name__)

    @blueprint.get("/review")
    @identified_only(service)
    def show_review(found: Identified) -> ResponseReturnValue:
        if not may_be_sent(service, found.draft):
            return redirect("/form", 303)
        return service.pages.show("review.html", form=ConfirmForm(), draft=found.draft)

    @blueprint.post("/review")
    @identified_only(service)
    def send(found: Identified) -> ResponseReturnValue:
        sub, draft = found.person.sub, found.draft
        if not may_be_sent(service, draft):
            return redirect("/form", 303)
        if not ConfirmForm().validate():
            return redirect("/review", 303)  # another tab has begun a new session: all of it is shown once more
        tried = Try(service, sub, *(draft[name] for name in DETAILS))
        taken = service.keys.keyed_digest("taken", sub)
        try:
            with service.database.write() as transaction:
                reached = refuse_many(transaction, service, sub, tried.counted)  # each asks PRH, and may be audited
                tried.looked(transaction, reached)
                names = limits.taken(transaction, taken, service.now)
        except Later:
            return redirect("/problem/too_many_forms", 303)
        checked, check = tried.ask(), None
        if checked.customer is not None:
            check = service.company_check.check_company(draft["fo_nummer"])
            if not check.stops and names < MOST_TAKEN:
                return _register(service, found, tried, taken, checked.customer, check)
        with service.database.write() as transaction:
            return _refuse(transaction, service, found, tried, checked, check)

    @blueprint.get("/done")
    def show_done() -> ResponseReturnValue:
        return done_page(service.settings.rules.continue_after)

    @blueprint.get("/done/stay")
    def stay() -> ResponseReturnValue:
        return done_page(0)

    def done_page(continue_after: int) -> ResponseReturnValue:
        """continue_after: seconds until it leads on by itself, 0 for never."""
        _, first = sessions.find(service, _FIRST_RIGHT) or (None, None)
        if first is None or first.email is None:
            return service.pages.problem("identify_first")
        if first.administrator is None:
            with service.database.read() as transaction:
                asked = cases.cases_of(transaction, account_id=first.account_id)
            return redirect(f"/requests/{asked[0].id}" if asked else "/rights", 303)
        page = service.pages.show(
            "done.html",
            continue_after=continue_after,
            email_address=first.email,
            administrator=first.administrator,
            company_name=first.name,
            customer_number=first.customer_number or "",
        )
        if continue_after:
            page.headers["Refresh"] = f"{continue_after}; url={service.settings.links.online_service}"
        return page

    return blueprint


def may_be_sent(service: Service, draft: dict[str, Any]) -> bool:
    """Whether the draft has passed the form's checks, with the terms of use that are in force."""
    return bool(draft.get("checked")) and draft.get("terms_version") == service.terms.version


def _refuse(
    transaction: Transaction, service: Service, found: Identified, tried: Try, checked: Checked, check: Check | None
) -> ResponseReturnValue:
    """Keep why it is not taken. check: of the company, if the three details belong together."""
    code: str | None = checked.refused
    if code == "not_together":
        _keep_problem(transaction, service, found, code)
    elif check is not None and check.stops:
        code = f"company_{check.reason}"
        facts = {"fo_nummer": found.draft["fo_nummer"], "reason": code}
        audit.record(transaction, "refused", now=service.now, actor="nobody", **facts)
        logs.add(code=code, step="company", reason="company_check")
    elif check is not None:
        code = "too_many_names"
        logs.add(code=code, step="send", limit="names_per_person")
    tried.settle(transaction)
    return redirect("/form" if code == "not_together" else f"/problem/{code}", 303)


def _keep_problem(transaction: Transaction, service: Service, found: Identified, problem: str) -> None:
    """Let the form say what is wrong; it has to be sent again."""
    drafts.save(transaction, service, found.person.sub, {**found.draft, "checked": False, "problem": problem})


def _register(
    service: Service, found: Identified, tried: Try, taken: str, customer: Customer, check: Check
) -> ResponseReturnValue:
    """Make the account, or none of it. Sent twice at the same moment, it is made once.

    taken: what a user name that is another's is counted by.
    """
    account, sub, now = _account(service, found), found.person.sub, service.now
    try:
        with service.database.write() as transaction:
            columns = {name: value for name, value in vars(account).items() if name in Account.__table__.c}
            insert_or_leave(transaction, Account, **columns)
            administrator, case = authority.ask(transaction, account, customer, service.settings.rules, now)
            told = {"company_check": check.state, "terms": account.terms_version}
            told["administrator"] = "yes" if administrator else "no"
            told |= {"waits_for": case.way} if case is not None else {}
            ids = {"actor": account.id, "subject": account.id, "fo_nummer": customer.fo_nummer}
            audit.record(transaction, "registered", now=now, **ids, **told)
            drafts.drop(transaction, sub)
            sessions.attach_account(transaction, found.session, account)
            tried.settle(transaction)
            if confirmation.may_be_written_to(transaction, service, account.email) is None:
                words = {"company": customer.company_name, "fo_nummer": customer.fo_nummer}
                outbox.notify(transaction, account, outbox.CONFIRMATION, now, **words)
            else:  # they can ask for the link later, from the page of their rights
                outbox.note_not_told(transaction, account.id, outbox.CONFIRMATION, now, reason="too_many")
    except IntegrityError:
        return _refuse_taken(service, found, tried, taken)
    logs.add(outcome="registered", account=account.id)
    return redirect("/done", 303)


def _refuse_taken(service: Service, found: Identified, tried: Try, taken: str) -> ResponseReturnValue:
    """The person has an account since, or another has their user name: that is counted, and goes back to the form."""
    with service.database.write() as transaction:
        already = transaction.scalar(select(Account.id).where(Account.sub == found.person.sub)) is not None
        if not already:
            logs.add(code="user_name_taken", step="send")
            _keep_problem(transaction, service, found, "taken")
        tried.settle(transaction)
        if not already:
            limits.take(transaction, {taken: limits.Limit(MOST_TAKEN, limits.DAY)}, service.now)
    return redirect("/form", 303)  # which leads to "done", or says that there is an account already


def _account(service: Service, found: Identified) -> Account:
    now, person, draft = service.now, found.person, found.draft
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
