"""Letting another user see what one sees."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect, request
from flask.typing import ResponseReturnValue

from kit import logs
from kit.pages.form_pages import retry_later
from kit.pages.languages import N_
from kit.rights import SECTIONS
from kit.typed_text import end_of_day
from registration.accounts import limits
from registration.accounts.fresh import freshly_identified_only, typed
from registration.database.models import Account
from registration.pages.forms import NO_DATE, ShareForm
from registration.rights import errors, lookup, sharing
from registration.rights.levels import JOINING, at_least
from registration.rights_pages.common import ABOVE, levels_sent, options_of, show, was_sent
from registration.service import Service

NOTHING = N_("Choose at least one access right.")
NO_SUCH_USER = N_(
    "There is no user with this username and e-mail address, or they have not confirmed the address yet. Check both."
)
SHARED = N_("The other user now has the access rights you chose.")
SHARE_TRIES = 5
"""Wrong user names or addresses a day, for each account."""


def add_sharing(blueprint: Blueprint, service: Service) -> None:
    """`/companies/<company_key>/share`."""

    @blueprint.route("/companies/<company_key>/share", methods=["GET", "POST"])
    @freshly_identified_only(service)
    def share(account: Account, company_key: str) -> ResponseReturnValue:
        with service.database.read() as tx:
            right = lookup.right_in(tx, account.id, company_key)
        wanted = {name: level if at_least(right.levels[name], level) else "none" for name, level in JOINING.items()}
        form = ShareForm(typed(service, account), data=wanted if request.method != "POST" else None)

        def page(status: int = 200, *, too_many: bool = False) -> Response:
            values = {"right": right, "options": options_of(right), "too_many": too_many}
            return show(service, "share", account, form, status, form_id="share", **values)

        if not was_sent(service):
            return page()
        if not form.validate():
            return page(422)
        tries = service.keys.keyed_digest("share", account.id)
        with service.database.write() as tx:
            reached = limits.take(tx, {tries: limits.Limit(SHARE_TRIES, limits.DAY)}, service.now)
        if reached:
            logs.add(code="too_many_tries", step="share", limit="shares_per_account")
            return retry_later(page(429, too_many=True), reached[tries])
        refusal = _share(service, account, company_key, form)
        if refusal is None or refusal[1] != NO_SUCH_USER:
            with service.database.write() as tx:
                limits.give_back(tx, tries)
        if refusal is not None:
            field, message = refusal
            form[field].errors = [message]
            return page(422)
        flash(SHARED)
        return redirect("/rights", 303)


def _share(service: Service, account: Account, company_key: str, form: ShareForm) -> tuple[str, str] | None:
    """Share, or the field and msgid of why not."""
    person_option = form.user_name.data, form.email.data
    ends_at = end_of_day(form.ends.data) if form.ends.data else None
    if ends_at is not None and ends_at <= service.now:
        return "ends", NO_DATE
    try:
        with service.database.write() as tx:
            sharing.share(tx, account, company_key, *person_option, levels_sent(form), service.now, ends_at)
    except errors.AboveOwnLevel as error:
        return error.section, ABOVE
    except errors.NothingGiven:
        return SECTIONS[0], NOTHING
    except errors.NoSuchUser:
        return "user_name", NO_SUCH_USER
    return None
