"""Search by what staff know: FO-nummer, customer number, user name, e-mail, name, or the code that a person reads out.

Every question is of an index and bounded, so that a large register costs no more than a small one.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, load_only
from sqlalchemy.orm import Session as Transaction

from kit import typed_text
from registration.accounts.names import company_name_key, user_name_key
from registration.accounts.person import CODE, opened_session
from registration.api.answers import invalid_request
from registration.api.staff.authentication import Staff
from registration.database.models import Account, Company, Customer, CustomerNumber, Representation, Session
from registration.service import Service

MOST = 20
"""Of each kind."""
LONGEST = 254
_AFTER_ALL = "\U0010ffff"
_CODE = re.compile(f"[0-9a-f]{{{CODE}}}")


def find(service: Service, _: Staff, asked: Any) -> dict[str, Any]:
    """The companies, people and code that fit `q`. more: there are others. Raises ApiError."""
    q = asked.get("q") if isinstance(asked, dict) and asked.keys() == {"q"} else None
    if not isinstance(q, str) or not 1 <= len(q) <= LONGEST or not (text := typed_text.line(q)):
        raise invalid_request(f"the body must be an object of q, a text of 1 to {LONGEST} characters")
    with service.database.read() as tx:
        companies, people = _companies(tx, text), _people(tx, text)
        code = _code(tx, service, typed_text.number(text).lower())
    more = len(companies) > MOST or len(people) > MOST
    return {"companies": companies[:MOST], "people": people[:MOST], "code": code, "more": more}


def _begins(column: InstrumentedAttribute[str], key: str) -> ColumnElement[bool]:
    return (column >= key) & (column < key + _AFTER_ALL)


def _companies(tx: Transaction, text: str) -> list[dict[str, Any]]:
    """Those that somebody represents first, then others that the customer register's table has: they have no key."""
    found: dict[str, dict[str, Any]] = {}
    number = typed_text.number(text)
    for table, name, by_number in (
        (Company, Company.name, select(CustomerNumber.fo_nummer).where(CustomerNumber.customer_number == number)),
        (Customer, Customer.company_name, select(Customer.fo_nummer).where(Customer.customer_number == number)),
    ):
        fits: list[ColumnElement[bool]] = [table.fo_nummer.in_(by_number.distinct().limit(MOST + 1))]
        with suppress(ValueError):
            fits.append(table.fo_nummer == typed_text.fo_nummer(text))
        if key := company_name_key(text):
            fits.append(_begins(table.name_key, key))
        for one in fits:
            for fo_nummer, called in tx.execute(select(table.fo_nummer, name).where(one).limit(MOST + 1)):
                found.setdefault(fo_nummer, {"key": None, "fo_nummer": fo_nummer, "name": called, "users": 0})
    count = select(func.count()).where(Representation.fo_nummer == Company.fo_nummer).scalar_subquery()
    known = select(Company.fo_nummer, Company.key, Company.name, count).where(Company.fo_nummer.in_(found))
    for fo_nummer, key, called, users in tx.execute(known):
        found[fo_nummer] |= {"key": key, "name": called, "users": users}
    return sorted(found.values(), key=lambda company: (company["key"] is None, company["name"]))


def _people(tx: Transaction, text: str) -> list[dict[str, Any]]:
    folded = user_name_key(text)
    given, _, family = folded.rpartition(" ")
    names = {folded, f"{family} {given}".strip()}
    fits = [
        Account.user_name_key == folded,
        Account.email_key == typed_text.plain(text).casefold(),
        *(_begins(Account.name_key, name) for name in names),
        Account.id.in_(
            select(CustomerNumber.account_id)
            .where(CustomerNumber.customer_number == typed_text.number(text))
            .limit(MOST + 1)
        ),
    ]
    found: dict[str, dict[str, Any]] = {}
    for one in fits if folded else ():
        shown = load_only(Account.user_name, Account.given_name, Account.family_name, Account.email)
        for account in tx.scalars(select(Account).options(shown).where(one).limit(MOST + 1)):
            found.setdefault(account.id, person_facts(account) | {"companies": []})
    theirs = select(Representation.account_id, Company.key, Company.name).join(Representation.company)
    for account_id, key, name in tx.execute(theirs.where(Representation.account_id.in_(found)).limit(MOST * MOST)):
        found[account_id]["companies"].append({"key": key, "name": name})
    return list(found.values())


def person_facts(account: Account) -> dict[str, Any]:
    """What every answer says of a person."""
    names = ("user_name", "given_name", "family_name", "email")
    return {"account_id": account.id, **{name: getattr(account, name) for name in names}}


def _code(tx: Transaction, service: Service, code: str) -> dict[str, Any] | None:
    """Whom a code of registration's pages names: somebody who has identified, with or without an account."""
    if not _CODE.fullmatch(code):
        return None
    named = select(Session, Account).outerjoin(
        Account, or_(Account.id == Session.account_id, Account.sub == Session.sub)
    )
    open_ = named.where(Session.key >= code, Session.key < f"{code}g", Session.expires_at > service.now)
    found = tx.execute(open_.limit(2)).all()
    if len(found) != 1:
        return None
    session, account = found[0]
    waiting = opened_session(service.keys, session)
    return {
        "kind": "registration",
        "account_id": account.id if account else None,
        "name": account.name if account else waiting.name,
        "identified_at": waiting.identified_at,
        "browser": session.browser,
    }
