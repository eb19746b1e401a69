"""`relink`: an account is joined to its owner's new identity, and to nobody else's."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from registration.accounts import person
from registration.audit import By
from registration.database.models import Account, Draft, Session
from registration.rights import errors
from tests.harness.registration_commands import WHY, Commands, last_record
from tests.harness.registration_rights import Harness


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
    assert record.details == {"reason": "asked by phone", "second": "one person, by command"}
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


def test_where_nobody_answers_it_says_what_to_add(harness: Harness, commands: Commands) -> None:
    harness.people("aino")
    code = commands.identified("new-sub", "Aina", "ab" * 16)
    before = commands.dump()
    for given, wanted in (((), "--code"), (("--code", code, "--name-changed-to", "Aina Uusi"), "--yes")):
        result = commands.run("relink", "aino", *given, *WHY)
        assert (result.exit_code, f"where nobody can, add {wanted}" in result.output) == (1, True)
    assert commands.dump() == before


def test_a_code_that_was_read_out_in_two_parts_is_taken(harness: Harness, commands: Commands) -> None:
    harness.people("aino")
    commands.identified("new-sub", "Aina", "ab" * 16)
    commands.done("relink", "aino", "--code", " ABAB abab", "--name-changed-to", "Aina Uusi", *WHY, "--yes")


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
    with pytest.raises(errors.Refused, match="an account of their own"), harness.database.write() as tx:
        person.relink(tx, first, second.sub, By("operator:maija", 1, {}))
    assert harness.trail() == []
