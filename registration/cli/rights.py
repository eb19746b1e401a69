"""`tunnus-registration grant | revoke | list`: what customer service changes of people's rights, and looks up."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session as Transaction

from kit.commands import Command, Failed
from kit.rights import LEVELS, SECTIONS
from kit.typed_text import line
from registration.accounts import person
from registration.backup.erasure_list import Erasure
from registration.cli.common import Run, command
from registration.cli.people_options import (
    account_or_fail,
    by_two,
    fo_nummer_option,
    leaving_options,
    name_of,
    numbers_option,
    second_option,
    told_of_given,
)
from registration.customer_register import RegisterUnavailable
from registration.database.models import Account, Company, Representation
from registration.rights import customer_service, lookup


def _section_options(command: Command) -> Command:
    for section in reversed(SECTIONS):
        command = click.option(f"--{section}", type=click.Choice(LEVELS), help="Set this section.")(command)
    return command


@command("Give a user rights in a company.", operated=True, asks=True)
@click.argument("user_name")
@fo_nummer_option(required=True)
@numbers_option("A customer number that the user may see; can be given again.")
@click.option("--company-name", metavar="NAME", help="The name of a company that nobody has registered for yet.")
@_section_options
@click.option("--administrator", is_flag=True, help="Make the user an administrator, who has every section.")
@click.option("--unchecked", is_flag=True, help="Do not ask the customer register whether the numbers are right.")
@second_option
def grant(
    run: Run,
    user_name: str,
    fo_nummer: str,
    numbers: tuple[str, ...],
    company_name: str | None,
    administrator: bool,
    unchecked: bool,
    second: str | None,
    **sections: str | None,
) -> None:
    """Give the user USER_NAME customer numbers, sections or the administrator's role in a company.

    Sections that are not given stay as they are; a user who is new to the company gets consumption to read, as when
    registering. The customer register is asked whether each number is the company's.

    \b
      tunnus-registration grant aino --fo-nummer 9990001-6 --customer-number 100002 \\
          --operator maija --reason "second meter, asked by phone"
      tunnus-registration grant aino --fo-nummer 9990001-6 --administrator \\
          --operator maija --second pekka --reason "the former administrator has left"
    """
    levels = {name: level for name, level in sections.items() if level is not None}
    if not (numbers or levels or administrator):
        raise click.UsageError("nothing to grant: give --customer-number, a section or --administrator")
    try:
        known = None if unchecked else customer_service.name_in(run.register, numbers, fo_nummer)
    except RegisterUnavailable as error:
        raise Failed("the customer register cannot be reached: try again, or add --unchecked") from error

    def give(tx: Transaction) -> tuple[str, Sequence[Erasure]]:
        account, company = account_or_fail(tx, user_name), tx.get(Company, fo_nummer)
        name = company.name if company else line(company_name) or known
        shown = f"{name_of(account)} for {name}, {fo_nummer}"
        by = by_two(run, second, weighty=administrator)
        asked: dict[str, Any] = {"company_name": name, "levels": levels, "administrator": administrator}
        customer_service.grant(tx, account, fo_nummer, numbers, by, **asked)
        return shown, ()

    run.change(give, "Grant it?")
    click.echo("granted")


@command("Take rights from a user.", operated=True, asks=True)
@click.argument("user_name")
@fo_nummer_option(required=True)
@numbers_option("Take only this customer number; can be given again.")
@leaving_options("the")
def revoke(run: Run, user_name: str, fo_nummer: str, numbers: tuple[str, ...], **leaving: bool) -> None:
    """Take from the user USER_NAME customer numbers, or all rights, in a company.

    The account stays. What the user has given to others in the company ends with all rights, unless --keep-given. To
    lower a section, use grant.

    \b
      tunnus-registration revoke aino --fo-nummer 9990001-6 --operator maija --reason "left the company"
      tunnus-registration revoke aino --fo-nummer 9990001-6 --customer-number 100002 \\
          --operator maija --reason "the meter was sold"
    """

    def take(tx: Transaction) -> tuple[str, Sequence[Erasure]]:
        account = account_or_fail(tx, user_name)
        shown = f"{name_of(account)} loses {', '.join(numbers) or 'all rights'} in {fo_nummer}"
        if not numbers and not leaving["keep_given"]:
            shown += told_of_given(tx, account, fo_nummer)
        return shown, customer_service.revoke(tx, account, fo_nummer, numbers, run.by, **leaving)

    run.change(take, "Revoke it?")
    click.echo("revoked")


@command("List who may do what.", "list", operated=True)
@fo_nummer_option(required=False)
@click.option("--user-name", metavar="USER_NAME", help="Only this user.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def list_people(run: Run, fo_nummer: str | None, user_name: str | None, as_json: bool) -> None:
    """List who may do what for which company: one line for each user of each company.

    No e-mail address is shown; `export` has all that is held on one person. With --json the members are those of
    `GET /api/rights`, and whose right it is and since when.

    \b
      tunnus-registration list --fo-nummer 9990001-6 --operator maija --reason "asked by phone"
      tunnus-registration list --user-name aino --json --operator maija --reason "asked by phone"
    """
    statement = select(Account).order_by(Account.user_name_key)
    if fo_nummer is not None:
        mine = select(Representation.account_id).where(Representation.fo_nummer == fo_nummer)
        statement = statement.where(Account.id.in_(mine))
    with run.database.write() as tx:
        subject = None if user_name is None else account_or_fail(tx, user_name).id
        if subject is not None:
            statement = statement.where(Account.id == subject)
        run.by.record(tx, "listed", subject=subject, fo_nummer=fo_nummer)
        for account in tx.scalars(statement).all():
            for right in lookup.rights_of(tx, account.id):
                if fo_nummer in {None, right.fo_nummer}:
                    click.echo(_as_json(account, right) if as_json else _as_line(account, right))


def _as_line(account: Account, right: Representation) -> str:
    levels = " ".join(f"{section}={right.levels[section]}" for section in SECTIONS)
    role = "administrator" if right.administrator else levels
    who = f"{account.user_name} ({account.name})"
    return f"{right.fo_nummer}  {right.company.name}  {who}  {role}  {' '.join(right.customer_numbers)}"


def _as_json(account: Account, right: Representation) -> str:
    names = {name: getattr(account, name) for name in ("user_name", "given_name", "family_name")}
    return json.dumps(names | person.right_facts(right), ensure_ascii=False)
