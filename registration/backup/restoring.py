"""Making backups of registration, and bringing the database back without what was erased since."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy import delete, func, inspect, select
from sqlalchemy.engine import make_url

from kit.backup.archive import ArchiveUnusable, Unpacked, archive_name, write_archive
from kit.backup.members import back_up_keys, make_folder
from registration.audit import By
from registration.backup.erasing import erase_again
from registration.backup.erasure_list import Erasure
from registration.database import dump
from registration.database import migrate as schema
from registration.database.connection import Database
from registration.database.models import Account, Attempt, Session
from registration.keys import Keys
from registration.settings import Settings

DATABASE, KEYS = "registration database", "registration keys"
"""Kinds of archives. The second opens what is sealed in the first: the two are to be kept apart."""


def back_up(
    database: Database, settings: Settings, config: Path, to: Path, now: float, programs: Path | None
) -> tuple[Path, Path]:
    """Write both archives to a folder, which is made if it is not there. Raises ConfigurationError, OSError."""
    make_folder(to)
    file = to / archive_name(DATABASE, now)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=to) as name:
        revision = schema.revision_of(database) or "base"
        dumped = dump.dump(settings.database.url, Path(name), programs)
        write_archive(file, DATABASE, [(dumped.name, dumped)], now, {"revision": revision})
    url = make_url(settings.database.url)
    but = {Path(str(url.database))} if url.get_backend_name() == "sqlite" else set()
    if settings.erasures.file:
        but.add(settings.erasures.file)
    return file, back_up_keys(to, KEYS, settings.keys.dir, config, settings, but, now)


def restore_database(
    unpacked: Unpacked, url: str, keys: Keys, erasures: Sequence[Erasure], by: By, programs: Path | None
) -> tuple[int, int]:
    """Fill an empty database from an archive, bring it to this version's schema, and erase again what was erased.

    Every session ends, as one may have been ended since. Returns how many accounts it holds, and how much was erased
    again. Raises ArchiveUnusable, ConfigurationError.
    """
    if unpacked.facts.get("revision") not in schema.revisions():
        raise ArchiveUnusable("the backup is of a newer version of registration: restore it by that version")
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    dumped = unpacked.folder / (dump.SQLITE if is_sqlite else dump.POSTGRESQL)
    if not dumped.is_file():
        raise ArchiveUnusable("the backup is of another kind of database: restore it to one of its own kind")
    at_work = f"sqlite:///{dumped}" if is_sqlite else url  # an SQLite file is put in place when it is done
    with closing(Database(at_work, 1)) as database:
        if is_sqlite:
            _refuse_file(Path(str(parsed.database)))
        else:
            _refuse_tables(database)
            dump.load(url, dumped, programs)
        schema.upgrade(database)
        with database.write() as tx:
            for table in (Session, Attempt):
                tx.execute(delete(table))
            erased = erase_again(tx, keys, erasures, by)
            by.record(tx, "restored", backup=unpacked.made)
            accounts = tx.scalar(select(func.count(Account.id))) or 0
    if is_sqlite:
        dumped.replace(str(parsed.database))
    return accounts, erased


def _refuse_file(file: Path) -> None:
    left = [path for path in (file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))) if path.exists()]
    if left:
        raise ArchiveUnusable(f"{left[0]}: is there: stop registration, and move it away first")


def _refuse_tables(database: Database) -> None:
    if inspect(database.engine).get_table_names():
        raise ArchiveUnusable("the database is not empty: make another one, and name it in database.url")
