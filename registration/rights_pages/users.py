"""A company's users: who they are, what they may see, their removal, and the administrator's role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session as Transaction
from wtforms import StringField

from kit.pages.forms import Form
from kit.pages.languages import N_
from registration import cases
from registration.accounts.fresh import freshly_identified_only, typed
from registration.accounts.sessions import signed_in_only
from registration.backup.erasure_list import Erasure
from registration.database.models import Account, Representation
from registration.pages.forms import ConfirmForm, LevelsForm, RemovalForm
from registration.rights import changes, ending, errors, lookup
from registration.rights_pages.common import ABOVE, levels_sent, options_of, show, was_sent
from registration.service import Service

NO_ROLE = N_("Choose who should be an administrator.")
CONFIRMED = N_("Thank you. You have confirmed that the access rights are still right.")
CONFIRMED_PAGE = N_("You have confirmed the users that were shown. Confirm the other pages of the list too.")
CHANGED = N_("The access rights were changed.")
REMOVED = N_("The user was removed.")
LEFT = N_("You no longer have access to the company's data.")

ROLES: dict[str, Callable[[Transaction, Account, str, str, int], None]] = {
    "add": changes.appoint,
    "hand_over": changes.hand_over,
    "take": changes.demote,
}
"""What may be done with the administrator's role."""
USERS = "/companies/<company_key>/users"
USER = f"{USERS}/<account_id>"


class RoleForm(Form):
    """What to do with the administrator's role: one of ROLES."""

    role = StringField()


class ReviewForm(Form):
    """A page of a company's users: what led to it, and the digest of what it has shown."""

    after = StringField()
    shown = StringField()


def add_lists(blueprint: Blueprint, service: Service) -> None:
    """`/rights`, and the list of a company's users."""

    @blueprint.get("/rights")
    @signed_in_only(service)
    def show_rights(account: Account) -> ResponseReturnValue:
        with service.database.read() as tx:
            held, asked = lookup.rights_of(tx, account.id), cases.cases_of(tx, account_id=account.id, state="open")
            given = lookup.shared_on_top(tx, account.id)
        return show(service, "rights", account, ConfirmForm(), held=held, asked=asked, given=given)

    def page(account: Account, company_key: str, after: str, status: int = 200) -> Response:
        with service.database.read() as tx:
            right, users, following = lookup.users_of(tx, account.id, company_key, after.replace("\0", "") or None)
            mine = {"fo_nummer": right.fo_nummer, "state": "open", "kind": "joining"}
            asking = [(case.id, case.account) for case in cases.cases_of(tx, **mine)] if right.administrator else []
            only = lookup.only_administrator(tx, right.fo_nummer)
        form = ReviewForm(None, data={"after": after, "shown": lookup.list_digest(users)})
        values: dict[str, Any] = {"right": right, "users": users, "following": following, "asking": asking}
        return show(service, "users", account, form, status, only=only, changed=status == 409, **values)

    @blueprint.get(USERS)
    @signed_in_only(service)
    def show_users(account: Account, company_key: str) -> ResponseReturnValue:
        return page(account, company_key, request.args.get("after", ""))

    @blueprint.post(f"{USERS}/confirmed")
    @signed_in_only(service)
    def confirm(account: Account, company_key: str) -> ResponseReturnValue:
        form = ReviewForm()
        after, shown = form.after.data or "", form.shown.data or ""
        try:
            with service.database.write() as tx:
                wanted = after.replace("\0", "") or None
                complete, following = changes.confirm(tx, account, company_key, wanted, shown, service.now)
        except errors.ListChanged:
            return page(account, company_key, after, 409)
        flash(CONFIRMED if complete else CONFIRMED_PAGE)
        return redirect(f"/companies/{company_key}/users" + (f"?after={following}" if following else ""), 303)


def add_change(blueprint: Blueprint, service: Service) -> None:
    """What a user may see, section by section."""

    @blueprint.route(USER, methods=["GET", "POST"])
    @freshly_identified_only(service)
    def change_user(account: Account, company_key: str, account_id: str) -> ResponseReturnValue:
        right, user, last = _user_of(service, account, company_key, account_id)
        if not right.may_change_users:
            raise errors.Forbidden
        form, status = LevelsForm(typed(service, account), data=user.levels), 200
        if was_sent(service):
            status = 422
            try:
                if form.validate():
                    with service.database.write() as tx:
                        changes.change(tx, account, company_key, account_id, levels_sent(form), service.now)
                    return _back(account, company_key, account_id, CHANGED)
            except errors.AboveOwnLevel as error:
                form[error.section].errors = [ABOVE]
        values = {"right": right, "user": user, "last": last, "options": options_of(right, user)}
        form_id = None if user.administrator else "levels"  # then there is no form
        return show(service, "user", account, form, status, form_id=form_id, **values)


