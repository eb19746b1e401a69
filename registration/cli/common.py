"""What the commands share: what they work with, their options, and how a refusal is reported."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session as Transaction

import kit.commands
from kit.audit.signed import CannotSign
from kit.backup.archive import ArchiveUnusable
from kit.commands import Failed, errors_reported
from registration.audit import By
from registration.audit.pruning import Tampered
from registration.backup.erasure_list import Erasure, ErasureList, ErasureNotKept
from registration.cases import AlreadyDecided, NoSuchCase
from registration.cases.letters import FontLacks
from registration.customer_register import CustomerRegister, RegisterUnavailable
from registration.customer_register.importing import RegisterChanged
from registration.customer_register.table import create_register
from registration.database.connection import Database
from registration.database.faults import faults_reported, refuse_missing
from registration.database.migrate import NewerSchema
from registration.database.roles import NoSuchRole
from registration.keys import Keys, NewerRecord, load_keys
from registration.rights.errors import LastAdministrator, Refused
from registration.settings import Settings, load_settings

REFUSALS: dict[type[Exception], str] = {
    AlreadyDecided: "{}; nothing was changed",
    ArchiveUnusable: "{}",
    CannotSign: "{}; nothing was removed; make one: tunnus-registration keys init",
    FontLacks: "the font has no {}: name another in letters.font; nothing was written",
    LastAdministrator: "the user, or with those that hang on the user's right, is the company's last administrator: "
    "grant another one --administrator first, or add --keep-given or --leave-without-administrator",
    NewerRecord: "a newer version of registration sealed a {}: give this command by that one",
    NewerSchema: "the database is of a newer version of registration: give the command by that version",
    NoSuchCase: "there is no case of that id: tunnus-registration cases list",
    NoSuchRole: "{}",
    Refused: "{}",
    RegisterChanged: "{}; nothing was imported, run the command again",
    RegisterUnavailable: "the customer register cannot be reached: nothing was written, try again",
    Tampered: "{}\nnothing was removed: this is not as it was written",
}
"""What a command says when it ends by such an error, with the error's own text; its status is 1."""


@dataclass(frozen=True)
class Run:
    """What a command works with. config: the file. operator, reason: for the audit trail. yes: nothing is asked."""

    config: Path
    settings: Settings
    operator: str
    reason: str
    yes: bool

    @cached_property
    def database(self) -> Database:
        """The database of the configuration. Raises ConfigurationError for an SQLite file that is not there."""
        refuse_missing(self.config, self.settings.database.url)
        return Database(self.settings.database.url, 2)

    @property
    def now(self) -> int:
        """Whole seconds since the epoch."""
        return int(time.time())

    @property
    def by(self) -> By:
        """Who does it, now, and why."""
        return By(f"operator:{self.operator}", self.now, {"reason": self.reason})

    @cached_property
    def keys(self) -> Keys:
        """The keys of the configuration."""
        return load_keys(self.settings.keys.dir)

    @cached_property
    def register(self) -> CustomerRegister:
        """The customer register of the configuration."""
        return create_register(self.settings, self.database)

    def ask(self, question: str) -> None:
        """End the command unless the answer is yes."""
        if self.yes:
            return
        with answer_needed("--yes"):
            agreed = click.confirm(question)
        if not agreed:
            raise click.Abort

    def keep(self, erasures: Sequence[Erasure]) -> None:
        """Put what is erased on the list, as the last act of its transaction. Raises Failed."""
        kept = ErasureList(self.settings.erasures.file)
        try:
            for erasure in erasures:
                kept.add(erasure)
        except ErasureNotKept as error:
            raise Failed(f"nothing was erased: {kept.file} cannot be written: {error}") from error

    def close(self) -> None:
        """Close the database, if it was used."""
        if "database" in vars(self):
            self.database.close()

    def change(self, do: Callable[[Transaction], tuple[str, Sequence[Erasure]]], question: str) -> Sequence[Erasure]:
        """Show what a change does, ask, and make it; what cannot be done is refused before anything is asked.

        do: makes it, within a transaction; returns what is shown, and what belongs on the list of erasures.
        """
        shown, _ = self.database.tried(do)
        if shown:
            click.echo(shown)
        self.ask(question)
        with self.database.write() as tx:
            _, erasures = do(tx)
            tx.flush()
            self.keep(erasures)
        return erasures


def command(
    summary: str,
    name: str | None = None,
    group: click.Group | None = None,
    *,
    operated: bool = False,
    asks: bool = False,
) -> Callable[[Callable[..., None]], click.Command]:
    """Make a function a command, which gets a Run and its own options; its docstring is the help.

    group: it belongs to. operated: it has --operator and --reason, too. asks: and --yes. An error of ours that leaves
    it is reported, with status 1.
    """

    def decorate(function: Callable[..., None]) -> click.Command:
        @wraps(function)
        def run(config: Path, operator: str = "", reason: str = "", yes: bool = False, **options: Any) -> None:
            with refusals_reported():
                at_work = Run(config, load_settings(config), operator, reason, yes)
                with closing(at_work), faults_reported(config, at_work.settings.database.url):
                    function(at_work, **options)

        options = vars(run).pop("__click_params__", [])  # from the last to the first
        if asks:
            click.option("--yes", is_flag=True, help="Do it without asking.")(run)
        if operated:
            for option, help in (("--reason", "Why"), ("--operator", "Who you are")):
                help = f"{help}, for the audit trail."
                click.option(option, required=True, metavar="TEXT", callback=audit_line, help=help)(run)
        vars(run).setdefault("__click_params__", []).extend(options)
        made = click.command(name, short_help=summary)(config_option(run))
        if group is not None:
            group.add_command(made)
        return made

    return decorate


config_option = kit.commands.config_option("REGISTRATION_CONFIG")


def audit_line(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """The callback of an option that stands in the audit trail."""
    if value is None:
        return None
    text = value.strip()
    if not text.isprintable() or not 1 <= len(text) <= 100:
        raise click.BadParameter("one line of 1 to 100 characters")
    return text


@contextmanager
def answer_needed(option: str) -> Iterator[None]:
    """Say what to add where a question ended without an answer, as in cron. option: that answers it."""
    try:
        yield
    except click.Abort as error:
        if sys.stdin.isatty():  # Ctrl-C
            raise
        raise Failed(f"\nnothing was changed, as nobody has answered: where nobody can, add {option}") from error


@contextmanager
def refusals_reported() -> Iterator[None]:
    """Turn one of REFUSALS, or an error of the kit's, into its report and exit status 1."""
    with errors_reported():
        try:
            yield
        except tuple(REFUSALS) as error:
            raise Failed(
                next(text for kind, text in REFUSALS.items() if isinstance(error, kind)).format(error)
            ) from error
