"""Erasing again what a restored database holds though it was erased."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from kit.settings.report import ConfigurationError, Problem
from registration.accounts import person
from registration.audit import By
from registration.backup.erasure_list import KEY, Erasure, ErasureList
from registration.database.connection import Database
from registration.database.models import Account, Company, Draft, Representation, Session, Share
from registration.keys import Keys
from registration.rights.changes import erase_representation
from registration.rights.ending import drop_share


def erasure_of_person(keys: Keys, account: Account | None, sub: str, at: int) -> Erasure:
    """The line of somebody who is erased. at: seconds since the epoch."""
    return Erasure(at, account=account.id if account else None, person=_digest_of(keys, sub))


def erase_again(tx: Transaction, keys: Keys, erasures: Sequence[Erasure], by: By) -> int:
    """Erase what the list says and the database still holds; return how much that was.

    No e-mail is sent, and a company may be left without an administrator, as it was. What ended with a right has a
    line of its own. A right that was given anew after it was taken stays.
    """
    rights = [right for erasure in erasures if (right := _right(tx, erasure)) is not None]
    for right in rights:
        erase_representation(tx, right)
        by.record(tx, "revoked", subject=right.account_id, fo_nummer=right.fo_nummer, customer_numbers="all")
    shares = [share for erasure in erasures if (share := _share(tx, erasure)) is not None]
    for share in shares:
        drop_share(tx, share)
        by.record(tx, "revoked", subject=share.account_id, fo_nummer=share.fo_nummer, share=share.id)
    accounts = [account for erasure in erasures if (account := _account(tx, erasure)) is not None]
    for account in accounts:
        person.forget(tx, account, account.sub, by, leave_without_administrator=True, keep_given=True)
    digests = {erasure.person for erasure in erasures if erasure.person}
    known = {*tx.scalars(select(Draft.sub)), *tx.scalars(select(Session.sub).where(Session.sub.is_not(None)))}
    waiting = [sub for sub in known if digests and sub and _digest_of(keys, sub) in digests]
    for sub in waiting:
        person.forget(tx, None, sub, by)
    return len(rights) + len(shares) + len(accounts) + len(waiting)


def refuse_unfinished(database: Database, config: Path, erasures: ErasureList) -> None:
    """Refuse a database that holds accounts or rights that were erased: a backup of it was restored another way.

    config: the file that names both. Raises ConfigurationError.
    """
    if erasures.file is None:
        return
    with database.read() as tx:
        found = ((one, _account(tx, one) or _right(tx, one) or _share(tx, one)) for one in erasures.read())
        held = [one for one, row in found if row is not None]
    if held:
        wrong = f"{erasures.file} names {len(held)} erasures that the database does not have: a backup was restored"
        mend = f"tunnus-registration erase-again --config {config} --operator … --reason …"
        raise ConfigurationError(config, [Problem(KEY, wrong, mend=mend)])


def _account(tx: Transaction, erasure: Erasure) -> Account | None:
    """The account that was erased, if it is there."""
    return tx.get(Account, erasure.account) if erasure.account and not erasure.company else None


def _right(tx: Transaction, erasure: Erasure) -> Representation | None:
    """The right that was taken, if it is there and was not given anew."""
    if not erasure.company:
        return None
    mine = Representation.account_id == erasure.account, Representation.since < erasure.at
    wanted = select(Representation).join(Company).where(Company.key == erasure.company, *mine)
    return tx.scalar(wanted)


def _share(tx: Transaction, erasure: Erasure) -> Share | None:
    """What was taken from on top of a right, if it is there."""
    return tx.get(Share, erasure.account) if erasure.account and erasure.company else None


def _digest_of(keys: Keys, sub: str) -> str:
    return keys.keyed_digest("erased", sub)
