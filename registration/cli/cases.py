"""`tunnus-registration cases | letters`: what customer service decides, and the codes that go out as letters."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import click

from kit.commands import Failed
from kit.pages.languages import format_time
from registration import cases as these
from registration.cases import letters as writing
from registration.cli.common import Run, command
from registration.cli.people_options import account_or_fail, name_of
from registration.database.models import Case
from registration.pages.rendering import Pages


@click.group(short_help="See and decide who asks to act for a company.")
def cases() -> None:
    """People who ask to act for a company, where the rules want a decision (rules.founding, rules.joining).

    \b
      tunnus-registration cases list
      tunnus-registration cases decide 9f2c51d07e6b4a38a1f0c2d3e4b59687 grant --operator maija --reason "called back"
    """


@command("List the cases.", "list", cases)
@click.option("--state", type=click.Choice(these.STATES), default="open", help="Only these; open unless given.")
@click.option("--before", metavar="CASE", help="Those before this one: 50 are listed.")
def list_(run: Run, state: str, before: str | None) -> None:
    """List cases, the latest first: id, kind, who decides, when it was opened, company, customer number, person.

    \b
      tunnus-registration cases list
      tunnus-registration cases list --state refused
    """
    with run.database.read() as tx:
        for case in these.open_cases(tx, before, state=state):
            waiting = "  an e-mail waits" if these.mail_waiting(tx, case.id) else ""
            click.echo(f"{case.id}  {case.kind}  {case.way}  {_about(case)}{waiting}")


@command("Decide a case.", group=cases, operated=True)
@click.argument("case_id", metavar="CASE")
@click.argument("decision", type=click.Choice(("grant", "refuse")))
@click.option("--end", "ending", multiple=True, metavar="USER_NAME", help="Of a dispute: this user's rights end.")
def decide(run: Run, case_id: str, decision: str, ending: tuple[str, ...]) -> None:
    """Decide the case CASE; the person and the company's administrators are told by e-mail.

    Who asked to found, or says that the company is theirs, becomes an administrator; who asked to join reads
    consumption.

    \b
      tunnus-registration cases decide CASE grant --operator maija --reason "trade register seen" --end aino
    """
    with run.database.write() as tx:
        ids = [account_or_fail(tx, user_name).id for user_name in ending]
        decided = these.decide(tx, case_id, decision, run.by, ids)
        run.keep(decided.erasures)
        click.echo(f"{decided.case.state}: {_about(decided.case)}")


@click.group(short_help="Write activation codes as letters.")
def letters() -> None:
    """Letters with activation codes, as PDF and CSV in the folder letters.dir, for the company's printer.

    \b
      tunnus-registration letters write --operator maija --reason "Monday's letters"
      tunnus-registration letters prune --days 7
    """


@command("Write the letters that are due.", "write", letters, operated=True)
@click.option("--again", multiple=True, metavar="CASE", help="This one again: the code of the letter before ends.")
def write_letters(run: Run, again: tuple[str, ...]) -> None:
    """Write the letters that are due, a PDF of one page each and the same as CSV, readable by their owner only.

    A code is made as its letter is written, and is stored as a digest alone: a lost letter is written --again.

    \b
      tunnus-registration letters write --operator maija --reason "lost" --again 9f2c51d07e6b4a38a1f0c2d3e4b59687
    """
    settings, by, written = run.settings, run.by, []
    folder = settings.letters.dir
    if folder is None:
        raise Failed("name the folder for letters in the configuration: letters.dir")
    with run.database.read() as tx:
        due = [these.case(tx, id) for id in again] or writing.due(tx)
    customers = {case.id: run.register.find(case.customer_number, case.fo_nummer) for case in due}
    with run.database.write() as tx:
        for id, customer in customers.items():
            if customer is not None and customer.postal_address:
                written.append(writing.letter(tx, run.keys, id, customer.postal_address, by.now))
            else:
                these.case(tx, id).way = "approval"
                click.echo(f"{id}: the register has no address any more; it waits for customer service's decision")
        if written:
            name = datetime.fromtimestamp(by.now, UTC).strftime("letters-%Y%m%d-%H%M%S")
            try:
                files = writing.write(settings, folder, name, written, Pages(settings).render)
            except OSError as error:
                raise Failed(f"letters.dir: nothing was written: {error.strerror}") from error
            for file in files:
                click.echo(str(file))
            by.record(tx, "letters_written", letters=str(len(written)))
    click.echo(f"{len(written)} letters")


@command("Remove letters that have been printed.", group=letters)
@click.option("--days", type=click.IntRange(0, 365), default=7, show_default=True, help="Older than this.")
def prune(run: Run, days: int) -> None:
    """Remove letters from the folder; what they say goes on to be valid.

    \b
      tunnus-registration letters prune --days 7
    """
    folder = run.settings.letters.dir
    gone = writing.prune(folder, time.time() - days * 86_400) if folder else []
    click.echo(f"{len(gone)} files removed")


def _about(case: Case) -> str:
    at = format_time(datetime.fromtimestamp(case.opened_at, UTC), "en")
    return f"{at}  {case.fo_nummer}  {case.company_name}  {case.customer_number}  {name_of(case.account)}"
