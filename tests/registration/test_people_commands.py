"""The commands about people, as customer service gives them, on both databases."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rights_house import ALL, FO, NONE, OTHER_FO, READER, House, config, open_house
from sqlalchemy import inspect, select, text

from registration import person, rights
from registration.cli import main
from registration.keys import load_keys
from registration.models import Account, AuditRecord, Customer, Draft, OutboxEntry, Representation, Session

WHY = ("--operator", "maija", "--reason", "asked by phone")


class Desk:
    """Customer service, at a command line of its own."""

    def __init__(self, folder: Path, url: str, house: House) -> None:
        self.house = house
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
        with self.house.database.write() as tx:
            tx.add(Customer(customer_number=number, fo_nummer=fo_nummer, company_name=name))

    def identified(self, sub: str, given_name: str, key: str, seconds: int = 3600) -> str:
        """A session of somebody who has identified and has no account; returns its code."""
        id, now = f"session-{sub}", int(time.time())
        with self.house.database.write() as tx:
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
        with self.house.database.read() as tx:
            tables = inspect(self.house.database.engine).get_table_names()
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
def house(database_url: str) -> Iterator[House]:
    house = open_house(database_url)
    yield house
    house.database.close()


@pytest.fixture
def desk(tmp_path: Path, database_url: str, house: House) -> Desk:
    return Desk(tmp_path, database_url, house)


def last_record(house: House) -> AuditRecord:
    with house.database.read() as tx:
        return tx.scalars(
            select(AuditRecord).where(AuditRecord.event != "not_told").order_by(AuditRecord.id.desc())
        ).first()


def test_a_further_customer_number_is_granted_once_the_register_knows_it(house: House, desk: Desk) -> None:
    _, second = house.people("aino", "bertil")
    command = ("grant", "BERTIL", "--fo-nummer", "FI 1234567 1", "--customer-number", "10 02", *WHY, "--yes")
    assert "no customer 1002" in desk.refused(*command)
    desk.know()
    assert "granted" in desk.done(*command)
    right = house.right(second)
    assert right is not None
    assert (right.customer_numbers, right.levels, right.administrator) == (("1001", "1002"), READER, False)
    record = last_record(house)
    assert (record.event, record.actor, record.subject, record.fo_nummer) == (
        "granted",
        "operator:maija",
        second.id,
        FO,
    )
    assert record.details["reason"] == "asked by phone"
    assert record.details["customer_numbers"] == "1002"
    assert house.mail() == [(second.id, "rights_changed")]


def test_the_number_of_another_company_is_not_granted(house: House, desk: Desk) -> None:
    house.people("aino")
    desk.know("2002", OTHER_FO)
    desk.refused("grant", "aino", "--fo-nummer", FO, "--customer-number", "2002", *WHY, "--yes")
    desk.done("grant", "aino", "--fo-nummer", FO, "--customer-number", "2002", "--unchecked", *WHY, "--yes")


def test_sections_that_are_not_named_stay(house: House, desk: Desk) -> None:
    _, second = house.people("aino", "bertil")
    desk.done("grant", "bertil", "--fo-nummer", FO, "--invoices", "write", "--consumption", "none", *WHY, "--yes")
    assert house.levels(second) == NONE | {"invoices": "write"}


def test_customer_service_appoints_an_administrator_also_where_all_have_gone(house: House, desk: Desk) -> None:
    first, second = house.people("aino", "bertil")
    assert "last administrator" in desk.refused("revoke", "aino", "--fo-nummer", FO, *WHY, "--yes")
    desk.done("revoke", "aino", "--fo-nummer", FO, "--leave-without-administrator", *WHY, "--yes")
    assert house.right(first) is None
    assert house.administrators() == set()
    desk.done("grant", "bertil", "--fo-nummer", FO, "--administrator", *WHY, "--yes")
    assert house.administrators() == {second.id}
    assert house.levels(second) == ALL


def test_the_sections_of_an_administrator_are_not_lowered(house: House, desk: Desk) -> None:
    house.people("aino", "bertil")
    desk.refused("grant", "aino", "--fo-nummer", FO, "--users", "read", *WHY, "--yes")
    desk.refused("grant", "bertil", "--fo-nummer", FO, "--users", "read", "--administrator", *WHY, "--yes")


def test_a_new_company_needs_its_name_and_gets_its_administrator(house: House, desk: Desk) -> None:
    account = house.person("aino")
    command = ["grant", "aino", "--fo-nummer", FO, "--customer-number", "1001", *WHY, "--yes", "--unchecked"]
    assert "--company-name" in desk.refused(*command, "--administrator")
    assert "--administrator" in desk.refused(*command, "--company-name", "Företag Ab")
    desk.done(*command, "--administrator", "--company-name", "Företag Ab")
    right = house.right(account)
    assert right is not None
    assert (right.name, right.administrator, right.levels) == ("Företag Ab", True, ALL)


def test_the_name_of_a_new_company_comes_from_the_customer_register(house: House, desk: Desk) -> None:
    account = house.person("aino")
    desk.know("1001", FO, "Bolaget Ab")
    desk.done("grant", "aino", "--fo-nummer", FO, "--customer-number", "1001", "--administrator", *WHY, "--yes")
    right = house.right(account)
    assert right is not None
    assert right.name == "Bolaget Ab"


def test_a_new_representative_needs_a_customer_number(house: House, desk: Desk) -> None:
    house.people("aino")
    house.person("bertil")
    refusal = desk.refused("grant", "bertil", "--fo-nummer", FO, "--consumption", "read", *WHY, "--yes")
    assert "customer number" in refusal
    with house.database.read() as tx:
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
def test_a_command_that_is_given_wrongly_says_so(desk: Desk, arguments: tuple[str, ...]) -> None:
    assert desk.run(*arguments).exit_code == 2


@pytest.mark.parametrize("command", ["grant", "revoke", "relink", "forget", "export"])
def test_a_user_name_that_nobody_has_is_told(desk: Desk, command: str) -> None:
    more = ("--fo-nummer", FO) if command in {"grant", "revoke"} else ()
    more += ("--administrator",) if command == "grant" else ()
    assert desk.refused(command, "nobody", *more, *WHY) == "there is no user with that user name\n"


@pytest.mark.parametrize(
    "command",
    [
        ("grant", "bertil", "--fo-nummer", FO, "--administrator"),
        ("revoke", "bertil", "--fo-nummer", FO),
        ("forget", "bertil"),
    ],
)
def test_nothing_is_changed_without_a_yes(house: House, desk: Desk, command: tuple[str, ...]) -> None:
    house.people("aino", "bertil")
    before = desk.dump()
    assert desk.run(*command, *WHY, input="n\n").exit_code == 1
    assert desk.dump() == before


def test_a_customer_number_is_revoked_but_not_the_last_one(house: House, desk: Desk) -> None:
    _, second = house.people("aino", "bertil")
    house.join(second, number="1002")
    command = ("revoke", "bertil", "--fo-nummer", FO, *WHY, "--yes", "--customer-number")
    assert "does not have that" in desk.refused(*command, "1009")
    desk.done(*command, "1001")
    right = house.right(second)
    assert right is not None
    assert right.customer_numbers == ("1002",)
    assert "all of the user's" in desk.refused(*command, "1002")
    assert last_record(house).details == {"customer_numbers": "1001", "reason": "asked by phone"}


def test_all_rights_in_a_company_are_revoked(house: House, desk: Desk) -> None:
    _, second = house.people("aino", "bertil")
    desk.done("revoke", "bertil", "--fo-nummer", FO, *WHY, "--yes")
    assert house.right(second) is None
    assert (second.id, "user_removed") in house.mail()
    assert "does not represent" in desk.refused("revoke", "bertil", "--fo-nummer", FO, *WHY, "--yes")
    assert "does not represent" in desk.refused("revoke", "bertil", "--fo-nummer", OTHER_FO, *WHY, "--yes")


def test_the_list_shows_who_may_do_what_and_no_address(house: House, desk: Desk) -> None:
    house.people("aino", "bertil")
    house.people("cecilia", fo_nummer=OTHER_FO)
    assert len(desk.done("list", *WHY).splitlines()) == 3
    lines = desk.done("list", "--fo-nummer", FO, "--json", *WHY).splitlines()
    assert [json.loads(line)["user_name"] for line in lines] == ["aino", "bertil"]
    out = desk.done("list", "--user-name", "AINO", *WHY)
    assert "administrator" in out
    assert "@" not in out


def test_the_list_names_things_as_the_api_does(house: House, desk: Desk) -> None:
    house.people("aino", "bertil")
    last = json.loads(desk.done("list", "--fo-nummer", FO, "--json", *WHY).splitlines()[1])
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
    house: House, desk: Desk, options: tuple[str, ...], about_aino: bool, fo_nummer: str | None
) -> None:
    (aino,) = house.people("aino")
    desk.done("list", *options, *WHY)
    record = last_record(house)
    assert (record.event, record.actor, record.details) == ("listed", "operator:maija", {"reason": "asked by phone"})
    assert (record.subject, record.fo_nummer) == (aino.id if about_aino else None, fo_nummer)


def test_nothing_is_listed_without_an_operator_and_a_reason(house: House, desk: Desk) -> None:
    house.people("aino")
    assert desk.run("list", "--operator", "maija").exit_code == 2
    assert desk.run("list", "--reason", "asked").exit_code == 2


def test_a_user_name_that_nobody_has_is_not_listed_as_nothing(house: House, desk: Desk) -> None:
    assert desk.refused("list", "--user-name", "nobody", *WHY) == "there is no user with that user name\n"


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
    house: House, desk: Desk, command: tuple[str, ...]
) -> None:
    house.people("aino", "bertil")
    result = desk.run(*command, *WHY, input="y\n")
    assert result.exit_code == 1
    assert "[y/N]" not in result.output


def test_an_account_is_joined_to_its_owners_new_identity(house: House, desk: Desk) -> None:
    (first,) = house.people("aino")
    old = desk.identified("sub-aino-too", "Other", "f" * 32)
    code = desk.identified("new-sub", "Aina", "ab" * 16)
    with house.database.write() as tx:
        times = {"created_at": 1, "seen_at": 1, "expires_at": 2**40}
        tx.add(Session(id="its session", key="k", account_id=first.id, browser="Firefox", **times))
        tx.add(Session(id="by identity", key="l", sub=first.sub, browser="Firefox", **times))
    out = desk.done("relink", "aino", *WHY, input=f"{code}\ny\n")
    assert f"{code}  Aina Uusi" in out
    assert old in out
    with house.database.read() as tx:
        assert tx.get_one(Account, first.id).sub == "new-sub"
        assert set(tx.scalars(select(Session.sub))) == {"sub-aino-too"}
        assert set(tx.scalars(select(Draft.sub))) == {"sub-aino-too"}
    record = last_record(house)
    assert (record.event, record.actor, record.subject) == ("relinked", "operator:maija", first.id)
    assert record.details == {"reason": "asked by phone"}
    assert house.right(first) is not None
    assert house.mail() == [(first.id, "relinked")]


def test_nobody_is_joined_by_a_wrong_code_or_an_identification_that_is_over(house: House, desk: Desk) -> None:
    house.people("aino")
    assert "nobody has identified" in desk.refused("relink", "aino", *WHY, "--yes")
    over = desk.identified("old-sub", "Aina", "cd" * 16, seconds=-1)
    desk.identified("new-sub", "Aina", "ab" * 16)
    for code in (over, "", "ab", "zzzzzzzz"):
        assert "not the code" in desk.refused("relink", "aino", "--code", code or " ", *WHY, "--yes")


def test_nobody_is_joined_to_a_person_who_has_an_account(house: House, desk: Desk) -> None:
    house.people("aino", "bertil")
    code = desk.identified("sub-bertil", "Bertil", "ab" * 16)
    desk.identified("new-sub", "Aina", "cd" * 16)
    assert "not the code" in desk.refused("relink", "aino", "--code", code, *WHY, "--yes")


def test_who_registers_while_customer_service_chooses_is_not_joined(house: House) -> None:
    first, second = house.people("aino", "bertil")
    with pytest.raises(person.Refused, match="an account of their own"), house.database.write() as tx:
        person.relink(tx, first, second.sub, operator="maija", reason="asked", now=1)
    assert house.trail() == []


def test_a_forgotten_person_is_nowhere_but_in_the_audit_trail_by_an_id(house: House, desk: Desk) -> None:
    house.people("bertil")
    account = house.person("aino", family_name="Salainen")
    house.join(account)
    other = house.person("cecilia")
    with house.database.write() as tx:
        rights.share(tx, account, house.key(), "cecilia", "cecilia@example.com", READER, 1)
        tx.add(Draft(sub=account.sub, sealed="sealed", expires_at=2**40))
        times = {"created_at": 1, "seen_at": 1, "expires_at": 2**40}
        tx.add(Session(id="x", key="y", account_id=account.id, sub=account.sub, browser="Firefox", **times))
    with house.database.write() as tx:
        rights.change(tx, _account(house, "bertil"), house.key(), account.id, NONE, 1)
    before = desk.dump()
    for secret in ("Salainen", "aino@example.com", "sub-aino"):
        assert secret in before
    desk.done("forget", "aino", *WHY, "--yes")
    after = desk.dump()
    for secret in ("Salainen", "Aino", "aino", "never a hash', 'Aino"):
        assert secret not in after
    with house.database.read() as tx:
        places = {
            "audit": len(tx.scalars(select(AuditRecord).where(AuditRecord.subject == account.id)).all()),
            "outbox": len(tx.scalars(select(OutboxEntry).where(OutboxEntry.account_id == account.id)).all()),
            "sessions": len(tx.scalars(select(Session)).all()),
            "drafts": len(tx.scalars(select(Draft)).all()),
        }
        (message,) = tx.scalars(select(OutboxEntry).where(OutboxEntry.account_id == other.id))
    assert places == {"audit": 2, "outbox": 0, "sessions": 0, "drafts": 0}
    assert message.words["by"] == "Företag 123 Ab"
    assert last_record(house).event == "forgotten"
    assert house.right(other) is not None


def _account(house: House, user_name: str) -> Account:
    with house.database.read() as tx:
        return tx.scalars(select(Account).where(Account.user_name_key == user_name)).one()


def test_the_last_administrator_is_not_forgotten_while_others_need_one(house: House, desk: Desk) -> None:
    first, second = house.people("aino", "bertil")
    house.join(first, OTHER_FO)
    refusal = desk.refused("forget", "aino", *WHY, "--yes")
    assert FO in refusal
    assert OTHER_FO not in refusal
    desk.done("forget", "aino", "--leave-without-administrator", *WHY, "--yes")
    assert house.right(second) is not None
    assert house.administrators() == set()


def test_the_only_user_of_a_company_is_forgotten_and_the_company_stays_founded(house: House, desk: Desk) -> None:
    house.people("aino")
    desk.done("forget", "aino", *WHY, "--yes")
    assert house.join(house.person("bertil")) is False


def test_somebody_who_has_only_identified_is_forgotten_by_sub(house: House, desk: Desk) -> None:
    house.people("aino")
    desk.identified("new-sub", "Aina", "ab" * 16)
    assert "has an account" in desk.refused("forget", "--sub", "sub-aino", *WHY, "--yes")
    desk.done("forget", "--sub", "new-sub", *WHY, "--yes")
    assert "new-sub" not in desk.dump()


def test_who_is_unknown_by_sub_or_id_is_neither_erased_nor_exported(house: House, desk: Desk) -> None:
    desk.identified("new-sub", "Aina", "ab" * 16)
    for command in ("forget", "export"):
        for option in ("--sub", "--account"):
            yes = ("--yes",) if command == "forget" else ()
            said = desk.refused(command, option, "secret-of-mine", *WHY, *yes)
            assert said.startswith("nothing is held on ")
            assert "secret-of-mine" not in said


def test_a_person_who_was_erased_is_erased_again_by_the_id_that_the_log_has(house: House, desk: Desk) -> None:
    house.people("bertil", "aino")
    account = _account(house, "aino")
    first = desk.run("forget", "aino", *WHY, "--yes")
    (line,) = first.stderr.splitlines()
    logged = json.loads(line)
    assert {name: logged[name] for name in ("level", "message", "event", "account")} == {
        "level": "INFO",
        "message": "forgotten",
        "event": "forgotten",
        "account": account.id,
    }
    assert not [secret for secret in ("aino", "Aino", "maija", "phone") if secret in line]
    house.join(house.person("aino"))  # as a backup brings them back
    desk.done("forget", "--account", logged["account"], *WHY, "--yes")
    assert "Aino" not in desk.dump()


def test_somebody_who_has_only_identified_is_logged_without_their_sub(house: House, desk: Desk) -> None:
    desk.identified("new-sub", "Aina", "ab" * 16)
    said = desk.run("forget", "--sub", "new-sub", *WHY, "--yes").stderr
    assert json.loads(said)["event"] == "forgotten"
    assert "new-sub" not in said


def test_an_export_tells_of_each_right_by_the_names_of_the_api_and_who_gave_it(house: House, desk: Desk) -> None:
    (aino,) = house.people("aino")
    cecilia = house.person("cecilia")
    with house.database.write() as tx:
        rights.share(tx, aino, house.key(), "cecilia", "cecilia@example.com", READER, 1)
    given = json.loads(desk.done("export", "--account", cecilia.id, *WHY))["rights"]
    (own,) = json.loads(desk.done("export", "aino", *WHY))["rights"]
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


def test_an_export_of_one_who_has_only_identified_holds_nothing_of_another(house: House, desk: Desk) -> None:
    desk.identified("new-sub", "Aina", "ab" * 16)
    desk.identified("other-sub", "Berta", "cd" * 16)
    out = desk.done("export", "--sub", "new-sub", *WHY)
    assert len(json.loads(out)["sessions"]) == 1
    assert "other-sub" not in out


def test_an_export_holds_all_that_is_held_but_the_passwords_hash(house: House, desk: Desk) -> None:
    first, _, _ = house.people("aino", "bertil", "cecilia")
    with house.database.write() as tx:
        rights.appoint(tx, first, house.key(), _account(house, "bertil").id, 1_790_000_000)
    with house.database.write() as tx:
        rights.remove(tx, _account(house, "bertil"), house.key(), first.id, 1_790_000_000)
        sealed = desk.keys.seal(f"draft:{first.sub}", DRAFT)
        tx.add(Draft(sub=first.sub, sealed=sealed, expires_at=2**40))
        tx.add(
            Session(
                id="secret id", key="secret key", account_id=first.id, browser="Firefox", created_at=1, seen_at=1,
                expires_at=2**40,
            )
        )  # fmt: skip
    out = desk.done("export", "aino", *WHY)
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
    assert last_record(house).event == "exported"


def test_an_export_of_somebody_who_has_only_identified_holds_their_draft(house: House, desk: Desk) -> None:
    desk.identified("new-sub", "Aina", "ab" * 16)
    found = json.loads(desk.done("export", "--sub", "new-sub", *WHY))
    assert found["draft"] == {"email": "draft@example.com"}
    assert "account" not in found
