"""Deleting what has expired: docs/privacy.md says for how long each thing is kept."""

from __future__ import annotations

import logging

from sqlalchemy import delete, inspect, select
from sqlalchemy.exc import SQLAlchemyError

from kit import logs
from registration.database.models import Attempt, Draft, Session, Tries, UsedAssertion
from registration.service import Service

log = logging.getLogger("tunnus.registration")


def tidy(service: Service) -> None:
    """Delete expired attempts, drafts, sessions, tries and used assertions. A database that is away is for later.

    A row that somebody is at work on is left for the next time: to wait for it could be to wait for each other.
    """
    now = service.now
    expired = (Attempt.expires_at, Draft.expires_at, Session.expires_at, Tries.until, UsedAssertion.expires_at)
    try:
        with service.database.write() as transaction:
            for column in expired:
                (key,) = inspect(column.class_).primary_key
                free = select(key).where(column <= now).with_for_update(skip_locked=True)
                transaction.execute(delete(column.class_).where(key.in_(free)))
    except SQLAlchemyError as error:
        log.warning("not tidied", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})
