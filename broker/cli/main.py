"""The command's first level: serve, check, doctor, entity-statement, client-secret; keys and audit below it."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import click

from broker.chooser.live_notices import readers_of
from broker.cli.audit import audit
from broker.cli.audit_prune import audit_keys
from broker.cli.backup import backup, restore
from broker.cli.bank_statement import bank_statement
from broker.cli.clients import clients
from broker.cli.common import config_option, errors_reported
from broker.cli.keys import client_keys, keys
from broker.keys import KeyRing, KeysUnusable
from broker.operations.checks import check_audit_folder, check_clock, check_pinned_metadata, check_pins, check_store
from broker.operations.client_checks import try_client_keys
from broker.operations.configuration import check_configuration, load_everything, loosened, what_a_failover_risks
from broker.operations.durability import check_durability
from broker.operations.key_checks import check_keys, check_statement
from broker.operations.notice_checks import told_of_notices, try_notices
from broker.settings import Settings, load_settings
from broker.settings.software import known_to_fail
from kit.audit.signed import Trust, public_keys
from kit.client_authentication.secret import hash_secret, new_secret
from kit.commands import WRONG
from kit.keys.files import write_private
from kit.pages.texts import further_texts
from kit.serving.operations import Check
from kit.settings.report import ConfigurationError

EXAMPLES = """
\b
A first start:
  tunnus keys init --dir /var/lib/tunnus/keys
  tunnus check --config production.toml
  tunnus doctor --config production.toml
  tunnus entity-statement --config production.toml --out entity-statement.jwt
  tunnus serve --config production.toml

\b
Exit status:
  0  all is well
  1  something is wrong, and was said
  2  the command was given wrongly
  3  audit verify: nothing was tampered with, but a file was never closed, or a pruning was cut short
"""


@click.group(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Tunnus, an identity broker for the Finnish Trust Network.

    Every command takes the configuration file by --config or TUNNUS_CONFIG. `tunnus COMMAND --help` shows examples.
    """


main.add_command(keys)
main.add_command(client_keys)
main.add_command(audit)
main.add_command(audit_keys)
main.add_command(clients)
main.add_command(bank_statement)
main.add_command(backup)
main.add_command(restore)


@main.command()
@config_option()
def serve(config: Path) -> None:
    """Run the broker until SIGTERM or Ctrl-C.

    Two ports: the public one for browsers, clients and banks, and one for operations (/livez, /readyz, /metrics),
    both in the configuration's [server]. Logs go to standard error as JSON, a line for each request.

    \b
      tunnus serve --config production.toml
    """
    from broker.server import serve as run

    with errors_reported():
        run(config)


@main.command()
@config_option()
def check(config: Path) -> None:
    """Check the configuration: all problems in one report.

    Each problem names its key, its value unless that is secret, what is allowed, and the mend. Nothing is started
    and nobody is asked.

    \b
      tunnus check --config production.toml
    """
    with errors_reported():
        settings, pages = load_everything(config)
    opened = sum(provider.status == "open" for provider in settings.providers.values())
    click.echo(
        f"{config}: no problems. Environment {settings.environment}, {opened} providers open, "
        f"{len(settings.connections)} connections, {len(settings.clients)} clients."
    )
    told = (
        *what_a_failover_risks(settings.store),
        *told_of_notices(settings),
        *loosened(settings),
        *known_to_fail(settings.clients),
    )
    for line in (*told, *further_texts(pages.texts)):
        click.echo(line)


@main.command()
@config_option()
def doctor(config: Path) -> None:
    """Check the machine too: all that check does, keys and their modes, clock, pins, audit trail, store, notices.

    Asks the store and the disk, clients for the keys that they publish, and banks for their notices alone: an entity
    statement is never fetched, only the stored one is read.

    \b
      tunnus doctor --config production.toml
    """
    with errors_reported():
        checks = [*check_configuration(config)]
        with suppress(ConfigurationError):  # what is wrong is told above
            checks += _look(load_settings(config))
    for made in checks:
        click.echo(f"{made.state:8} {made.name}: {made.said}")
        if made.mend:
            click.echo(f"         mend: {made.mend}")
    if any(made.state == "failed" for made in checks):
        raise SystemExit(WRONG)


def _look(settings: Settings) -> list[Check]:
    from broker.store import connect

    now = time.time()
    checks = [check_clock(now)]
    trust = None
    try:
        keys = KeyRing.of(settings.keys, time.time)
        checks += check_keys(keys, now, settings.keys.rotate_every)
        checks += check_statement(settings, keys, now)
        trust = Trust(settings.audit.checkpoint_keys or public_keys(keys))
    except KeysUnusable as error:
        for problem in error.problems:
            checks.append(Check("keys folder", "failed", f"{problem.key[0]} {problem.wrong}", problem.mend))
    checks += check_pins(settings, int(now))
    checks += check_pinned_metadata(settings, int(now))
    checks += try_notices(settings, readers_of(settings))
    checks += try_client_keys(settings)
    checks += check_audit_folder(settings.audit.dir, time.time, trust)
    client = connect(settings.store)
    try:
        checks += check_store(client)
        checks += check_durability(client, settings.store)
    finally:
        client.close()
    return checks


@main.command("entity-statement")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it there, whole or not at all.")
@config_option()
def entity_statement(out: Path | None, config: Path) -> None:
    """Print our entity statement, signed by the entity key in use, for the banks to pin.

    It names the redirect URI of every connection, so make it again when one is added; and before it ends, and when the
    next entity key is in its warm-up: it holds both keys then, and banks verify it by the one that they know.

    \b
      tunnus entity-statement --config production.toml --out entity-statement.jwt
    """
    from broker.relying_party import entity_statement as build

    with errors_reported():
        settings = load_settings(config)
        statement = build(settings, KeyRing.of(settings.keys, time.time), int(time.time()))
        if out is not None:
            write_private(out, statement + "\n", mode=0o644)
    if out is None:
        click.echo(statement)


@main.command("client-secret")
def client_secret() -> None:
    """Make a secret for a client with client_secret_basic, and its hash for the configuration.

    The secret is shown once. Hand it to the client over a safe way; the configuration gets the hash alone:

    \b
      [clients.reports]
      auth_method = "client_secret_basic"
      secret_hash = "sha256:…"
    """
    secret = new_secret()
    click.echo(f"secret (for the client): {secret}")
    click.echo(f"secret_hash (for the configuration): {hash_secret(secret)}")
