"""The link that confirms an e-mail address. A GET only asks: mail scanners follow links; the POST confirms."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from kit import logs
from kit.pages.form_pages import retry_later
from registration import audit, cases, rights
from registration.accounts import limits
from registration.accounts.sessions import signed_in_only
from registration.database.models import Account, OutboxEntry
from registration.mail import outbox
from registration.mail.links import read_link
from registration.pages.forms import ConfirmForm
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
            held = [(right.name, right.fo_nummer) for right in rights.rights_of(transaction, account.id)]
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


def may_be_written_to(service: Service, email: str) -> int | None:
    """Count a confirmation e-mail to an address, whoever asks for it; the seconds to wait if it has got too many."""
    most = service.settings.rules.confirmations_per_mail_address
    seconds = limits.take(service.database, _count_of(service, email), most, limits.DAY, service.now)
    if seconds is not None:
        logs.add(limit="confirmations_per_mail_address")
    return seconds


def not_written_to(service: Service, email: str) -> None:
    """Give back what `may_be_written_to` has counted: there is no e-mail after all."""
    limits.give_back(service.database, _count_of(service, email))


def _count_of(service: Service, email: str) -> str:
    return service.keys.keyed_digest("confirmation", email.casefold())


def _send_link(service: Service, account_id: str, words: dict[str, str]) -> int | None:
    """Put a new confirmation e-mail into the outbox, unless the address is confirmed.

    Returns the seconds until one may be sent again, if there were too many.
    """
    now = service.now
    with service.database.read() as transaction:
        account = transaction.get(Account, account_id)
    if account is None or account.email_confirmed_at is not None:
        return None
    seconds = seconds_until_link(service, account.id, account.email)
    if seconds is None:
        with service.database.write() as transaction:
            outbox.notify(transaction, account, outbox.CONFIRMATION, now, **words)
    return seconds


def seconds_until_link(service: Service, account_id: str, email: str) -> int | None:
    """Count a link to an address that somebody asks for; the seconds to wait if there were too many."""
    counted = limits.by_network(service, "new-link address", request.remote_addr, FROM_ADDRESS)
    counted |= {service.keys.keyed_digest("new-link", account_id): MOST_LINKS}
    seconds = limits.take_all(service.database, counted, LINKS_WINDOW, service.now)
    if seconds is not None:
        logs.add(limit="new_links")
        return seconds
    return may_be_written_to(service, email)