def add_removal(blueprint: Blueprint, service: Service) -> None:
    """To remove a user, or to leave; asks first."""

    @blueprint.route(f"{USER}/remove", methods=["GET", "POST"])
    @freshly_identified_only(service)
    def remove(account: Account, company_key: str, account_id: str) -> ResponseReturnValue:
        form, now, own = RemovalForm(typed(service, account)), service.now, account_id == account.id
        if request.method == "POST":
            if not form.validate():
                return service.pages.problem("stale_form")
            with service.database.write() as tx:
                ended = ending.remove(tx, account, company_key, account_id, now, keep_given=form.keep.data)
                tx.flush()  # so that nothing but the commit can fail once the list has it
                for id in ended:
                    service.erasures.add(Erasure(now, account=id, company=company_key))
            return _back(account, company_key, account_id, LEFT if own else REMOVED)
        right, user, last = _user_of(service, account, company_key, account_id)
        if not right.administrator and not own:
            raise errors.Forbidden
        if last:
            raise errors.LastAdministrator
        with service.database.read() as tx:
            hanging = ending.hanging_on(tx, user, account.id, leaving=own)
            given = [row.account.name for row in hanging]
            lessened = {one.representation.account.name for one in ending.shares_hanging_on(tx, [user, *hanging])}
        values: dict[str, Any] = {"right": right, "user": user, "given": given, "lessened": sorted(lessened)}
        return show(service, "remove", account, form, **values)


def add_share(blueprint: Blueprint, service: Service) -> None:
    """To take back what was given on top of a right; asks first."""

    @blueprint.route(f"{USER}/given/<share_id>", methods=["GET", "POST"])
    @freshly_identified_only(service)
    def take_back(account: Account, company_key: str, account_id: str, share_id: str) -> ResponseReturnValue:
        form, now = ConfirmForm(typed(service, account)), service.now
        with service.database.read() as tx:
            right = lookup.right_in(tx, account.id, company_key)
            share = lookup.share_in(tx, right, account_id, share_id)
            user = share.representation.account
        if request.method != "POST":
            return show(service, "take_back", account, form, right=right, share=share, user=user)
        if not form.validate():
            return service.pages.problem("stale_form")
        with service.database.write() as tx:
            ending.take_back(tx, account, company_key, account_id, share_id, now)
            tx.flush()  # as in remove
            service.erasures.add(Erasure(now, account=share_id, company=company_key))
        return _back(account, company_key, account_id if right.may_see_users else account.id, CHANGED)


def add_role(blueprint: Blueprint, service: Service) -> None:
    """To make a user administrator, to hand over, or to take the role; asks first."""

    @blueprint.route(f"{USER}/administrator", methods=["GET", "POST"])
    @freshly_identified_only(service)
    def set_role(account: Account, company_key: str, account_id: str) -> ResponseReturnValue:
        form, status = RoleForm(typed(service, account)), 200
        if request.method == "POST":
            act = ROLES.get(form.role.data or "")
            if form.validate() and act is not None:
                with service.database.write() as tx:
                    act(tx, account, company_key, account_id, service.now)
                return _back(account, company_key, account_id, CHANGED)
            form.role.errors, status = [NO_ROLE], 422
        right, user, last = _user_of(service, account, company_key, account_id)
        if not right.administrator:
            raise errors.Forbidden
        if last:
            raise errors.LastAdministrator
        return show(service, "administrator", account, form, status, right=right, user=user)


def _user_of(
    service: Service, account: Account, company_key: str, account_id: str
) -> tuple[Representation, Representation, bool]:
    """As `lookup.user_of`, and whether that user is the company's last administrator."""
    with service.database.read() as tx:
        right, user = lookup.user_of(tx, account.id, company_key, account_id)
        return right, user, lookup.is_last_administrator(tx, user)


def _back(account: Account, company_key: str, account_id: str, notice: str) -> ResponseReturnValue:
    """To the list of users; who changed their own rights may no longer see it."""
    flash(notice)
    return redirect("/rights" if account_id == account.id else f"/companies/{company_key}/users", 303)
