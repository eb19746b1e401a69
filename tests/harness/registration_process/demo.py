"""Registration that can be killed, its database as seen from outside, and a mail server that takes its e-mail."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import delete, select

from demo.runner.registrant import Page
from registration.database import migrate
from registration.database.connection import Database
from registration.database.models import (
    Account,
    AuditRecord,
    Company,
    Customer,
    CustomerNumber,
    Draft,
    OutboxEntry,
    Representation,
)
from registration.keys import load_keys
from registration.mail.sending import Mailer
from registration.pages.rendering import Pages
from registration.settings import Settings
from tests.harness.mail_server import MailServer
from tests.harness.registration import TESTISAHKO, Harness, Row, to_form
from tests.harness.registration_process.process import KILLABLE, RegistrationProcess, Visitor

EMAIL = "person@example.com"


@dataclass
class KillableSite:
    """A registration of its own: process, database, mail server."""

    harness: Harness
    process: RegistrationProcess
    config: dict[str, Any]
    database: Database
    mail: MailServer

    def visitor(self, persona: Any | None = None) -> Visitor:
        """A person; a made-up adult unless given."""
        made = Visitor(self.harness.url, self.harness.mock, persona or self.harness.mock.made_adult())
        return made.behind(self.process.port)

    def dies(self, send: Any, *arguments: Any) -> None:
        """Send a request in which the process is killed, and start it again without the point."""
        with pytest.raises(requests.ConnectionError):
            send(*arguments)
        assert self.process.was_killed()
        self.process.start()

    def rows(self, table: type[Row]) -> list[Row]:
        """Every row of a table; records in the order in which they were written."""
        with self.database.read() as transaction:
            wanted = select(table)
            return list(transaction.scalars(wanted.order_by(AuditRecord.id) if table is AuditRecord else wanted))

    def send_mail(self, *, later: int = 0) -> int:
        """Send what is due so many seconds from now; return how many were sent."""
        settings = Settings.model_validate(self.config)
        keys = load_keys(settings.keys.dir)
        return Mailer(settings, self.database, keys, Pages(settings), lambda: time.time() + later).send_due()

    def registered(self) -> list[str]:
        """User names of who is registered. Fails if anybody or any company is half made, or anything is left over."""
        accounts = self.rows(Account)
        ids = {account.id for account in accounts}
        rights = self.rows(Representation)
        records = [record for record in self.rows(AuditRecord) if record.event == "registered"]
        kept: dict[str, list[Any]] = {
            "right": [right.account_id for right in rights],
            "customer number": [number.account_id for number in self.rows(CustomerNumber)],
            "e-mail": [entry.account_id for entry in self.rows(OutboxEntry)],
            "audit record": [record.subject for record in records],
        }
        for name, owners in kept.items():
            assert Counter(owners) == Counter(ids), name
        administrators = [right.fo_nummer for right in rights if right.administrator]
        assert administrators == [company.fo_nummer for company in self.rows(Company)]
        subs = {account.sub for account in accounts}
        assert not subs & {draft.sub for draft in self.rows(Draft)}
        return [account.user_name for account in accounts]


@contextmanager
def killable_site(harness: Harness, url: str, folder: Path) -> Iterator[KillableSite]:
    """A registration that does not run yet, its schema made, with one company in the customer register."""
    with MailServer() as mail:
        config = harness.config(url)
        config["mail"]["port"] = mail.port
        database = Database(url)
        process = RegistrationProcess(config, folder, KILLABLE)
        site = KillableSite(harness, process, config, database, mail)
        try:
            migrate.upgrade(database)
            with database.write() as transaction:
                transaction.execute(delete(Customer))
                transaction.add(
                    Customer(
                        customer_number=TESTISAHKO.customer_number,
                        fo_nummer=TESTISAHKO.fo_nummer,
                        company_name=TESTISAHKO.name,
                    )
                )
            yield site
        finally:
            process.end()
            database.close()


def to_review(person: Visitor) -> Page:
    """Fill in the form, and come to the review."""
    return person.expect("/review", person.fill(to_form(person), TESTISAHKO, email=EMAIL))
