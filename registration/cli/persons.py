"""`tunnus-registration relink | forget | export`: a person as a whole."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session as Transaction

from kit.commands import Failed
from kit.pages.languages import format_time
from registration.accounts import person
from registration.backup.erasing import erasure_of_person
from registration.backup.erasure_list import Erasure, ErasureList
from registration.cli.common import config_option, logged, opened, operator_options
from registration.cli.people_options import (
    account_or_fail,
    keep_given_option,
    refusals_told,
    second_option,
    why_of,
    yes_option,
)
from registration.database.models import Account
from registration.keys import load_keys


@click.command(short_help="Join an account to its owner's new identity.")
@click.argument("user_name")
@config_option()
@click.option("--code", metavar="CODE", help="The code that the person reads out; asked for unless given.")
@click.option("--name-changed-to", metavar="NAME", help="The person's new name, if it is not the account's.")
@second_option
@operator_options
@yes_option
def relink(
    user_name: str,
    config: Path,
    code: str | None,
    name_changed_to: str | None,
    second: str | None,
    operator: str,
    reason: str,
    yes: bool,
) -> None:
    """Join the account USER_NAME to its owner's new identity, when their personal identity code has changed.

    The broker knows such a person by another `sub`, so they find no account. First make sure who you talk to. Then
    ask them to identify on registration's page, up to the form, and to follow the link "Has your personal identity
    code changed?" there: the page behind it shows their code. Everybody who has identified and has no account is
    listed, with the moment, the browser and that code. All sessions of the account end, its owner is told by e-mail,
    and the person signs in anew. Somebody of another name than the account's is refused, unless --name-changed-to says
    their name.

    \b
      tunnus-registration relink aino --operator maija --reason "new personal identity code, passport seen"
      tunnus-registration relink aino --code 3f9a01c7 --operator maija --reason "passport seen"
      tunnus-registration relink aino --name-changed-to "Aino Virtanen" --operator maija --reason "passport seen"
    """
    now = int(time.time())
    with opened(config) as (settings, database), refusals_told():
        keys = load_keys(settings.keys.dir)
        with database.read() as tx:
            account = account_or_fail(tx, user_name)
            waiting = person.waiting(tx, keys, now)
        if not waiting:
            raise Failed("nobody has identified who has no account: ask the person to identify now, and run this again")
        click.echo(f"account: {account.given_name} {account.family_name} ({account.user_name})")
        for one in waiting:
            moment = format_time(datetime.fromtimestamp(one.identified_at, UTC), "en")
            click.echo(f"  {one.code}  {one.name}  {moment}  {one.browser}")
        chosen = _chosen(waiting, code or click.prompt("Code"))
        person.refuse_other_name(account, chosen, name_changed_to)
        if not yes:
            click.confirm(f"Join the account to {chosen.name}?", abort=True)
        with database.write() as tx:
            account = account_or_fail(tx, user_name)
            why = why_of(settings, operator, reason, second, weighty=True)
            person.relink(tx, account, chosen.sub, actor=f"operator:{operator}", why=why, now=int(time.time()))
    click.echo("joined; all sessions of the account have ended")


@dataclass(frozen=True, slots=True)
class PersonRef:
    """The person of a command, by one of three names."""

    user_name: str | None
    account_id: str | None
    sub: str | None


def person_option(command: Callable[..., None]) -> Callable[..., None]:
    """The argument USER_NAME and the options --account and --sub, one of which names the person: `who`."""

    @click.argument("user_name", required=False)
    @click.option("--account", "account_id", metavar="ID", help="By the id that the audit trail and the log have.")
    @click.option("--sub", metavar="SUB", help="Somebody without an account, by the broker's `sub`.")
    @wraps(command)
    def named(user_name: str | None, account_id: str | None, sub: str | None, **values: Any) -> None:
        if [user_name, account_id, sub].count(None) != 2:
            raise click.UsageError("name one person: USER_NAME, --account or --sub")
        command(who=PersonRef(user_name, account_id, sub), **values)

    return named


@click.command(short_help="Erase a person.")
@person_option
@config_option()
@click.option("--leave-without-administrator", is_flag=True, help="Also if a company then has no administrator.")
@keep_given_option
@operator_options
@yes_option
def forget(
    who: PersonRef,
    config: Path,
    leave_without_administrator: bool,
    keep_given: bool,
    operator: str,
    reason: str,
    yes: bool,
) -> None:
    """Erase the user USER_NAME, or somebody who has only identified: all that is held on them.

    The audit trail stays: it has the account's id, which then leads to nobody. A company stays too, with its name and
    FO-nummer. What the user has given to others ends too, unless --keep-given. Write no name into --reason.

    The configuration's erasures.file gets a line with row ids alone: when a backup of the database is restored, it says
    whom to erase again. A line of JSON with the account's id goes to standard error too, for the log.

    \b
      tunnus-registration forget aino --operator maija --reason "asked for it on 24 November"
      tunnus-registration forget --account 9f2c51d07e6b4a38a1f0c2d3e4b59687 --yes \\
          --operator maija --reason "again, after a restore"
      tunnus-registration forget --sub ZHVf0Ng3 --operator maija --reason "has only identified"
    """
    with opened(config) as (settings, database), refusals_told():
        keys = load_keys(settings.keys.dir)
        with database.read() as tx:
            account, _ = _resolve_person(tx, who)
            if account is not None and not leave_without_administrator:
                person.refuse_leaving(tx, account, keep_given=keep_given)
        if account is not None:
            click.echo(f"{account.given_name} {account.family_name} ({account.user_name}) will be erased")
        if not yes:
            click.confirm("This cannot be undone. Erase it?", abort=True)
        now = int(time.time())
        with database.write() as tx:
            account, known_by = _resolve_person(tx, who)
            erasure = erasure_of_person(keys, account, known_by, now)
            ended = person.forget(
                tx,
                account,
                known_by,
                operator=operator,
                reason=reason,
                now=now,
                leave_without_administrator=leave_without_administrator,
                keep_given=keep_given,
            )
            tx.flush()
            erasures = ErasureList(settings.erasures.file)
            for one in (erasure, *(Erasure(now, account=id, company=key) for id, key in ended)):
                erasures.add(one)
    logged("forgotten", account=account.id if account is not None else None)
    click.echo("erased")


@click.command(short_help="Print all that is held on a person.")
@person_option
@config_option()
@operator_options
def export(who: PersonRef, config: Path, operator: str, reason: str) -> None:
    """Print as JSON all that is held on the user USER_NAME, or on somebody who has only identified.

    \b
      tunnus-registration export aino --operator maija --reason "asked for it on 24 November" > aino.json
      tunnus-registration export --sub ZHVf0Ng3 --operator maija --reason "asked for it" > person.json
    """
    with opened(config) as (settings, database), refusals_told():
        keys = load_keys(settings.keys.dir)
        with database.write() as tx:
            account, known_by = _resolve_person(tx, who)
            now = int(time.time())
            found = person.export(tx, keys, account, known_by, operator=operator, reason=reason, now=now)
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


def _chosen(waiting: list[person.Waiting], code: str) -> person.Waiting:
    found = [one for one in waiting if one.code == code.strip().lower()]
    if len(found) != 1:
        raise Failed("that is not the code of one of those who have identified: mend it, and run this again")
    return found[0]


def _resolve_person(tx: Transaction, who: PersonRef) -> tuple[Account | None, str]:
    """The account, if there is one, and the `sub`. Raises Failed if nothing is held on that person."""
    if who.user_name is not None:
        account = account_or_fail(tx, who.user_name)
        return account, account.sub
    if who.account_id is not None:
        found = person.account_by_id(tx, who.account_id)
        if found is None:
            raise Failed("nothing is held on an account of that id")
        return found, found.sub
    sub = who.sub or ""
    if person.account_of_sub(tx, sub) is not None:
        raise Failed("that person has an account: name it by its user name")
    if not person.is_known(tx, sub):
        raise Failed("nothing is held on a person of that sub")
    return None, sub
