"""The link in the confirmation e-mail. A GET only asks: mail scanners follow links; the POST confirms."""

from __future__ import annotations

from flask import Blueprint, redirect
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from kit import logs
from registration import audit, rights
from registration.accounts import limits
from registration.accounts.sessions import signed_in_only
from registration.database.models import Account, OutboxEntry
from registration.mail import outbox
from registration.mail.links import read_link
from registration.pages.forms import ConfirmForm
from registration.service import Service

MOST_LINKS, LINKS_WINDOW = 5, 3600
"""New links that one account gets, and the seconds in which."""


def create_blueprint(service: Service) -> Blueprint:
    """`/confirm/<token>`, `/confirm/<token>/new`, `/confirmation`, `/confirmed`, `/link-sent`."""
    blueprint = Blueprint("confirmation", __name__)
    pages = service.pages

    def entry_of(token: str) -> tuple[OutboxEntry, bool] | None:
        """The e-mail that the link stood in, and whether the link has expired."""
        read = read_link(service.keys, token, service.now)
        if read is None:
            return None
        id, expired = read
        with service.database.read() as transaction:
            entry = transaction.get(OutboxEntry, id)
        return (entry, expired) if entry and entry.kind == outbox.CONFIRMATION else None

    def expired_page(token: str) -> ResponseReturnValue:
        return pages.show("link_expired.html", 410, form=ConfirmForm(), token=token)

    @blueprint.get("/confirm/<token>")
    def ask(token: str) -> ResponseReturnValue:
        found = entry_of(token)
        if found is None or found[1]:
            return expired_page(token if found else "")
        return pages.show("confirm.html", form=ConfirmForm(), token=token, address=found[0].address)

    @blueprint.post("/confirm/<token>")
    def confirm(token: str) -> ResponseReturnValue:
        found = entry_of(token)
        if found is None or found[1]:
            return expired_page(token if found else "")
        entry = found[0]
        with service.database.write() as transaction:
            account = transaction.scalar(select(Account).where(Account.id == entry.account_id).with_for_update())
            if account is None or account.email != entry.address:
                return expired_page("")
            if account.email_confirmed_at is None:
                account.email_confirmed_at = service.now
                audit.record(transaction, "email_confirmed", now=service.now, actor=account.id, subject=account.id)
        logs.add(outcome="email_confirmed", account=entry.account_id)
        return redirect("/confirmed", 303)

    @blueprint.post("/confirm/<token>/new")
    def send_new_link(token: str) -> ResponseReturnValue:
        found = entry_of(token)
        if found is None:
            return expired_page("")
        _send_link(service, found[0].account_id, found[0].words)
        return redirect("/link-sent", 303)

    @blueprint.post("/confirmation")
    @signed_in_only(service)
    def send_link(account: Account) -> ResponseReturnValue:
        with service.database.read() as transaction:
            held = rights.rights_of(transaction, account.id)
        if held:
            _send_link(service, account.id, {"company": held[0].name, "fo_nummer": held[0].fo_nummer})
        return redirect("/link-sent", 303)

    @blueprint.get("/confirmed")
    def show_confirmed() -> ResponseReturnValue:
        return pages.show("confirmed.html")

    @blueprint.get("/link-sent")
    def show_link_sent() -> ResponseReturnValue:
        return pages.show("link_sent.html")

    return blueprint


def _send_link(service: Service, account_id: str, words: dict[str, str]) -> None:
    """Put a new confirmation e-mail into the outbox, unless the address is confirmed or has got too many."""
    now = service.now
    count = service.keys.keyed_digest("new-link", account_id)
    if limits.take(service.database, count, MOST_LINKS, LINKS_WINDOW, now) is not None:
        return
    with service.database.write() as transaction:
        account = transaction.scalar(select(Account).where(Account.id == account_id))
        if account is not None and account.email_confirmed_at is None:
            outbox.notify(transaction, account, outbox.CONFIRMATION, now, **words)
