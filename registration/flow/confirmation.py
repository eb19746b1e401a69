"""The link that confirms an e-mail address. A GET only asks: mail scanners follow links; the POST confirms."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from kit import logs
from kit.pages.form_pages import retry_later
from registration import audit, cases
from registration.accounts import limits
from registration.accounts.limits import Limit
from registration.accounts.sessions import signed_in_only
from registration.database.models import Account, OutboxEntry
from registration.mail import outbox
from registration.mail.links import read_link
from registration.pages.forms import ConfirmForm
from registration.rights import lookup
from registration.service import Service

MOST_LINKS, FROM_ADDRESS, LINKS_WINDOW = 2, 10, 3600
"""New links that one account gets, and that are asked for from one network, and the seconds in which."""


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
        return (entry, expired) if entry and entry.kind in outbox.CONFIRMING else None

    def expired_page(token: str, found: tuple[OutboxEntry, bool] | None) -> ResponseReturnValue:
        """token: if a new link may be had by it. found: of it; who changes their address asks for that anew."""
        changing = found is not None and found[0].kind == outbox.NEW_ADDRESS
        usable = token if found and not changing else ""
        return pages.show("link_expired.html", 410, form=ConfirmForm(), token=usable, changing=changing)

    @blueprint.get("/confirm/<token>")
    def ask(token: str) -> ResponseReturnValue:
        found = entry_of(token)
        if found is None or found[1]:
            return expired_page(token, found)
        return pages.show("confirm.html", form=ConfirmForm(), token=token, address=found[0].address)

    @blueprint.post("/confirm/<token>")
    def confirm(token: str) -> ResponseReturnValue:
        found = entry_of(token)
        if found is None or found[1]:
            return expired_page(token, found)
        account_id = found[0].account_id
        with service.database.write() as transaction:
            account = transaction.scalar(select(Account).where(Account.id == account_id).with_for_update())
            entry = transaction.get(OutboxEntry, found[0].id)  # a link to another address may have ended it meanwhile
            if account is None or entry is None or not _confirm(transaction, account, entry, service.now):
                return expired_page("", found)
        logs.add(outcome="email_confirmed", account=account_id)
        return redirect("/confirmed", 303)

    @blueprint.post("/confirm/<token>/new")
    def send_new_link(token: str) -> ResponseReturnValue:
        found = entry_of(token)
        if found is None or found[0].kind != outbox.CONFIRMATION:
            return expired_page("", found)
        return sent(service, _send_link(service, found[0].account_id, found[0].words))

    @blueprint.post("/confirmation")
    @signed_in_only(service)
    def send_link(account: Account) -> ResponseReturnValue:
        with service.database.read() as transaction:
            held = [(right.company.name, right.fo_nummer) for right in lookup.rights_of(transaction, account.id)]
            held += [(case.company_name, case.fo_nummer) for case in cases.cases_of(transaction, account_id=account.id)]
        if not held:
            return sent(service, None)
        return sent(service, _send_link(service, account.id, dict(zip(("company", "fo_nummer"), held[0], strict=True))))

    @blueprint.get("/confirmed")
    def show_confirmed() -> ResponseReturnValue:
        return pages.show("confirmed.html")

    @blueprint.get("/link-sent")
    def show_link_sent() -> ResponseReturnValue:
        seconds = request.args.get("from", 0, type=int) - service.now
        if not 0 < seconds <= limits.DAY:
            return pages.show("link_sent.html")
        return retry_later(pages.show("link_later.html", 429, at=service.now + seconds), seconds)

    return blueprint


def sent(service: Service, seconds: int | None) -> ResponseReturnValue:
    """Where a request for a link leads. seconds: until there can be another one, if there was none."""
    if seconds is None:
        return redirect("/link-sent", 303)
    logs.add(code="too_many_links", step="confirmation")
    return redirect(f"/link-sent?from={service.now + seconds}", 303)


def _confirm(transaction: Transaction, account: Account, entry: OutboxEntry, now: int) -> bool:
    """Take what a link confirms, once: the account's address, or a new one; False if it is neither any more."""
    if account.email == entry.address and account.email_confirmed_at is not None:
        return True
    event = "email_confirmed"
    if account.email != entry.address:
        if entry.kind != outbox.NEW_ADDRESS:
            return False
        event = "email_changed"
        outbox.notify(transaction, account, event, now)  # to the address that it was
    account.email, account.email_confirmed_at = entry.address, now
    audit.record(transaction, event, now=now, actor=account.id, subject=account.id)
    return True


def may_be_written_to(transaction: Transaction, service: Service, email: str) -> int | None:
    """Count a confirmation e-mail to an address, whoever asks for it; the seconds to wait if it has got too many.

    transaction: that of the e-mail, so that one which is not written is not counted; the last thing in it (limits.py).
    """
    counted = service.keys.keyed_digest("confirmation", email.casefold())
    limit = Limit(service.settings.rules.confirmations_per_mail_address, limits.DAY)
    reached = limits.take(transaction, {counted: limit}, service.now)
    if reached:
        logs.add(limit="confirmations_per_mail_address")
    return reached.get(counted)


def _send_link(service: Service, account_id: str, words: dict[str, str]) -> int | None:
    """Put a new confirmation e-mail into the outbox, unless the address is confirmed.

    Returns the seconds until one may be sent again, if there were too many.
    """
    with service.database.write() as transaction:
        account = transaction.get(Account, account_id)
        if account is None or account.email_confirmed_at is not None:
            return None
        seconds = seconds_until_link(transaction, service, account.id, account.email)
        if seconds is None:
            outbox.notify(transaction, account, outbox.CONFIRMATION, service.now, **words)
        return seconds


def seconds_until_link(transaction: Transaction, service: Service, account_id: str, email: str) -> int | None:
    """Count a link to an address that somebody asks for; the seconds to wait if there were too many.

    transaction: whose last thing it is (limits.py).
    """
    counted = limits.by_network(service, "new-link address", request.remote_addr, Limit(FROM_ADDRESS, LINKS_WINDOW))
    counted |= {service.keys.keyed_digest("new-link", account_id): Limit(MOST_LINKS, LINKS_WINDOW)}
    if reached := limits.take_all(transaction, counted, service.now):
        logs.add(limit="new_links")
        return max(reached.values())
    return may_be_written_to(transaction, service, email)
