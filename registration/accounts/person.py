"""All that is held on one person: to hand it out, to erase it, or to join it to their new identity.

A person is an account, or the `sub` of somebody who has identified and not registered. What a person has done stays
in the audit trail, by the account's id, which then leads to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session as Transaction

from registration.accounts.names import user_name_key
from registration.audit import By
from registration.audit.chain import append_waiting
from registration.cases import cases_of
from registration.database.models import (
    Account,
    AuditRecord,
    CallerCheck,
    Case,
    Company,
    Draft,
    OutboxEntry,
    Representation,
    Session,
    StaffAct,
)
from registration.keys import Keys
from registration.mail import outbox
from registration.rights import lookup
from registration.rights.ending import end_given, ending_with
from registration.rights.errors import Refused
from registration.rights.founding import BY_CUSTOMER_SERVICE
from registration.rights.lookup import is_last_administrator

ACCOUNT_COLUMNS = [name for name in Account.__table__.columns.keys() if name != "password_hash"]  # noqa: SIM118
CASE_COLUMNS = [name for name in Case.__table__.columns.keys() if name not in {"code_digest", "code_tries"}]  # noqa: SIM118
OF_PASSWORD = frozenset({"password_hash", "password_key_hash", "password_compared"})
SESSION_COLUMNS = ("browser", "identified_at", "created_at", "seen_at")
SOURCE = ("given_by", "suspended_numbers", "ends_at", "suspended_at", "reviewed_at")
CODE = 8
"""Characters of a session's key by which customer service names somebody who has identified."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who has identified and has no account. code: what names them. The names are empty if unreadable."""

    code: str
    sub: str
    given_name: str
    family_name: str
    browser: str
    identified_at: int

    @property
    def name(self) -> str:
        """Given and family name; `unknown` if they are unreadable."""
        return f"{self.given_name} {self.family_name}".strip() or "unknown"


def refuse_other_name(account: Account, waiting: Waiting, new_name: str | None) -> None:
    """Refuse to join an account to somebody of another name, unless that name is given. Raises Refused.

    Case, spaces and the kind of apostrophe or dash make no other name. new_name: as the operator wrote it.
    """
    owner = account.name
    if user_name_key(waiting.name) not in {user_name_key(owner), user_name_key(new_name or "")}:
        raise Refused(
            f"the account is {owner}'s, and {waiting.name} has identified: make sure that they are one person, and "
            f'give the new name: --name-changed-to "{waiting.name}"',
            "other_name",
        )


def account_named(tx: Transaction, user_name: str) -> Account | None:
    """The account with a user name, whatever its case."""
    return tx.scalar(select(Account).where(Account.user_name_key == user_name_key(user_name)))


def account_of_sub(tx: Transaction, sub: str) -> Account | None:
    """The account of a person by their `sub`."""
    return tx.scalar(select(Account).where(Account.sub == sub))


def is_known(tx: Transaction, sub: str) -> bool:
    """Whether anything is held on somebody who has identified and has no account."""
    return any(tx.scalar(select(table.sub).where(table.sub == sub).limit(1)) for table in (Session, Draft))


def waiting(tx: Transaction, keys: Keys, now: int, code: str = "") -> list[Waiting]:
    """Whoever has identified and has no account, in a session that is still open; the latest first.

    code: only those whom it names, from its beginning on.
    """
    rows = tx.scalars(
        select(Session)
        .where(Session.key >= code, Session.key < f"{code}g")  # in hexadecimal, so that nothing comes after f
        .where(Session.sub.is_not(None), Session.account_id.is_(None), Session.expires_at > now)
        .where(Session.sub.not_in(select(Account.sub)))
        .order_by(Session.identified_at.desc())
    )
    return [opened_session(keys, row) for row in rows]


def opened_session(keys: Keys, row: Session) -> Waiting:
    """Who has identified in a session."""
    _, given, family = keys.unseal(f"session:{row.id}", row.sealed or "") or ("", "", "")
    return Waiting(row.key[:CODE], row.sub or "", given, family, row.browser, row.identified_at or row.created_at)


def relink(tx: Transaction, account: Account, sub: str, by: By) -> None:
    """Let an account belong to a person's new `sub`; all its sessions end, and what the new one had begun is deleted.

    Its owner is told by e-mail. Raises Refused if that `sub` has an account.
    """
    if account_of_sub(tx, sub) is not None:
        text = "that person has an account of their own: one of the two has to be forgotten first"
        raise Refused(text, "has_account")
    _erase_what_hangs_on(tx, account.sub, sub)
    tx.execute(delete(Session).where(Session.account_id == account.id))
    tx.get_one(Account, account.id).sub = sub
    try:
        tx.flush()
    except IntegrityError as error:  # they have registered in this moment
        text = "that person has just registered: one of the two accounts has to be forgotten first"
        raise Refused(text, "has_account") from error
    by.record(tx, "relinked", subject=account.id)
    outbox.notify(tx, account, "relinked", by.now)


