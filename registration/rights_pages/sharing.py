"""Letting another user see what one sees."""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect
from flask.typing import ResponseReturnValue

from kit import logs
from kit.pages.languages import N_
from kit.rights import SECTIONS
from kit.typed_text import end_of_day
from registration import rights
from registration.accounts import limits
from registration.accounts.fresh import freshly_identified_only, typed
from registration.database.models import Account
from registration.pages.forms import NO_DATE, ShareForm
from registration.rights.levels import JOINING, at_least
from registration.rights_pages.common import ABOVE, levels_sent, options_of, show
from registration.service import Service

NOTHING = N_("Choose at least one access right.")
NO_SUCH_USER = N_(
    "There is no user with this username and e-mail address, or they have not confirmed the address yet. Check both."
)
NO_END = N_("This user also has access rights that are not from you, so yours cannot end on a date. Leave it empty.")
SHARED = N_("The other user now has the access rights you chose.")
SHARE_TRIES = 5
"""Wrong user names or addresses a day, for each account."""


def add_sharing(blueprint: Blueprint, service: Service) -> None:
    """`/companies/<company_key>/share`."""

    @blueprint.get("/companies/<company_key>/share")
    @freshly_identified_only(service)
    def ask_whom(account: Account, company_key: str) -> ResponseReturnValue:
        right = _own_right(service, account, company_key)
        wanted = {
            section: level if at_least(right.levels[section], level) else "none" for section, level in JOINING.items()
        }
        return page(account, right, ShareForm(typed(service, account), data=wanted))

    @blueprint.post("/companies/<company_key>/share")
    @freshly_identified_only(service)
    def share(account: Account, company_key: str) -> ResponseReturnValue:
        right = _own_right(service, account, company_key)
        form = ShareForm()
        if service.pages.only_asks_for_language():
            return page(account, right, form)
        if not form.validate():
            return page(account, right, form, 422)
        tries = service.keys.keyed_digest("share", account.id)
        with service.database.write() as tx:
            reached = limits.take(tx, {tries: limits.Limit(SHARE_TRIES, limits.DAY)}, service.now)
        if reached:
            logs.add(code="too_many_tries", step="share", limit="shares_per_account")
            answer = page(account, right, form, 429, too_many=True)
            answer.headers["Retry-After"] = str(reached[tries])
            return answer
        refusal = _share(service, account, company_key, form)
        if refusal is None or refusal[1] != NO_SUCH_USER:
            with service.database.write() as tx:
                limits.give_back(tx, tries)
        if refusal is not None:
            field, message = refusal
            form[field].errors = [message]
            return page(account, right, form, 422)
        flash(SHARED)
        return redirect("/rights", 303)

    def page(
        account: Account, right: rights.Right, form: ShareForm, status: int = 200, *, too_many: bool = False
    ) -> Response:
        values = {"right": right, "form": form, "options": options_of(right), "problems": form.problems()}
        return show(service, "share", status, account=account, form_id="share", too_many=too_many, **values)


def _share(service: Service, account: Account, company_key: str, form: ShareForm) -> tuple[str, str] | None:
    """Share, or the field and msgid of why not."""
    person_option = form.user_name.data, form.email.data
    ends_at = end_of_day(form.ends.data) if form.ends.data else None
    if ends_at is not None and ends_at <= service.now:
        return "ends", NO_DATE
    try:
        with service.database.write() as tx:
            rights.share(tx, account, company_key, *person_option, levels_sent(form), service.now, ends_at)
    except rights.HasOwnRight:
        return "ends", NO_END
    except rights.AboveOwnLevel as error:
        return error.section, ABOVE
    except rights.NothingGiven:
        return SECTIONS[0], NOTHING
    except rights.NoSuchUser:
        return "user_name", NO_SUCH_USER
    return None


def _own_right(service: Service, account: Account, company_key: str) -> rights.Right:
    with service.database.read() as tx:
        return rights.right_in(tx, account.id, company_key)
