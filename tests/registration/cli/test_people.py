"""What is true of every command about people: what it refuses, in which words, and that it changes nothing unasked."""

from __future__ import annotations

import pytest

from tests.harness.registration_commands import WHY, Commands
from tests.harness.registration_rights import FO, OTHER_FO, Harness


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


def test_who_is_unknown_by_sub_or_id_is_neither_erased_nor_exported(harness: Harness, commands: Commands) -> None:
    commands.identified("new-sub", "Aina", "ab" * 16)
    for command in ("forget", "export"):
        for option in ("--sub", "--account"):
            yes = ("--yes",) if command == "forget" else ()
            said = commands.refused(command, option, "secret-of-mine", *WHY, *yes)
            assert said.startswith("nothing is held on ")
            assert "secret-of-mine" not in said
