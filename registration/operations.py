"""What registration's second port tells: whether it can work, and what the operator counts."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from kit import logs
from kit.serving.operations import Check, RequestMetrics
from kit.status.operations import create_service_operations
from kit.status.page import Used
from registration import webhooks
from registration.accounts.limits import taken
from registration.database.models import Account, OutboxEntry
from registration.flow.start import all_starts
from registration.service import Service

MAIL_LATE = 3600
"""Seconds after which an e-mail that waits is a reason to look at the mail server."""
LIMITS = (
    "starts_per_address",
    "starts_in_all",
    "tries_per_person",
    "tries_per_customer_number",
    "confirmations_per_mail_address",
    "new_links",
    "codes_per_request",
    "forms_per_person",
    "names_per_person",
    "shares_per_account",
    "caller_codes",
    "sign_ins_per_address",
    "sign_ins_per_user_name",
    "passwords_at_once",
    "broker_calls",
    "waiters",
)
"""The limits that stop a request, as its line of the log names them."""
log = logging.getLogger("tunnus.registration")


@dataclass(frozen=True, slots=True)
class Mails:
    """The outbox. retrying: tried and not taken yet. oldest: seconds that it has waited."""

    waiting: float
    retrying: float
    oldest: float


def create_app(service: Service, metrics: RequestMetrics) -> Flask:
    """The application of the second port; metrics: those that requests are counted in."""
    watch, mails = metrics.watch_number, partial(mails_of, service)
    watch("tunnus_mail_waiting", "E-mails that wait to be sent.", lambda: mails().waiting)
    watch("tunnus_mail_retrying", "Those of them that were tried and not taken.", lambda: mails().retrying)
    watch("tunnus_mail_oldest_seconds", "Since when the oldest of them waits.", lambda: mails().oldest)
    said = "Since when the oldest event that a webhook has not taken waits."
    watch("tunnus_webhook_oldest_seconds", said, lambda: _webhooks(service))
    _watch_limits(service, metrics)
    service.heads.show(metrics.registry)
    return create_service_operations(
        "Registration",
        service.settings,
        service.keys,
        service.settings.keys.rotate_every,
        service.clock,
        metrics,
        checks=lambda: _checks(service),
        used=lambda: {"Outbox": _outbox(mails())},
    )


def _outbox(mails: Mails) -> list[Used]:
    return [
        Used("e-mails that wait", mails.waiting),
        Used("of them tried in vain", mails.retrying),
        Used("minutes that the oldest has waited", mails.oldest / 60),
    ]


def _watch_limits(service: Service, metrics: RequestMetrics) -> None:
    passwords, database = service.passwords, service.database
    metrics.watch_limit("passwords_at_once", lambda: passwords.inside, passwords.room)
    metrics.watch_limit("broker_calls", lambda: service.broker_calls.taken, service.broker_calls.most)
    metrics.watch_limit("waiters", lambda: service.waiters.taken, service.waiters.most)
    metrics.watch_limit("database_connections", lambda: database.connections, database.most_connections)
    metrics.watch_limit("starts_in_all", lambda: _starts(service), service.settings.rules.starts_in_all)


def _starts(service: Service) -> float:
    try:
        id = all_starts(service)
        with service.database.read() as transaction:
            return taken(transaction, id, service.now)
    except SQLAlchemyError:
        return math.nan


def _webhooks(service: Service) -> float:
    try:
        with service.database.read() as transaction:
            return webhooks.oldest(transaction, service.settings.webhooks, service.now)
    except SQLAlchemyError:
        return math.nan


def mails_of(service: Service) -> Mails:
    """The outbox now; not a number while the database is away."""
    columns = func.count(), func.count().filter(OutboxEntry.tries > 0), func.min(OutboxEntry.created_at)
    try:
        with service.database.read() as transaction:
            count, retrying, oldest = transaction.execute(select(*columns).where(OutboxEntry.sent_at.is_(None))).one()
    except SQLAlchemyError:
        return Mails(math.nan, math.nan, math.nan)
    return Mails(count, retrying, service.now - oldest if count else 0)


def _checks(service: Service) -> Iterator[Check]:
    erasures = service.erasures.file
    if erasures is not None and not os.access(erasures, os.R_OK | os.W_OK):
        mend = "mend the file, its mode or its disk: until then nobody is removed or erased"
        yield Check("erasures", "warning", f"{erasures} cannot be written", mend)
    try:
        with service.database.read() as transaction:
            transaction.execute(select(Account.id).where(Account.id == ""))
            read_only = service.database.read_only(transaction)
    except SQLAlchemyError as error:
        log.error("database", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})
        mend = "start it, or mend the database table of the configuration"
        yield Check("database", "failed", f"cannot be used: {type(error).__name__}", mend)
        return
    if read_only is not None:
        yield Check("database", "failed", "answers, and takes nothing: it is read-only", read_only)
        return
    yield Check("database", "ok", "answers, and may be written")
    yield from service.heads.checks()
    mails = mails_of(service)
    if mails.oldest > MAIL_LATE:
        mend = "is tunnus-registration send-mail running, and does the mail server take it? Its log says"
        said = f"{mails.waiting:.0f} wait, the oldest for {mails.oldest / 60:.0f} minutes"
        yield Check("e-mail", "warning", said, mend)
    else:
        yield Check("e-mail", "ok", f"{mails.waiting:.0f} wait")
