"""Registration as it is, but for one thing: at a point that a test names, the process is killed.

    python registration_launcher.py serve|send-mail CONFIG [POINT]

SIGKILL, by itself, in the thread that got there: nothing is closed, rolled back, flushed or answered.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.engine.default import DefaultDialect

from registration.accounts import sessions
from registration.cli.mail import send_mail
from registration.flow import attempts, callback, drafts, send
from registration.flow.broker_client import BrokerClient
from registration.mail.sending import Mailer
from registration.mail.server import Connection
from registration.server import serve

PATIENCE = 0.5
"""Seconds that a second copy of an answer waits for the first, which is dead here."""


def always(*_arguments: Any, **_named: Any) -> bool:
    return True


def checked(_transaction: Any, _service: Any, _sub: str, draft: Mapping[str, Any], *_more: Any) -> bool:
    """Has the draft that is saved passed the form's checks?"""
    return bool(draft.get("checked"))


@dataclass(frozen=True)
class Call:
    """A call of one function of a class or a module."""

    owner: Any
    name: str
    when: Callable[..., bool] = always


@dataclass(frozen=True)
class Point:
    """A call. after: kill when it has returned, else before it does anything. since: only once that call was made."""

    call: Call
    after: bool
    since: Call | None = None


COMMIT = Call(DefaultDialect, "do_commit")
LAST_OF_REGISTERING = Call(sessions, "attach_account")
POINTS = {
    "after the attempt was stored": Point(Call(attempts, "begin"), True),
    "before the claim": Point(Call(attempts, "claim"), False),
    "after the claim": Point(Call(attempts, "claim"), True),
    "after the token exchange": Point(Call(BrokerClient, "identify"), True),
    "before the session is committed": Point(COMMIT, False, since=Call(attempts, "finish")),
    "after the session was committed": Point(Call(callback, "_begin_session"), True),
    "after the draft was saved": Point(COMMIT, True, since=Call(drafts, "save")),
    "after the checked draft was saved": Point(COMMIT, True, since=Call(drafts, "save", checked)),
    "before the registration": Point(Call(send, "_register"), False),
    "before the registration is committed": Point(COMMIT, False, since=LAST_OF_REGISTERING),
    "after the registration was committed": Point(COMMIT, True, since=LAST_OF_REGISTERING),
    "before the mail server is asked": Point(Call(Connection, "deliver"), False),
    "after the mail server took it": Point(Call(Connection, "deliver"), True),
    "after the e-mail was marked as sent": Point(Call(Mailer, "_note"), True),
}


def around(call: Call, before: Callable[[], None], after: Callable[[], None]) -> None:
    """Do something before and after a function, whenever it is the call."""
    function = getattr(call.owner, call.name)

    def watched(*arguments: Any, **named: Any) -> Any:
        here = call.when(*arguments, **named)
        if here:
            before()
        result = function(*arguments, **named)
        if here:
            after()
        return result

    setattr(call.owner, call.name, watched)


def arm(point: Point) -> None:
    """Put the kill round the function of a point. What `since` waits for counts in the same thread only."""
    reached = threading.local()

    def note() -> None:
        reached.yet = True

    def die() -> None:
        if point.since is None or getattr(reached, "yet", False):
            os.kill(os.getpid(), signal.SIGKILL)

    if point.since is not None:
        around(point.since, note, lambda: None)
    around(point.call, *((lambda: None, die) if point.after else (die, lambda: None)))


if __name__ == "__main__":
    _, what, config, *named = sys.argv
    attempts.wait_for_outcome = partial(attempts.wait_for_outcome, seconds=PATIENCE)
    for name in named:
        arm(POINTS[name])
    if what == "serve":
        serve(Path(config))
    else:
        send_mail(["--config", config, "--once"])
