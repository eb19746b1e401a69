"""The commands about people, as customer service gives them."""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path

import tomli_w
from click.testing import CliRunner, Result
from sqlalchemy import inspect, select, text

from registration.backup.erasure_list import Erasure, ErasureList
from registration.cli import main
from registration.database.models import AuditRecord, Customer, Draft, Session
from registration.keys import load_keys
from tests.harness.registration_rights import FO, Harness, config

WHY = ("--operator", "maija", "--reason", "asked by phone")
DRAFT = {"email": "draft@example.com", "password_hash": "never a hash"}


class Commands:
    """Customer service, at a command line of its own."""

    def __init__(self, folder: Path, url: str, harness: Harness) -> None:
        self.harness = harness
        self.folder = folder
        self.file = folder / "registration.toml"
        values = config(folder, url)
        self.keys = load_keys(folder / "keys")
        self.file.write_text(tomli_w.dumps(values))

    def run(self, *arguments: str, input: str | None = None) -> Result:
        """The outcome of a command."""
        return CliRunner().invoke(main, [*arguments, "--config", str(self.file)], input=input)

    def done(self, *arguments: str, input: str | None = None) -> str:
        """The output of a command that must succeed."""
        result = self.run(*arguments, input=input)
        assert result.exit_code == 0, result.output
        return result.output

    def refused(self, *arguments: str) -> str:
        """The error of a command that must be refused, and change nothing."""
        before = self.dump()
        result = self.run(*arguments)
        assert result.exit_code == 1, result.output
        assert self.dump() == before
        return result.stderr

    def list_erasures(self) -> None:
        """Let the configuration name a list of erasures."""
        values = tomllib.loads(self.file.read_text()) | {"erasures": {"file": str(self.folder / "erasures")}}
        self.file.write_text(tomli_w.dumps(values))

    def erasures(self) -> list[Erasure]:
        """What the list has."""
        return ErasureList(self.folder / "erasures").read()

    def know(self, number: str = "1002", fo_nummer: str = FO, name: str = "Företag 123 Ab") -> None:
        """Put a customer into the customer register."""
        with self.harness.database.write() as tx:
            tx.add(Customer(customer_number=number, fo_nummer=fo_nummer, company_name=name))

    def identified(self, sub: str, given_name: str, key: str, seconds: int = 3600) -> str:
        """A session of somebody who has identified and has no account; returns its code."""
        id, now = f"session-{sub}", int(time.time())
        with self.harness.database.write() as tx:
            tx.add(
                Session(
                    id=id,
                    key=key,
                    sub=sub,
                    sealed=self.keys.seal(f"session:{id}", [sub, given_name, "Uusi"]),
                    browser="Firefox, Linux",
                    identified_at=now,
                    created_at=now,
                    seen_at=now,
                    expires_at=now + seconds,
                )
            )
            tx.add(Draft(sub=sub, sealed=self.keys.seal(f"draft:{sub}", DRAFT), expires_at=now + 3600))
        return key[:8]

    def dump(self) -> str:
        """Every row of every table, as text."""
        with self.harness.database.read() as tx:
            tables = inspect(self.harness.database.engine).get_table_names()
            return json.dumps(
                {table: sorted(map(str, tx.execute(text(f'SELECT * FROM "{table}"')))) for table in tables},  # noqa: S608
                ensure_ascii=False,
            )


def last_record(harness: Harness) -> AuditRecord:
    """What was recorded last, but for mail that was not sent."""
    with harness.database.read() as tx:
        return tx.scalars(
            select(AuditRecord).where(AuditRecord.event != "not_told").order_by(AuditRecord.id.desc())
        ).first()
