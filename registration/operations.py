"""What registration's second port tells: whether it can work, and what the operator counts."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator

from flask import Flask
from prometheus_client import Gauge
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from kit import logs
from kit.keys.checks import check_folder
from kit.keys.watch import ages
from kit.serving.operations import Check, RequestMetrics, create_operations_app
from registration.database.models import Account, OutboxEntry
from registration.service import Service

MAIL_LATE = 3600
"""Seconds after which an e-mail that waits is a reason to look at the mail server."""
log = logging.getLogger("tunnus.registration")


def create_app(service: Service, metrics: RequestMetrics) -> Flask:
    """The application of the second port; metrics: those that requests are counted in."""
    watched = (
        ("tunnus_mail_waiting", "E-mails that wait to be sent.", lambda: _mail(service)[0]),
        ("tunnus_mail_oldest_seconds", "Since when the oldest of them waits.", lambda: _mail(service)[1]),
        ("tunnus_passwords_hashing", "Passwords being hashed, or waiting for it.", lambda: service.passwords.inside),
    )
    for name, said, value in watched:
        Gauge(name, said, registry=metrics.registry).set_function(value)
    service.heads.show(metrics.registry)
    metrics.watch_keys(lambda: ages(service.keys.status(), service.settings.keys.rotate_every, service.now))
    return create_operations_app(lambda: _checks(service), metrics)


def _mail(service: Service) -> tuple[float, float]:
    """How many e-mails wait, and for how many seconds the oldest does; not a number while the database is away."""
    waiting = select(func.count(), func.min(OutboxEntry.created_at)).where(OutboxEntry.sent_at.is_(None))
    try:
        with service.database.read() as transaction:
            count, oldest = transaction.execute(waiting).one()
    except SQLAlchemyError:
        return math.nan, math.nan
    return float(count), float(service.now - oldest) if count else 0.0


def _checks(service: Service) -> Iterator[Check]:
    yield Check("configuration", "ok", f"environment {service.settings.environment}")
    yield from check_folder(service.keys, service.now, service.settings.keys.rotate_every, "tunnus-registration keys")
    erasures = service.erasures.file
    if erasures is not None and not os.access(erasures, os.R_OK | os.W_OK):
        mend = "mend the file, its mode or its disk: until then nobody is removed or erased"
        yield Check("erasures", "warning", f"{erasures} cannot be written", mend)
    try:
        with service.database.read() as transaction:
            transaction.execute(select(Account.id).where(Account.id == ""))
    except SQLAlchemyError as error:
        log.error("database", extra={"reason": type(error).__name__, "place": logs.raised_at(error)})
        mend = "start it, or mend the database table of the configuration"
        yield Check("database", "failed", f"cannot be used: {type(error).__name__}", mend)
        return
    yield Check("database", "ok", "answers")
    yield from service.heads.checks()
    waiting, oldest = _mail(service)
    if oldest > MAIL_LATE:
        mend = "is tunnus-registration send-mail running, and does the mail server take it? Its log says"
        yield Check("e-mail", "warning", f"{waiting:.0f} wait, the oldest for {oldest / 60:.0f} minutes", mend)
    else:
        yield Check("e-mail", "ok", f"{waiting:.0f} wait")
