"""What ends by time: rights with a date, those that hang on a customer number that is gone; and the yearly review."""

from __future__ import annotations

import logging
import time
from collections import defaultdict

from sqlalchemy import delete, func, or_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session as Transaction

from kit import logs
from kit.typed_text import end_of_day
from registration import audit
from registration.accounts.limits import DAY
from registration.backup.erasure_list import Erasure, ErasureNotKept
from registration.customer_register import Customer, RegisterUnavailable
from registration.database.models import Account, Company, CustomerNumber, NumberStatus, Representation, Share
from registration.mail import outbox
from registration.rights.changes import tell_administrators, words_of
from registration.rights.ending import end, end_given, end_share
from registration.rights.lookup import locked_company, representation_in
from registration.service import Service

log = logging.getLogger("tunnus.registration")
AT_ONCE = 100
"""Rights, numbers of a company, or companies, in one round."""
MOST_SECONDS = 5.0
"""That a round asks the customer register."""
MOST_NUMBERS = 20
"""Customer numbers that an e-mail names."""


def end_due(service: Service) -> None:
    """A round of all of it; what cannot be done now is for the next one."""
    for work in (_end_rights, _end_shares, _ask_register, _ask_for_reviews):
        try:
            work(service)
        except (SQLAlchemyError, ErasureNotKept) as error:
            log.warning("not ended", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})


def _end_rights(service: Service) -> None:
    now = service.now
    due = Representation.ends_at <= now, Representation.administrator.is_(False)
    with service.database.read() as tx:
        wanted = select(Representation.account_id, Company.key).join(Representation.company).where(*due).limit(AT_ONCE)
        found = tx.execute(wanted).all()
    for account_id, key in found:
        with service.database.write() as tx:
            company = locked_company(tx, key)
            row = representation_in(tx, company, account_id)
            if row is None or row.ends_at is None or row.ends_at > now or row.administrator:
                continue  # changed meanwhile
            given = end_given(tx, row, actor="nobody", now=now, leaving=True)
            end(tx, row, "right_ended", actor="nobody", now=now, because="date")
            tx.flush()
            for id in (account_id, *given):
                service.erasures.add(Erasure(now, account=id, company=key))


def _end_shares(service: Service) -> None:
    now = service.now
    with service.database.read() as tx:
        wanted = select(Share.id, Company.key).join(Company, Company.fo_nummer == Share.fo_nummer)
        found = tx.execute(wanted.where(Share.ends_at <= now).limit(AT_ONCE)).all()
    for id, key in found:
        with service.database.write() as tx:
            locked_company(tx, key)
            share = tx.get(Share, id)
            if share is not None and share.ends_at is not None and share.ends_at <= now:  # else changed meanwhile
                end_share(tx, share, actor="nobody", now=now, because="date")
                tx.flush()
                service.erasures.add(Erasure(now, account=id, company=key))


def _ask_register(service: Service) -> None:
    """Ask for customer numbers, a company's at a time: each once a day, and when it is to be suspended."""
    now, until = service.now, time.monotonic() + MOST_SECONDS
    due = or_(NumberStatus.checked_at <= now - DAY, NumberStatus.ends_at.between(NumberStatus.checked_at + 1, now))
    while time.monotonic() < until:
        with service.database.read() as tx:
            company = select(NumberStatus.fo_nummer).where(due).order_by(NumberStatus.checked_at).limit(1)
            of_one = select(NumberStatus).where(due, NumberStatus.fo_nummer == company.scalar_subquery())
            rows = tx.scalars(of_one.limit(AT_ONCE)).all()
        answers: dict[str, Customer | RegisterUnavailable | None] = {}
        for row in rows:
            try:
                answers[row.customer_number] = service.register.find(row.customer_number, row.fo_nummer)
            except RegisterUnavailable as error:  # this number tomorrow, so that it does not hold up all
                log.warning("not asked", extra={"reason": "the customer register cannot be reached"})
                answers[row.customer_number], until = error, 0.0
                break
        if not rows:
            return
        with service.database.write() as tx:
            _note(tx, service, tx.get_one(Company, rows[0].fo_nummer, with_for_update=True), answers)


def _note(
    tx: Transaction, service: Service, company: Company, answers: dict[str, Customer | RegisterUnavailable | None]
) -> None:
    """Note what the register has said of a company's numbers, and tell whoever sees those that end or are back."""
    now, grace = service.now, service.settings.rules.number_grace_days * DAY
    changed: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    of_company, theirs = (table.fo_nummer == company.fo_nummer for table in (NumberStatus, CustomerNumber))
    held = select(CustomerNumber.customer_number).where(theirs)
    tx.execute(delete(NumberStatus).where(of_company, NumberStatus.customer_number.not_in(held)))
    for row in tx.scalars(select(NumberStatus).where(of_company, NumberStatus.customer_number.in_(answers))).all():
        answer, before, row.checked_at = answers[row.customer_number], row.ends_at, now
        if isinstance(answer, RegisterUnavailable):
            continue
        if answer is None:
            row.ends_at = before or (now + grace if row.known else None)
        else:
            ends = end_of_day(answer.contract_ends) if answer.contract_ends else None
            row.known, row.ends_at = True, ends if ends is not None and ends <= now + grace else None
        if row.ends_at is not None and before is None:
            changed["numbers_ending", row.ends_at].append(row.customer_number)
        if (gone := row.ends_at is not None and row.ends_at <= now) != (row.suspended_at is not None):
            changed["numbers_suspended" if gone else "numbers_back", now].append(row.customer_number)
            row.suspended_at = now if gone else None
    for (event, at), numbers in changed.items():
        audit.record(tx, event, now=now, actor="nobody", fo_nummer=company.fo_nummer, numbers=" ".join(numbers))
        if event in outbox.KINDS:
            said = ", ".join(numbers[:MOST_NUMBERS]) + (" …" if len(numbers) > MOST_NUMBERS else "")
            holders = select(CustomerNumber.account_id).where(theirs, CustomerNumber.customer_number.in_(numbers))
            for account in tx.scalars(select(Account).where(Account.id.in_(holders))).all():
                outbox.notify(tx, account, event, now, **words_of(company), numbers=said, ends_at=str(at))


def _ask_for_reviews(service: Service) -> None:
    now, days = service.now, service.settings.rules.review_days
    if not days:
        return
    last = func.coalesce(Company.review_asked_at, Company.founded_at)
    due = select(Company).where(last <= now - days * DAY).limit(AT_ONCE)
    with service.database.write() as tx:
        for company in tx.scalars(due.with_for_update(skip_locked=True)).all():
            company.review_asked_at = now
            tell_administrators(tx, None, company.fo_nummer, "review", now)
