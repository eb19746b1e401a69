"""Signing in by user name and password: on our page, and for the online service.

Wrong tries are counted three times: of a user name from an address, of an address (and of an IPv6 site), and of a
user name from anywhere.
The last one would let a stranger lock an owner out, so it does not hold for an address from which the owner has signed
in before. Identification is the other way in, and never limited: whoever is kept out here can always take it.

A user name that nobody has is counted and verified like any other, so that neither text nor status nor time tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from kit import logs
from kit.serving.networks import network_of, networks_of
from registration import audit
from registration.accounts import limits
from registration.accounts.names import user_name_key
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


@dataclass(frozen=True, slots=True)
class _Counts:
    """The ids of what is counted. short: in the short window, with how many tries there are of each."""

    pair: str
    short: Mapping[str, int]
    user_name: str
    known: str


def check(
    service: Service, user_name: str, password: str, address: str | None, by: str = "password"
) -> Account | Refused | TooMany:
    """Whose user name and password these are; the audit trail then tells that they signed in.

    user_name, password: as typed. address: the person's IP address; where there is none nothing is counted by the
    address alone, as it would count everybody. by: how, for the audit trail. A hash of former parameters is made anew.
    Raises Busy, and nothing else for whatever was typed.
    """
    with service.passwords.admitted(*networks_of(address)):
        return _check(service, user_name_key(user_name), password, _counts(service, user_name, address), by)


def _check(service: Service, key: str, password: str, counts: _Counts, by: str) -> Account | Refused | TooMany:
    seconds = limits.take_all(service.database, counts.short, SHORT_WINDOW, service.now)
    if seconds is not None:
        logs.add(limit="sign_ins_per_address")
        return TooMany(seconds)
    taken = list(counts.short)
    account, is_known = _look_up(service, key, counts)
    if not (is_known and len(counts.short) > 1):  # nobody is known at no address
        seconds = limits.take(service.database, counts.user_name, PER_USER_NAME, limits.DAY, service.now)
        if seconds is not None:  # then nothing is verified
            limits.give_back(service.database, *taken)
            logs.add(limit="sign_ins_per_user_name")
            return TooMany(seconds)
        taken.append(counts.user_name)
    if not service.passwords.verify(password, account.password_hash if account else None) or account is None:
        return Refused()
    _succeed(service, account, password, counts, taken, by)
    return account


def _counts(service: Service, user_name: str, address: str | None) -> _Counts:
    key, network = user_name_key(user_name), network_of(address) or "unknown"
    keyed_digest = service.keys.keyed_digest
    pair = keyed_digest("sign-in", key, network)
    return _Counts(
        pair=pair,
        short={pair: PER_PAIR} | limits.by_network(service, "sign-in address", address, PER_ADDRESS),
        user_name=keyed_digest("sign-in user name", key),
        known=keyed_digest("sign-in known", key, network),
    )


def _look_up(service: Service, key: str, counts: _Counts) -> tuple[Account | None, bool]:
    """The account, and whether its owner is known at this address."""
    known = select(Tries.id).where(Tries.id == counts.known, Tries.until > service.now)
    with service.database.read() as transaction:
        account = transaction.scalar(select(Account).where(Account.user_name_key == key))
        return account, transaction.scalar(known) is not None


def _succeed(service: Service, account: Account, password: str, counts: _Counts, taken: list[str], by: str) -> None:
    """Only the pair begins anew: else an account of one's own would lift the limit of an address."""
    now, old = service.now, account.password_hash
    new = service.passwords.hash(password) if service.passwords.is_outdated(old) else None
    limits.give_back(service.database, *taken)
    limits.take(service.database, counts.known, 1, KNOWN_FOR, now)  # makes the row; what it counts says nothing
    with service.database.write() as transaction:
        transaction.execute(delete(Tries).where(Tries.id == counts.pair))
        transaction.execute(update(Tries).where(Tries.id == counts.known).values(until=now + KNOWN_FOR))
        if new:  # unless the password was changed meanwhile
            same = Account.id == account.id, Account.password_hash == old
            transaction.execute(update(Account).where(*same).values(password_hash=new))
        audit.record(transaction, "signed_in", now=now, actor=account.id, subject=account.id, by=by)
