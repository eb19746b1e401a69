"""What the commands share: the configuration, the database, and how an error is told."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from registration.database import Database
from registration.database_faults import faults_told, make_file, refuse_missing
from registration.keys import KeysUnusable
from registration.logs import JsonFormatter
from registration.settings import Settings, load_settings
from registration.settings_report import ConfigurationError

Command = TypeVar("Command", bound=Callable[..., Any])

WRONG = 1
"""Exit status: something is wrong, and was said."""


def config_option() -> Callable[[Command], Command]:
    """The option --config, or its environment variable."""
    return click.option(
        "-c",
        "--config",
        "config",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="REGISTRATION_CONFIG",
        show_envvar=True,
        required=True,
        help="The configuration file.",
    )


def operator_options(command: Command) -> Command:
    """The options --operator and --reason, which stand in the audit trail."""
    for name, help in (("--reason", "Why, for the audit trail."), ("--operator", "Who you are, for the audit trail.")):
        command = click.option(name, required=True, metavar="TEXT", callback=_line, help=help)(command)
    return command


def _line(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    text = value.strip()
    if not text.isprintable() or not 1 <= len(text) <= 100:
        raise click.BadParameter("one line of 1 to 100 characters")
    return text


@contextmanager
def opened(config: Path, *, make: bool = False) -> Iterator[tuple[Settings, Database]]:
    """The settings and the database of a configuration file; an error of ours is told, with status 1.

    make: an SQLite file that is not there is made; else it is refused.
    """
    with told():
        settings = load_settings(config)
        if make:
            make_file(settings.database.url)
        refuse_missing(config, settings.database.url)
        database = Database(settings.database.url, 2)
        try:
            with faults_told(config, settings.database.url):
                yield settings, database
        finally:
            database.close()


@contextmanager
def told() -> Iterator[None]:
    """Turn an error of ours into its report and exit status 1, without a traceback."""
    try:
        yield
    except ConfigurationError as error:
        raise Told(error.report()) from error
    except KeysUnusable as error:
        raise Told(str(error)) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise Told(f"{where}{error.strerror or error}") from error


def logged(event: str, **fields: str | None) -> None:
    """Write what a command has done to standard error, as a line of the log. fields: of log_fields.FIELDS."""
    values = {"name": "tunnus.registration", "levelno": logging.INFO, "levelname": "INFO", "msg": event}
    record = logging.makeLogRecord({**values, "event": event, **fields})
    click.echo(JsonFormatter().format(record), err=True)


class Told(click.ClickException):
    """An error that is told in its own words."""

    exit_code = WRONG

    def show(self, file: Any = None) -> None:
        """Write it to standard error."""
        click.echo(self.message, err=True)
