"""`list`: who may do what, and who looked at it and why."""

from __future__ import annotations

import json

import pytest

from tests.harness.registration_commands import WHY, Commands, last_record
from tests.harness.registration_rights import FO, OTHER_FO, READER, Harness


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
