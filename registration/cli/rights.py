"""`tunnus-registration grant | revoke | list`: what customer service changes of people's rights, and looks up."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click
from sqlalchemy import select

from kit.commands import Failed
from kit.typed_text import line
from registration import audit, rights
from registration.accounts import person
from registration.backup.erasure_list import Erasure, ErasureList
from registration.cli.common import config_option, opened, operator_options
from registration.cli.people_options import (
    account_or_fail,
    fo_nummer_option,
    keep_given_option,
    numbers_option,
    refusals_told,
    second_option,
    why_of,
    yes_option,
)
from registration.customer_register import RegisterUnavailable, create_register
from registration.database.connection import Database
from registration.database.models import LEVELS, SECTIONS, Account, Company, Representation
from registration.rights import customer_service
from registration.rights.ending import ending_with
from registration.settings import Settings


@click.command(short_help="Give a user rights in a company.")
@click.argument("user_name")
@config_option()
@fo_nummer_option(required=True)
@numbers_option("A customer number that the user may see; can be given again.")
@click.option("--company-name", metavar="NAME", help="The name of a company that nobody has registered for yet.")
@click.option("--consumption", type=click.Choice(LEVELS), help="Set this section.")
@click.option("--contracts", type=click.Choice(LEVELS), help="Set this section.")
@click.option("--invoices", type=click.Choice(LEVELS), help="Set this section.")
@click.option("--users", type=click.Choice(LEVELS), help="Set this section.")
@click.option("--administrator", is_flag=True, help="Make the user an administrator, who has every section.")
@click.option("--unchecked", is_flag=True, help="Do not ask the customer register whether the numbers are right.")
@second_option
@operator_options
@yes_option
def grant(
    user_name: str,
    config: Path,
    fo_nummer: str,
    numbers: tuple[str, ...],
    company_name: str | None,
    administrator: bool,
    unchecked: bool,
    second: str | None,
    operator: str,
    reason: str,
    yes: bool,
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
    with opened(config) as (settings, database), refusals_told():
        known = None if unchecked else _ask_register(settings, database, numbers, fo_nummer)
        with database.read() as tx:
            account = account_or_fail(tx, user_name)
            company = tx.get(Company, fo_nummer)
            name = company.name if company else line(company_name) or known
            customer_service.refuse_grant(tx, account, fo_nummer, numbers, name, levels, administrator)
        click.echo(f"{account.given_name} {account.family_name} ({account.user_name}) for {name}, {fo_nummer}")
        if not yes:
            click.confirm("Grant it?", abort=True)
        with database.write() as tx:
            account = account_or_fail(tx, user_name)
            customer_service.grant(
                tx,
                account,
                fo_nummer,
                numbers,
                company_name=name,
                levels=levels,
                administrator=administrator,
                actor=f"operator:{operator}",
                why=why_of(settings, operator, reason, second, weighty=administrator),
                now=int(time.time()),
            )
    click.echo("granted")


@click.command(short_help="Take rights from a user.")
@click.argument("user_name")
@config_option()
@fo_nummer_option(required=True)
@numbers_option("Take only this customer number; can be given again.")
@click.option("--leave-without-administrator", is_flag=True, help="Also if the company then has no administrator.")
@keep_given_option
@operator_options
@yes_option
def revoke(
    user_name: str,
    config: Path,
    fo_nummer: str,
    numbers: tuple[str, ...],
    leave_without_administrator: bool,
    keep_given: bool,
    operator: str,
    reason: str,
    yes: bool,
) -> None:
    """Take from the user USER_NAME customer numbers, or all rights, in a company.

    The account stays. What the user has given to others in the company ends with all rights, unless --keep-given. To
    lower a section, use grant.

    \b
      tunnus-registration revoke aino --fo-nummer 9990001-6 --operator maija --reason "left the company"
      tunnus-registration revoke aino --fo-nummer 9990001-6 --customer-number 100002 \\
          --operator maija --reason "the meter was sold"
    """
    with opened(config) as (settings, database), refusals_told():
        with database.read() as tx:
            account = account_or_fail(tx, user_name)
            held = customer_service.refuse_revoke(
                tx, account, fo_nummer, numbers, leave_without_administrator, keep_given
            )[1]
            given = [] if numbers else ending_with(tx, held, keep_given)[1:]
        what = ", ".join(numbers) or "all rights"
        click.echo(f"{account.given_name} {account.family_name} ({account.user_name}) loses {what} in {fo_nummer}")
        if given:
            click.echo(f"so do {len(given)} to whom the user has given rights; --keep-given keeps them")
        if not yes:
            click.confirm("Revoke it?", abort=True)
        now = int(time.time())
        with database.write() as tx:
            account = account_or_fail(tx, user_name)
            ended = customer_service.revoke(
                tx,
                account,
                fo_nummer,
                numbers,
                leave_without_administrator=leave_without_administrator,
                keep_given=keep_given,
                actor=f"operator:{operator}",
                why={"reason": reason},
                now=now,
            )
            tx.flush()
            company = tx.get_one(Company, fo_nummer).key
            for id in ended:
                ErasureList(settings.erasures.file).add(Erasure(now, account=id, company=company))
    click.echo("revoked")


@click.command("list", short_help="List who may do what.")
@config_option()
@fo_nummer_option(required=False)
@click.option("--user-name", metavar="USER_NAME", help="Only this user.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
@operator_options
def list_people(
    config: Path, fo_nummer: str | None, user_name: str | None, as_json: bool, operator: str, reason: str
) -> None:
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
    with opened(config) as (_, database), database.write() as tx:
        subject = None if user_name is None else account_or_fail(tx, user_name).id
        if subject is not None:
            statement = statement.where(Account.id == subject)
        actor = f"operator:{operator}"
        audit.record(
            tx, "listed", now=int(time.time()), actor=actor, subject=subject, fo_nummer=fo_nummer, reason=reason
        )
        for account in tx.scalars(statement).all():
            for right in rights.rights_of(tx, account.id):
                if fo_nummer in {None, right.fo_nummer}:
                    click.echo(_as_json(account, right) if as_json else _as_line(account, right))


def _ask_register(settings: Settings, database: Database, numbers: tuple[str, ...], fo_nummer: str) -> str | None:
    """The company's name as the customer register has it; None if no number was given."""
    register, name = create_register(settings, database), None
    for number in numbers:
        try:
            found = register.find(number, fo_nummer)
        except RegisterUnavailable as error:
            raise Failed("the customer register cannot be reached: try again, or add --unchecked") from error
        if found is None:
            raise Failed(f"the customer register has no customer {number} of {fo_nummer}: mend it, or add --unchecked")
        name = found.company_name
    return name


def _as_line(account: Account, right: rights.Right) -> str:
    levels = " ".join(f"{section}={right.levels[section]}" for section in SECTIONS)
    role = "administrator" if right.administrator else levels
    who = f"{account.user_name} ({account.given_name} {account.family_name})"
    return f"{right.fo_nummer}  {right.name}  {who}  {role}  {' '.join(right.customer_numbers)}"


def _as_json(account: Account, right: rights.Right) -> str:
    names = {"user_name": account.user_name, "given_name": account.given_name, "family_name": account.family_name}
    return json.dumps(names | person.right_facts(right), ensure_ascii=False)
