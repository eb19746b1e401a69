"""`tunnus-registration audit`: what was recorded of somebody, whether it was tampered with, and how long it is kept."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.exc import ProgrammingError

from kit.audit.collector import Collector
from kit.audit.commands import heads_option, keys_option, older_than_option, told_heads, trust_of
from kit.audit.signed import public_keys
from kit.commands import WRONG, Failed, Seconds
from registration.accounts import person
from registration.audit import chain, reading
from registration.audit.pruning import prune
from registration.cli.common import Run, command
from registration.database.models import AuditRecord

UNCHAINED = 3
"""Exit status: nothing tampered with, but records without a hash."""
_REFUSED = "42501"
"""PostgreSQL's SQLSTATE of a missing right."""


@click.group(short_help="Who did what: find, verify, prune.")
def audit() -> None:
    """The audit trail: who did what, in a table of chained records.

    People stand in it by account id; operators as they, and their reasons, were given.

    \b
      tunnus-registration audit find aino --config registration.toml
      tunnus-registration audit verify --config registration.toml
    """


@command("Tell what was recorded of somebody.", "find", audit)
@click.argument("who")
@click.option("--since", type=Seconds(), metavar="TIME", help="How far back, as 30d; everything unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print the records as JSON lines.")
def find_records(run: Run, who: str, since: int | None, as_json: bool) -> None:
    """Tell what was recorded of WHO: a user name, an account's id or its beginning, an FO-nummer, an operator's name.

    \b
      tunnus-registration audit find aino --config registration.toml
      tunnus-registration audit find 9f2c51d0 --since 30d --json
    """
    if not who.strip():
        raise click.BadParameter("is empty", param_hint="WHO")
    with run.database.read() as tx:
        account = person.account_named(tx, who)
        first = run.now - since if since is not None else 0
        found = list(reading.find(tx, account.id if account else who, first))
    for record in found:
        click.echo(json.dumps(_as_json(record)) if as_json else _as_text(record))
    if not found:
        raise Failed("nothing found")


def _as_json(record: AuditRecord) -> dict[str, object]:
    names = ("seq", "at", "event", "actor", "subject", "fo_nummer", "details", "hash")
    return {name: getattr(record, name) for name in names}


def _as_text(record: AuditRecord) -> str:
    at = datetime.fromtimestamp(record.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    facts = {"actor": record.actor, "subject": record.subject, "fo_nummer": record.fo_nummer, **record.details}
    told = "  ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in facts.items() if value)
    return f"{at}  {record.seq or '-'}  {record.event}  {told}"


@command("Check that nothing was tampered with.", "verify", audit)
@heads_option
@keys_option
def verify_trail(run: Run, heads: Path | None, keys: tuple[Path, ...]) -> None:
    """Check that no record was changed, removed, inserted or moved.

    A chain cannot show that its end was cut off, or that all of it was written anew. What was kept elsewhere can:
    once a minute the hash of the last record goes to the collector, signed, and to the log, and --heads compares.

    \b
      tunnus-registration audit verify --config registration.toml --heads /var/log/collected/registration.log
    """
    trust = trust_of(keys, lambda: public_keys(run.keys))
    told, wrong = told_heads(heads, trust) if heads else ([], None)
    with run.database.read() as tx:
        reading.snapshot(tx)
        seen = reading.verify(tx, told, trust)
    if wrong:
        seen.findings.insert(0, (0, wrong))
    for seq, finding in seen.findings:
        click.echo(f"record {seq}: {finding}" if seq else finding, err=True)
    pruned = f", {seen.pruned} pruned" if seen.pruned else ""
    compared = f", {len(told)} heads compared" if heads else ""
    click.echo(f"{seen.records} records{pruned}{compared}, {len(seen.findings)} findings")
    if seen.unchained:
        click.echo(f"{seen.unchained} records are not chained: an older version wrote them beside this one")
    if seen.findings:
        raise SystemExit(WRONG)
    if seen.unchained:
        raise SystemExit(UNCHAINED)


@command("Remove the oldest records.", "prune", audit, operated=True)
@older_than_option
@keys_option
def prune_trail(run: Run, older_than: int, keys: tuple[Path, ...]) -> None:
    """Remove the oldest records, up to the first that is younger than TIME.

    A signed checkpoint with the last one's number and hash takes their place, for `verify` to start from, and the
    trail tells of it; all in one transaction. Nothing is removed from a trail in which something is not as it was
    written. It needs the role that the tables belong to, not the service's.

    \b
      tunnus-registration audit prune --older-than 1830d --operator cron --reason retention
    """
    trust = trust_of(keys, None)
    trust.learn(public_keys(run.keys))
    by = run.by
    try:
        with run.database.write() as tx:
            removed = prune(tx, by.now - older_than, run.keys, trust, by)
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != _REFUSED:
            raise
        mend = "name the role that the tables belong to in database.url"
        raise Failed(f"this role may not prune, as it should be for the service's; {mend}") from error
    heads = Collector.of(run.settings.audit.collector, run.keys, time.time, "tunnus-registration")
    with run.database.read() as tx:
        heads.offer(chain.last(tx))
    click.echo(f"{removed} records were removed")
    if not heads.send_waiting():
        raise Failed(f"the head after it was not sent: {heads.problem}; the service sends the next one")
