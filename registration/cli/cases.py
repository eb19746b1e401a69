"""`tunnus-registration cases | letters`: what customer service decides, and the codes that go out as letters."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click

from kit.commands import Failed
from kit.pages.languages import format_time
from registration import audit
from registration import cases as these
from registration.backup.erasure_list import ErasureList
from registration.cases import letters as writing
from registration.cli.common import config_option, opened, operator_options
from registration.cli.people_options import account_or_fail
from registration.customer_register import RegisterUnavailable, create_register
from registration.database.models import Case
from registration.keys import load_keys
from registration.pages.rendering import Pages


@click.group(short_help="See and decide who asks to act for a company.")
def cases() -> None:
    """People who ask to act for a company, where the rules want a decision (rules.founding, rules.joining).

    \b
      tunnus-registration cases list
      tunnus-registration cases decide 9f2c51d07e6b4a38a1f0c2d3e4b59687 grant --operator maija --reason "called back"
    """


@cases.command("list", short_help="List the cases.")
@config_option()
@click.option("--state", type=click.Choice(these.STATES), default="open", help="Only these; open unless given.")
@click.option("--before", metavar="CASE", help="Those before this one: 50 are listed.")
def list_(config: Path, state: str, before: str | None) -> None:
    """List cases, the latest first: id, kind, who decides, when it was opened, company, customer number, person.

    \b
      tunnus-registration cases list
      tunnus-registration cases list --state refused
    """
    with opened(config) as (_, database), _refusals_told(), database.read() as tx:
        for case in these.open_cases(tx, before, state=state):
            waiting = "  an e-mail waits" if these.mail_waiting(tx, case.id) else ""
            click.echo(f"{case.id}  {case.kind}  {case.way}  {_about(case)}{waiting}")


@cases.command(short_help="Decide a case.")
@click.argument("case_id", metavar="CASE")
@click.argument("decision", type=click.Choice(("grant", "refuse")))
@config_option()
@click.option("--end", "ending", multiple=True, metavar="USER_NAME", help="Of a dispute: this user's rights end.")
@operator_options
def decide(case_id: str, decision: str, config: Path, ending: tuple[str, ...], operator: str, reason: str) -> None:
    """Decide the case CASE; the person and the company's administrators are told by e-mail.

    Who asked to found, or says that the company is theirs, becomes an administrator; who asked to join reads
    consumption.

    \b
      tunnus-registration cases decide CASE grant --operator maija --reason "trade register seen" --end aino
    """
    with opened(config) as (settings, database), _refusals_told(), database.write() as tx:
        ids = [account_or_fail(tx, user_name).id for user_name in ending]
        by = {"actor": f"operator:{operator}", "reason": reason, "now": int(time.time())}
        decided = these.decide(tx, case_id, decision, ending=ids, **by)  # type: ignore[arg-type]
        for erasure in decided.erasures:
            ErasureList(settings.erasures.file).add(erasure)
        click.echo(f"{decided.case.state}: {_about(decided.case)}")


@click.group(short_help="Write activation codes as letters.")
def letters() -> None:
    """Letters with activation codes, as PDF and CSV in the folder letters.dir, for the company's printer.

    \b
      tunnus-registration letters write --operator maija --reason "Monday's letters"
      tunnus-registration letters prune --days 7
    """


@letters.command("write", short_help="Write the letters that are due.")
@config_option()
@click.option("--again", multiple=True, metavar="CASE", help="This one again: the code of the letter before ends.")
@operator_options
def write_letters(config: Path, again: tuple[str, ...], operator: str, reason: str) -> None:
    """Write the letters that are due, a PDF of one page each and the same as CSV, readable by their owner only.

    A code is made as its letter is written, and is stored as a digest alone: a lost letter is written --again.

    \b
      tunnus-registration letters write --operator maija --reason "lost" --again 9f2c51d07e6b4a38a1f0c2d3e4b59687
    """
    now = int(time.time())
    with opened(config) as (settings, database), _refusals_told():
        folder, register, keys = settings.letters.dir, create_register(settings, database), load_keys(settings.keys.dir)
        if folder is None:
            raise Failed("name the folder for letters in the configuration: letters.dir")
        with database.read() as tx:
            due = [these.case(tx, id) for id in again] or writing.due(tx)
        customers = {case.id: register.find(case.customer_number, case.fo_nummer) for case in due}
        with database.write() as tx:
            written = []
            for id, customer in customers.items():
                if customer is not None and customer.postal_address:
                    written.append(writing.letter(tx, keys, id, customer.postal_address, now))
                else:
                    these.case(tx, id).way = "approval"
                    click.echo(f"{id}: the register has no address any more; it waits for customer service's decision")
            if written:
                name = datetime.fromtimestamp(now, UTC).strftime("letters-%Y%m%d-%H%M%S")
                for file in writing.write(settings, folder, name, written, Pages(settings).render):
                    click.echo(str(file))
                by = {"actor": f"operator:{operator}", "reason": reason}
                audit.record(tx, "letters_written", now=now, letters=str(len(written)), **by)
    click.echo(f"{len(written)} letters")


@letters.command(short_help="Remove letters that have been printed.")
@config_option()
@click.option("--days", type=click.IntRange(0, 365), default=7, show_default=True, help="Older than this.")
def prune(config: Path, days: int) -> None:
    """Remove letters from the folder; what they say goes on to be valid.

    \b
      tunnus-registration letters prune --days 7
    """
    with opened(config) as (settings, _):
        gone = writing.prune(settings.letters.dir, time.time() - days * 86_400) if settings.letters.dir else []
    click.echo(f"{len(gone)} files removed")


def _about(case: Case) -> str:
    at = format_time(datetime.fromtimestamp(case.opened_at, UTC), "en")
    who = f"{case.account.given_name} {case.account.family_name} ({case.account.user_name})"
    return f"{at}  {case.fo_nummer}  {case.company_name}  {case.customer_number}  {who}"


@contextmanager
def _refusals_told() -> Iterator[None]:
    try:
        yield
    except these.NoSuchCase as error:
        raise Failed("there is no case of that id: tunnus-registration cases list") from error
    except these.AlreadyDecided as error:
        raise Failed(f"{error}; nothing was changed") from error
    except RegisterUnavailable as error:
        raise Failed("the customer register cannot be reached: nothing was written, try again") from error
    except writing.FontLacks as error:
        raise Failed(f"the font has no {error}: name another in letters.font; nothing was written") from error
    except OSError as error:
        raise Failed(f"letters.dir: nothing was written: {error.strerror}") from error
