"""A database as one file, and a file as a database: SQLite by its backup API, PostgreSQL by pg_dump and pg_restore.

Both give what was committed at one moment, while registration goes on.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL, make_url

from kit.settings.report import ConfigurationError, Problem

SQLITE, POSTGRESQL = "database.sqlite", "database.dump"
WAIT = 30
_SAID = 300


def dump(url: str, folder: Path, programs: Path | None = None) -> Path:
    """Write a database to a file in a folder; return the file. programs: the folder of pg_dump, if it is not on PATH.

    Raises ConfigurationError if it cannot be done, OSError.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        file = folder / POSTGRESQL
        _run("pg_dump", programs, parsed, "--format=custom", f"--file={file}")
        return file
    file = folder / SQLITE
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    source = sqlite3.connect(f"{Path(str(parsed.database)).absolute().as_uri()}?mode=ro", uri=True, timeout=WAIT)
    with closing(source), closing(sqlite3.connect(file)) as target:
        try:
            source.backup(target)
            found = target.execute("PRAGMA integrity_check").fetchone()[0]
        except sqlite3.DatabaseError as error:
            found = error.sqlite_errorname
    if found != "ok":
        wrong, mend = "cannot be backed up, SQLite's integrity_check failed", "mend it, or restore an earlier backup"
        raise ConfigurationError(str(parsed.database), [Problem(("database", "url"), wrong, mend=mend)])
    return file


def load(url: str, file: Path, programs: Path | None = None) -> None:
    """Fill an empty PostgreSQL database from a dump, whole or not at all. Owners and privileges are not taken over.

    Raises ConfigurationError.
    """
    all_or_nothing = ("--single-transaction", "--exit-on-error")
    _run("pg_restore", programs, make_url(url), *all_or_nothing, "--no-owner", "--no-privileges", str(file))


def _run(program: str, programs: Path | None, url: URL, *arguments: str) -> None:
    """Run a program of PostgreSQL. Its password goes by the environment: everybody sees the arguments of a process."""
    found = shutil.which(program, path=str(programs) if programs else None)
    if found is None:
        raise _failed(program, "is not there", "install PostgreSQL's client programs, or name their folder by --pg-bin")
    password = url.password or url.query.get("password")
    shown = url.set(drivername="postgresql", password=None).difference_update_query(["password"])
    command = [found, "--no-password", f"--dbname={shown.render_as_string(hide_password=False)}", *arguments]
    environ = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)  # noqa: S603 - no shell
    if done.returncode:
        said = next(iter(done.stderr.splitlines()), "")[:_SAID]  # further lines may hold what stands in a row
        raise _failed(program, f"failed: {said}", "it must not be older than the server; pg_dump --version tells")


def _failed(program: str, wrong: str, mend: str) -> ConfigurationError:
    return ConfigurationError(program, [Problem((program,), wrong, mend=mend)])