def forget(
    tx: Transaction,
    account: Account | None,
    sub: str,
    by: By,
    *,
    leave_without_administrator: bool = False,
    keep_given: bool = False,
) -> list[tuple[str, str]]:
    """Erase a person: account, rights, sessions, drafts, e-mails, their name in e-mails to others, and what they gave.

    keep_given: customer service answers for what they gave, from now on. A company stays, as its founding row decides
    who was the first. Returns whose rights have ended besides: ids of accounts, with the company's key. Raises
    Refused unless a company may be left without an administrator; one in which there is nobody else always may.
    """
    ended: list[tuple[str, str]] = []
    if account is not None:
        held, left = _leaving(tx, account, keep_given)
        if left and not leave_without_administrator:
            raise Refused(
                f"the other users of {', '.join(sorted(left))} would be without an administrator: grant one of them "
                "--administrator first, or add --leave-without-administrator"
            )
        for row in held:
            gone = end_given(tx, row, actor=by.actor, now=by.now, keep_for=BY_CUSTOMER_SERVICE if keep_given else None)
            ended += [(id, row.company.key) for id in gone]
        for entry in _messages_naming(tx, account.id):
            entry.words = {**entry.words, "by": entry.words["company"], "by_account": ""}
        tx.flush()
        tx.execute(delete(Account).where(Account.id == account.id))
    _erase_what_hangs_on(tx, sub)
    by.record(tx, "forgotten", subject=account.id if account is not None else None)
    return ended


def export(tx: Transaction, keys: Keys, account: Account | None, sub: str, by: By) -> dict[str, Any]:
    """All that is held on a person, as JSON; times in UTC. What hides the password is left out: it says nothing."""
    subject = account.id if account is not None else None
    by.record(tx, "exported", subject=subject)
    append_waiting(tx)  # it stands in what is exported
    draft = tx.get(Draft, sub)
    opened = keys.unseal(f"draft:{sub}", draft.sealed) if draft else None
    theirs = Session.sub == sub if subject is None else or_(Session.sub == sub, Session.account_id == subject)
    found: dict[str, Any] = {
        "sub": sub,
        "sessions": [_columns(row, *SESSION_COLUMNS) for row in tx.scalars(select(Session).where(theirs))],
        "draft": {name: opened[name] for name in opened if name not in OF_PASSWORD} if opened else None,
    }
    if account is None:
        return found
    mails = tx.scalars(select(OutboxEntry).where(OutboxEntry.account_id == account.id))
    about_them = or_(AuditRecord.subject == account.id, AuditRecord.actor == account.id)
    trail = tx.scalars(select(AuditRecord).where(about_them))
    checks = tx.scalars(select(CallerCheck).where(CallerCheck.account_id == account.id))
    acts = tx.scalars(select(StaffAct).where(StaffAct.account_id == account.id))
    return {
        **found,
        "account": _columns(tx.get_one(Account, account.id), *ACCOUNT_COLUMNS),
        "rights": [right_facts(right) | _source(right) for right in lookup.rights_of(tx, account.id)],
        "caller_checks": [_columns(row, "identified_at", "expires_at") for row in checks],
        "requests": [_columns(case, *CASE_COLUMNS) for case in cases_of(tx, account_id=account.id)],
        "e_mails": [_columns(row, "kind", "address", "locale", "words", "created_at", "sent_at") for row in mails],
        "e_mails_to_others": [_columns(row, "kind", "created_at") for row in _messages_naming(tx, account.id)],
        "staff_acts": [_columns(row, "asked", "asked_by", "asked_at", "state") for row in acts],
        "audit": [_columns(row, "at", "event", "actor", "subject", "fo_nummer", "details") for row in trail],
    }


def _leaving(tx: Transaction, account: Account, keep_given: bool) -> tuple[Sequence[Representation], list[str]]:
    """An account's rights, their companies locked, and the companies that would be without an administrator."""
    mine = select(Representation.fo_nummer).where(Representation.account_id == account.id)
    companies = select(Company.fo_nummer).where(Company.fo_nummer.in_(mine)).order_by(Company.fo_nummer)
    tx.execute(companies.with_for_update())
    held, left = tx.scalars(select(Representation).where(Representation.account_id == account.id)).all(), []
    for row in held:
        ending = ending_with(tx, row, keep_given)
        stay = Representation.account_id.not_in([one.account_id for one in ending])
        others = select(Representation.account_id).where(Representation.fo_nummer == row.fo_nummer, stay)
        if is_last_administrator(tx, *ending) and tx.scalar(others.limit(1)) is not None:
            left.append(row.fo_nummer)
    return held, left


def right_facts(right: Representation) -> dict[str, Any]:
    """A right as JSON, by the names that `GET /api/rights` has, and since when, in UTC."""
    return {
        "fo_nummer": right.fo_nummer,
        "name": right.company.name,
        "customer_numbers": list(right.customer_numbers),
        "administrator": right.administrator,
        "sections": right.levels,
        "since": _moment(right.since),
    }


def _source(right: Representation) -> dict[str, Any]:
    shares = [_columns(row, "own_levels", "since", "given_by", "ends_at") for row in right.shares]
    return _columns(right, *SOURCE) | {"shares": shares}


def _messages_naming(tx: Transaction, account_id: str) -> Sequence[OutboxEntry]:
    """E-mails to others that say who gave them a right."""
    return tx.scalars(select(OutboxEntry).where(OutboxEntry.words["by_account"].as_string() == account_id)).all()


def _erase_what_hangs_on(tx: Transaction, *subs: str) -> None:
    for table in (Session, Draft):
        tx.execute(delete(table).where(table.sub.in_(subs)))


def _columns(row: Any, *names: str) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in names}
    return {name: _moment(value) if isinstance(value, int) else value for name, value in values.items()}


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
