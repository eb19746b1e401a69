"""What the commands about people share: their options, and how a refusal is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy.orm import Session as Transaction

from kit.commands import Command, Failed
from kit.typed_text import fo_nummer
from registration import rights
from registration.accounts import person
from registration.cli.common import audit_line
from registration.customer_register import normalise_customer_number
from registration.database.models import Account
from registration.rights import customer_service
from registration.settings import Settings

NO_SUCH_USER = "there is no user with that user name"


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
    convert = _converted(normalise_customer_number, "up to 64 letters, digits and hyphens")
    return click.option("--customer-number", "numbers", multiple=True, metavar="NUMBER", callback=convert, help=help)


def yes_option(command: Command) -> Command:
    """The option --yes."""
    return click.option("--yes", is_flag=True, help="Do it without asking.")(command)


def keep_given_option(command: Command) -> Command:
    """The option --keep-given."""
    help = "Keep what the user has given to others; else it ends too."
    return click.option("--keep-given", is_flag=True, help=help)(command)


def second_option(command: Command) -> Command:
    """The option --second."""
    help = "The second person, who has agreed to it; for the audit trail."
    return click.option("--second", metavar="TEXT", callback=audit_line, help=help)(command)


def why_of(settings: Settings, operator: str, reason: str, second: str | None, *, weighty: bool) -> dict[str, str]:
    """Why a command did something, for the audit trail. weighty: a second person has to agree, or it says so.

    Raises BadParameter if both are one.
    """
    if second is not None and second.casefold() == operator.casefold():
        raise click.BadParameter("the second person is another one than --operator", param_hint="--second")
    if second is None and not (weighty and settings.rules.second_person):
        return {"reason": reason}
    return {"reason": reason, "second": "one person, by command" if second is None else f"operator:{second}"}


def account_or_fail(tx: Transaction, user_name: str) -> Account:
    """The account of a user name. Raises Failed if there is none."""
    account = person.account_named(tx, user_name)
    if account is None:
        raise Failed(NO_SUCH_USER)
    return account


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turn a refusal of ours into one line and exit status 1."""
    try:
        yield
    except (customer_service.Refused, person.Refused) as error:
        raise Failed(str(error)) from error
    except rights.LastAdministrator as error:
        raise Failed(
            "the user, or with those that hang on the user's right, is the company's last administrator: grant another "
            "one --administrator first, or add --keep-given or --leave-without-administrator"
        ) from error
