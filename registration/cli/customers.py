"""`tunnus-registration customers import FILE.csv`: fill the customer register that is kept in our own database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import click

from kit.commands import Failed
from registration.cli.common import Run, command
from registration.customer_register import Customer
from registration.customer_register.file import FileRefused, read_customers
from registration.customer_register.importing import Changes, apply, preview

MOST_SHOWN = 20
"""Lines of each kind in the preview."""
TOLD_EVERY = 50_000


@click.group(short_help="Fill the customer register from a file.")
def customers() -> None:
    """The customer register, where it is kept in registration's own database.

    \b
      tunnus-registration customers import customers.csv --operator maija --reason "weekly export"
    """


@command("Make the register what a file says.", "import", customers, operated=True, asks=True)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--remove-most", is_flag=True, help="Allow that more than half of the customers are removed.")
def import_(run: Run, file: Path, dry_run: bool, remove_most: bool) -> None:
    """Make the register what FILE says, all of it or nothing.

    FILE is the whole register as CSV in UTF-8, with comma or semicolon, and one line for each customer number:

    \b
        customer_number,fo_nummer,company_name
        100001,9990001-6,Testisähkö Oy
        100002,9990002-4,"Mallbolaget, Ab"

    It may have the columns email and postal_address, where activation codes go ("Kauppakatu 1, 00100 Helsinki": the
    lines of the address between commas), and contract_ends, the last day of the contract (2027-12-31).

    A customer that is not in FILE is removed; what people have registered before stays. What would change is
    shown first. If one line of FILE is wrong, nothing is changed, and every wrong line is named.

    \b
        tunnus-registration customers import customers.csv --operator "Maija" --reason "weekly export" --dry-run
    """
    if run.settings.customer_register.adapter != "table":
        raise Failed('the customer register is not kept here: customer_register.adapter is not "table"')
    listed = _read(file)
    changes = preview(run.database, listed)
    _show(changes)
    if not changes.any or dry_run:
        return
    if changes.removes_most and not remove_most:
        raise Failed("more than half of the customers would be removed; if that is meant, add --remove-most")
    run.ask("Change the register?")
    apply(run.database, listed, changes, run.by, _told("rows changed"))
    click.echo("Imported.")


def _read(file: Path) -> list[Customer]:
    try:
        return read_customers(file, _told("lines read"))
    except FileRefused as error:
        rest = [f"and {error.more} more"] if error.more else []
        raise Failed("\n".join((f"{file}: nothing was imported", *error.errors, *rest))) from error


def _told(what: str) -> Callable[[int], None]:
    """Tells on standard error how far a long import is; a short one ends before there is anything to tell."""

    def progress(done: int) -> None:
        if done % TOLD_EVERY == 0:
            click.echo(f"{done} {what}", err=True)

    return progress


def _show(changes: Changes) -> None:
    added = [f"  + {_line(customer)}" for customer in changes.added]
    changed = [f"  ~ {_line(before)}  ->  {_line(after)}" for before, after in changes.changed]
    removed = [f"  - {_line(customer)}" for customer in changes.removed]
    for word, lines in (("added", added), ("changed", changed), ("removed", removed)):
        click.echo(f"{len(lines)} {word}")
        for line in lines[:MOST_SHOWN]:
            click.echo(line)
        if len(lines) > MOST_SHOWN:
            click.echo(f"  and {len(lines) - MOST_SHOWN} more")
    if not changes.any:
        click.echo("The register is what the file says already.")


def _line(customer: Customer) -> str:
    return "  ".join(value for value in astuple(customer) if value)
