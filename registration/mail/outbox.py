"""The outbox: what is to be told by e-mail, written in the transaction of what it tells, sent by another process."""

from __future__ import annotations

from sqlalchemy.orm import Session

from registration import audit
from registration.database.connection import insert_or_leave, new_id
from registration.database.models import Account, OutboxEntry

CONFIRMATION, ACTIVATION, CALLER_CHECK = "confirmation", "activation", "caller_check"
NEW_ADDRESS = "new_address"
CONFIRMING = frozenset({CONFIRMATION, NEW_ADDRESS})
"""Their link confirms the address that they are sent to."""
KINDS = frozenset(
    {
        CALLER_CHECK,  # words: check (its id); to whoever is on the phone
        CONFIRMATION,  # words: company, fo_nummer
        NEW_ADDRESS,  # to the address to which the account changes
        ACTIVATION,  # to the address of the customer register; words: company, fo_nummer, case
        "case_opened",  # to administrators; words: company, fo_nummer, by, company_key, case, case_kind
        "case_decided",  # words: company, fo_nummer, case, case_kind, outcome (the case's state)
        "case_closed",  # the same, to administrators; words besides: by, company_key
        "joined",  # to administrators; words: company, fo_nummer, by, company_key
        "rights_changed",  # words: company, fo_nummer
        "rights_given",  # words: company, fo_nummer, by (a name)
        "user_removed",  # words: company, fo_nummer
        "administrator_received",  # words: company, fo_nummer, by
        "password_changed",
        "email_changed",  # to the address that it was
        "rights_shared",  # to administrators; words: company, fo_nummer, by, company_key
        "numbers_ending",  # words: company, fo_nummer, numbers, ends_at (seconds since the epoch)
        "review",  # to administrators: are these rights still right; words: company, fo_nummer, company_key
        "relinked",  # the account belongs to its owner's new identity
    }
)
"""Each has a subject and a text in templates/mail. All but the first two go to confirmed addresses only."""


def note_not_told(session: Session, account_id: str, kind: str, now: int, **details: str) -> None:
    """Note in the audit trail that an e-mail is not sent. now: seconds since the epoch."""
    audit.record(session, "not_told", now=now, actor="nobody", subject=account_id, kind=kind, **details)


def notify(session: Session, account: Account, kind: str, now: int, **words: str) -> None:
    """Put an e-mail to an account into the outbox, or note in the audit trail that its address is unconfirmed.

    now: seconds since the epoch. Raises ValueError for an unknown kind.
    """
    if kind not in KINDS:
        raise ValueError(f"no kind of e-mail: {kind}")
    if kind != CONFIRMATION and account.email_confirmed_at is None:
        note_not_told(session, account.id, kind, now)
        return
    write_to(session, account, account.email, kind, now, **words)


def write_to(session: Session, account: Account, address: str, kind: str, now: int, **words: str) -> None:
    """Put an e-mail about an account to any address into the outbox."""
    row = {"id": new_id(), "kind": kind, "account_id": account.id, "address": address, "locale": account.locale}
    insert_or_leave(session, OutboxEntry, **row, words=words, created_at=now, next_try_at=now)
