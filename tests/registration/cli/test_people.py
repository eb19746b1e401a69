"""The commands about people, as customer service gives them, on both databases."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import inspect, select, text

from registration import rights
from registration.accounts import person
from registration.cli import main
from registration.database.models import Account, AuditRecord, Customer, Draft, OutboxEntry, Representation, Session
from registration.keys import load_keys
from tests.harness.registration_rights import ALL, FO, NONE, OTHER_FO, READER, Harness, config, open_harness

WHY = ("--operator", "maija", "--reason", "asked by phone")


class Commands:
    """Customer service, at a command line of its own."""

    def __init__(self, folder: Path, url: str, harness: Harness) -> None:
        self.harness = harness
        self.folder = folder
        self.file = folder / "registration.toml"
        values = config(folder, url)
        self.keys = load_keys(folder / "keys")
        top = [f"{name} = {json.dumps(value)}" for name, value in values.items() if not isinstance(value, dict)]
        tables = [line for name, value in values.items() if isinstance(value, dict) for line in _table(name, value)]
        self.file.write_text("\n".join(top + tables) + "\n")

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


DRAFT = {"email": "draft@example.com", "password_hash": "never a hash"}


def _table(name: str, values: dict[str, Any]) -> list[str]:
    plain = [f"{key} = {json.dumps(value)}" for key, value in values.items() if not isinstance(value, dict)]
    inner = [
        line for key, value in values.items() if isinstance(value, dict) for line in _table(f"{name}.{key}", value)
    ]
    return [f"[{name}]", *plain, *inner]


@pytest.fixture
def harness(database_url: str) -> Iterator[Harness]:
    harness = open_harness(database_url)
    yield harness
    harness.database.close()


@pytest.fixture
def commands(tmp_path: Path, database_url: str, harness: Harness) -> Commands:
    return Commands(tmp_path, database_url, harness)


def last_record(harness: Harness) -> AuditRecord:
    with harness.database.read() as tx:
        return tx.scalars(
            select(AuditRecord).where(AuditRecord.event != "not_told").order_by(AuditRecord.id.desc())
        ).first()


def test_a_further_customer_number_is_granted_once_the_register_knows_it(harness: Harness, commands: Commands) -> None:
    _, second = harness.people("aino", "bertil")
    command = ("grant", "BERTIL", "--fo-nummer", "FI 1234567 1", "--customer-number", "10 02", *WHY, "--yes")
    assert "no customer 1002" in commands.refused(*command)
    commands.know()
    assert "granted" in commands.done(*command)
    right = harness.right(second)
    assert right is not None
    assert (right.customer_numbers, right.levels, right.administrator) == (("1001", "1002"), READER, False)
    record = last_record(harness)
    assert (record.event, record.actor, record.subject, record.fo_nummer) == (
        "granted",
        "operator:maija",
        second.id,
        FO,
    )
    assert record.details["reason"] == "asked by phone"
    assert record.details["customer_numbers"] == "1002"
    assert harness.mail() == [(second.id, "rights_changed")]


def test_the_number_of_another_company_is_not_granted(harness: Harness, commands: Commands) -> None:
    harness.people("aino")
    commands.know("2002", OTHER_FO)
    commands.refused("grant", "aino", "--fo-nummer", FO, "--customer-number", "2002", *WHY, "--yes")
    commands.done("grant", "aino", "--fo-nummer", FO, "--customer-number", "2002", "--unchecked", *WHY, "--yes")


def test_sections_that_are_not_named_stay(harness: Harness, commands: Commands) -> None:
    _, second = harness.people("aino", "bertil")
    commands.done("grant", "bertil", "--fo-nummer", FO, "--invoices", "write", "--consumption", "none", *WHY, "--yes")
    assert harness.levels(second) == NONE | {"invoices": "write"}


def test_customer_service_appoints_an_administrator_also_where_all_have_gone(
    harness: Harness, commands: Commands
) -> None:
    first, second = harness.people("aino", "bertil")
    assert "last administrator" in commands.refused("revoke", "aino", "--fo-nummer", FO, *WHY, "--yes")
    commands.done("revoke", "aino", "--fo-nummer", FO, "--leave-without-administrator", *WHY, "--yes")
    assert harness.right(first) is None
    assert harness.administrators() == set()
    commands.done("grant", "bertil", "--fo-nummer", FO, "--administrator", *WHY, "--yes")
    assert harness.administrators() == {second.id}
    assert harness.levels(second) == ALL


def test_the_sections_of_an_administrator_are_not_lowered(harness: Harness, commands: Commands) -> None:
    harness.people("aino", "bertil")
    commands.refused("grant", "aino", "--fo-nummer", FO, "--users", "read", *WHY, "--yes")
    commands.refused("grant", "bertil", "--fo-nummer", FO, "--users", "read", "--administrator", *WHY, "--yes")


def test_a_new_company_needs_its_name_and_gets_its_administrator(harness: Harness, commands: Commands) -> None:
    account = harness.person("aino")
    command = ["grant", "aino", "--fo-nummer", FO, "--customer-number", "1001", *WHY, "--yes", "--unchecked"]
    assert "--company-name" in commands.refused(*command, "--administrator")
    assert "--administrator" in commands.refused(*command, "--company-name", "Företag Ab")
    commands.done(*command, "--administrator", "--company-name", "Företag Ab")
    right = harness.right(account)
    assert right is not None
    assert (right.name, right.administrator, right.levels) == ("Företag Ab", True, ALL)


def test_the_name_of_a_new_company_comes_from_the_customer_register(harness: Harness, commands: Commands) -> None:
    account = harness.person("aino")
    commands.know("1001", FO, "Bolaget Ab")
    commands.done("grant", "aino", "--fo-nummer", FO, "--customer-number", "1001", "--administrator", *WHY, "--yes")
    right = harness.right(account)
    assert right is not None
    assert right.name == "Bolaget Ab"


def test_a_new_representative_needs_a_customer_number(harness: Harness, commands: Commands) -> None:
    harness.people("aino")
    harness.person("bertil")
    refusal = commands.refused("grant", "bertil", "--fo-nummer", FO, "--consumption", "read", *WHY, "--yes")
    assert "customer number" in refusal
    with harness.database.read() as tx:
        row = tx.scalar(select(Representation.given_by).where(Representation.administrator.is_(False)))
    assert row is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("grant", "aino", "--fo-nummer", "1234567-2", "--administrator", *WHY),
        ("grant", "aino", "--fo-nummer", FO, *WHY),
        ("grant", "aino", "--fo-nummer", FO, "--customer-number", "<b>", *WHY),
        ("grant", "aino", "--fo-nummer", FO, "--administrator", "--operator", "maija"),
        ("grant", "aino", "--fo-nummer", FO, "--users", "all", *WHY),
        ("forget", *WHY),
        ("forget", "aino", "--sub", "x", *WHY),
        ("forget", "aino", "--account", "x", *WHY),
        ("export", "--account", "x", "--sub", "x", *WHY),
        ("revoke", "aino", "--fo-nummer", FO, "--operator", "a\nb", "--reason", "x"),
    ],
)
def test_a_command_that_is_given_wrongly_says_so(commands: Commands, arguments: tuple[str, ...]) -> None:
    assert commands.run(*arguments).exit_code == 2


@pytest.mark.parametrize("command", ["grant", "revoke", "relink", "forget", "export"])
def test_a_user_name_that_nobody_has_is_told(commands: Commands, command: str) -> None:
    more = ("--fo-nummer", FO) if command in {"grant", "revoke"} else ()
    more += ("--administrator",) if command == "grant" else ()
    assert commands.refused(command, "nobody", *more, *WHY) == "there is no user with that user name\n"


@pytest.mark.parametrize(
    "command",
    [
        ("grant", "bertil", "--fo-nummer", FO, "--administrator"),
        ("revoke", "bertil", "--fo-nummer", FO),
        ("forget", "bertil"),
    ],
)
def test_nothing_is_changed_without_a_yes(harness: Harness, commands: Commands, command: tuple[str, ...]) -> None:
    harness.people("aino", "bertil")
    before = commands.dump()
    assert commands.run(*command, *WHY, input="n\n").exit_code == 1
    assert commands.dump() == before


def test_a_customer_number_is_revoked_but_not_the_last_one(harness: Harness, commands: Commands) -> None:
    _, second = harness.people("aino", "bertil")
    harness.join(second, number="1002")
    command = ("revoke", "bertil", "--fo-nummer", FO, *WHY, "--yes", "--customer-number")
    assert "does not have that" in commands.refused(*command, "1009")
    commands.done(*command, "1001")
    right = harness.right(second)
    assert right is not None
    assert right.customer_numbers == ("1002",)
    assert "all of the user's" in commands.refused(*command, "1002")
    assert last_record(harness).details == {"customer_numbers": "1001", "reason": "asked by phone"}


def test_all_rights_in_a_company_are_revoked(harness: Harness, commands: Commands) -> None:
    _, second = harness.people("aino", "bertil")
    commands.done("revoke", "bertil", "--fo-nummer", FO, *WHY, "--yes")
    assert harness.right(second) is None
    assert (second.id, "user_removed") in harness.mail()
    assert "does not represent" in commands.refused("revoke", "bertil", "--fo-nummer", FO, *WHY, "--yes")
    assert "does not represent" in commands.refused("revoke", "bertil", "--fo-nummer", OTHER_FO, *WHY, "--yes")


def test_the_list_shows_who_may_do_what_and_no_address(harness: Harness, commands: Commands) -> None:
    harness.people("aino", "bertil")
    harness.people("cecilia", fo_nummer=OTHER_FO)
    assert len(commands.done("list", *WHY).splitlines()) == 3
    lines = commands.done("list", "--fo-nummer", FO, "--json", *WHY).splitlines()
    assert [json.loads(line)["user_name"] for line in lines] == ["aino", "bertil"]
    out = commands.done("list", "--user-name", "AINO", *WHY)
    assert "administrator" in out
    assert "@" not in out


def test_the_list_names_things_as_the_api_does(harness: Harness, commands: Commands) -> None:
    harness.people("aino", "bertil")
    last = json.loads(commands.done("list", "--fo-nummer", FO, "--json", *WHY).splitlines()[1])
    assert last == {
        "user_name": "bertil",
        "given_name": "Bertil",
        "family_name": "Testinen",
        "fo_nummer": FO,
        "name": "Företag 123 Ab",
        "customer_numbers": ["1001"],
        "administrator": False,
        "sections": READER,
        "since": "2026-09-21T14:13:20+00:00",
    }


@pytest.mark.parametrize(
    ("options", "about_aino", "fo_nummer"),
    [((), False, None), (("--user-name", "aino"), True, None), (("--fo-nummer", FO), False, FO)],
)
def test_who_looked_and_why_stands_in_the_audit_trail(
    harness: Harness, commands: Commands, options: tuple[str, ...], about_aino: bool, fo_nummer: str | None
) -> None:
    (aino,) = harness.people("aino")
    commands.done("list", *options, *WHY)
    record = last_record(harness)
    assert (record.event, record.actor, record.details) == ("listed", "operator:maija", {"reason": "asked by phone"})
    assert (record.subject, record.fo_nummer) == (aino.id if about_aino else None, fo_nummer)


def test_nothing_is_listed_without_an_operator_and_a_reason(harness: Harness, commands: Commands) -> None:
    harness.people("aino")
    assert commands.run("list", "--operator", "maija").exit_code == 2
    assert commands.run("list", "--reason", "asked").exit_code == 2


def test_a_user_name_that_nobody_has_is_not_listed_as_nothing(harness: Harness, commands: Commands) -> None:
    assert commands.refused("list", "--user-name", "nobody", *WHY) == "there is no user with that user name\n"


@pytest.mark.parametrize(
    "command",
    [
        ("grant", "bertil", "--fo-nummer", OTHER_FO, "--administrator", "--unchecked"),
        ("grant", "aino", "--fo-nummer", FO, "--users", "read"),
        ("revoke", "aino", "--fo-nummer", FO),
        ("revoke", "bertil", "--fo-nummer", FO, "--customer-number", "1009"),
        ("revoke", "bertil", "--fo-nummer", OTHER_FO),
        ("forget", "aino"),
        ("forget", "--sub", "sub-of-nobody"),
        ("forget", "--account", "0" * 32),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_asked(
    harness: Harness, commands: Commands, command: tuple[str, ...]
) -> None:
    harness.people("aino", "bertil")
    result = commands.run(*command, *WHY, input="y\n")
    assert result.exit_code == 1
    assert "[y/N]" not in result.output


def test_an_account_is_joined_to_its_owners_new_identity(harness: Harness, commands: Commands) -> None:
    (first,) = harness.people("aino")
    old = commands.identified("sub-aino-too", "Other", "f" * 32)
    code = commands.identified("new-sub", "Aina", "ab" * 16)
    with harness.database.write() as tx:
        times = {"created_at": 1, "seen_at": 1, "expires_at": 2**40}
        tx.add(Session(id="its session", key="k", account_id=first.id, browser="Firefox", **times))
        tx.add(Session(id="by identity", key="l", sub=first.sub, browser="Firefox", **times))
    out = commands.done("relink", "aino", "--name-changed-to", "aina  UUSI", *WHY, input=f"{code}\ny\n")
    assert f"{code}  Aina Uusi" in out
    assert old in out
    with harness.database.read() as tx:
        assert tx.get_one(Account, first.id).sub == "new-sub"
        assert set(tx.scalars(select(Session.sub))) == {"sub-aino-too"}
        assert set(tx.scalars(select(Draft.sub))) == {"sub-aino-too"}
    record = last_record(harness)
    assert (record.event, record.actor, record.subject) == ("relinked", "operator:maija", first.id)
    assert record.details == {"reason": "asked by phone"}
    assert harness.right(first) is not None
    assert harness.mail() == [(first.id, "relinked")]


@pytest.mark.parametrize("given", [(), ("--name-changed-to", "Aino Uusi"), ("--name-changed-to", "Aino Testinen")])
@pytest.mark.parametrize("yes", [("--yes",), ()])
def test_nobody_of_another_name_is_joined_unless_that_name_is_given(
    harness: Harness, commands: Commands, yes: tuple[str, ...], given: tuple[str, ...]
) -> None:
    harness.people("aino")
    code = commands.identified("new-sub", "Aina", "ab" * 16)
    before = commands.dump()
    result = commands.run("relink", "aino", "--code", code, *given, *WHY, *yes, input="y\n")
    assert result.exit_code == 1
    assert "the account is Aino Testinen's, and Aina Uusi has identified" in result.output
    assert '--name-changed-to "Aina Uusi"' in result.output
    assert commands.dump() == before


def test_the_same_name_in_another_way_of_writing_needs_no_word_more(harness: Harness, commands: Commands) -> None:
    (first,) = harness.people("aino")
    with harness.database.write() as tx:
        row = tx.get_one(Account, first.id)
        row.given_name, row.family_name = "AINA ", "uusi"
    code = commands.identified("new-sub", "Aina", "ab" * 16)
    commands.done("relink", "aino", "--code", code, *WHY, "--yes")


def test_nobody_is_joined_by_a_wrong_code_or_an_identification_that_is_over(
    harness: Harness, commands: Commands
) -> None:
    harness.people("aino")
    assert "nobody has identified" in commands.refused("relink", "aino", *WHY, "--yes")
    over = commands.identified("old-sub", "Aina", "cd" * 16, seconds=-1)
    commands.identified("new-sub", "Aina", "ab" * 16)
    for code in (over, "", "ab", "zzzzzzzz"):
        assert "not the code" in commands.refused("relink", "aino", "--code", code or " ", *WHY, "--yes")


def test_nobody_is_joined_to_a_person_who_has_an_account(harness: Harness, commands: Commands) -> None:
    harness.people("aino", "bertil")
    code = commands.identified("sub-bertil", "Bertil", "ab" * 16)
    commands.identified("new-sub", "Aina", "cd" * 16)
    assert "not the code" in commands.refused("relink", "aino", "--code", code, *WHY, "--yes")


def test_who_registers_while_customer_service_chooses_is_not_joined(harness: Harness) -> None:
    first, second = harness.people("aino", "bertil")
    with pytest.raises(person.Refused, match="an account of their own"), harness.database.write() as tx:
        person.relink(tx, first, second.sub, operator="maija", reason="asked", now=1)
    assert harness.trail() == []


def test_a_forgotten_person_is_nowhere_but_in_the_audit_trail_by_an_id(harness: Harness, commands: Commands) -> None:
    harness.people("bertil")
    account = harness.person("aino", family_name="Salainen")
    harness.join(account)
    other = harness.person("cecilia")
    with harness.database.write() as tx:
        rights.share(tx, account, harness.key(), "cecilia", "cecilia@example.com", READER, 1)
        tx.add(Draft(sub=account.sub, sealed="sealed", expires_at=2**40))
        times = {"created_at": 1, "seen_at": 1, "expires_at": 2**40}
        tx.add(Session(id="x", key="y", account_id=account.id, sub=account.sub, browser="Firefox", **times))
    with harness.database.write() as tx:
        rights.change(tx, _account(harness, "bertil"), harness.key(), account.id, NONE, 1)
    before = commands.dump()
    for secret in ("Salainen", "aino@example.com", "sub-aino"):
        assert secret in before
    commands.done("forget", "aino", *WHY, "--yes")
    after = commands.dump()
    for secret in ("Salainen", "Aino", "aino", "never a hash', 'Aino"):
        assert secret not in after
    with harness.database.read() as tx:
        places = {
            "audit": len(tx.scalars(select(AuditRecord).where(AuditRecord.subject == account.id)).all()),
            "outbox": len(tx.scalars(select(OutboxEntry).where(OutboxEntry.account_id == account.id)).all()),
            "sessions": len(tx.scalars(select(Session)).all()),
            "drafts": len(tx.scalars(select(Draft)).all()),
        }
        (message,) = tx.scalars(select(OutboxEntry).where(OutboxEntry.account_id == other.id))
    assert places == {"audit": 2, "outbox": 0, "sessions": 0, "drafts": 0}
    assert message.words["by"] == "Företag 123 Ab"
    assert last_record(harness).event == "forgotten"
    assert harness.right(other) is not None


def _account(harness: Harness, user_name: str) -> Account:
    with harness.database.read() as tx:
        return tx.scalars(select(Account).where(Account.user_name_key == user_name)).one()


def test_the_last_administrator_is_not_forgotten_while_others_need_one(harness: Harness, commands: Commands) -> None:
    first, second = harness.people("aino", "bertil")
    harness.join(first, OTHER_FO)
    refusal = commands.refused("forget", "aino", *WHY, "--yes")
    assert FO in refusal
    assert OTHER_FO not in refusal
    commands.done("forget", "aino", "--leave-without-administrator", *WHY, "--yes")
    assert harness.right(second) is not None
    assert harness.administrators() == set()


def test_the_only_user_of_a_company_is_forgotten_and_the_company_stays_founded(
    harness: Harness, commands: Commands
) -> None:
    harness.people("aino")
    commands.done("forget", "aino", *WHY, "--yes")
    assert harness.join(harness.person("bertil")) is False


def test_somebody_who_has_only_identified_is_forgotten_by_sub(harness: Harness, commands: Commands) -> None:
    harness.people("aino")
    commands.identified("new-sub", "Aina", "ab" * 16)
    assert "has an account" in commands.refused("forget", "--sub", "sub-aino", *WHY, "--yes")
    commands.done("forget", "--sub", "new-sub", *WHY, "--yes")
    assert "new-sub" not in commands.dump()


def test_who_is_unknown_by_sub_or_id_is_neither_erased_nor_exported(harness: Harness, commands: Commands) -> None:
    commands.identified("new-sub", "Aina", "ab" * 16)
    for command in ("forget", "export"):
        for option in ("--sub", "--account"):
            yes = ("--yes",) if command == "forget" else ()
            said = commands.refused(command, option, "secret-of-mine", *WHY, *yes)
            assert said.startswith("nothing is held on ")
            assert "secret-of-mine" not in said


def test_a_person_who_was_erased_is_erased_again_by_the_id_that_the_log_has(
    harness: Harness, commands: Commands
) -> None:
    harness.people("bertil", "aino")
    account = _account(harness, "aino")
    first = commands.run("forget", "aino", *WHY, "--yes")
    (line,) = first.stderr.splitlines()
    logged = json.loads(line)
    assert {name: logged[name] for name in ("level", "message", "event", "account")} == {
        "level": "INFO",
        "message": "forgotten",
        "event": "forgotten",
        "account": account.id,
    }
    assert not [secret for secret in ("aino", "Aino", "maija", "phone") if secret in line]
    harness.join(harness.person("aino"))  # as a backup brings them back
    commands.done("forget", "--account", logged["account"], *WHY, "--yes")
    assert "Aino" not in commands.dump()


def test_somebody_who_has_only_identified_is_logged_without_their_sub(harness: Harness, commands: Commands) -> None:
    commands.identified("new-sub", "Aina", "ab" * 16)
    said = commands.run("forget", "--sub", "new-sub", *WHY, "--yes").stderr
    assert json.loads(said)["event"] == "forgotten"
    assert "new-sub" not in said


def test_an_export_tells_of_each_right_by_the_names_of_the_api_and_who_gave_it(
    harness: Harness, commands: Commands
) -> None:
    (aino,) = harness.people("aino")
    cecilia = harness.person("cecilia")
    with harness.database.write() as tx:
        rights.share(tx, aino, harness.key(), "cecilia", "cecilia@example.com", READER, 1)
    given = json.loads(commands.done("export", "--account", cecilia.id, *WHY))["rights"]
    (own,) = json.loads(commands.done("export", "aino", *WHY))["rights"]
    assert [right["given_by"] for right in given] == [aino.id]
    assert own == {
        "fo_nummer": FO,
        "name": "Företag 123 Ab",
        "customer_numbers": ["1001"],
        "administrator": True,
        "sections": ALL,
        "since": "2026-09-21T14:13:20+00:00",
        "given_by": "registration",
    }


def test_an_export_of_one_who_has_only_identified_holds_nothing_of_another(
    harness: Harness, commands: Commands
) -> None:
    commands.identified("new-sub", "Aina", "ab" * 16)
    commands.identified("other-sub", "Berta", "cd" * 16)
    out = commands.done("export", "--sub", "new-sub", *WHY)
    assert len(json.loads(out)["sessions"]) == 1
    assert "other-sub" not in out


def test_an_export_holds_all_that_is_held_but_the_passwords_hash(harness: Harness, commands: Commands) -> None:
    first, _, _ = harness.people("aino", "bertil", "cecilia")
    with harness.database.write() as tx:
        rights.appoint(tx, first, harness.key(), _account(harness, "bertil").id, 1_790_000_000)
    with harness.database.write() as tx:
        rights.remove(tx, _account(harness, "bertil"), harness.key(), first.id, 1_790_000_000)
        sealed = commands.keys.seal(f"draft:{first.sub}", DRAFT)
        tx.add(Draft(sub=first.sub, sealed=sealed, expires_at=2**40))
        tx.add(
            Session(
                id="secret id", key="secret key", account_id=first.id, browser="Firefox", created_at=1, seen_at=1,
                expires_at=2**40,
            )
        )  # fmt: skip
    out = commands.done("export", "aino", *WHY)
    found = json.loads(out)
    assert found["account"]["email"] == "aino@example.com"
    assert found["account"]["created_at"].startswith("2026-09-21T")
    assert found["draft"] == {"email": "draft@example.com"}
    assert found["rights"] == []
    assert [mail["kind"] for mail in found["e_mails"]] == ["user_removed"]
    assert [mail["kind"] for mail in found["e_mails_to_others"]] == ["administrator_received"]
    assert [session["browser"] for session in found["sessions"]] == ["Firefox"]
    assert {record["event"] for record in found["audit"]} == {"rights_changed", "user_removed", "exported"}
    for secret in ("never a hash", "secret id", "secret key"):
        assert secret not in out
    assert last_record(harness).event == "exported"


def test_an_export_of_somebody_who_has_only_identified_holds_their_draft(harness: Harness, commands: Commands) -> None:
    commands.identified("new-sub", "Aina", "ab" * 16)
    found = json.loads(commands.done("export", "--sub", "new-sub", *WHY))
    assert found["draft"] == {"email": "draft@example.com"}
    assert "account" not in found
