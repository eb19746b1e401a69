"""`tunnus audit`: the story of one identification, and whether the trail was tampered with."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from broker.audit import Finding, Story, count_refusals, find, verify
from broker.audit.chain import moment, printable
from broker.cli.audit_prune import checkpoint_trust, heads_trust, prune_trail
from broker.cli.common import config_option, errors_reported, folder_of, folder_option, since_option
from broker.settings import Settings
from kit.audit.commands import heads_option, keys_option, told_heads
from kit.commands import WRONG

_FOLDER = "The folder of the trail; the configuration's audit.dir unless given."
_UNTOLD = frozenset({"seq", "previous", "hash", "time", "event", "txn"})
UNCLOSED = 3
"""Exit status: nothing tampered with, but a file was never closed, or a pruning was cut short."""


@click.group()
def audit() -> None:
    """The audit trail: who identified where and when, in chained lines.

    A file belongs to one process from its start to its end. It holds no name, no personal identity code, no birth
    date, no token and no IP address.
    """


@audit.command("find")
@click.argument("reference")
@folder_option("FOLDER", _FOLDER)
@config_option(required=False)
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON lines.")
def find_story(reference: str, folder: Path | None, config: Path | None, as_json: bool) -> None:
    """Tell the story of the identification whose REFERENCE a person read from a page.

    REFERENCE is a txn or its first characters (pages show 8). Every match is told.

    \b
      tunnus audit find K7QF2M4A --config production.toml
    """
    with errors_reported():
        try:
            where = folder_of(folder, config, _audit_dir)
            stories = [] if _nothing_yet(where, named=folder is not None) else find(where, reference)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="REFERENCE") from error
    for story in stories:
        for line in _as_json(story) if as_json else _as_text(story):
            click.echo(line)
    if not stories:
        click.echo("nothing found: mend the reference, or look in the log for one that never reached a bank", err=True)
        raise SystemExit(WRONG)


def _as_json(story: Story) -> Iterator[str]:
    for _, _, record in story.records:
        yield json.dumps(record)


def _as_text(story: Story) -> Iterator[str]:
    yield story.txn
    for file, number, record in story.records:
        facts = "  ".join(f"{name}={_word(value)}" for name, value in record.items() if name not in _UNTOLD)
        yield f"  {record.get('time')}  {record.get('event')}  {facts}  ({file}:{number})"


def _word(value: object) -> str:
    """A value that cannot be taken for two, or for a line of its own."""
    text = printable(str(value))
    return json.dumps(text, ensure_ascii=False) if " " in text or '"' in text else text


@audit.command("refusals")
@folder_option("FOLDER", _FOLDER)
@config_option(required=False)
@click.option("--client", metavar="ID", help="Only this client's.")
@since_option("24h", "How far back.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON lines.")
def refusals(folder: Path | None, config: Path | None, client: str | None, since: int, as_json: bool) -> None:
    """Count the logins that were refused before an attempt was claimed: how many, from which client, why.

    Among them are answers to another browser (login CSRF), states that were used, made up or left out (replays), and
    authorization requests that were refused. A record of the trail holds a minute's refusals of one kind, and no
    person's; those of an identification that came as far as a bank's answer are found by its code.

    \b
      tunnus audit refusals --since 24h --config production.toml
    """
    with errors_reported():
        found = count_refusals(folder_of(folder, config, _audit_dir), moment(time.time() - since))
    shown = [(kind, count) for kind, count in found.most_common() if client in (None, kind.client)]
    for kind, count in shown:
        if as_json:
            click.echo(json.dumps({"count": count} | asdict(kind)))
        else:
            reason = f": {kind.reason}" if kind.reason else ""
            click.echo(f"{count:8}  {kind.client or '(client unknown)'}  {kind.code} at {kind.step}{reason}")
    if not as_json:
        click.echo(f"{sum(count for _, count in shown):8}  refused before a claim")


@audit.command("verify")
@folder_option("FOLDER", _FOLDER)
@config_option(required=False)
@heads_option
@keys_option
def verify_trail(folder: Path | None, config: Path | None, heads: Path | None, keys: tuple[Path, ...]) -> None:
    """Check that no line was changed, removed, inserted or moved.

    A chain cannot show that its end was cut off, or that all of it was written anew. What was kept elsewhere can:
    once a minute the hash of the last record goes to the collector, signed, and to the log, and --heads compares. FILE
    is read as it is, whatever stands around a head.

    \b
      tunnus audit verify --config production.toml --heads /var/log/collected/tunnus.log
    """
    with errors_reported():
        where = folder_of(folder, config, _audit_dir)
        trust = heads_trust(config, keys)
        told, wrong = told_heads(heads, trust) if heads else ([], None)
        if _nothing_yet(where, named=folder is not None) and not told:
            click.echo(f"{where} is not there yet: the broker makes it with the first record")
            return
        seen = verify(where, told, checkpoint_trust(config, trust))
    if heads and wrong:
        seen.findings.insert(0, Finding(heads.name, 0, wrong))
    for finding in seen.findings:
        click.echo(f"{finding.file}:{finding.line}: {finding.wrong}", err=True)
    for name in seen.unclosed:
        click.echo(f"{name}: was never closed (the broker still runs, or was killed)")
    for name in seen.unfinished:
        click.echo(f"{name}: its pruning was cut short; give the command prune again")
    compared = f", {seen.pruned} pruned" if seen.pruned else ""
    compared += f", {len(told)} heads compared" if heads else ""
    click.echo(f"{seen.records} records in {seen.files} files{compared}, {len(seen.findings)} findings")
    if seen.findings:
        raise SystemExit(WRONG)
    if seen.unclosed or seen.unfinished:
        raise SystemExit(UNCLOSED)


audit.add_command(prune_trail)


def _nothing_yet(where: Path, *, named: bool) -> bool:
    """Whether there can be no record yet: the configuration's folder is not there. One named by hand must be."""
    return not named and not where.exists()


def _audit_dir(settings: Settings) -> Path:
    return settings.audit.dir
