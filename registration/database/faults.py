"""A database that cannot be used, told as a problem of the configuration: which one, what is wrong, and the mend.

No password is shown, nor what a statement held.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import DBAPIError

from kit.settings.report import ConfigurationError, Problem
from registration.database.connection import Database
from registration.database.migrate import NewerSchema, is_current

_UNDEFINED = frozenset({"42P01", "42703"})
"""PostgreSQL's SQLSTATE of an unknown table and of an unknown column."""


@contextmanager
def faults_reported(config: Path, url: str) -> Iterator[None]:
    """Turn an error of the database into a ConfigurationError. config: the file that names the database."""
    try:
        yield
    except DBAPIError as error:
        raise ConfigurationError(config, [_problem(error, make_url(url), config)]) from error


def refuse_missing(config: Path, url: str) -> None:
    """Refuse an SQLite file that is not there, which connecting would make. Raises ConfigurationError."""
    file = _file_of(make_url(url))
    if file is not None and not file.exists():
        raise ConfigurationError(config, [_named(make_url(url), "does not exist", _migrate(config))])


def make_file(url: str) -> None:
    """Make an SQLite file that is not there, for its owner alone; SQLite's other files get its mode. Raises OSError."""
    file = _file_of(make_url(url))
    if file is not None:
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))


def refuse_other_schema(database: Database, config: Path, url: str) -> None:
    """Refuse a database that is not there or has another schema than this version's. Raises ConfigurationError.

    config: the file that names it. url: as there.
    """
    refuse_missing(config, url)
    with faults_reported(config, url):
        try:
            current = is_current(database)
        except NewerSchema as error:
            raise newer_schema(config, url) from error
    if not current:
        raise ConfigurationError(config, [_other_schema(make_url(url), config)])


def newer_schema(config: Path, url: str) -> ConfigurationError:
    """What is said of a database whose schema this version does not know."""
    mend = "run that version, or restore the backup from before it"
    return ConfigurationError(config, [_named(make_url(url), "is of a newer version of registration", mend)])


def _problem(error: DBAPIError, url: URL, config: Path) -> Problem:
    cause = error.orig
    name, state = getattr(cause, "sqlite_errorname", ""), getattr(cause, "sqlstate", None)
    if state in _UNDEFINED or (name == "SQLITE_ERROR" and str(cause).startswith("no such ")):
        return _other_schema(url, config)
    if name == "SQLITE_NOTADB":
        return _named(url, "is not a database", "mend database.url, or restore the file from its backup")
    if name in {"SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM"}:
        return _named(url, "cannot be opened to read and write", "mend database.url, or whose the file and folder are")
    if error.statement is None:  # not connected: there is nothing of a person in its words
        return _named(url, f"cannot be connected to: {_words(cause, url)}", "start it, or mend database.url")
    return _named(url, f"cannot be used ({type(cause).__name__})", "see to the database, and run this again")


def _other_schema(url: URL, config: Path) -> Problem:
    return _named(url, "has not the schema of this version", _migrate(config))


def _named(url: URL, wrong: str, mend: str) -> Problem:
    return Problem(("database", "url"), f"{_place(url)} {wrong}", mend=mend)


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return url.database or "the database"
    port = f":{url.port}" if url.port else ""
    return f'{url.host or "the local server"}{port}, database "{url.database}",'


def _words(cause: BaseException | None, url: URL) -> str:
    text = " ".join(str(cause).split())
    for secret in (url.password, url.query.get("password")):
        text = text.replace(str(secret), "(hidden)") if secret else text
    return text


def _file_of(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":", "file:")):
        return None
    return Path(url.database)


def _migrate(config: Path) -> str:
    return f"tunnus-registration migrate --config {config}"
