"""What is done now and then: what has expired is deleted (docs/privacy.md), the end of the audit trail is told."""

from __future__ import annotations

import logging

from sqlalchemy import delete, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from kit import logs
from registration.audit import chain
from registration.cases import KEPT
from registration.database.models import Attempt, CallerCheck, Case, Draft, Session, StaffAct, Tries, UsedAssertion
from registration.service import Service

log = logging.getLogger("tunnus.registration")


def tidy(service: Service) -> None:
    """Delete what has expired, and cases that were decided a year ago.

    A database that is away is for later. A row that somebody is at work on is left for the next time: to wait for it
    could be to wait for each other.
    """
    now = service.now
    expired = (
        Attempt.expires_at,
        CallerCheck.expires_at,
        Draft.expires_at,
        Session.expires_at,
        StaffAct.expires_at,
        Tries.until,
        UsedAssertion.expires_at,
    )
    ends = [*((column, now) for column in expired), (Case.decided_at, now - KEPT)]
    try:
        with service.database.write() as transaction:
            for column, before in ends:
                (key,) = inspect(column.class_).primary_key
                free = select(key).where(column <= before).with_for_update(skip_locked=True)
                transaction.execute(delete(column.class_).where(key.in_(free)))
    except SQLAlchemyError as error:
        log.warning("not tidied", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})


def tell_head(service: Service) -> None:
    """Put the end of the audit trail into the log, and on its way to the collector. One that is away is for later."""
    try:
        with service.database.read() as transaction:
            head = chain.last(transaction)
    except SQLAlchemyError as error:
        log.warning("no head", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})
        return
    if head.seq:
        log.info("audit_head", extra={"file": head.file, "seq": head.seq, "head": head.hash})
        service.heads.offer(head)
