"""`tunnus audit`: the story of one identification, and whether the trail was tampered with."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from broker.audit import Head, Story, count_refusals, find, verify
from broker.audit.chain import printable
from broker.cli.common import config_option, errors_reported, folder_of, folder_option, since_option
from broker.settings import Settings
from kit.commands import WRONG

_FOLDER = "The folder of the trail; the configuration's audit.dir unless given."
_UNTOLD = frozenset({"seq", "previous", "hash", "time", "event", "txn"})
UNCLOSED = 3
"""Exit status: nothing tampered with, but a file that was never closed."""


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
    first = datetime.fromtimestamp(time.time() - since, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with errors_reported():
        found = count_refusals(folder_of(folder, config, _audit_dir), first)
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
@click.option(
    "--heads",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A log of the broker; the heads in it must be in the trail.",
)
def verify_trail(folder: Path | None, config: Path | None, heads: Path | None) -> None:
    """Check that no line was changed, removed, inserted or moved.

    A chain cannot show that its end was cut off, or that all of it was written anew. The broker's log can: it gets
    the hash of the last record every minute, and --heads compares. So keep logs where the trail's writer cannot write.

    \b
      tunnus audit verify --config production.toml --heads /var/log/tunnus.log
    """
    with errors_reported():
        where = folder_of(folder, config, _audit_dir)
        told = list(_heads(heads)) if heads else []
        if _nothing_yet(where, named=folder is not None) and not told:
            click.echo(f"{where} is not there yet: the broker makes it with the first record")
            return
        seen = verify(where, told)
    for finding in seen.findings:
        click.echo(f"{finding.file}:{finding.line}: {finding.wrong}", err=True)
    for name in seen.unclosed:
        click.echo(f"{name}: was never closed (the broker still runs, or was killed)")
    click.echo(f"{seen.records} records in {seen.files} files, {len(seen.findings)} findings")
    if seen.findings:
        raise SystemExit(WRONG)
    if seen.unclosed:
        raise SystemExit(UNCLOSED)


def _nothing_yet(where: Path, *, named: bool) -> bool:
    """Whether there can be no record yet: the configuration's folder is not there. One named by hand must be."""
    return not named and not where.exists()


def _heads(log: Path) -> Iterator[Head]:
    """The heads in a log of JSON lines; other lines are passed over."""
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if "audit_head" not in line:
                continue
            try:
                entry = json.loads(line[line.index("{") :])
                yield Head(str(entry["file"]), int(entry["seq"]), str(entry["head"]))
            except (ValueError, KeyError, TypeError):
                continue


def _audit_dir(settings: Settings) -> Path:
    return settings.audit.dir
