"""`tunnus-registration backup | restore | erase-again | upgrade`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import click

from kit.backup.archive import kind_of, unpacked
from kit.backup.members import restore_keys
from kit.commands import Failed
from registration.backup import restoring
from registration.backup.erasing import erase_again
from registration.backup.erasure_list import Erasure, ErasureList
from registration.cli.common import Run, command
from registration.configuration import load_everything
from registration.database import migrate as schema
from registration.database.faults import refuse_other_schema
from registration.settings import Settings

programs_option = click.option(
    "--pg-bin",
    "programs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    envvar="REGISTRATION_PG_BIN",
    help="The folder of pg_dump and pg_restore, if they are not on PATH. Not older than the server.",
)
_to = click.Path(path_type=Path, file_okay=False)
to_option = click.option("--to", required=True, type=_to, help="The folder of backups; made if it is not there.")


@command("Back up the database, keys and configuration.")
@to_option
@programs_option
def backup(run: Run, to: Path, programs: Path | None) -> None:
    """Write two archives while registration runs: of the database, and of keys and configuration.

    The second opens what is sealed in the first, so keep them in two places. Not in them: values of environment
    variables, and the list of erasures, which must be newer than the backup that it is for.

    \b
      tunnus-registration backup --config registration.toml --to /var/backups/registration
    """
    for file in restoring.back_up(run.database, run.settings, run.config, to, time.time(), programs):
        click.echo(file)


@command("Restore from archives of backup.", operated=True)
@click.argument("archives", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--erasures", "more", multiple=True, type=click.Path(path_type=Path), help="Another machine's list, too.")
@click.option("--without-erasures", is_flag=True, help="Though the list of erasures is lost.")
@programs_option
def restore(
    run: Run, archives: tuple[Path, ...], more: tuple[Path, ...], without_erasures: bool, programs: Path | None
) -> None:
    """Restore keys, the database, or both, from archives that backup has made; stop registration before.

    Keys go into an empty folder, the database into an empty one (an SQLite file must not be there). It is brought to
    the schema of this version, and what the list of erasures says is erased again: persons, and rights that were
    taken. Every session ends. The configuration in the archive of keys is for tar to unpack.

    \b
      tar xzf registration-keys-20261129T031500Z.tar.gz configuration
      tunnus-registration restore --config registration.toml --operator maija --reason "disk lost" \\
          registration-keys-20261129T031500Z.tar.gz registration-database-20261129T031500Z.tar.gz
    """
    files = _by_kind(archives)
    needed = restoring.DATABASE in files and not without_erasures
    erasures = list(_erasures(run.settings, more)) if needed else []  # before anything is done
    if archive := files.get(restoring.KEYS):
        keys = run.settings.keys.dir
        with unpacked(archive, beside=keys.absolute().parent) as found:
            click.echo(f"{keys}: {restore_keys(found.folder, keys)} keys of {found.made}")
    if archive := files.get(restoring.DATABASE):
        url = run.settings.database.url
        beside = Path(url.removeprefix("sqlite:///")).absolute().parent if url.startswith("sqlite:") else None
        with unpacked(archive, beside) as found:
            accounts, erased = restoring.restore_database(found, url, run.keys, erasures, run.by, programs)
            click.echo(f"the database of {found.made}: {accounts} accounts, {erased} erased again")


@command("Erase again what a restored database brought back.", "erase-again", operated=True)
def erase_restored(run: Run) -> None:
    """Erase what the list of erasures says and the database still holds: after a restore by other means than restore.

    \b
      tunnus-registration erase-again --config registration.toml --operator maija --reason "snapshot restored"
    """
    erasures = ErasureList(run.settings.erasures.file).read()
    with run.database.write() as tx:
        count = erase_again(tx, run.keys, erasures, run.by)
    click.echo(f"{count} erased again")


@command("Back up, bring the database to this version's schema, and check.")
@to_option
@programs_option
def upgrade(run: Run, to: Path, programs: Path | None) -> None:
    """Back up, migrate and check: give it by the new version, before its first process starts. It says how to go back.

    \b
      tunnus-registration upgrade --config registration.toml --to /var/backups/registration
    """
    settings, database = run.settings, run.database
    before = schema.revision_of(database) or "base"
    archive, secrets = restoring.back_up(database, settings, run.config, to, time.time(), programs)
    click.echo(f"{archive}\n{secrets}")
    schema.upgrade(database)
    ErasureList(settings.erasures.file).make()
    click.echo(f"schema: {before} before, {schema.revision_of(database)} now")
    load_everything(run.config, lambda _: refuse_other_schema(database, run.config, settings.database.url))
    click.echo("all is well: start the new version. To go back, stop it, and")
    click.echo(f"  by this version, what was written since stays:  tunnus-registration migrate --down-to {before}")
    click.echo(f"  or by the old one, into an empty database:      tunnus-registration restore {archive}")
    click.echo("then start the old version.")


def _by_kind(archives: tuple[Path, ...]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for file in archives:
        kind = kind_of(file)
        if kind not in {restoring.KEYS, restoring.DATABASE}:
            raise Failed(f"{file}: is an archive of {kind}: tunnus restore, or another service's, takes it")
        if kind in files:
            raise Failed(f"{file}: is the second archive of {kind}: name one")
        files[kind] = file
    return files


def _erasures(settings: Settings, more: tuple[Path, ...]) -> Iterator[Erasure]:
    if settings.erasures.file is None and not more:
        raise Failed("there is no list of erasures: set erasures.file, or add --without-erasures")
    for file in (settings.erasures.file, *more):
        yield from ErasureList(file).read()
