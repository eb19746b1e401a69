"""`tunnus-registration send-mail`: the process that empties the outbox."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import click
from sqlalchemy.exc import OperationalError

from kit.commands import Failed
from kit.logs import configure_logging
from kit.serving.ending import Ending
from registration.cli.common import Run, command
from registration.log_fields import FIELDS
from registration.mail.sending import Mailer, clean
from registration.mail.server import Unusable
from registration.pages.rendering import Pages
from registration.webhooks import Pusher

PAUSE = 1.0
"""Seconds between two looks at an outbox in which nothing is due."""
CLEANED_EVERY = 3600
_log = logging.getLogger("registration.mail")


@command("Send the e-mail that waits.", "send-mail")
@click.option("--once", is_flag=True, help="Send what is due now, and end; 1 if the server cannot be used.")
def send_mail(work: Run, once: bool) -> None:
    """Send the e-mail that registration has put into its outbox, and tell webhooks, until SIGTERM or Ctrl-C.

    Run it beside `serve`, as a service of its own; several at a time share the work. On SIGTERM it ends after the
    e-mail that it is sending. What the mail server does not take is tried again, after 30 seconds at first and every
    hour at last; what it refuses for good every six hours, for a week. An e-mail is kept a week after it was sent.

    The server is [mail] in the configuration. Its certificate is checked; for one of your own authority set
    SSL_CERT_FILE to that authority's certificate. Logs go to standard error as JSON and name no address.

    \b
      tunnus-registration send-mail --config registration.toml
      tunnus-registration send-mail --config registration.toml --once
    """
    configure_logging(work.settings.log.level, FIELDS)
    mailer = Mailer(work.settings, work.database, work.keys, Pages(work.settings), time.time)
    pusher = Pusher(work.settings, work.database, work.keys, time.time)
    ending = Ending()
    ending.ask_by_signal()
    run(mailer, ending, once=once, also=pusher.push_due)


def run(
    mailer: Mailer,
    ending: Ending,
    *,
    once: bool = False,
    wait: Callable[[float], object] | None = None,
    also: Callable[[Callable[[], bool]], int] = lambda stop: 0,
) -> None:
    """Empty the outbox until asked to end. wait: for the seconds between two looks; `ending`'s unless given.

    also: what is done besides, told when to stop; returns how much was done.

    Raises DBAPIError if the database cannot be used at the start. Later it waits until it can be again. With once,
    raises Failed at the end if the mail server could not be used.
    """
    failures: list[Unusable] = []
    pause = wait or ending.wait
    cleaned = mailer.clock()
    clean(mailer.database, int(cleaned))
    while not ending.begun:
        try:
            sent = mailer.send_due(lambda: ending.begun, failures.append) + also(lambda: ending.begun)
            if mailer.clock() - cleaned >= CLEANED_EVERY:
                cleaned = mailer.clock()
                clean(mailer.database, int(cleaned))
        except OperationalError as error:
            if once:
                raise
            _log.error("the database cannot be used", exc_info=error)
            sent = 0
        if once and not sent:
            break
        if not sent:
            failures.clear()  # each is in the log already
            pause(PAUSE)
    if once and failures:
        raise Failed(_why(mailer, failures[0]))


def _why(mailer: Mailer, failure: Unusable) -> str:
    status = f", status {failure.status}" if failure.status else ""
    where = f"{mailer.settings.mail.host}:{mailer.settings.mail.port}"
    return f"the mail server {where} cannot be used ({failure.reason}{status}): start it, or mend [mail]"
