"""Signing in by user name and password: on our page, and for the online service.

Wrong tries are counted three times: of a user name from an address, of an address (and of an IPv6 site), and of a
user name from anywhere.
The last one would let a stranger lock an owner out, so it does not hold for an address from which the owner has signed
in before. Identification is the other way in, and never limited: whoever is kept out here can always take it.

A user name that nobody has is counted and verified like any other, so that neither text nor status nor time tells; but
after the hash's parameters have grown an account takes the former ones' time until its owner signs in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from kit import logs
from kit.serving.networks import network_of, networks_of
from registration import audit
from registration.accounts import limits
from registration.accounts.limits import Limit
from registration.accounts.names import user_name_key
from registration.database.connection import insert
from registration.database.models import Account, Tries

if TYPE_CHECKING:
    from registration.service import Service

PER_PAIR, PER_ADDRESS, SHORT_WINDOW = 10, 100, 900
"""Wrong tries of a user name from an address, and of an address, in a window of seconds."""
PER_USER_NAME = 100
"""Wrong tries of a user name a day, from all addresses that its owner has not signed in from."""
KNOWN_FOR = 90 * limits.DAY
"""Seconds that an address stays known after its owner has signed in from there."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The user name and the password do not belong together."""


@dataclass(frozen=True, slots=True)
class TooMany:
    """There were too many wrong tries; nothing was verified. seconds: until the next one is allowed."""

    seconds: int


def check(
    service: Service, user_name: str, password: str, address: str | None, by: str = "password"
) -> Account | Refused | TooMany:
    """Whose user name and password these are; the audit trail then tells that they signed in.

    user_name, password: as typed. address: the person's IP address; where there is none nothing is counted by the
    address alone, as it would count everybody. by: how, for the audit trail. A hash of former parameters is made anew.
    Raises Busy, and nothing else for whatever was typed.
    """
    with service.passwords.admitted(*networks_of(address)):
        key, network, now = user_name_key(user_name), network_of(address) or "unknown", service.now
        kinds = ("sign-in", key, network), ("sign-in known", key, network), ("sign-in user name", key)
        pair, known, anywhere = (service.keys.keyed_digest(*kind) for kind in kinds)
        of_address = limits.by_network(service, "sign-in address", address, Limit(PER_ADDRESS, SHORT_WINDOW))
        counted = {pair: Limit(PER_PAIR, SHORT_WINDOW)} | of_address
        with service.database.write() as transaction:
            account = transaction.scalar(select(Account).where(Account.user_name_key == key))
            is_known = limits.taken(transaction, known, now) > 0
            if not (is_known and of_address):  # nobody is known at no address
                counted[anywhere] = Limit(PER_USER_NAME, limits.DAY)
            reached = limits.take_all(transaction, counted, now)
        if reached:  # then nothing is verified
            at_address = [seconds for id, seconds in reached.items() if id != anywhere]
            logs.add(limit="sign_ins_per_address" if at_address else "sign_ins_per_user_name")
            return TooMany(max(at_address or reached.values()))
        if not service.passwords.verify(password, account.password_hash if account else None) or account is None:
            return Refused()
        _succeed(service, account, password, pair, known, counted, by)
        return account


def _succeed(
    service: Service, account: Account, password: str, pair: str, known: str, counted: Iterable[str], by: str
) -> None:
    """Only the pair of name and address begins anew: else an account of one's own would lift that of an address."""
    now, old = service.now, account.password_hash
    new = service.passwords.hash(password) if service.passwords.is_outdated(old) else None
    with service.database.write() as transaction:
        if new:  # unless the password was changed meanwhile
            same = Account.id == account.id, Account.password_hash == old
            transaction.execute(update(Account).where(*same).values(password_hash=new))
        audit.record(transaction, "signed_in", now=now, actor=account.id, subject=account.id, by=by)
        limits.give_back(transaction, *counted)
        transaction.execute(delete(Tries).where(Tries.id == pair))
        kept = {"count": 1, "until": now + KNOWN_FOR}
        row = insert(transaction.connection().dialect.name, Tries).values(id=known, **kept)
        transaction.execute(row.on_conflict_do_update(index_elements=["id"], set_=kept))
