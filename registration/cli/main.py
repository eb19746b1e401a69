"""The command's first level: serve, check, migrate, keys; the others are added from their modules."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from kit.commands import Failed, errors_reported
from kit.keys.commands import Configured, KeyCommands
from kit.keys.rotation import Rotation
from kit.pages.texts import further_texts
from registration.app import create_app
from registration.backup.erasing import refuse_unfinished
from registration.backup.erasure_list import ErasureList
from registration.cli.audit import audit
from registration.cli.backup import backup, erase_restored, restore, upgrade
from registration.cli.cases import cases, letters
from registration.cli.common import Run, command, config_option
from registration.cli.customers import customers
from registration.cli.mail import send_mail
from registration.cli.persons import export, forget, relink
from registration.cli.rights import grant, list_people, revoke
from registration.configuration import load_everything
from registration.database import migrate as schema
from registration.database.connection import Database
from registration.database.faults import make_file, newer_schema, refuse_other_schema
from registration.database.roles import grant as grant_rights
from registration.database.roles import powers_over_the_trail
from registration.keys import PURPOSES
from registration.settings import Settings, load_settings

EXAMPLES = """
\b
A first start:
  tunnus-registration keys init --dir /var/lib/registration/keys
  tunnus-registration keys show-public --dir /var/lib/registration/keys --out registration.jwks.json
  tunnus-registration migrate --config registration.toml
  tunnus-registration check --config registration.toml
  tunnus-registration customers import customers.csv --operator anna --reason "first list"
  tunnus-registration serve --config registration.toml
  tunnus-registration send-mail --config registration.toml

\b
Exit status:
  0  all is well
  1  something is wrong, and was said
  2  the command was given wrongly
  3  audit verify: nothing was tampered with, but an older version wrote records that are not chained
"""


@click.group(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Registration of companies' representatives, behind the Tunnus identity broker.

    Every command but keys takes the configuration file by --config or REGISTRATION_CONFIG. The --help of a command
    shows examples.
    """


OF_CUSTOMER_SERVICE = (grant, revoke, list_people, cases, letters, relink, forget, export)
OF_THE_MACHINE = (audit, customers, send_mail, backup, restore, erase_restored, upgrade)
for added in (*OF_CUSTOMER_SERVICE, *OF_THE_MACHINE):
    main.add_command(added)


@main.command(short_help="Run registration.")
@config_option
def serve(config: Path) -> None:
    """Run registration until SIGTERM or Ctrl-C.

    Two ports: one for browsers and for the services that use the API, and one for operations (/livez, /readyz,
    /metrics), both in the configuration's [server]. Another process, send-mail, sends what is to be told by e-mail.

    \b
      tunnus-registration serve --config registration.toml
    """
    from registration.server import serve as run

    with errors_reported():
        run(config)


@main.command(short_help="Check configuration, keys, terms and schema.")
@config_option
def check(config: Path) -> None:
    """Check the configuration, the keys, the terms of use and the database's schema: all problems in one report.

    \b
      tunnus-registration check --config registration.toml
    """

    powers: list[str] = []

    def look_at_schema(settings: Settings) -> None:
        if settings.database.url:
            with closing(Database(settings.database.url, 1)) as database:
                refuse_other_schema(database, config, settings.database.url)
                refuse_unfinished(database, config, ErasureList(settings.erasures.file))
                with database.engine.connect() as connection:
                    powers.extend(powers_over_the_trail(connection))

    with errors_reported():
        service = create_app(load_everything(config, look_at_schema)).extensions["registration"]
        service.database.close()
    for line in further_texts(service.pages.texts):
        click.echo(line)
    if powers:
        click.echo(f"warning: the role of database.url could change the audit trail ({', '.join(powers)})")
        click.echo("         mend: give the service a role of its own: tunnus-registration migrate --app-role ROLE")
    click.echo("all is well")


@command("Bring the database to this version's schema.", group=main)
@click.option("--down-to", metavar="REVISION", help="Go back to an earlier schema; `base` removes every table.")
@click.option("--app-role", metavar="ROLE", help="PostgreSQL: the service's role, which gets what it needs.")
def migrate(run: Run, down_to: str | None, app_role: str | None) -> None:
    """Bring the database to the schema of this version; run it before `serve`, once.

    An SQLite file that is not there is made, readable by its owner only. Nothing else makes it.

    On PostgreSQL run it as the role that the tables belong to, and let the service be another one, --app-role, which
    may then change rows, but to the audit trail only append.

    \b
      tunnus-registration migrate --config registration.toml
      tunnus-registration migrate --config registration.toml --down-to base
      REGISTRATION_DATABASE_URL=… tunnus-registration migrate --config registration.toml --app-role registration
    """
    known = schema.revisions()
    if down_to is not None and down_to not in known:
        raise Failed(f"there is no schema of that name to go back to; there are: {', '.join(known)}")
    if down_to is None:
        make_file(run.settings.database.url)
    database = run.database
    try:
        if down_to is None:
            schema.upgrade(database)
            if app_role is not None:
                with database.write() as transaction:
                    grant_rights(transaction.connection(), app_role)
            ErasureList(run.settings.erasures.file).make()
        else:
            click.confirm("What newer tables and columns hold will be lost. Go on?", abort=True)
            schema.downgrade(database, down_to)
    except schema.NewerSchema as error:
        raise newer_schema(run.config, run.settings.database.url) from error
    click.echo("the schema is current" if down_to is None else f"the schema is at {down_to}")


@main.group()
def keys() -> None:
    """Make our keys, replace them, show how they stand.

    \b
    Purposes:
      client    proves us to the broker
      sealing   encrypts drafts and sessions at rest
      cookie    signs the cookie and the links in e-mails
      audit-sig signs heads and checkpoints of the audit trail
      digest    counts tries. Made once, never replaced: back it up

    \b
      tunnus-registration keys init --dir /var/lib/registration/keys
      tunnus-registration keys show-public --dir /var/lib/registration/keys --out registration.jwks.json
      tunnus-registration keys rotate --due --config registration.toml      # for cron
      tunnus-registration keys status --config registration.toml
    """


def _configured(config: Path) -> Configured:
    keys = load_settings(config).keys
    return keys.dir, keys.rotate_every, PURPOSES


KeyCommands("tunnus-registration keys", PURPOSES, Rotation, _configured, "REGISTRATION_CONFIG").add_to(keys)
