"""Acts that hurt ask for a fresh identification, whatever the session (ASVS 5.0 §7.5)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import g, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from kit import logs
from kit.pages.languages import PARAMETER, remember
from registration.accounts import sessions
from registration.accounts.sessions import signed_in_only
from registration.database.models import Account
from registration.flow import drafts
from registration.service import Service

KEPT = 3600
"""Seconds that what was typed waits for its person to come back: as long as the broker's answer is taken."""
NEVER_KEPT = {"csrf_token", "password", PARAMETER}


def freshly_identified_only(service: Service) -> Callable[[Callable[..., ResponseReturnValue]], Any]:
    """A decorator, as `signed_in_only`: a POST reaches the view only shortly after an identification.

    Else what was typed is kept, sealed, and the person is led to identify; then back to the page of that address, with
    it in `typed`, one POST away. A GET reaches the view always, and the page says that it will be so.
    """

    def decorate(view: Callable[..., ResponseReturnValue]) -> Any:
        @signed_in_only(service)
        @wraps(view)
        def guarded(account: Account, *args: Any, **kwargs: Any) -> ResponseReturnValue:
            g.identify_again = not sessions.is_fresh(sessions.current(service), service.now)
            if request.method != "POST":
                return view(account, *args, **kwargs)
            if not g.identify_again:
                with service.database.write() as transaction:
                    drafts.drop(transaction, account.sub)
                return view(account, *args, **kwargs)
            fields = request.form.to_dict(flat=False).items()
            kept = {name: values for name, values in fields if name not in NEVER_KEPT}
            with service.database.write() as transaction:
                drafts.save(transaction, service, account.sub, {"page": request.path, "typed": kept}, KEPT)
            if not service.pages.only_asks_for_language():
                logs.add(code="identify_again", step="rights")
                return redirect("/start?purpose=confirm", 303)
            response = redirect(request.path, 303)
            remember(response, service.pages.locale(), secure=service.settings.secure)
            return response

        return guarded

    return decorate


def typed(service: Service, account: Account) -> MultiDict[str, str] | None:
    """What was sent, or else typed on the page of this address before its person was led away; None if nothing was."""
    if request.method == "POST":
        return request.form
    draft = drafts.load(service, account.sub)
    return MultiDict(draft["typed"]) if draft.get("page") == request.path else None
