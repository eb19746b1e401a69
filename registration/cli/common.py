"""What the commands share: the configuration, the database, and how an error is reported."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

import kit.commands
from kit.commands import Command, Failed, errors_reported
from kit.logs import JsonFormatter
from registration.backup.erasure_list import ErasureNotKept
from registration.database.connection import Database
from registration.database.faults import faults_reported, make_file, refuse_missing
from registration.keys import NewerRecord
from registration.log_fields import FIELDS
from registration.settings import Settings, load_settings


def config_option() -> Callable[[Command], Command]:
    """The option --config."""
    return kit.commands.config_option("REGISTRATION_CONFIG")


def operator_options(command: Command) -> Command:
    """The options --operator and --reason, which stand in the audit trail."""
    for name, help in (("--reason", "Why, for the audit trail."), ("--operator", "Who you are, for the audit trail.")):
        command = click.option(name, required=True, metavar="TEXT", callback=audit_line, help=help)(command)
    return command


def audit_line(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """The callback of an option that stands in the audit trail."""
    if value is None:
        return None
    text = value.strip()
    if not text.isprintable() or not 1 <= len(text) <= 100:
        raise click.BadParameter("one line of 1 to 100 characters")
    return text


@contextmanager
def opened(config: Path, *, make: bool = False) -> Iterator[tuple[Settings, Database]]:
    """The settings and the database of a configuration file; an error of ours is reported, with status 1.

    make: an SQLite file that is not there is made; else it is refused.
    """
    with errors_reported():
        settings = load_settings(config)
        if make:
            make_file(settings.database.url)
        refuse_missing(config, settings.database.url)
        database = Database(settings.database.url, 2)
        try:
            with faults_reported(config, settings.database.url):
                yield settings, database
        except ErasureNotKept as error:
            raise Failed(f"nothing was erased: {settings.erasures.file} cannot be written: {error}") from error
        except NewerRecord as error:
            raise Failed(f"a newer version of registration sealed a {error}: give this command by that one") from error
        finally:
            database.close()


def logged(event: str, **fields: str | None) -> None:
    """Write what a command has done to standard error, as a line of the log. fields: of log_fields.FIELDS."""
    values = {"name": "tunnus.registration", "levelno": logging.INFO, "levelname": "INFO", "msg": event}
    record = logging.makeLogRecord({**values, "event": event, **fields})
    click.echo(JsonFormatter(FIELDS).format(record), err=True)
