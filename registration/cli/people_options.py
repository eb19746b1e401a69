"""The options that several commands about people have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from sqlalchemy.orm import Session as Transaction

from kit.commands import Command, Failed
from kit.typed_text import customer_number, fo_nummer
from registration.accounts import person
from registration.audit import By
from registration.cli.common import Run, audit_line
from registration.database.models import Account
from registration.rights import lookup
from registration.rights.ending import losing_with


def _converted(convert: Callable[[str], str], wrong: str) -> Callable[[click.Context, click.Parameter, Any], Any]:
    """An option's callback: its text, or each of its texts, in its normal form."""

    def callback(_context: click.Context, _parameter: click.Parameter, value: Any) -> Any:
        try:
            return tuple(map(convert, value)) if isinstance(value, tuple) else value and convert(value)
        except ValueError as error:
            raise click.BadParameter(wrong) from error

    return callback


def fo_nummer_option(*, required: bool) -> Callable[[Command], Command]:
    """The option --fo-nummer, with or without hyphen, spaces and FI."""
    convert = _converted(fo_nummer, "seven digits, a hyphen and a check digit that fits them")
    help = "The company's FO-nummer (Y-tunnus)."
    return click.option("--fo-nummer", required=required, metavar="NNNNNNN-N", callback=convert, help=help)


def numbers_option(help: str) -> Callable[[Command], Command]:
    """The option --customer-number, any number of times."""
    convert = _converted(customer_number, "up to 64 letters, digits and hyphens")
    return click.option("--customer-number", "numbers", multiple=True, metavar="NUMBER", callback=convert, help=help)


def leaving_options(of: str) -> Callable[[Command], Command]:
    """The options --leave-without-administrator, of the company or of a company, and --keep-given."""
    keep = click.option("--keep-given", is_flag=True, help="Keep what the user has given to others; else it ends too.")
    help = f"Also if {of} company then has no administrator."
    leave = click.option("--leave-without-administrator", is_flag=True, help=help)
    return lambda command: leave(keep(command))


second_option = click.option(
    "--second",
    metavar="TEXT",
    callback=audit_line,
    help="The second person, who has agreed to it; for the audit trail.",
)


def by_two(run: Run, second: str | None, *, weighty: bool) -> By:
    """Who does it and why, with the second person. weighty: a second one has to agree, or the trail says so.

    Raises BadParameter if both are one.
    """
    if second is not None and second.casefold() == run.operator.casefold():
        raise click.BadParameter("the second person is another one than --operator", param_hint="--second")
    by = run.by
    if second is None and not (weighty and run.settings.rules.second_person):
        return by
    told = "one person, by command" if second is None else f"operator:{second}"
    return By(by.actor, by.now, {**by.why, "second": told})


def account_or_fail(tx: Transaction, user_name: str) -> Account:
    """The account of a user name. Raises Failed if there is none."""
    account = person.account_named(tx, user_name)
    if account is None:
        raise Failed("there is no user with that user name")
    return account


def told_of_given(tx: Transaction, account: Account, fo_nummer: str | None = None) -> str:
    """Who loses something with an account's right in a company, or with all of its rights: lines, or nothing."""
    ended: set[str] = set()
    lessened: set[str] = set()
    for right in lookup.rights_of(tx, account.id):
        if fo_nummer in {None, right.fo_nummer}:
            rights, on_top = losing_with(tx, right)
            ended, lessened = ended | rights, lessened | on_top
    said = f"\nusers who lose the rights that they were given: {len(ended)}; --keep-given keeps them" if ended else ""
    if lessened:
        said += f"\nusers who lose what they were given on top of their own: {len(lessened)}; --keep-given keeps it"
    return said


def name_of(account: Account) -> str:
    """An account as the commands show it."""
    return f"{account.name} ({account.user_name})"
