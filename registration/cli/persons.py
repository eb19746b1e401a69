"""`tunnus-registration relink | forget | export`: a person as a whole."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session as Transaction

from registration import person
from registration.cli.common import Command, Told, config_option, opened, operator_options
from registration.cli.people_options import account_or_told, refusals_told, yes_option
from registration.i18n import format_time
from registration.keys import load_keys
from registration.models import Account


@click.command()
@click.argument("user_name")
@config_option()
@click.option("--code", metavar="CODE", help="Of the person among those who have identified; asked for unless given.")
@operator_options
@yes_option
def relink(user_name: str, config: Path, code: str | None, operator: str, reason: str, yes: bool) -> None:
    """Join the account USER_NAME to its owner's new identity, when their personal identity code has changed.

    The broker knows such a person by another `sub`, so they find no account. First make sure who you talk to. Then
    ask them to identify on registration's page, up to the form, and to stop there. Everybody who has identified and
    has no account is listed, with the moment, the browser and a code: choose by the code of that session. All
    sessions of the account end, and the person signs in anew.

    \b
      tunnus-registration relink aino --operator maija --reason "new personal identity code, passport seen"
    """
    now = int(time.time())
    with opened(config) as (settings, database), refusals_told():
        keys = load_keys(settings.keys.dir)
        with database.read() as tx:
            account = account_or_told(tx, user_name)
            waiting = person.waiting(tx, keys, now)
        if not waiting:
            raise Told("nobody has identified who has no account: ask the person to identify now, and run this again")
        click.echo(f"account: {account.given_name} {account.family_name} ({account.user_name})")
        for one in waiting:
            moment = format_time(datetime.fromtimestamp(one.identified_at, UTC), "en")
            click.echo(f"  {one.code}  {one.given_name} {one.family_name}  {moment}  {one.browser}")
        chosen = _chosen(waiting, code or click.prompt("Code"))
        if not yes:
            click.confirm(f"Join the account to {chosen.given_name} {chosen.family_name}?", abort=True)
        with database.write() as tx:
            account = account_or_told(tx, user_name)
            person.relink(tx, account, chosen.sub, operator=operator, reason=reason, now=int(time.time()))
    click.echo("joined; all sessions of the account have ended")


def whom(command: Command) -> Command:
    """The argument USER_NAME and the option --sub, one of which names the person."""
    command = click.option("--sub", metavar="SUB", help="Somebody without an account, by the broker's `sub`.")(command)
    return click.argument("user_name", required=False)(command)


@click.command()
@whom
@config_option()
@click.option("--leave-without-administrator", is_flag=True, help="Also if a company then has no administrator.")
@operator_options
@yes_option
def forget(
    user_name: str | None,
    sub: str | None,
    config: Path,
    leave_without_administrator: bool,
    operator: str,
    reason: str,
    yes: bool,
) -> None:
    """Erase the user USER_NAME, or somebody who has only identified: all that is held on them.

    The audit trail stays: it has the account's id, which then leads to nobody. A company stays too, with its name and
    FO-nummer. Write no name into --reason.

    \b
      tunnus-registration forget aino --operator maija --reason "asked for it on 24 November"
    """
    with opened(config) as (_, database), refusals_told():
        with database.read() as tx:
            account, _ = _who(tx, user_name, sub)
        if account is not None:
            click.echo(f"{account.given_name} {account.family_name} ({account.user_name}) will be erased")
        if not yes:
            click.confirm("This cannot be undone. Erase it?", abort=True)
        with database.write() as tx:
            account, known_by = _who(tx, user_name, sub)
            try:
                person.forget(
                    tx,
                    account,
                    known_by,
                    operator=operator,
                    reason=reason,
                    now=int(time.time()),
                    leave_without_administrator=leave_without_administrator,
                )
            except person.WouldLeave as error:
                raise Told(
                    f"the other users of {error} would be without an administrator: grant one of them "
                    "--administrator first, or add --leave-without-administrator"
                ) from error
    click.echo("erased")


@click.command()
@whom
@config_option()
@operator_options
def export(user_name: str | None, sub: str | None, config: Path, operator: str, reason: str) -> None:
    """Print as JSON all that is held on the user USER_NAME, or on somebody who has only identified.

    \b
      tunnus-registration export aino --operator maija --reason "asked for it on 24 November" > aino.json
    """
    with opened(config) as (settings, database), refusals_told():
        keys = load_keys(settings.keys.dir)
        with database.write() as tx:
            account, known_by = _who(tx, user_name, sub)
            now = int(time.time())
            found = person.export(tx, keys, account, known_by, operator=operator, reason=reason, now=now)
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


def _chosen(waiting: list[person.Waiting], code: str) -> person.Waiting:
    found = [one for one in waiting if one.code == code.strip().lower()]
    if len(found) != 1:
        raise Told("that is not the code of one of those who have identified: mend it, and run this again")
    return found[0]


def _who(tx: Transaction, user_name: str | None, sub: str | None) -> tuple[Account | None, str]:
    """The account, if there is one, and the `sub`."""
    if (user_name is None) == (sub is None):
        raise click.UsageError("name one person: USER_NAME, or --sub")
    if user_name is not None:
        account = account_or_told(tx, user_name)
        return account, account.sub
    found = person.account_of_sub(tx, sub or "")
    if found is not None:
        raise Told("that person has an account: name it by its user name")
    return None, sub or ""
