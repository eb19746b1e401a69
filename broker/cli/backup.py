"""`tunnus backup | restore`: keys and configuration, and the audit trail. The store is not backed up."""

from __future__ import annotations

import time
from pathlib import Path

import click

from broker.audit import verify
from broker.cli.common import config_option, errors_reported
from broker.settings import Settings, load_settings
from kit.backup.archive import ArchiveUnusable, archive_name, kind_of, unpacked, write_archive
from kit.backup.members import back_up_keys, files_below, make_folder, restore_keys
from kit.commands import WRONG, Failed

KEYS, AUDIT = "broker keys", "broker audit"
_FILES = "audit"


@click.command(short_help="Back up keys, configuration and audit trail.")
@config_option()
@click.option("--to", required=True, type=click.Path(path_type=Path, file_okay=False), help="The folder of backups.")
def backup(config: Path, to: Path) -> None:
    """Write two archives while brokers run: of keys and configuration, and of the audit trail.

    Not in them: the store, all of which lapses by itself within a day; keys that stand in a token; values of
    environment variables. The archive of keys is as secret as the keys: keep it where nothing else is.

    \b
      tunnus backup --config production.toml --to /var/backups/tunnus
    """
    with errors_reported():
        settings = load_settings(config)
        make_folder(to)
        now = time.time()
        click.echo(back_up_keys(to, KEYS, settings.keys.dir, config, settings, {settings.audit.dir}, now))
        file = to / archive_name(AUDIT, now)
        write_archive(file, AUDIT, files_below(settings.audit.dir, _FILES), now)
        click.echo(file)


@click.command(short_help="Restore from archives of backup.")
@click.argument("archives", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@config_option()
def restore(archives: tuple[Path, ...], config: Path) -> None:
    """Restore keys, the audit trail, or both, from archives that backup has made.

    Keys go into a folder that holds none. Files of the trail that are there already stay as they are, as they may
    have grown since; then the whole trail is verified. The configuration in the archive of keys is for tar to unpack.

    \b
      tar xzf broker-keys-20261129T031500Z.tar.gz configuration
      tunnus restore --config production.toml broker-keys-20261129T031500Z.tar.gz broker-audit-20261129T031500Z.tar.gz
    """
    with errors_reported():
        try:
            settings = load_settings(config)
            kinds = [(archive, _known_kind(archive)) for archive in archives]  # before anything is done
            for archive, kind in kinds:
                _restore(archive, kind, settings)
        except ArchiveUnusable as error:
            raise Failed(str(error)) from error


def _known_kind(archive: Path) -> str:
    kind = kind_of(archive)
    if kind not in {KEYS, AUDIT}:
        raise ArchiveUnusable(f"{archive}: is an archive of {kind}: tunnus-registration restore takes it")
    return kind


def _restore(archive: Path, kind: str, settings: Settings) -> None:
    if kind == KEYS:
        keys = settings.keys.dir
        with unpacked(archive, beside=keys.absolute().parent) as found:
            click.echo(f"{keys}: {restore_keys(found.folder, keys)} keys of {found.made}")
    else:
        _restore_trail(archive, settings.audit.dir)


def _restore_trail(archive: Path, trail: Path) -> None:
    with unpacked(archive, beside=trail.absolute().parent) as found:
        restored = kept = 0
        for name, file in files_below(found.folder / _FILES, ""):
            place = trail / name.lstrip("/")
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if place.exists():
                kept += 1
            else:
                file.replace(place)
                restored += 1
        click.echo(f"{trail}: {restored} files of {found.made} restored, {kept} that are there stay")
    seen = verify(trail)
    for finding in seen.findings:
        click.echo(f"{finding.file}:{finding.line}: {finding.wrong}", err=True)
    if seen.findings:
        raise SystemExit(WRONG)
