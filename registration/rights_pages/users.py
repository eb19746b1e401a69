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
from registration import cases, rights
from registration.accounts.fresh import freshly_identified_only, typed
from registration.accounts.sessions import signed_in_only
from registration.backup.erasure_list import Erasure
from registration.database.models import Account
from registration.pages.forms import ConfirmForm, LevelsForm, RemovalForm
from registration.rights_pages.common import ABOVE, levels_sent, options_of, show
from registration.service import Service

NO_ROLE = N_("Choose who should be an administrator.")
CONFIRMED = N_("Thank you. You have confirmed that the access rights are still right.")
CHANGED = N_("The access rights were changed.")
REMOVED = N_("The user was removed.")
LEFT = N_("You no longer have access to the company's data.")

ROLES: dict[str, Callable[[Transaction, Account, str, str, int], None]] = {
    "add": rights.appoint,
    "hand_over": rights.hand_over,
    "take": rights.demote,
}
"""What may be done with the administrator's role."""
USERS = "/companies/<company_key>/users"
USER = f"{USERS}/<account_id>"


class RoleForm(Form):
    """What to do with the administrator's role: one of ROLES."""

    role = StringField()


def add_lists(blueprint: Blueprint, service: Service) -> None:
    """`/rights`, and the list of a company's users."""

    @blueprint.get("/rights")
    @signed_in_only(service)
    def show_rights(account: Account) -> ResponseReturnValue:
        with service.database.read() as tx:
            held, asked = rights.rights_of(tx, account.id), cases.cases_of(tx, account_id=account.id, state="open")
        return show(service, "rights", account=account, held=held, asked=asked, form=ConfirmForm())

    @blueprint.get(USERS)
    @signed_in_only(service)
    def show_users(account: Account, company_key: str) -> ResponseReturnValue:
        with service.database.read() as tx:
            right, users, following = rights.users_of(
                tx, account.id, company_key, request.args.get("after", "").replace("\0", "") or None
            )
            mine = {"fo_nummer": right.fo_nummer, "state": "open", "kind": "joining"}
            asking = [(case.id, case.account) for case in cases.cases_of(tx, **mine)] if right.administrator else []
        values: dict[str, Any] = {"right": right, "users": users, "following": following, "asking": asking}
        return show(service, "users", account=account, form=ConfirmForm(), **values)

    @blueprint.post(f"{USERS}/confirmed")
    @signed_in_only(service)
    def confirm(account: Account, company_key: str) -> ResponseReturnValue:
        with service.database.write() as tx:
            rights.confirm(tx, account, company_key, service.now)
        flash(CONFIRMED)
        return redirect(f"/companies/{company_key}/users", 303)


def add_change(blueprint: Blueprint, service: Service) -> None:
    """What a user may see, section by section."""

    @blueprint.get(USER)
    @freshly_identified_only(service)
    def show_user(account: Account, company_key: str, account_id: str) -> ResponseReturnValue:
        right, user = _changeable(service, account, company_key, account_id)
        return page(account, right, user, LevelsForm(typed(service, account), data=dict(user.levels)))

    @blueprint.post(USER)
    @freshly_identified_only(service)
    def change_user(account: Account, company_key: str, account_id: str) -> ResponseReturnValue:
        right, user = _changeable(service, account, company_key, account_id)
        form = LevelsForm(data=dict(user.levels))
        if service.pages.only_asks_for_language():
            return page(account, right, user, form)
        if not form.validate():
            return page(account, right, user, form, 422)
        try:
            with service.database.write() as tx:
                rights.change(tx, account, company_key, account_id, levels_sent(form), service.now)
        except rights.AboveOwnLevel as error:
            form[error.section].errors = [ABOVE]
            return page(account, right, user, form, 422)
        return _back(account, company_key, account_id, CHANGED)

    def page(
        account: Account, right: rights.Right, user: rights.CompanyUser, form: LevelsForm, status: int = 200
    ) -> Response:
        options = options_of(right, user)
        values = {"right": right, "user": user, "form": form, "options": options, "problems": form.problems()}
        form_id = None if user.administrator else "levels"  # then there is no form
        return show(service, "user", status, account=account, form_id=form_id, **values)


def add_removal(blueprint: Blueprint, service: Service) -> None:
    """To remove a user, or to leave; asks first."""

    @blueprint.get(f"{USER}/remove")
    @freshly_identified_only(service)
    def ask_removal(account: Account, company_key: str, account_id: str) -> ResponseReturnValue:
        with service.database.read() as tx:
            right, user = rights.user_of(tx, account.id, company_key, account_id)
            given = rights.given_by(tx, account, company_key, account_id)
        if not right.administrator and account_id != account.id:
            raise rights.Forbidden
        if user.last_administrator:
            raise rights.LastAdministrator
        form = RemovalForm(typed(service, account))
        return show(service, "remove", account=account, right=right, user=user, given=given, form=form)

    @blueprint.post(f"{USER}/remove")
    @freshly_identified_only(service)
    def remove(account: Account, company_key: str, account_id: str) -> ResponseReturnValue:
        form = RemovalForm()
        if not form.validate():
            return service.pages.problem("stale_form")
        now = service.now
        with service.database.write() as tx:
            ended = rights.remove(tx, account, company_key, account_id, now, keep_given=form.keep.data)
            tx.flush()  # so that nothing but the commit can fail once the list has it
            for id in ended:
                service.erasures.add(Erasure(now, account=id, company=company_key))
        return _back(account, company_key, account_id, LEFT if account_id == account.id else REMOVED)


def add_role(blueprint: Blueprint, service: Service) -> None:
    """To make a user administrator, to hand over, or to take the role; asks first."""

    @blueprint.get(f"{USER}/administrator")
    @freshly_identified_only(service)
    def ask_role(account: Account, company_key: str, account_id: str) -> ResponseReturnValue:
        return page(account, company_key, account_id, RoleForm(typed(service, account)))

    @blueprint.post(f"{USER}/administrator")
    @freshly_identified_only(service)
    def set_role(account: Account, company_key: str, account_id: str) -> ResponseReturnValue:
        form = RoleForm()
        act = ROLES.get(form.role.data or "")
        if not form.validate() or act is None:
            form.role.errors = [NO_ROLE]
            return page(account, company_key, account_id, form, 422)
        with service.database.write() as tx:
            act(tx, account, company_key, account_id, service.now)
        return _back(account, company_key, account_id, CHANGED)

    def page(account: Account, company_key: str, account_id: str, form: RoleForm, status: int = 200) -> Response:
        with service.database.read() as tx:
            right, user = rights.user_of(tx, account.id, company_key, account_id)
        if not right.administrator:
            raise rights.Forbidden
        if user.last_administrator:
            raise rights.LastAdministrator
        values = {"right": right, "user": user, "form": form, "problems": form.problems()}
        return show(service, "administrator", status, account=account, **values)


def _changeable(
    service: Service, account: Account, company_key: str, account_id: str
) -> tuple[rights.Right, rights.CompanyUser]:
    with service.database.read() as tx:
        right, user = rights.user_of(tx, account.id, company_key, account_id)
    if not right.may_change_users:
        raise rights.Forbidden
    return right, user


def _back(account: Account, company_key: str, account_id: str, notice: str) -> ResponseReturnValue:
    """To the list of users; who changed their own rights may no longer see it."""
    flash(notice)
    return redirect("/rights" if account_id == account.id else f"/companies/{company_key}/users", 303)
