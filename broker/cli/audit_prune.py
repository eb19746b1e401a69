"""`tunnus audit prune`, and `tunnus audit-keys` of whoever does it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import click

from broker.audit import AuditTrail, AuditUnavailable
from broker.audit.chain import moment
from broker.audit.prune import Pruned, Tampered, prune
from broker.cli.common import config_option, errors_reported, folder_of, folder_option
from broker.keys import KeyRing
from broker.settings import load_settings
from kit.audit.collector import Collector
from kit.audit.commands import keys_option, older_than_option, trust_of
from kit.audit.signed import AUDIT_SIG, CannotSign, Trust, public_keys
from kit.commands import WRONG, Failed
from kit.keys.commands import KeyCommands
from kit.keys.rotation import Rotation
from kit.keys.watch import WatchedKeys

PURPOSES = {AUDIT_SIG.name: AUDIT_SIG}


@click.group("audit-keys")
def audit_keys() -> None:
    """The keys of whoever prunes the audit trail, in a folder that the broker's user cannot read.

    Their public part is audit.checkpoint_keys of the configuration: a checkpoint that others sign is then refused.

    \b
      tunnus audit-keys init --dir /var/lib/tunnus-audit/keys
      tunnus audit-keys show-public --dir /var/lib/tunnus-audit/keys --out checkpoints.jwks.json
    """


KeyCommands("tunnus audit-keys", PURPOSES, Rotation).add_to(audit_keys)


@click.command("prune")
@older_than_option
@folder_option("FOLDER", "The folder of the trail; the configuration's audit.dir unless given.")
@config_option(required=False)
@click.option(
    "--key-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The folder with the audit-sig key that signs the checkpoint; the configuration's keys.dir unless given.",
)
@keys_option
def prune_trail(
    older_than: int, folder: Path | None, config: Path | None, key_dir: Path | None, keys: tuple[Path, ...]
) -> None:
    """Remove the files of the trail whose last record is older than TIME.

    A signed checkpoint with their last hashes takes their place, for `verify` to start from, and the trail tells of
    it. Nothing is removed from a trail in which something is not as it was written. Run it as a user of its own, for
    cron: a call that was cut short is finished by the next.

    \b
      tunnus audit prune --older-than 400d --config production.toml
      tunnus audit prune --older-than 400d --dir /var/lib/tunnus/audit --key-dir /var/lib/tunnus-audit/keys
    """
    with errors_reported():
        where = folder_of(folder, config, lambda settings: settings.audit.dir)
        settings = load_settings(config) if config is not None else None
        if key_dir is not None:
            signing = WatchedKeys(key_dir, PURPOSES, time.time)
        elif settings is not None:
            signing = KeyRing.of(settings.keys, time.time)
        else:
            raise click.UsageError("name the folder of the key with --key-dir, or the configuration with --config")
        heads = Collector.of(settings.audit.collector if settings else None, signing, time.time, "tunnus")
        trust = checkpoint_trust(config, heads_trust(config, keys))
        trust.learn(public_keys(signing))
        done = _prune(AuditTrail(where, time.time, head=heads.offer), where, older_than, signing, trust)
    click.echo(f"{done.records} records in {done.files} files were removed" + _stands(done))
    if done.kept:
        click.echo(f"{done.kept} files that are old enough were left: a broker writes to them")
    if not heads.send_waiting():
        click.echo(f"the head of this record was not sent: {heads.problem}; the log has it", err=True)
        raise SystemExit(WRONG)


def heads_trust(config: Path | None, keys: Iterable[Path]) -> Trust:
    """Who may sign heads: the keys in files, or else those of a configuration's folder."""
    if config is None:
        return trust_of(keys, None)
    return trust_of(keys, lambda: public_keys(KeyRing.of(load_settings(config).keys, time.time)))


def checkpoint_trust(config: Path | None, heads: Trust) -> Trust:
    """Who may sign checkpoints: whom a configuration names for it, or else who signs heads."""
    own = load_settings(config).audit.checkpoint_keys if config is not None else None
    return Trust(own) if own else heads


def _prune(trail: AuditTrail, folder: Path, older_than: int, keys: WatchedKeys, trust: Trust) -> Pruned:
    now = time.time()
    try:
        return prune(trail, folder, moment(now - older_than), keys, trust, now)
    except Tampered as error:
        told = [f"{found.file}:{found.line}: {found.wrong}" for found in error.findings]
        raise Failed("\n".join([*told, "nothing was removed: this is not as it was written"])) from error
    except (CannotSign, AuditUnavailable) as error:
        raise Failed(f"{error}; mend that, and give the command again: it goes on where it ended") from error


def _stands(done: Pruned) -> str:
    return f"; {done.checkpoint} stands for them" if done.files else ""
