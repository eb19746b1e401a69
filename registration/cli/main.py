"""The command's first level: serve, check, migrate, keys, send-mail; customers and people below it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from registration import migrate as schema
from registration.app import create_app
from registration.cli.common import WRONG, config_option, opened, told
from registration.cli.customers import customers
from registration.cli.mail import send_mail
from registration.cli.people import export, forget, grant, list_people, relink, revoke
from registration.keys import load_keys, make_keys
from registration.settings import load_settings

EXAMPLES = """
\b
A first start:
  tunnus-registration keys init --dir /var/lib/registration/keys
  tunnus-registration keys show --dir /var/lib/registration/keys > registration.jwks.json
  tunnus-registration check --config registration.toml
  tunnus-registration migrate --config registration.toml
  tunnus-registration customers import customers.csv --operator anna --reason "first list"
  tunnus-registration serve --config registration.toml
  tunnus-registration send-mail --config registration.toml

\b
Exit status:
  0  all is well
  1  something is wrong, and was said
  2  the command was given wrongly
"""


@click.group(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def main() -> None:
    """Registration of companies' representatives, behind the Tunnus identity broker.

    Every command takes the configuration file by --config or REGISTRATION_CONFIG. `tunnus-registration COMMAND
    --help` shows examples.
    """


for command in (customers, send_mail, grant, revoke, list_people, relink, forget, export):
    main.add_command(command)


@main.command()
@config_option()
def serve(config: Path) -> None:
    """Run registration until SIGTERM or Ctrl-C.

    One port, for browsers and for the services that use the API; /livez and /readyz tell how it is. E-mail is sent
    by another process: tunnus-registration send-mail.

    \b
      tunnus-registration serve --config registration.toml
    """
    from registration.server import serve as run

    with told():
        run(config)


@main.command()
@config_option()
def check(config: Path) -> None:
    """Check the configuration, the keys, the terms of use and the database's schema.

    \b
      tunnus-registration check --config registration.toml
    """
    with told():
        settings = load_settings(config)
        app = create_app(settings)
        database = app.extensions["registration"].database
        if not schema.is_current(database):
            click.echo(f"the database needs: tunnus-registration migrate --config {config}", err=True)
            raise SystemExit(WRONG)
        database.close()
    click.echo("all is well")


@main.command()
@config_option()
@click.option("--down-to", metavar="REVISION", help="Go back to an earlier schema; `base` removes every table.")
def migrate(config: Path, down_to: str | None) -> None:
    """Bring the database to the schema of this version; run it before `serve`, once.

    \b
      tunnus-registration migrate --config registration.toml
    """
    with opened(config) as (_, database):
        if down_to is None:
            schema.upgrade(database)
            click.echo("the schema is current")
        else:
            click.confirm("What newer tables and columns hold will be lost. Go on?", abort=True)
            schema.downgrade(database, down_to)
            click.echo(f"the schema is at {down_to}")


@main.group()
def keys() -> None:
    """Make our keys, and show the public one."""


@keys.command("init")
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder.")
def init_keys(folder: Path) -> None:
    """Make the keys that are missing in a folder; those that are there stay.

    \b
      tunnus-registration keys init --dir /var/lib/registration/keys
    """
    with told():
        made = make_keys(folder)
        load_keys(folder)
    click.echo("\n".join(f"made {path}" for path in made) or "all keys are there")


@keys.command("show")
@click.option("--dir", "folder", type=click.Path(path_type=Path, file_okay=False), required=True, help="The folder.")
def show_key(folder: Path) -> None:
    """Print our public key as a JWK set: the broker's configuration holds it for this client.

    \b
      tunnus-registration keys show --dir /var/lib/registration/keys > registration.jwks.json
    """
    with told():
        click.echo(json.dumps({"keys": [load_keys(folder).public_jwk]}, indent=2))
