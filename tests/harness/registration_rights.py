"""A database with people and a company in it, for the tests of rights; and the pages of rights as a small app."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from registration.accounts.names import user_name_key
from registration.app import create_app
from registration.database.connection import Database, digest
from registration.database.models import Account, AuditRecord, Base, Company, OutboxEntry, Representation, Session
from registration.rights import founding, lookup
from registration.settings import Settings
from tests.harness.registration import CHEAP
from tests.harness.registration_keys import make_keys

NOW = 1_790_000_000
TERMS = "2026-11-01"
ROOT = Path(__file__).resolve().parent.parent.parent
FO, OTHER_FO = "1234567-1", "9990001-6"
NONE = {"consumption": "none", "contracts": "none", "invoices": "none", "users": "none"}
READER = NONE | {"consumption": "read"}
ALL = dict.fromkeys(NONE, "write")


@dataclass
class Harness:
    """What the tests look at. People are known by their user names, companies by their FO-nummer."""

    database: Database

    def person(self, user_name: str, *, confirmed: bool = True, family_name: str = "Testinen") -> Account:
        """A new account without any right."""
        account = Account(
            id=digest(user_name)[:32],
            sub=f"sub-{user_name}",
            user_name=user_name,
            user_name_key=user_name_key(user_name),
            password_hash="never a hash",
            given_name=user_name.capitalize(),
            family_name=family_name,
            email=f"{user_name}@example.com",
            email_confirmed_at=NOW if confirmed else None,
            locale="sv",
            terms_version=TERMS,
            terms_accepted_at=NOW,
            created_at=NOW,
            password_changed_at=NOW,
        )
        with self.database.write() as tx:
            tx.add(account)
        return account

    def person_named(self, user_name: str) -> Account:
        """An account that is there."""
        with self.database.read() as tx:
            return tx.get_one(Account, digest(user_name)[:32])

    def join(self, account: Account, fo_nummer: str = FO, number: str = "1001", now: int = NOW) -> bool:
        """Register an account for a company."""
        with self.database.write() as tx:
            return founding.found_or_join(tx, account, fo_nummer, f"Företag {fo_nummer[:3]} Ab", number, now)

    def people(self, *user_names: str, fo_nummer: str = FO) -> list[Account]:
        """New accounts that represent one company, the first of them as its administrator."""
        accounts = [self.person(user_name) for user_name in user_names]
        for account in accounts:
            self.join(account, fo_nummer)
        return accounts

    def key(self, fo_nummer: str = FO) -> str:
        """The key of a company."""
        with self.database.read() as tx:
            return tx.get_one(Company, fo_nummer).key

    def give(self, account: Account, fo_nummer: str = FO, *, administrator: bool | None = None, **levels: str) -> None:
        """Set what an account holds, past all rules."""
        with self.database.write() as tx:
            row = tx.get_one(Representation, (account.id, fo_nummer))
            if administrator is not None:
                row.administrator = administrator
            for section, level in levels.items():
                setattr(row, section, level)

    def right(self, account: Account, fo_nummer: str = FO) -> Representation | None:
        """What an account holds of a company."""
        with self.database.read() as tx:
            return next((right for right in lookup.rights_of(tx, account.id) if right.fo_nummer == fo_nummer), None)

    def levels(self, account: Account, fo_nummer: str = FO) -> dict[str, str] | None:
        """An account's levels."""
        right = self.right(account, fo_nummer)
        return dict(right.levels) if right else None

    def administrators(self, fo_nummer: str = FO) -> set[str]:
        """The ids of a company's administrators."""
        with self.database.read() as tx:
            return set(
                tx.scalars(
                    select(Representation.account_id).where(
                        Representation.fo_nummer == fo_nummer, Representation.administrator
                    )
                )
            )

    def mail(self) -> list[tuple[str, str]]:
        """Who is told what: account id and kind."""
        with self.database.read() as tx:
            return [(entry.account_id, entry.kind) for entry in tx.scalars(select(OutboxEntry))]

    def trail(self) -> list[tuple[str, str, str | None]]:
        """What stands in the audit trail: event, actor, subject."""
        with self.database.read() as tx:
            records = tx.scalars(select(AuditRecord).order_by(AuditRecord.id))
            return [(record.event, record.actor, record.subject) for record in records]


@lru_cache(maxsize=2)
def _opened(url: str) -> Database:
    """One for each kind of the tables that tests share: each would prepare every statement anew."""
    database = Database(url)
    Base.metadata.create_all(database.engine)
    return database


def open_harness(url: str) -> Harness:
    """A database with no one in it."""
    return Harness(_opened(url))


def config(folder: Path, database_url: str) -> dict[str, Any]:
    """A configuration of registration whose broker nobody asks, with keys in a folder."""
    make_keys(folder / "keys", 0)
    name = {"fi": "Esimerkkienergia", "sv": "Exempelenergi", "en": "Example Energy"}
    return {
        "environment": "test",
        "url": "http://127.0.0.1:8001",
        "database": {"url": database_url},
        "keys": {"dir": str(folder / "keys")},
        "brand": {"name": name, "customer_service": {"phone": "+358 9 000", "email": "service@example.com"}},
        "links": {"private_customers": "https://example.com/private", "online_service": "https://example.com/"},
        "broker": {"issuer": "http://127.0.0.1:9", "accepted_acr": ["http://ftn.ficora.fi/2017/loatest2"]},
        "terms": {"dir": str(ROOT / "config" / "terms"), "version": TERMS},
        "mail": {"host": "127.0.0.1", "security": "none", "sender": "no-reply@example.com"},
        "passwords": CHEAP,
    }


def open_app(folder: Path, database_url: str) -> Flask:
    """Registration as it is, at the time NOW."""
    return create_app(Settings.model_validate(config(folder, database_url)), clock=lambda: NOW)


@dataclass
class Browser:
    """A browser in which somebody is signed in."""

    client: FlaskClient

    def get(self, path: str) -> TestResponse:
        """A page, in English."""
        return self.client.get(path, headers={"Accept-Language": "en"})

    def post(self, path: str, fields: Mapping[str, str]) -> TestResponse:
        """Send a form, with the token of this browser."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.get("/rights").text)
        assert token
        return self.client.post(path, data={**fields, "csrf_token": token[1]}, headers={"Accept-Language": "en"})


def sign_in(
    harness: Harness, app: Flask, account: Account, identified_at: int | None = NOW, *, identified: bool = False
) -> Browser:
    """A browser of its own for an account. identified_at: None if by password. identified: their names are known."""
    token = f"token of {account.id}"
    client = app.test_client()
    times = {"created_at": NOW, "seen_at": NOW, "expires_at": NOW + 3600, "identified_at": identified_at}
    who = [account.sub, account.given_name, account.family_name]
    sealed = app.extensions["registration"].keys.seal(f"session:{digest(token)}", who)
    bank = {"sub": account.sub, "sealed": sealed}
    ids = {"id": digest(token), "key": account.id, "account_id": account.id}
    with harness.database.write() as tx:
        tx.merge(Session(**ids, browser="Firefox", **times, **(bank if identified else dict.fromkeys(bank))))
    with client.session_transaction() as cookie:
        cookie["session"] = token
    return Browser(client)
