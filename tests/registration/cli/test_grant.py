"""`grant` and `revoke`, as customer service gives them, on both databases."""

from __future__ import annotations

from sqlalchemy import select

from registration.database.models import Representation
from tests.harness.registration_commands import WHY, Commands, last_record
from tests.harness.registration_rights import ALL, FO, NONE, OTHER_FO, READER, Harness


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
    assert (right.company.name, right.administrator, right.levels) == ("Företag Ab", True, ALL)


def test_the_name_of_a_new_company_comes_from_the_customer_register(harness: Harness, commands: Commands) -> None:
    account = harness.person("aino")
    commands.know("1001", FO, "Bolaget Ab")
    commands.done("grant", "aino", "--fo-nummer", FO, "--customer-number", "1001", "--administrator", *WHY, "--yes")
    right = harness.right(account)
    assert right is not None
    assert right.company.name == "Bolaget Ab"


def test_a_new_representative_needs_a_customer_number(harness: Harness, commands: Commands) -> None:
    harness.people("aino")
    harness.person("bertil")
    refusal = commands.refused("grant", "bertil", "--fo-nummer", FO, "--consumption", "read", *WHY, "--yes")
    assert "customer number" in refusal
    with harness.database.read() as tx:
        row = tx.scalar(select(Representation.given_by).where(Representation.administrator.is_(False)))
    assert row is None


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


def test_a_second_person_stands_in_the_trail_and_one_alone_too(harness: Harness, commands: Commands) -> None:
    harness.people("aino", "bertil")
    command = ("grant", "bertil", "--fo-nummer", FO, "--administrator", *WHY, "--yes")
    same = commands.run(*command, "--second", "Maija")
    assert same.exit_code == 2
    assert "another one than --operator" in same.stderr
    assert last_record(harness) is None
    commands.done(*command, "--second", "pekka")
    assert last_record(harness).details["second"] == "operator:pekka"
    commands.done(*command)
    assert last_record(harness).details["second"] == "one person, by command"
    commands.done("grant", "aino", "--fo-nummer", FO, "--users", "write", *WHY, "--yes")
    assert "second" not in last_record(harness).details
