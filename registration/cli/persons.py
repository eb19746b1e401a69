"""`tunnus-registration relink | forget | export`: a person as a whole."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import click
from sqlalchemy.orm import Session as Transaction

from kit.commands import Command, Failed
from kit.logs import JsonFormatter
from kit.pages.languages import format_time
from kit.typed_text import number
from registration.accounts import person
from registration.backup.erasing import erasure_of_person
from registration.backup.erasure_list import Erasure
from registration.cli.common import Run, answer_needed, command
from registration.cli.people_options import (
    account_or_fail,
    by_two,
    leaving_options,
    name_of,
    second_option,
    told_of_given,
)
from registration.database.models import Account
from registration.log_fields import FIELDS


@command("Join an account to its owner's new identity.", operated=True, asks=True)
@click.argument("user_name")
@click.option("--code", metavar="CODE", help="The code that the person reads out; asked for unless given.")
@click.option("--name-changed-to", metavar="NAME", help="The person's new name, if it is not the account's.")
@second_option
def relink(run: Run, user_name: str, code: str | None, name_changed_to: str | None, second: str | None) -> None:
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
    with run.database.read() as tx:
        account = account_or_fail(tx, user_name)
        waiting = person.waiting(tx, run.keys, run.now)
    if not waiting:
        raise Failed("nobody has identified who has no account: ask the person to identify now, and run this again")
    click.echo(f"account: {name_of(account)}")
    for one in waiting:
        moment = format_time(datetime.fromtimestamp(one.identified_at, UTC), "en")
        click.echo(f"  {one.code}  {one.name}  {moment}  {one.browser}")
    with answer_needed("--code"):
        code = number(code or click.prompt("Code")).lower()
    found = [one for one in waiting if one.code == code]
    if len(found) != 1:
        raise Failed("that is not the code of one of those who have identified: mend it, and run this again")
    person.refuse_other_name(account, found[0], name_changed_to)
    run.ask(f"Join the account to {found[0].name}?")
    with run.database.write() as tx:
        person.relink(tx, account_or_fail(tx, user_name), found[0].sub, by_two(run, second, weighty=True))
    click.echo("joined; all sessions of the account have ended")


def _person_options(command: Command) -> Command:
    """USER_NAME, --account and --sub, one of which names the person: as `_person` takes them."""
    sub = click.option("--sub", metavar="SUB", help="Somebody without an account, by the broker's `sub`.")
    help = "By the id that the audit trail and the log have."
    account = click.option("--account", "account_id", metavar="ID", help=help)
    return click.argument("user_name", required=False)(account(sub(command)))


@command("Erase a person.", operated=True, asks=True)
@_person_options
@leaving_options("a")
def forget(run: Run, user_name: str | None, account_id: str | None, sub: str | None, **leaving: bool) -> None:
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

    def erase(tx: Transaction) -> tuple[str, Sequence[Erasure]]:
        (account, its_sub), by = _person(tx, user_name, account_id, sub), run.by
        shown = f"{name_of(account)} will be erased" if account is not None else ""
        if account is not None and not leaving["keep_given"]:
            shown += told_of_given(tx, account)
        first = erasure_of_person(run.keys, account, its_sub, by.now)
        ended = person.forget(tx, account, its_sub, by, **leaving)
        return shown, [first, *(Erasure(by.now, account=id, company=key) for id, key in ended)]

    erased, *_ = run.change(erase, "This cannot be undone. Erase it?")
    _log("forgotten", account=erased.account)
    click.echo("erased")


@command("Print all that is held on a person.", operated=True)
@_person_options
def export(run: Run, **who: str | None) -> None:
    """Print as JSON all that is held on the user USER_NAME, or on somebody who has only identified.

    \b
      tunnus-registration export aino --operator maija --reason "asked for it on 24 November" > aino.json
      tunnus-registration export --sub ZHVf0Ng3 --operator maija --reason "asked for it" > person.json
    """
    with run.database.write() as tx:
        found = person.export(tx, run.keys, *_person(tx, **who), run.by)
    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


def _person(
    tx: Transaction, user_name: str | None, account_id: str | None, sub: str | None
) -> tuple[Account | None, str]:
    """The account, if there is one, and the `sub`. Raises Failed if nothing is held on that person."""
    if [user_name, account_id, sub].count(None) != 2:
        raise click.UsageError("name one person: USER_NAME, --account or --sub")
    if user_name is not None:
        account = account_or_fail(tx, user_name)
        return account, account.sub
    if account_id is not None:
        found = tx.get(Account, account_id)
        if found is None:
            raise Failed("nothing is held on an account of that id")
        return found, found.sub
    if person.account_of_sub(tx, sub or "") is not None:
        raise Failed("that person has an account: name it by its user name")
    if not person.is_known(tx, sub or ""):
        raise Failed("nothing is held on a person of that sub")
    return None, sub or ""


def _log(event: str, **fields: str | None) -> None:
    """Write what a command has done to standard error, as a line of the log. fields: of log_fields.FIELDS."""
    values = {"name": "tunnus.registration", "levelno": logging.INFO, "levelname": "INFO", "msg": event}
    record = logging.makeLogRecord({**values, "event": event, **fields})
    click.echo(JsonFormatter(FIELDS).format(record), err=True)
