"""A new e-mail address: asked for here, in force once the link that was sent to it confirms it (flow/confirmation.py).

Until then it stands nowhere but in the e-mail that waits or was sent: the newest one is what the account changes to.
"""

from __future__ import annotations

from flask import Blueprint, Response, flash, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy import delete, select

from kit.pages.languages import N_
from registration.accounts.fresh import freshly_identified_only, typed
from registration.database.models import Account, OutboxEntry
from registration.flow.confirmation import seconds_until_link, sent
from registration.mail import outbox
from registration.pages.forms import NewEmailForm
from registration.service import Service

HAS_IT = N_("This is already your e-mail address. Enter another one.")
SENT = N_("We have sent a link to the new e-mail address. The address changes when you use the link within 24 hours.")


def create_blueprint(service: Service) -> Blueprint:
    """`/new-email`."""
    blueprint = Blueprint("new_email", __name__)

    @blueprint.get("/new-email")
    @freshly_identified_only(service)
    def show_form(account: Account) -> ResponseReturnValue:
        return page(account, NewEmailForm(typed(service, account)))

    @blueprint.post("/new-email")
    @freshly_identified_only(service)
    def take_form(account: Account) -> ResponseReturnValue:
        form = NewEmailForm()
        if service.pages.only_asks_for_language():
            return page(account, form)
        if not form.validate():
            return page(account, form, 422)
        if form.email.data.casefold() == account.email.casefold():
            form.email.errors = [HAS_IT]
            return page(account, form, 422)
        with service.database.write() as transaction:
            seconds = seconds_until_link(transaction, service, account.id, form.email.data)
        if seconds is not None:
            return sent(service, seconds)
        _ask(service, account, form.email.data)
        flash(SENT)
        return redirect("/rights", 303)

    def page(account: Account, form: NewEmailForm, status: int = 200) -> Response:
        return service.pages.show(
            "new_email.html", status, form_id="new-email", form=form, address=account.email, problems=form.problems()
        )

    return blueprint


def _ask(service: Service, account: Account, address: str) -> None:
    """Send a link to a new address; the links to others that were asked for before end."""
    with service.database.write() as transaction:
        row = transaction.scalars(select(Account).where(Account.id == account.id).with_for_update()).one()
        before = OutboxEntry.account_id == row.id, OutboxEntry.kind == outbox.NEW_ADDRESS
        transaction.execute(delete(OutboxEntry).where(*before))
        outbox.write_to(transaction, row, address, outbox.NEW_ADDRESS, service.now)
